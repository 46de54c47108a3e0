"""The sliding window over one face's movement: what the spotter remembers, at constant cost a sample."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from realtime.spotting import window_kernel as kernel
from realtime.spotting.parameters import TICK_NS, TICK_S, SpottingParameters
from realtime.spotting.sample import MotionSample
from realtime.spotting.window_state import WindowState

TICKS_KEPT = 2048
"""Memory of the window, ticks: 10.24 s, twice the longest movement with its surroundings."""
SAMPLES_KEPT = 8192
"""Samples whose numbers and times are remembered."""
ENTRY_TICKS = 10
"""A region's rest and noise take one value in so many ticks."""
NOISE_RENEWAL_TICKS = 80
"""A limit is renewed once in so many ticks."""
QUICK_MARGIN_S = 0.2
"""The quick bank follows a movement for this much longer than the longest micro-expression, seconds."""
FIRST_LIMIT = 1.5
"""Limit of a region whose noise is not known yet, times the floor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A candidate of one channel that has ended; times are ticks of the window's grid."""

    bank: int
    channel: int
    """Number of the region; one past the last for all regions together."""
    reason: int
    """RETURNED, TIMED_OUT, UNREADABLE or INTERRUPTED of `window_kernel`."""
    opened: int
    peak: int
    low: int
    """When it fell below the return fraction."""
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleStamp:
    """Number and times of a sample that was in the stream."""

    index: int
    time_ns: int
    captured_ns: int


def _ticks(duration_s: float) -> int:
    return round(duration_s / TICK_S)


def _entries(duration_s: float) -> int:
    return round(duration_s / (ENTRY_TICKS * TICK_S))


def _gaussian(deviation_s: float) -> Float32[np.ndarray, " taps"]:
    half = max(1, _ticks(2.75 * deviation_s))
    steps = np.arange(-half, half + 1) * TICK_S
    weights = np.exp(-0.5 * (steps / deviation_s) ** 2)
    taps: np.ndarray = (weights / weights.sum()).astype(np.float32)
    return taps


def _durations(parameters: SpottingParameters) -> np.ndarray:
    durations = np.zeros(16, np.int64)
    durations[kernel.TICK_LENGTH] = TICK_NS
    durations[kernel.ENTRY_STEP] = ENTRY_TICKS
    durations[kernel.NOISE_STEP] = NOISE_RENEWAL_TICKS
    durations[kernel.LEARNING] = _ticks(parameters.learning_s)
    durations[kernel.SETTLE] = _ticks(parameters.settle_s)
    durations[kernel.SETTLE_LONGEST] = _ticks(parameters.settle_longest_s)
    durations[kernel.REFRACTORY] = _ticks(parameters.refractory_s)
    durations[kernel.GAP] = _ticks(parameters.gap_longest_s)
    durations[kernel.QUICK_TIMEOUT] = _ticks(parameters.micro_longest_s + QUICK_MARGIN_S)
    durations[kernel.SLOW_TIMEOUT] = _ticks(parameters.macro_longest_s + 0.3)
    durations[kernel.QUICK_CONTRAST] = _ticks(parameters.quick_contrast_s)
    durations[kernel.SLOW_CONTRAST] = _ticks(parameters.slow_contrast_s)
    durations[kernel.QUICK_RESTLESS] = _ticks(parameters.restless_s)
    durations[kernel.SLOW_RESTLESS] = _ticks(parameters.macro_longest_s + parameters.restless_s)
    durations[kernel.QUICK_ENTRIES] = max(3, _entries(parameters.quick_rest_s))
    durations[kernel.SLOW_ENTRIES] = max(durations[kernel.QUICK_ENTRIES], _entries(parameters.slow_rest_s))
    return durations


def _fractions(parameters: SpottingParameters) -> np.ndarray:
    fractions = np.zeros(7, np.float32)
    fractions[kernel.QUICK_FLOOR] = parameters.reluctance * parameters.quick_floor_px
    fractions[kernel.SLOW_FLOOR] = parameters.slow_floor_px
    fractions[kernel.JOINT] = parameters.joint_factor
    fractions[kernel.QUICK_FACTOR] = parameters.reluctance * parameters.quick_noise_factor
    fractions[kernel.SLOW_FACTOR] = parameters.slow_noise_factor
    fractions[kernel.QUICK_RETURN] = parameters.quick_return_fraction
    fractions[kernel.SLOW_RETURN] = parameters.slow_return_fraction
    return fractions


def _clock() -> np.ndarray:
    clock = np.zeros(8, np.int64)
    clock[kernel.HOLE] = -1
    return clock


def _new_state(regions: int, parameters: SpottingParameters) -> WindowState:
    columns, channels = 2 * regions, regions + 1
    durations = _durations(parameters)
    rest_entries, noise_entries = int(durations[kernel.SLOW_ENTRIES]), max(10, _entries(parameters.noise_s))
    floors = parameters.reluctance * parameters.quick_floor_px, parameters.slow_floor_px
    return WindowState(
        raw=np.zeros((TICKS_KEPT, columns), np.float32),
        valid=np.zeros((TICKS_KEPT, columns), np.float32),
        smooth=np.full((TICKS_KEPT, columns), np.nan, np.float32),
        taps=_gaussian(parameters.smoothing_s),
        last=np.full(columns, np.nan, np.float32),
        clock=_clock(),
        samples=np.zeros((SAMPLES_KEPT, 3), np.int64),
        rest=np.zeros((2, columns), np.float32),
        rest_entries=np.zeros((2, columns, rest_entries), np.float32),
        rest_ordered=np.zeros((2, columns, rest_entries), np.float32),
        rest_count=np.zeros((2, regions), np.int64),
        noise_entries=np.zeros((2, columns, noise_entries), np.float32),
        noise_count=np.zeros((2, regions), np.int64),
        limit=np.repeat(FIRST_LIMIT * np.array([floors], np.float32).T, columns, axis=1),
        magnitude=np.full((2, channels), np.nan, np.float32),
        phase=np.zeros((2, channels), np.int64),
        ticks=np.zeros((2, channels, 7), np.int64),
        levels=np.zeros((2, channels, 2), np.float32),
        closings=np.zeros((8 * channels, 7), np.int64),
        taps_out=np.full(2, np.nan, np.float32),
        durations=durations,
        fractions=_fractions(parameters),
    )


class MotionWindow:
    """Movement of one face on an even 5 ms grid, low-passed, with rest, noise and candidates of its regions.

    The grid counts from the first sample, so shifting all times shifts all results and changes nothing else.
    """

    def __init__(self, regions: int, parameters: SpottingParameters) -> None:
        self.regions = regions
        """Number of regions, and the channel of all of them together."""
        self.state = _new_state(regions, parameters)
        """What the window remembers, as the kernels take it."""
        self._arrays = tuple(self.state)
        self._gap_longest_ns = round(parameters.gap_longest_s * 1e9)
        self._running = False

    @property
    def delay_s(self) -> float:
        """How far the low-passed movement lags behind the newest sample, seconds."""
        return (self.state.taps.shape[0] // 2 + 1) * TICK_S

    @property
    def settled(self) -> int:
        """Newest low-passed tick."""
        return int(self.state.clock[kernel.SETTLED])

    @property
    def run_start(self) -> int:
        """First tick since the last pause."""
        return int(self.state.clock[kernel.RUN_START])

    @property
    def oldest(self) -> int:
        """First low-passed tick of the run that is still remembered."""
        return max(self.run_start, self.settled - TICKS_KEPT + 1)

    @property
    def strength(self) -> float:
        """Movement at the newest sample of the region nearest to its threshold, canthus-normalised pixels."""
        return float(self.state.taps_out[0])

    @property
    def strength_threshold(self) -> float:
        """Threshold of that region, canthus-normalised pixels."""
        return float(self.state.taps_out[1])

    def limits(self, regions: Sequence[int], bank: int = kernel.QUICK) -> Float32[np.ndarray, "regions 2"]:
        """How far each of some regions must move now, in x and in y, canthus-normalised pixels."""
        limits: np.ndarray = self.state.limit[bank].reshape(-1, 2)[list(regions)]
        return limits

    def pause_before(self, time_ns: int) -> int:
        """Nanoseconds from the newest sample to `time_ns` if that pause voids movements, else 0."""
        pause_ns = time_ns - int(self.state.clock[kernel.LAST_TIME])
        return pause_ns if self._running and pause_ns > self._gap_longest_ns else 0

    def push(self, sample: MotionSample) -> list[Closing]:
        """Take the next sample of a run; the candidates that closed with it."""
        if not self._running:
            kernel.begin(self.state, sample.displacement, sample.time_ns)
            self._running = True
        count = kernel.advance(self._arrays, sample.displacement, sample.index, sample.time_ns, sample.captured_ns)
        return self._closings(count) if count else []

    def interrupt(self) -> list[Closing]:
        """End the run at a pause or at the end of the stream; everything open closes."""
        if not self._running:
            return []
        self._running = False
        return self._closings(kernel.interrupt(self.state))

    def smoothed(self, first: int, last: int) -> Float32[np.ndarray, "ticks regions 2"]:
        """Low-passed displacement from tick `first` to tick `last`, both included; a copy."""
        rows = np.arange(first, last + 1) & (TICKS_KEPT - 1)
        low_passed: np.ndarray = self.state.smooth[rows].reshape(len(rows), -1, 2)
        return low_passed

    def time_ns(self, tick: float) -> int:
        """Time of a place on the grid."""
        return int(self.state.clock[kernel.ORIGIN]) + round(tick * TICK_NS)

    def nearest(self, time_ns: int) -> SampleStamp:
        """The remembered sample nearest in time."""
        after = self._number_from(time_ns)
        earlier, later = self._stamp(after - 1), self._stamp(after)
        return earlier if time_ns - earlier.time_ns <= later.time_ns - time_ns else later

    def first_from(self, time_ns: int) -> SampleStamp:
        """The first remembered sample at a time or after it, give or take half a tick; else the last one."""
        return self._stamp(self._number_from(time_ns - TICK_NS // 2))

    def last_until(self, time_ns: int) -> SampleStamp:
        """The last remembered sample at a time or before it, give or take half a tick; else the first one."""
        return self._stamp(self._number_from(time_ns + TICK_NS // 2 + 1) - 1)

    def open_candidates(self) -> list[tuple[int, int, int]]:
        """Bank, channel and tick of opening of every candidate under way."""
        banks, channels = self.state.phase.nonzero()  # IDLE is 0
        opened = self.state.ticks[banks, channels, kernel.OPENED]
        return list(zip(banks.tolist(), channels.tolist(), opened.tolist(), strict=True))

    def _number_from(self, time_ns: int) -> int:
        """Number of the first remembered sample at a time or after it; one past the last if there is none."""
        remembered, times = self._remembered(), self.state.samples[:, 1]
        return remembered.start + bisect_left(remembered, time_ns, key=lambda number: times[number % SAMPLES_KEPT])

    def _stamp(self, number: int) -> SampleStamp:
        """The sample of a number; the first or the last that is remembered if it is not."""
        remembered = self._remembered()
        row = min(max(number, remembered.start), remembered.stop - 1) % SAMPLES_KEPT
        index, stamp_ns, captured_ns = self.state.samples[row].tolist()
        return SampleStamp(index=index, time_ns=stamp_ns, captured_ns=captured_ns)

    def _remembered(self) -> range:
        """Numbers of the samples that are remembered, counted from the first of the stream."""
        count = int(self.state.clock[kernel.SAMPLES])
        return range(max(0, count - SAMPLES_KEPT), count)

    def _closings(self, count: int) -> list[Closing]:
        return [
            Closing(bank=bank, channel=channel, reason=reason, opened=opened, peak=peak, low=low, end=end)
            for bank, channel, reason, opened, peak, low, end in self.state.closings[:count].tolist()
        ]
