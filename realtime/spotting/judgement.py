"""What speaks against a movement: each judgement gives a reason in plain words, or None."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from realtime.clock import to_nanoseconds, to_seconds
from realtime.faces.landmarks import (
    EYE_REGIONS,
    GATE_BLINK,
    GATE_BLINK_LEFT,
    GATE_BLINK_RIGHT,
    GATE_HEAD_TURN,
    GATE_LIGHT,
    GATE_OCCLUDED,
    GATE_OUT_ABOVE,
    GATE_OUT_BELOW,
    GATE_OUT_LEFT,
    GATE_OUT_RIGHT,
    GATE_RESTART,
    GATE_SACCADE,
    GATE_SPEECH,
    LID_REGIONS,
    MASKED_REGIONS,
    REGION_NAMES,
)
from realtime.spotting.contrast import BROWS, GROUPS, LIDS, LOWER_FACE, Standing
from realtime.spotting.movement import Movement, overlap_of_shorter
from realtime.spotting.parameters import TICK_S, SpottingParameters

GATE_WORDS = {
    GATE_BLINK: "the eyes blinked",
    GATE_BLINK_LEFT: "the left eye blinked",
    GATE_BLINK_RIGHT: "the right eye blinked",
    GATE_HEAD_TURN: "the head turned too fast to read the face",
    GATE_LIGHT: "the light jumped",
    GATE_OCCLUDED: "something lay over the face",
    GATE_OUT_LEFT: "the left of the face reached beyond the picture",
    GATE_OUT_RIGHT: "the right of the face reached beyond the picture",
    GATE_OUT_ABOVE: "the forehead reached beyond the picture",
    GATE_OUT_BELOW: "the chin reached beyond the picture",
    GATE_RESTART: "the face had just been found again",
    GATE_SACCADE: "the eyes jumped",
    GATE_SPEECH: "the mouth was speaking or chewing",
}
"""Gates in the words of a reason."""
BLINKS = frozenset({GATE_BLINK, GATE_BLINK_LEFT, GATE_BLINK_RIGHT})
BLINK_MARGIN_NS = to_nanoseconds(0.1)
"""Lids move a little before and after the gate sees them shut."""
SAME_PEAK_S = 0.1
"""Peaks of one region that lie so close together are one."""
SYLLABLE_SHARE = 0.5
"""Movements weaker than this share of another are no syllables of the same speech."""
KEPT_NS = to_nanoseconds(10.0)


@dataclass(slots=True, kw_only=True)
class _Span:
    gates: tuple[str, ...]
    start_ns: int
    end_ns: int


class GateLog:
    """When which gate was on, for the last seconds."""

    def __init__(self) -> None:
        self._spans: deque[_Span] = deque()
        self._last_ns: int | None = None

    def push(self, gates: tuple[str, ...], time_ns: int) -> None:
        """Note a sample's gates; they hold since the sample before it."""
        since_ns = time_ns if self._last_ns is None else self._last_ns
        self._last_ns = time_ns
        if not gates:
            return
        if self._spans and self._spans[-1].gates == gates and self._spans[-1].end_ns == since_ns:
            self._spans[-1].end_ns = time_ns
        else:
            self._spans.append(_Span(gates=gates, start_ns=since_ns, end_ns=time_ns))
        while self._spans and self._spans[0].end_ns < time_ns - KEPT_NS:
            self._spans.popleft()

    def during(self, start_ns: int, end_ns: int) -> dict[str, tuple[int, int]]:
        """Gates that were on in an interval, with the first and last moment of each in it."""
        found: dict[str, tuple[int, int]] = {}
        for span in self._spans:
            for gate in span.gates:
                margin_ns = BLINK_MARGIN_NS if gate in BLINKS else 0
                if span.start_ns - margin_ns <= end_ns and span.end_ns + margin_ns >= start_ns:
                    first_ns, last_ns = found.get(gate, (span.start_ns, span.end_ns))
                    found[gate] = min(first_ns, span.start_ns), max(last_ns, span.end_ns)
        return found


def masked_by(regions: Sequence[str], gates: dict[str, tuple[int, int]]) -> tuple[frozenset[str], str | None]:
    """Regions that gates make doubtful, and the reason in words."""
    masked: frozenset[str] = frozenset()
    words = []
    for gate, (start_ns, end_ns) in gates.items():
        doubtful = MASKED_REGIONS.get(gate, frozenset(regions)) & frozenset(regions)
        if doubtful:
            masked |= doubtful
            said = GATE_WORDS.get(gate, gate)
            words.append(f"{said} from {to_seconds(start_ns):.2f} s to {to_seconds(end_ns):.2f} s")
    return masked, "; ".join(words) or None


def against_course(movement: Movement, parameters: SpottingParameters) -> str | None:
    """What the movement's own course says against it."""
    if movement.reason:
        return movement.reason
    if not movement.seen_from_start:
        return "already under way when the face could first be read"
    if movement.residual > 0.5:
        return f"did not come back: {movement.residual:.0%} of the movement remained, under 50 % needed"
    if movement.strength_px < movement.threshold_px:
        return f"rose only {movement.strength_px:.2f} px over its rest, {movement.threshold_px:.2f} px needed"
    if movement.duration_s > parameters.macro_longest_s:
        return f"lasted {movement.duration_s:.2f} s, over {parameters.macro_longest_s:.1f} s: new posture"
    if movement.duration_s < parameters.shortest_s:
        return f"lasted {movement.duration_s:.3f} s, under {parameters.shortest_s:.3f} s: too quick for a muscle"
    if movement.frames < 2:
        return "seen in a single frame: a flash or a misread picture"
    return None


def same_half(first: Sequence[int], second: Sequence[int]) -> bool:
    """Whether two movements are strongest in the same half: eyes and brows, or nose, cheeks and mouth."""
    halves = [REGION_NAMES[regions[0]] in EYE_REGIONS for regions in (first, second)]
    return halves[0] == halves[1]


def against_lids(movement: Movement, blink_px: float) -> str | None:
    """Whether it is a blink that no gate saw: the lids alone, and far."""
    lids_alone = all(REGION_NAMES[region] in LID_REGIONS for region in movement.regions)
    if lids_alone and movement.strength_px > blink_px:
        return f"the lids alone moved {movement.strength_px:.1f} px, over {blink_px:.1f} px: a blink"
    return None


def against_size(movement: Movement, parameters: SpottingParameters) -> str | None:
    """Whether it goes too far in too short a time."""
    if movement.duration_s > parameters.micro_longest_s or movement.strength_px <= parameters.micro_highest_px:
        return None
    return (
        f"moved {movement.strength_px:.1f} px in {movement.duration_s:.2f} s: more than the "
        f"{parameters.micro_highest_px:.1f} px of a micro-expression"
    )


def against_standing(
    standing: Standing, movement: Movement, disturbance: tuple[float, str], parameters: SpottingParameters
) -> str | None:
    """Whether a movement as short as a micro-expression is lost in what the face does anyway."""
    if math.isnan(standing.score):
        return "came before the face's own restlessness was known"
    factor, beside = disturbance
    factors = {BROWS: parameters.brow_factor, LIDS: parameters.lid_factor, LOWER_FACE: parameters.lower_face_factor}
    asked = parameters.departure_contrast if movement.departure else parameters.least_contrast
    needed = asked * parameters.reluctance * factor * factors[GROUPS[movement.regions[0]]]
    if standing.score < needed:
        return f"stands out {standing.score:.1f} times from the face's own restlessness, {needed:.1f} needed{beside}"
    if standing.largest_px > parameters.micro_highest_px:
        highest_px = parameters.micro_highest_px
        return f"beside a movement of {standing.largest_px:.1f} px, over the {highest_px:.1f} px of a micro-expression"
    return None


def against_speech(movement: Movement, before: Sequence[Movement], parameters: SpottingParameters) -> str | None:
    """Whether it is one of a chain of movements round the mouth: someone speaks or chews."""
    if REGION_NAMES[movement.regions[0]] in EYE_REGIONS:
        return None
    since = movement.apex - parameters.speech_s / TICK_S
    apexes = sorted(
        other.apex
        for other in before
        if REGION_NAMES[other.regions[0]] not in EYE_REGIONS
        and since <= other.apex < movement.onset
        and other.strength_px >= max(other.threshold_px, SYLLABLE_SHARE * movement.strength_px)
    )
    # The same movement is often seen by several regions that did not merge.
    count = sum(1 for number, apex in enumerate(apexes) if not number or apex - apexes[number - 1] > 0.1 / TICK_S)
    if count < parameters.speech_movements:
        return None
    return f"the lower face moved {count} times in the {parameters.speech_s:.1f} s before: speech"


def against_talking(
    movement: Movement, before_px: float, after_px: float, parameters: SpottingParameters
) -> str | None:
    """Whether the mouth moves as far just before or after it: someone speaks, chews or smiles.

    Args:
        movement: of any part of the face.
        before_px: how far the mouth moved back and forth in the time before its onset.
        after_px: the same after its offset, as far as that is known.
        parameters: what is far.
    """
    if REGION_NAMES[movement.regions[0]] in EYE_REGIONS:
        return None
    moved_px, when = max((before_px, "before"), (after_px, "after"))
    if moved_px <= max(parameters.talking_px, parameters.talking_fraction * movement.strength_px):
        return None
    return f"the mouth moved {moved_px:.1f} px just {when} it: speech"


def against_whole_face(displacement: Float64[np.ndarray, "regions 2"], strength_px: float) -> str | None:
    """Whether all of the face moved alike, as the head does and no expression.

    Args:
        displacement: of every region at the apex against its rest, pixels; NaN where unreadable.
        strength_px: of the movement.
    """
    moved = displacement[~np.isnan(displacement[:, 0])]
    if len(moved) < 8:
        return None
    typical = float(np.median(np.linalg.norm(moved, axis=1)))
    common = float(np.linalg.norm(np.median(moved, axis=0)))
    if common > 0.5 * strength_px and common > 0.85 * typical:
        return f"the whole face moved together by {common:.2f} px: the head, not an expression"
    return None


def against_same_peak(movement: Movement, before: Sequence[Movement]) -> str | None:
    """Whether a region's peak is that of an expression already reported, found once more between other bounds."""
    for other in before:
        same_peak = abs(movement.apex - other.apex) * TICK_S <= SAME_PEAK_S
        if other.reason is None and same_peak and set(movement.regions) & set(other.regions):
            return "the peak of an expression that was already reported"
    return None


def against_larger(movement: Movement, others: Sequence[Movement], part_fraction: float) -> str | None:
    """Whether it is a part of a larger expression of the same half of the face, settled or about to be."""
    for other in others:
        if other.reason is not None or not same_half(movement.regions, other.regions):
            continue
        weaker = movement.strength_px < part_fraction * other.strength_px
        if weaker and overlap_of_shorter(movement, other) > 0.5:
            return f"part of a larger one: {movement.strength_px:.2f} px beside {other.strength_px:.2f} px"
    return None
