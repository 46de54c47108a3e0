"""Measures the conditions of one face as it is watched: constant memory, some microseconds a frame."""

import math
from typing import Literal

import numpy as np
from jaxtyping import Float32

from realtime.clock import NANOSECONDS
from realtime.condition_aspects import Measures, judge
from realtime.conditions import Conditions
from realtime.faces.landmarks import (
    GATE_HEAD_TURN,
    GATE_OCCLUDED,
    LEFT_EYE_INNER,
    REGION_NAMES,
    RIGHT_EYE_INNER,
)
from realtime.faces.observation import CANTHUS_DISTANCE, FaceObservation
from realtime.spotting.baseline import Baseline, read_baseline
from realtime.spotting.sample import MotionSample
from realtime.spotting.spotter import Spotter

Span = Literal["whole", "recent"]
RECENT_S = 10.0
"""Time constant with which recent conditions forget, seconds."""
LOST_S = 0.25
"""A face that was not seen for longer was lost."""
BASELINE_STEP_S = 0.5
"""How often the baseline is read, seconds."""
_POSE_S, _LIGHT_S = 0.25, 1.0
_SPANS: tuple[Span, ...] = ("whole", "recent")
_LOWEST_PX, _STEP, _BINS = 0.4 / 2**8, 2 ** (1 / 18), 230
"""Limits and jitter are counted in bins of 4 %, from 0.0016 px to 10 px."""
_JITTER_ROW = len(REGION_NAMES)
_JITTER_FRAMES = 4
"""Jitter is read off one in so many frames."""
_QUIET_SHARE = 0.25
"""It is the lower quartile over time: while the face moves, movement counts into it."""
_MEDIAN_DEVIATIONS = 0.6745 * math.sqrt(6.0)
"""The median size of a second difference of Gaussian noise, standard deviations of the noise."""

_TALLIES = 12
(_SEEN, _LOST, _FRAMES, _BRIGHTNESS, _UNSTEADY, _WIDTH, _TURN, _SHIFT, _TURNING, _UNREADABLE, _READS, _NOISE) = range(
    _TALLIES
)


class ConditionsMeter:
    """Running means of what limits the seeing of one face, over its whole time and over the last seconds."""

    def __init__(self, face_id: int) -> None:
        """Start with a face that is not yet seen.

        Args:
            face_id: the tracker's number of the face.
        """
        self._face_id = face_id
        self._sums = np.zeros((len(_SPANS), _TALLIES))
        self._now = np.zeros(_TALLIES)
        self._first_ns = self._time_ns = self._read_ns = -1
        self._pose: tuple[float, ...] = ()
        self._light = 0.0
        self._counts = np.zeros((len(_SPANS), len(REGION_NAMES) + 1, _BINS))
        self._frames = 0
        self._before: tuple[MotionSample, ...] = ()
        self._known_s: float | None = None
        self._first: Baseline | None = None

    def push(self, observation: FaceObservation, sample: MotionSample, spotter: Spotter) -> None:
        """Take the face of the next frame.

        Args:
            observation: what the tracker says of it.
            sample: its regional movement.
            spotter: of that face, after that sample.
        """
        if self._first_ns < 0:
            self._begin(observation, sample.time_ns)
            return
        gap_s = (sample.time_ns - self._time_ns) / NANOSECONDS
        self._time_ns = sample.time_ns
        if gap_s > LOST_S:
            self._skip(observation, gap_s)
            return
        self._tally(observation, sample, gap_s)
        self._count_jitter(sample)
        if sample.time_ns - self._read_ns >= BASELINE_STEP_S * NANOSECONDS:
            self._read(read_baseline(spotter), (sample.time_ns - self._read_ns) / NANOSECONDS)

    def conditions(self, spotter: Spotter, span: Span = "whole") -> Conditions | None:
        """The conditions up to now; None before the second frame.

        Args:
            spotter: of that face.
            span: over the whole time or over the last seconds (`RECENT_S`).
        """
        row = _SPANS.index(span)
        sums = self._sums[row]
        if sums[_SEEN] <= 0:
            return None
        jitter_px = float(_quantiles(self._counts[row, _JITTER_ROW:], _QUIET_SHARE)[0])
        measures = _measures(sums, None if math.isnan(jitter_px) else jitter_px)
        return Conditions(
            face_id=self._face_id,
            seen_s=float(self._sums[0, _SEEN]),
            measures=measures,
            aspects=judge(measures),
            limits_px=_quantiles(self._counts[row, :_JITTER_ROW], 0.5),
            baseline_known_s=self._known_s,
            baseline_first=self._first,
            baseline_now=None if self._first is None else read_baseline(spotter),
        )

    def _begin(self, observation: FaceObservation, time_ns: int) -> None:
        self._first_ns = self._time_ns = self._read_ns = time_ns
        self._start_again(observation)

    def _start_again(self, observation: FaceObservation) -> None:
        self._pose, self._light = _pose(observation), observation.quality.brightness
        self._before = ()

    def _skip(self, observation: FaceObservation, gap_s: float) -> None:
        self._forget(self._sums, gap_s)
        self._sums[:, _LOST] += gap_s
        self._start_again(observation)

    def _tally(self, observation: FaceObservation, sample: MotionSample, gap_s: float) -> None:
        quality, now = observation.quality, self._now
        turn_deg_s, shift_px_s = self._rates(_pose(observation), gap_s)
        departure = quality.brightness / max(self._light, 1.0) - 1.0
        self._light += (1.0 - math.exp(-gap_s / _LIGHT_S)) * (quality.brightness - self._light)
        unread = np.count_nonzero(np.isnan(sample.displacement[:, 0])) / len(sample.displacement)
        now[_SEEN] = gap_s
        now[_FRAMES] = 1.0
        now[_BRIGHTNESS] = gap_s * quality.brightness
        now[_UNSTEADY] = gap_s * departure * departure
        now[_WIDTH] = gap_s * quality.width_px
        now[_TURN] = gap_s * turn_deg_s
        now[_SHIFT] = gap_s * shift_px_s
        now[_TURNING] = gap_s * (GATE_HEAD_TURN in sample.gates)
        now[_UNREADABLE] = gap_s * (1.0 if GATE_OCCLUDED in sample.gates else unread)
        self._forget(self._sums, gap_s)
        self._sums += now

    def _rates(self, pose: tuple[float, ...], gap_s: float) -> tuple[float, float]:
        """Rate = distance to a lagging copy of the pose divided by the lag, as the gates take it."""
        share = 1.0 - math.exp(-gap_s / _POSE_S)
        self._pose = tuple(slow + share * (value - slow) for slow, value in zip(self._pose, pose, strict=True))
        yaw, pitch, roll, x, y = (abs(value - slow) / _POSE_S for slow, value in zip(self._pose, pose, strict=True))
        return max(yaw, pitch, roll), math.hypot(x, y)

    def _count_jitter(self, sample: MotionSample) -> None:
        """Count how far most regions jump from frame to frame: noise does, movement goes on."""
        self._frames += 1
        if len(self._before) == 2 and self._frames % _JITTER_FRAMES == 0:
            first, second = (one.displacement for one in self._before)
            jumps = np.abs(sample.displacement - 2.0 * second + first)
            readable = jumps[~np.isnan(jumps)]
            if 2 * readable.size >= jumps.size:
                middle = float(np.partition(readable, readable.size // 2)[readable.size // 2])
                self._counts[:, _JITTER_ROW, _bins(np.array([middle / _MEDIAN_DEVIATIONS]))] += 1.0
        self._before = (*self._before[-1:], sample)

    def _read(self, baseline: Baseline, gap_s: float) -> None:
        """Count the limits of the moment; keep the first baseline."""
        self._read_ns = self._time_ns
        self._forget(self._counts, gap_s)
        known = np.flatnonzero(~np.isnan(baseline.limit_px))
        if known.size == 0:
            return
        self._sums[:, (_READS, _NOISE)] += 1.0, float(np.median(baseline.noise_px[known]))
        self._counts[:, known, _bins(baseline.limit_px[known])] += 1.0
        if self._first is None and baseline.is_known:
            self._first = baseline
            self._known_s = (self._time_ns - self._first_ns) / NANOSECONDS

    @staticmethod
    def _forget(tallies: np.ndarray, gap_s: float) -> None:
        tallies[_SPANS.index("recent")] *= math.exp(-gap_s / RECENT_S)


def _pose(observation: FaceObservation) -> tuple[float, ...]:
    """Yaw, pitch and roll in degrees, and the middle of the inner canthi in canthus-normalised pixels."""
    quality, points = observation.quality, observation.landmarks
    unit = 0.5 * CANTHUS_DISTANCE / max(quality.width_px, 1e-6)
    x = unit * float(points[RIGHT_EYE_INNER, 0] + points[LEFT_EYE_INNER, 0])
    y = unit * float(points[RIGHT_EYE_INNER, 1] + points[LEFT_EYE_INNER, 1])
    return quality.yaw_deg, quality.pitch_deg, quality.roll_deg, x, y


def _measures(sums: np.ndarray, jitter_px: float | None) -> Measures:
    means = sums / sums[_SEEN]
    return Measures(
        brightness=float(means[_BRIGHTNESS]),
        unsteadiness=math.sqrt(float(means[_UNSTEADY])),
        width_px=float(means[_WIDTH]),
        frame_rate_hz=float(means[_FRAMES]),
        turn_rate_deg_s=float(means[_TURN]),
        shift_rate_px_s=float(means[_SHIFT]),
        head_turn_share=float(means[_TURNING]),
        unreadable_share=float(means[_UNREADABLE]),
        lost_share=float(sums[_LOST] / (sums[_SEEN] + sums[_LOST])),
        jitter_px=jitter_px,
        noise_px=float(sums[_NOISE] / sums[_READS]) if sums[_READS] > 0 else None,
    )


def _bins(values_px: np.ndarray) -> np.ndarray:
    places = np.rint(np.log(np.maximum(values_px, _LOWEST_PX) / _LOWEST_PX) / math.log(_STEP)).astype(np.int64)
    return np.asarray(np.minimum(places, _BINS - 1))


def _quantiles(counts: np.ndarray, share: float) -> Float32[np.ndarray, " rows"]:
    """Quantile of what was counted in each row, pixels; NaN where nothing was."""
    cumulative = counts.cumsum(axis=1)
    total = cumulative[:, -1]
    place = (cumulative < share * total[:, None]).sum(axis=1)
    return np.where(total > 0, _LOWEST_PX * _STEP ** place.astype(np.float64), np.nan).astype(np.float32)
