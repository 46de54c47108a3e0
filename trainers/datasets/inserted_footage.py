"""Real footage with movements of known onset, apex and offset warped into it, frame by frame.

Each pixel of a frame is read where the movement's displacement field says that its skin came from. The field is that
of the synthesiser, laid over the face by its landmarks; a frame in which nothing moves is the recording's own.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from realtime.clock import to_seconds
from realtime.faces.landmarks import LEFT_EYE_INNER, RIGHT_EYE_INNER
from realtime.faces.observation import CANTHUS_DISTANCE
from realtime.frames import Frame
from realtime.sources.base import Source
from trainers.datasets.action_units import ActionUnitActivation, displacement
from trainers.datasets.inserted_course import FaceCourse, to_face
from trainers.datasets.synthetic_face import fitted_to_mouth
from trainers.datasets.synthetic_scenes import Movement

_LEFT, _RIGHT, _TOP, _BOTTOM = -1.8, 1.8, -1.4, 2.4
"""Part of the face that expressions move, face coordinates."""
_STEP = 0.01
"""Between the nodes at which the field is kept, face coordinates: a seventh of the narrowest bump's sigma."""


class InsertedFootage(Source):
    """A recording into which movements are warped; frames without a movement pass untouched, bit for bit."""

    def __init__(self, source: Source, course: FaceCourse, movements: Sequence[Movement]) -> None:
        """Lay movements over a recording.

        Args:
            source: the recording, closed: the one that `course` was measured in.
            course: where its face is.
            movements: what to insert; see `trainers.datasets.inserted_movement.plan_insertions`.
        """
        self.name, self.live = source.name, source.live
        self._source, self._course = source, course
        self._movements = tuple(movements)
        self._mouth = course.mouth_height

    @property
    def movements(self) -> tuple[Movement, ...]:
        """What is inserted, in time order."""
        return self._movements

    @property
    def description(self) -> dict[str, Any]:
        """The recording's own, and how many movements were inserted."""
        return {**self._source.description, "inserted_movements": len(self._movements)}

    def open(self) -> None:
        """Open the recording.

        Raises:
            BadInput: if it cannot be opened.
        """
        self._source.open()
        self._follow()

    def read(self) -> Frame | None:
        """The next frame, warped where a movement is under way, or None after the last."""
        frame = self._source.read()
        self._follow()
        if frame is None:
            return None
        time_s = to_seconds(frame.time_ns)
        moving = [one for one in self._movements if one.strength(time_s) > 0.0]
        landmarks = self._course.at(frame.time_ns) if moving else None
        if landmarks is None:
            return frame
        strengths = [one.strength(time_s) for one in moving]
        return replace(frame, image=insert(frame.image, landmarks, moving, strengths, self._mouth))

    def close(self) -> None:
        """Close the recording."""
        self._source.close()

    def _follow(self) -> None:
        source = self._source
        self.frame_rate_hz, self.frame_count = source.frame_rate_hz, source.frame_count
        self.width, self.height, self.fault = source.width, source.height, source.fault


def insert(
    image: UInt8[np.ndarray, "H W 3"],
    landmarks: Float32[np.ndarray, "468 2"],
    movements: Sequence[Movement],
    strengths: Sequence[float],
    mouth_height: float = 1.0,
) -> UInt8[np.ndarray, "H W 3"]:
    """Warp movements into one picture of a face.

    Args:
        image: RGB; it is not changed.
        landmarks: FaceMesh points of the face, pixels of `image`.
        movements: which movements.
        strengths: displacement of each as a share of its peak, 0–1.
        mouth_height: height of the mouth's corners below the pupils, face coordinates.

    Returns:
        The warped picture; where nothing moves, the same values.
    """
    field, (left, top) = displacement_field(image.shape[:2], landmarks, movements, strengths, mouth_height)
    rows, columns = field.shape[:2]
    if not rows or not columns:
        return image
    x, y = np.meshgrid(np.arange(left, left + columns, dtype=np.float32), np.arange(top, top + rows, dtype=np.float32))
    warped = image.copy()
    warped[top : top + rows, left : left + columns] = cv2.remap(
        image, x - field[..., 0], y - field[..., 1], cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE
    )
    return warped


def displacement_field(
    shape: tuple[int, ...],
    landmarks: Float32[np.ndarray, "468 2"],
    movements: Sequence[Movement],
    strengths: Sequence[float],
    mouth_height: float = 1.0,
) -> tuple[Float32[np.ndarray, "h w 2"], tuple[int, int]]:
    """Displacement of the skin in the part of the picture that expressions move.

    Args:
        shape: height and width of the picture, pixels.
        landmarks: FaceMesh points of the face, pixels.
        movements: which movements.
        strengths: displacement of each as a share of its peak, 0–1.
        mouth_height: height of the mouth's corners below the pupils, face coordinates.

    Returns:
        dx to the right and dy down, pixels, and column and row of the field's top left in the picture.
    """
    to_picture = cv2.invertAffineTransform(to_face(landmarks))
    left, top, right, bottom = _bounds(to_picture, shape)
    canthus_px = float(np.linalg.norm(landmarks[LEFT_EYE_INNER] - landmarks[RIGHT_EYE_INNER]))
    roll = np.arctan2(to_picture[1, 0], to_picture[0, 0])
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]], np.float32)
    kept = np.zeros_like(_face_field(movements[0].activations, mouth_height))
    for movement, strength in zip(movements, strengths, strict=True):
        size = np.float32(strength * movement.amplitude_px * canthus_px / CANTHUS_DISTANCE)
        kept += size * _face_field(movement.activations, mouth_height)
    from_nodes = to_picture @ np.array([[_STEP, 0.0, _LEFT], [0.0, _STEP, _TOP], [0.0, 0.0, 1.0]])
    from_nodes[:, 2] -= (left, top)
    size_px = (max(right - left, 0), max(bottom - top, 0))
    if not all(size_px):
        return np.zeros((0, 0, 2), np.float32), (left, top)
    field = cv2.warpAffine(kept @ turn, from_nodes, size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(field, np.float32), (left, top)


@lru_cache(maxsize=64)
def _face_field(
    activations: tuple[ActionUnitActivation, ...], mouth_height: float
) -> Float32[np.ndarray, "rows columns 2"]:
    """Displacement over the upright face, 1 where it is largest."""
    x, y = np.meshgrid(np.arange(_LEFT, _RIGHT, _STEP), np.arange(_TOP, _BOTTOM, _STEP))
    dx, dy = displacement(activations, x, fitted_to_mouth(y, mouth_height))
    return np.asarray(np.stack([dx, dy], axis=-1) / np.hypot(dx, dy).max(), np.float32)


def _bounds(to_picture: Float64[np.ndarray, "2 3"], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the moving part in the picture, pixels."""
    corners = np.array([(x, y, 1.0) for x in (_LEFT, _RIGHT) for y in (_TOP, _BOTTOM)]) @ to_picture.T
    (left, top), (right, bottom) = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0)) + 1
    return max(0, int(left)), max(0, int(top)), min(shape[1], int(right)), min(shape[0], int(bottom))
