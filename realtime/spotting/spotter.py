"""Regional movement in, expressions with onset, apex and offset out: the streaming spotter."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from realtime.clock import NANOSECONDS, to_nanoseconds
from realtime.events import ExpressionEvent, Kind, intersection_over_union
from realtime.faces.landmarks import EYE_REGIONS, GATE_HEAD_TURN, LID_REGIONS, MOUTH_REGIONS, REGION_NAMES
from realtime.spotting.contrast import CONTRAST_DELAY_TICKS, Find, LocalContrast
from realtime.spotting.description import described
from realtime.spotting.judgement import (
    BLINKS,
    GateLog,
    against_course,
    against_larger,
    against_lids,
    against_same_peak,
    against_size,
    against_speech,
    against_standing,
    against_talking,
    against_whole_face,
    masked_by,
    same_half,
)
from realtime.spotting.measurement import (
    departed_at_apex,
    measure_candidate,
    measure_find,
    measure_movement,
    moved_at_apex,
    moved_by,
    restlessness_px,
)
from realtime.spotting.movement import Movement, belong_together, group
from realtime.spotting.parameters import TICK_S, SpottingParameters
from realtime.spotting.sample import MotionSample
from realtime.spotting.settled import Settled, Stamps, expression, rejection
from realtime.spotting.window import Closing, MotionWindow, SampleStamp
from realtime.spotting.window_kernel import INTERRUPTED, QUICK, RETURNED, TIMED_OUT, UNREADABLE

__all__ = ["Spotter", "SpottingParameters"]

SAME_START_S = 0.25
"""Candidates of one region that opened so close together are one movement."""
BLINK_TAIL_NS = to_nanoseconds(0.15)
"""Brows go on moving for so long after a blink."""
MOUTH = tuple(place for place, name in enumerate(REGION_NAMES) if name in MOUTH_REGIONS)
CLEAR_S = 0.06
"""So near its bounds a movement still shows."""
FORGET_S = 6.0
"""How long settled movements are remembered, to tell repetitions and parts of larger movements."""


class Spotter:
    """Turn the regional movement of one face into onset–apex–offset events.

    Each region is a candidate from where it leaves its rest by more than its threshold until it has come back
    and stayed; regions whose candidates begin and end together are one expression, measured once more as one.
    A candidate that is no expression is given too, with the reason.

    Args:
        parameters: sensitivity and time scales.
    """

    def __init__(self, parameters: SpottingParameters | None = None) -> None:
        self.parameters = parameters or SpottingParameters()
        self._window = MotionWindow(len(REGION_NAMES), self.parameters)
        self._contrast = LocalContrast(self._window, self.parameters)
        self._gates = GateLog()
        self._pending: list[Movement] = []
        self._recent: deque[Movement] = deque()
        self._last_offset_ns: dict[Kind, int] = {}
        self._newest: MotionSample | None = None

    @property
    def latency_s(self) -> float:
        """Longest wait between a sample and the event that it settles, seconds; the next frame comes on top.

        Half of the low-pass, the longest hold after the return, and the wait for slower regions.
        """
        waits = self.parameters.settle_longest_s + self.parameters.merge_wait_s
        return self._window.delay_s + waits

    @property
    def window(self) -> MotionWindow:
        """The movement it remembers, with the rest, noise and limits of every region; to be read only."""
        return self._window

    @property
    def contrast_limits_px(self) -> Float32[np.ndarray, " regions"]:
        """How far each region must stand out of its own restlessness, canthus-normalised pixels; NaN until known."""
        return self._contrast.limits_px

    @property
    def strength(self) -> float:
        """Movement at the latest sample of the region nearest to its threshold, canthus-normalised pixels.

        Low-passed over the past alone, so it lags by about 20 ms; NaN before a rest is known.
        """
        return self._window.strength

    @property
    def threshold(self) -> float:
        """What `strength` has to exceed, canthus-normalised pixels."""
        return self._window.strength_threshold

    def push(self, sample: MotionSample) -> Iterator[Settled]:
        """Take the next sample, in time order.

        Args:
            sample: regional movement of one frame; always of the same face.

        Returns:
            What this sample settles, in the order of settling.

        Raises:
            ValueError: if the sample is not later than the one before it.
        """
        newest = self._newest
        if newest is not None and sample.time_ns <= newest.time_ns:
            raise ValueError(f"sample {sample.index} at {sample.time_ns} ns is not after {newest.time_ns} ns")
        settled: list[Settled] = []
        pause_ns = self._window.pause_before(sample.time_ns)
        if pause_ns:
            settled = self._end_run(f"no picture for {pause_ns / NANOSECONDS:.2f} s in the middle of it")
        self._newest = sample
        self._gates.push(sample.gates, sample.time_ns)
        closings = self._window.push(sample)
        finds = self._contrast.push()
        if closings or finds or self._pending:
            self._take(closings, "")
            self._take_finds(finds)
            settled += self._settle_ready()
        return iter(settled)

    def flush(self) -> Iterator[Settled]:
        """Settle what is still open: the stream has ended, or the face has."""
        return iter(self._end_run("the recording ended before it came back"))

    def _end_run(self, interruption: str) -> list[Settled]:
        self._take(self._window.interrupt(), interruption)
        self._take_finds(self._contrast.push())
        self._take_finds(self._contrast.finish())
        return self._settle_ready(all_of_them=True)

    def _take(self, closings: Sequence[Closing], interruption: str) -> None:
        """Measure the candidates that closed and keep those that no other one stands for."""
        for closing in sorted(closings, key=lambda one: (one.bank, one.channel)):
            if closing.bank == QUICK and closing.reason == TIMED_OUT:
                continue  # the slow bank follows it further
            if closing.channel == self._window.regions and self._region_moved(closing):
                continue
            movement = measure_candidate(self._window, closing, self.parameters)
            if closing.bank == QUICK and closing.reason == RETURNED and movement.residual > 0.5:
                continue  # a pause on the way of a longer movement
            if not self._repeats(movement):
                self._pending.append(replace(movement, reason=self._words(closing, interruption)))

    def _take_finds(self, finds: Sequence[Find]) -> None:
        """Measure what stands out of a movement that goes on, where no candidate stands for it."""
        for find in finds:
            regions = self._contrast.regions_at(find)
            movement = (
                measure_find(self._window, regions, find.moment, find.reach, self.parameters) if regions else None
            )
            if movement is None or movement.duration_s > self.parameters.micro_longest_s:
                continue
            known = [one for one in (*self._pending, *self._recent) if one.reason is None]
            if not any(
                one.onset <= movement.apex <= one.offset
                and same_half(one.regions, regions)
                and one.duration_s <= self.parameters.micro_longest_s
                for one in known
            ):
                self._pending.append(movement)

    def _words(self, closing: Closing, interruption: str) -> str | None:
        seconds = (closing.end - closing.opened) * TICK_S
        return {
            TIMED_OUT: f"did not come back within {seconds:.1f} s: a change of posture or drift",
            UNREADABLE: f"unreadable for more than {self.parameters.gap_longest_s:.2f} s in the middle of it",
            INTERRUPTED: interruption,
        }.get(closing.reason)

    def _region_moved(self, closing: Closing) -> bool:
        """Whether a region of its own stands for a movement of all together."""
        known = [*self._pending, *self._recent]
        if any(one.opened <= closing.low and one.low >= closing.opened for one in known if one.reason is None):
            return True
        candidates = self._window.open_candidates()
        return any(bank == closing.bank and channel < self._window.regions for bank, channel, _ in candidates)

    def _repeats(self, movement: Movement) -> bool:
        """Whether the same movement was already taken, from the other bank or just before."""
        overlap, regions = self.parameters.merge_overlap, set(movement.regions)
        for other in (*self._pending, *self._recent):
            settled = other.reason is None and other not in self._pending
            if (settled or regions <= set(other.regions)) and belong_together(movement, other, overlap):
                return True
        return False

    def _settle_ready(self, *, all_of_them: bool = False) -> list[Settled]:
        settled: list[Settled] = []
        for members in group(self._pending, self.parameters.merge_overlap):
            if all_of_them or self._is_ready(members):
                self._pending = [one for one in self._pending if one not in members]
                settled.append(self._settle(members))
        return settled

    def _is_ready(self, members: Sequence[Movement]) -> bool:
        """Whether no open candidate can still join, or the wait for one is over."""
        strongest, now = members[0], self._window.settled
        if now < max(member.apex for member in members) + CONTRAST_DELAY_TICKS:
            return False
        wait_s = self.parameters.settle_longest_s + self.parameters.merge_wait_s
        if (now - strongest.low) * TICK_S >= wait_s:
            return True
        moving = {region for member in members for region in member.regions}
        return not any(
            channel not in moving
            and intersection_over_union(strongest.interval, (opened, max(now, opened))) > self.parameters.merge_overlap
            for _, channel, opened in self._window.open_candidates()
        )

    def _settle(self, members: Sequence[Movement]) -> Settled:
        movement, reason = self._judged(members)
        # Where a movement fades so slowly that its end lies farther back than the stated latency, it ends there.
        earliest = self._window.settled - (self.latency_s - self._window.delay_s) / TICK_S
        movement = replace(movement, offset=max(movement.offset, earliest))
        kind: Kind = "micro" if self._brief(movement) else "macro"
        onset, apex, offset = self._stamps(movement)
        free_from_ns = self._last_offset_ns.get(kind)
        if reason is None and free_from_ns is not None and onset.time_ns < free_from_ns:
            onset = self._window.nearest(free_from_ns)
            if apex.time_ns <= onset.time_ns:
                reason = "overlaps an expression that was already reported"
        self._remember(replace(movement, reason=reason))
        if reason is not None:
            return rejection(movement, self._stamps(movement), reason, self._newest_sample())
        self._last_offset_ns[kind] = offset.time_ns
        return self._event(movement, (onset, apex, offset), kind)

    def _judged(self, members: Sequence[Movement]) -> tuple[Movement, str | None]:
        """The regions of one expression as one movement, and what speaks against it.

        Where something does, each half of the face is looked at alone: speech need not hide the brows.
        """
        movement, reason = self._measured_together(members)
        reason = reason or self._against(movement)
        if reason is not None:
            for half in _halves(members):
                part, against = self._measured_together(half)
                if against is None and self._against(part) is None:
                    return part, None
        return movement, reason

    def _stamps(self, movement: Movement) -> Stamps:
        """The first frame of the movement, the one nearest to its apex, and its last.

        Frames before the onset and after the offset show no movement, however near they are: taking the nearest would
        widen what is filmed at a low rate.
        """
        apex = self._window.nearest(self._window.time_ns(movement.apex))
        onset = self._window.first_from(self._window.time_ns(movement.onset))
        offset = self._window.last_until(self._window.time_ns(movement.offset))
        return min(onset, apex, key=_time), apex, max(offset, apex, key=_time)

    def _brief(self, movement: Movement) -> bool:
        """Whether the frames that show it span no more than the longest micro-expression."""
        onset, _, offset = self._stamps(movement)
        longest_s = self.parameters.micro_longest_s + self.parameters.micro_tolerance_s
        return (offset.time_ns - onset.time_ns) / NANOSECONDS <= longest_s

    def _event(self, movement: Movement, stamps: Stamps, kind: Kind) -> ExpressionEvent:
        event = expression(movement, stamps, kind, self._newest_sample())
        moved = (departed_at_apex if movement.departure else moved_at_apex)(self._window, movement)
        return described(event, moved, self._window.limits(range(self._window.regions)))

    def _newest_sample(self) -> MotionSample:
        if self._newest is None:
            raise ValueError("nothing can be settled before the first sample")
        return self._newest

    def _measured_together(self, members: Sequence[Movement]) -> tuple[Movement, str | None]:
        """The regions of one expression as one movement, without those that a gate masks."""
        whole = self._unite(members)
        start_ns, end_ns = (self._window.time_ns(tick) for tick in whole.interval)
        names = [REGION_NAMES[region] for region in whole.regions]
        gates = self._gates.during(start_ns, end_ns)
        if self._brief(whole):
            gates.pop(GATE_HEAD_TURN, None)  # it must stand out farther instead
        masked, reason = masked_by(names, gates)
        if not masked:
            return whole, None
        clear = [m for m in members if not all(REGION_NAMES[region] in masked for region in m.regions)]
        if not clear:
            return whole, reason
        united = self._unite(clear)
        kept = tuple(region for region in united.regions if REGION_NAMES[region] not in masked)
        if united.regions[0] not in kept:
            return united, reason
        return replace(united, regions=kept), None

    def _unite(self, members: Sequence[Movement]) -> Movement:
        sound = [member for member in members if member.reason is None] or list(members)
        if len(sound) == 1:
            return sound[0]
        regions = tuple(dict.fromkeys(region for member in sound for region in member.regions))
        if all(member.departure for member in sound):
            return replace(sound[0], regions=regions)
        opened = min(member.opened for member in sound)
        low = max(member.low for member in sound)
        end = min(self._window.settled, low + round(self.parameters.settle_longest_s / TICK_S))
        movement = measure_movement(self._window, regions, (opened, low), end, self.parameters)
        return replace(movement, reason=sound[0].reason)

    def _against(self, movement: Movement) -> str | None:
        reason = (
            against_course(movement, self.parameters)
            or against_lids(movement, self.parameters.blink_px)
            or against_size(movement, self.parameters)
            or against_speech(movement, self._recent, self.parameters)
            or against_same_peak(movement, self._recent)
        )
        if reason is None and not movement.departure:
            part = self.parameters.part_fraction
            reason = (
                against_whole_face(moved_at_apex(self._window, movement), movement.strength_px)
                or against_larger(movement, [*self._recent, *self._pending], part)
                or self._against_open(movement)
            )
        if reason is None and self._brief(movement):
            reason = against_talking(movement, *self._mouth_beside(movement), self.parameters)
        if reason is None and self._brief(movement):
            standing = self._contrast.standing(movement.regions, movement.onset, movement.offset, movement.apex)
            reason = against_standing(standing, movement, self._disturbance(movement), self.parameters)
        return reason

    def _mouth_beside(self, movement: Movement) -> tuple[float, float]:
        """How far the mouth moves back and forth just before and after a movement, pixels."""
        since, until = movement.onset - self.parameters.talking_s / TICK_S, self._window.settled
        before = restlessness_px(self._window, MOUTH, since, movement.onset - CLEAR_S / TICK_S)
        return before, restlessness_px(self._window, MOUTH, movement.offset + CLEAR_S / TICK_S, until)

    def _disturbance(self, movement: Movement) -> tuple[float, str]:
        """How many times farther a movement must stand out for what goes on beside it, and what that is."""
        start_ns, end_ns = (self._window.time_ns(tick) for tick in movement.interval)
        gates = self._gates.during(start_ns - BLINK_TAIL_NS, end_ns + BLINK_TAIL_NS).keys()
        if GATE_HEAD_TURN in gates:
            return self.parameters.turn_factor, " while the head turns"
        if BLINKS & gates and REGION_NAMES[movement.regions[0]] in EYE_REGIONS:
            return self.parameters.blink_factor, " beside a blink"
        return 1.0, ""

    def _against_open(self, movement: Movement) -> str | None:
        """Whether it is a part of a larger movement that still goes on.

        A brief movement is no part of a long one, as a turn of the head or a smile is: what counts beside it is how
        far others move in the same short time.
        """
        departed_px = np.nan_to_num(np.linalg.norm(departed_at_apex(self._window, movement), axis=1))
        for _, channel, opened in self._window.open_candidates():
            # The other bank may still follow the very same movement.
            same = channel in movement.regions and abs(opened - movement.opened) * TICK_S < SAME_START_S
            if channel == self._window.regions or same or opened > movement.apex:
                continue
            name = REGION_NAMES[channel]
            if name in LID_REGIONS or not same_half(movement.regions, (channel,)):
                continue
            if self._brief(movement):
                beside_px = float(departed_px[channel])
            else:
                beside_px = moved_by(self._window, channel, opened, round(movement.apex))
            if movement.strength_px < self.parameters.part_fraction * beside_px:
                return (
                    f"part of a larger movement at the {name}: {movement.strength_px:.2f} px beside {beside_px:.2f} px"
                )
        return None

    def _remember(self, movement: Movement) -> None:
        self._recent.append(movement)
        forget = self._window.settled - round(FORGET_S / TICK_S)
        while self._recent and self._recent[0].low < forget:
            self._recent.popleft()


def _halves(members: Sequence[Movement]) -> list[list[Movement]]:
    """Members that are strongest at the eyes and those that are strongest below, where there are both."""
    upper = [member for member in members if REGION_NAMES[member.regions[0]] in EYE_REGIONS]
    lower = [member for member in members if member not in upper]
    return [upper, lower] if upper and lower else []


def _time(stamp: SampleStamp) -> int:
    return stamp.time_ns
