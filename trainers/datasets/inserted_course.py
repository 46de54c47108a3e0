"""Where the face is in every frame of a recording: the first of the two passes that insert movements into it.

Landmarks are low-passed in both directions of time, so that a movement put on top of them neither trembles nor lags.
Face coordinates are those of `trainers.datasets.action_units`; an affine map carries the picture into them, fitted to
points that expressions leave alone, so that it foreshortens as the face does when it turns.
"""

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
from jaxtyping import Float32, Float64, Int64

from engines.errors import BadInput
from realtime.clock import to_nanoseconds, to_seconds
from realtime.faces.tracker import POINTS, FaceTracker, TrackerParameters
from realtime.sources.base import Source
from trainers.datasets.synthetic_face import PORTRAITS, face_transform, load_portrait

ANCHORS = (33, 133, 362, 263, 168, 6, 197, 195, 48, 278, 127, 356, 234, 454, 10, 109, 338)
"""Corners of the eyes, ridge and wings of the nose, temples and forehead: what expressions leave alone."""
MOUTH_CORNERS = (61, 291)
SMOOTHING_S = 0.06
"""Standard deviation of the low-pass over the landmarks."""
LONGEST_GAP_S = 0.25
"""Landmarks on either side of a longer gap know nothing of each other."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FaceCourse:
    """One face through one recording."""

    times_ns: Int64[np.ndarray, " frames"]
    landmarks: Float32[np.ndarray, "frames 468 2"]
    """FaceMesh points, low-passed, source pixels; NaN where there is no face."""
    yaw_deg: Float64[np.ndarray, " frames"]
    """Head turned to the image's right is positive; NaN where there is no face."""

    @property
    def duration_s(self) -> float:
        """First to last frame, seconds."""
        return to_seconds(int(self.times_ns[-1] - self.times_ns[0])) if len(self.times_ns) else 0.0

    @property
    def mouth_height(self) -> float:
        """Usual height of the mouth's corners below the pupils, face coordinates; the same for all frames."""
        seen = self.landmarks[np.isfinite(self.yaw_deg)][:: max(1, len(self.times_ns) // 200)]
        heights = []
        for points in seen:
            matrix = to_face(points)
            heights.append(points[list(MOUTH_CORNERS)].mean(axis=0) @ matrix[1, :2] + matrix[1, 2])
        return float(np.median(heights)) if heights else 1.0

    def at(self, time_ns: int) -> Float32[np.ndarray, "468 2"] | None:
        """Landmarks of the frame nearest to a time; None where there is no face."""
        place = int(np.searchsorted(self.times_ns, time_ns))
        before, after = max(place - 1, 0), min(place, len(self.times_ns) - 1)
        near = before if time_ns - self.times_ns[before] < self.times_ns[after] - time_ns else after
        return self.landmarks[near] if np.isfinite(self.yaw_deg[near]) else None

    def present(self, start_s: float, end_s: float, largest_turn_deg: float) -> bool:
        """Whether the face is there, and not turned further than that, all the time between two times."""
        first, last = np.searchsorted(self.times_ns, [to_nanoseconds(start_s), to_nanoseconds(end_s)])
        if first < 0 or last >= len(self.times_ns):
            return False
        stretch = slice(max(int(first) - 1, 0), int(last) + 1)
        gaps_ns = np.diff(self.times_ns[stretch])
        steady = not len(gaps_ns) or int(gaps_ns.max()) <= to_nanoseconds(LONGEST_GAP_S)
        return steady and bool(np.all(np.abs(self.yaw_deg[stretch]) <= largest_turn_deg))


def follow_face(source: Source) -> FaceCourse:
    """Find the face in every frame of a recording.

    Args:
        source: the recording, closed; it is opened and closed here.

    Returns:
        The course of the face that is met first.

    Raises:
        BadInput: if the recording cannot be read.
    """
    times_ns: list[int] = []
    found: list[np.ndarray] = []
    yaws: list[float] = []
    absent = np.full((POINTS, 2), np.nan, np.float32)
    with FaceTracker(TrackerParameters(tracking_interval_s=0.0)) as tracker, source:
        while (frame := source.read()) is not None:
            observations = tracker.push(frame)
            times_ns.append(frame.time_ns)
            found.append(observations[0].landmarks if observations else absent)
            yaws.append(observations[0].quality.yaw_deg if observations else np.nan)
    if not times_ns:
        raise BadInput(f"{source.name}: holds no frame; give a recording of a face")
    course = FaceCourse(
        times_ns=np.array(times_ns, np.int64), landmarks=np.array(found, np.float32), yaw_deg=np.array(yaws)
    )
    return _smoothed(course)


def _smoothed(course: FaceCourse) -> FaceCourse:
    smooth = course.landmarks.copy()
    for first, last in _stretches(course):
        times_s = course.times_ns[first:last] / 1e9
        for number, time_s in enumerate(times_s):
            low, high = np.searchsorted(times_s, [time_s - 3 * SMOOTHING_S, time_s + 3 * SMOOTHING_S])
            # Balanced about the frame: at the ends of a stretch a lopsided mean would lag behind a moving head.
            reach = min(number - low, high - 1 - number)
            near = slice(number - reach, number + reach + 1)
            weights = np.exp(-0.5 * ((times_s[near] - time_s) / SMOOTHING_S) ** 2)
            points = course.landmarks[first:last][near]
            smooth[first + number] = np.tensordot(weights / weights.sum(), points, axes=1)
    return replace(course, landmarks=smooth)


def _stretches(course: FaceCourse) -> list[tuple[int, int]]:
    """First and one past the last frame of each unbroken stretch with a face."""
    seen = np.isfinite(course.yaw_deg)
    broken = np.diff(course.times_ns) > to_nanoseconds(LONGEST_GAP_S)
    cuts = np.flatnonzero((seen[1:] != seen[:-1]) | broken) + 1
    bounds = [0, *cuts.tolist(), len(seen)]
    return [(first, last) for first, last in pairwise(bounds) if seen[first]]


def to_face(landmarks: Float32[np.ndarray, "468 2"]) -> Float64[np.ndarray, "2 3"]:
    """The affine map from picture pixels to face coordinates.

    Args:
        landmarks: FaceMesh points, picture pixels.

    Returns:
        Matrix (2, 3), the least-squares fit over `ANCHORS` to the usual face.
    """
    anchors = np.column_stack([landmarks[list(ANCHORS)].astype(np.float64), np.ones(len(ANCHORS))])
    solution, *_ = np.linalg.lstsq(anchors, _usual_face()[list(ANCHORS)], rcond=None)
    return np.asarray(solution.T, np.float64)


@cache
def _usual_face() -> Float64[np.ndarray, "468 2"]:
    """Mean of the shipped portraits, face coordinates."""
    faces = []
    for name in PORTRAITS:
        landmarks = load_portrait(name).landmarks
        matrix = face_transform(landmarks)
        faces.append(landmarks.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2])
    return np.asarray(np.mean(faces, axis=0), np.float64)
