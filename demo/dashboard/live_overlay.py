"""What is drawn over the preview, and beside it as curves, as JSON values."""

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32

from realtime.faces.landmarks import REGIONS
from realtime.faces.observation import CANTHUS_DISTANCE
from realtime.watcher import SeenFace

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""FaceMesh points round the face."""
_MARGIN = 0.06
"""Regions are drawn so much larger than their patches' middles reach, inner-canthus distances."""


def face_record(face: SeenFace) -> dict[str, Any]:
    """One face as the preview draws it; places in pixels of the source."""
    observation = face.observation
    points, quality = observation.landmarks, observation.quality
    movement_px = _in_picture(face.movement_px, quality.roll_deg)
    over = np.hypot(*movement_px.T) > face.limits_px
    return {
        "face_id": observation.face_id,
        "outline": _rounded(points[list(FACE_OVAL)], 1),
        "regions": [
            {
                "name": region.name,
                "points": _rounded(_around(points, region.patches, quality.width_px), 1),
                "movement": None if math.isnan(movement_px[row, 0]) else _rounded(movement_px[row], 2),
                "over": bool(over[row]),
            }
            for row, region in enumerate(REGIONS)
        ],
        "gates": list(face.sample.gates),
        "strength": number(face.strength),
        "threshold": number(face.threshold),
        # Pixels of the source to one canthus-normalised pixel, the unit of all movement.
        "scale": round(quality.width_px / CANTHUS_DISTANCE, 4),
    }


def magnitudes(face: SeenFace) -> list[float | None]:
    """How far each region is from its rest, canthus-normalised pixels; None where it cannot be read."""
    lengths: np.ndarray = np.hypot(*face.movement_px.T)
    return [None if math.isnan(length) else round(length, 3) for length in lengths.tolist()]


def number(value: float) -> float | None:
    """A measured value for JSON, which knows no NaN."""
    return round(value, 3) if math.isfinite(value) else None


def _in_picture(movement_px: Float32[np.ndarray, "regions 2"], roll_deg: float) -> Float32[np.ndarray, "regions 2"]:
    """Movement along the upright face as movement along the picture, in which the head leans."""
    angle = math.radians(roll_deg)
    turn = np.array(((math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))), np.float32)
    return movement_px @ turn


def _around(
    points: Float32[np.ndarray, "468 2"], patches: Sequence[tuple[int, ...]], canthus_px: float
) -> Float32[np.ndarray, "corners 2"]:
    """Outline of a region: the hull of its patches' middles, with a margin."""
    middles = np.array([points[list(patch)].mean(axis=0) for patch in patches], np.float32)
    hull = cv2.convexHull(middles)[:, 0]
    away = hull - hull.mean(axis=0)
    lengths = np.maximum(np.hypot(*away.T), 1e-6)[:, None]
    return np.asarray(hull + away / lengths * (_MARGIN * canthus_px), np.float32)


def _rounded(values: np.ndarray, digits: int) -> list[Any]:
    rounded: list[Any] = np.round(values.astype(np.float64), digits).tolist()
    return rounded
