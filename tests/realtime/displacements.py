"""Synthetic displacement series: what movement extraction would give for known movements."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from realtime.events import ExpressionEvent, RejectedMovement, intersection_over_union
from realtime.faces.landmarks import REGION_NAMES
from realtime.spotting.sample import MotionSample
from realtime.spotting.spotter import Spotter, SpottingParameters

CORNERS = ("left lip corner", "right lip corner")
BROWS = ("right inner brow", "right middle brow")


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """A raised-cosine rise, a hold and a raised-cosine fall in some regions."""

    start_s: float
    rise_s: float = 0.16
    hold_s: float = 0.02
    fall_s: float = 0.2
    amplitude_px: float = 1.5
    regions: Sequence[str] = CORNERS
    direction: tuple[float, float] = (0.8, -0.6)

    def course(self, time_s: np.ndarray) -> np.ndarray:
        """Share of the peak at each time."""
        since = np.asarray(time_s) - self.start_s
        rise = 0.5 * (1 - np.cos(np.pi * np.clip(since / self.rise_s, 0, 1)))
        fall = 0.5 * (1 + np.cos(np.pi * np.clip((since - self.rise_s - self.hold_s) / self.fall_s, 0, 1)))
        course: np.ndarray = np.minimum(rise, fall)
        return course

    @property
    def truth(self) -> tuple[float, float, float]:
        """Onset and offset where 10 % of the peak is passed, and the apex between them; seconds."""
        phase = float(np.arccos(0.8) / np.pi)
        end = self.start_s + self.rise_s + self.hold_s + self.fall_s
        apex = self.start_s + self.rise_s + self.hold_s / 2
        return self.start_s + phase * self.rise_s, apex, end - phase * self.fall_s

    @property
    def duration_s(self) -> float:
        """Of the visible movement."""
        onset, _, offset = self.truth
        return offset - onset


@dataclass(frozen=True, kw_only=True)
class Series:
    """What happens to the face, and how badly it is measured."""

    duration_s: float = 6.0
    pulses: Sequence[Pulse] = ()
    noise_px: float = 0.04
    drift_px_s: float = 0.0
    steps: Sequence[tuple[float, str, float]] = ()
    """Time, region, height in pixels."""
    gates: Sequence[tuple[float, float, str]] = ()
    """Start and end in seconds, and the gate."""
    holes: Sequence[tuple[float, float, str]] = ()
    """Start and end in seconds, and the region that cannot be read; all of them for an empty name."""
    common: Callable[[np.ndarray], np.ndarray] | None = None
    """Movement of the whole face, pixels down, as a function of time."""
    seed: int = 0


def regular_times(duration_s: float, rate_hz: float) -> np.ndarray:
    """Evenly spaced frame times in seconds."""
    return np.arange(int(duration_s * rate_hz)) / rate_hz


def displacement_at(series: Series, times_s: np.ndarray) -> np.ndarray:
    """(T, R, 2) float32 displacement at given times; the noise depends on the seed alone."""
    rng = np.random.default_rng(series.seed)
    moved = rng.normal(0.0, 1.0, (len(times_s), len(REGION_NAMES), 2)) * series.noise_px
    for pulse in series.pulses:
        for name in pulse.regions:
            mirror = -1.0 if name.startswith("right") else 1.0
            along = pulse.amplitude_px * pulse.course(times_s)[:, None]
            moved[:, REGION_NAMES.index(name)] += along * (pulse.direction * np.array([mirror, 1.0]))
    moved[..., 1] += series.drift_px_s * times_s[:, None]
    for at_s, name, height_px in series.steps:
        moved[times_s >= at_s, REGION_NAMES.index(name), 1] += height_px
    if series.common is not None:
        moved[..., 1] += series.common(times_s)[:, None]
    for start_s, end_s, name in series.holes:
        rows = (times_s >= start_s) & (times_s <= end_s)
        regions = [REGION_NAMES.index(name)] if name else list(range(len(REGION_NAMES)))
        for region in regions:
            moved[rows, region] = np.nan
    return moved.astype(np.float32)


def samples(
    series: Series, times_s: np.ndarray, *, indices: Sequence[int] | None = None, shift_ns: int = 0
) -> list[MotionSample]:
    """The series as the spotter receives it."""
    moved = displacement_at(series, times_s)
    numbers = range(len(times_s)) if indices is None else indices
    return [
        MotionSample(
            index=int(index),
            time_ns=round(float(time_s) * 1e9) + shift_ns,
            captured_ns=round(float(time_s) * 1e9) + 7,
            face_id=1,
            displacement=row,
            gates=tuple(gate for start, end, gate in series.gates if start <= time_s <= end),
        )
        for index, time_s, row in zip(numbers, times_s, moved, strict=True)
    ]


@dataclass(kw_only=True)
class Outcome:
    """What a spotter made of a series."""

    events: list[ExpressionEvent] = field(default_factory=list)
    rejected: list[RejectedMovement] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    """From each event's offset to the sample that settled it; events of the flush are left out."""


def spot(stream: Iterable[MotionSample], parameters: SpottingParameters | None = None) -> Outcome:
    """Run a fresh spotter over samples."""
    spotter, outcome = Spotter(parameters), Outcome()
    for sample in stream:
        for settled in spotter.push(sample):
            if isinstance(settled, ExpressionEvent):
                outcome.events.append(settled)
                outcome.waits_s.append((sample.time_ns - settled.offset_ns) / 1e9)
            else:
                outcome.rejected.append(settled)
    for settled in spotter.flush():
        if isinstance(settled, ExpressionEvent):
            outcome.events.append(settled)
        else:
            outcome.rejected.append(settled)
    return outcome


def spot_series(series: Series, rate_hz: float = 100.0) -> Outcome:
    """Run a fresh spotter over an evenly filmed series."""
    return spot(samples(series, regular_times(series.duration_s, rate_hz)))


def overlap(event: ExpressionEvent, pulse: Pulse) -> float:
    onset_s, _, offset_s = pulse.truth
    return intersection_over_union((event.onset_ns / 1e9, event.offset_ns / 1e9), (onset_s, offset_s))


def reasons(outcome: Outcome) -> str:
    return " | ".join(movement.reason for movement in outcome.rejected)
