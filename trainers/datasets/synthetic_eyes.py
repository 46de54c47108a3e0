"""What the eyes of a synthetic face do: lids that close, pupils that look elsewhere."""

from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32

from trainers.datasets.synthetic_face import LOWER_LIDS, UPPER_LIDS

Patch = tuple[int, int, int, int]
"""Left, top, width and height of the part of the frame that moves, pixels."""


def add_blink(
    local: Float32[np.ndarray, "h w 2"],
    closure: float,
    patch: Patch,
    landmarks: Float32[np.ndarray, "468 2"],
    unit: float,
) -> None:
    """Draw the upper lids down over the eyes: skin above them stretches, what is under them does not move.

    Args:
        local: movement of the skin in the patch, frame pixels; added to.
        closure: how far the lids are closed, 0–1.
        patch: where `local` lies in the frame.
        landmarks: FaceMesh points of the face at rest, frame pixels.
        unit: distance of the pupils, frame pixels.
    """
    left, top, columns, rows = patch
    for upper, lower in zip(UPPER_LIDS, LOWER_LIDS, strict=True):
        lid, floor = landmarks[list(upper)], landmarks[list(lower)]
        first, last = int(np.ceil(lid[0, 0])), int(lid[-1, 0])
        x = np.arange(max(first, left), min(last + 1, left + columns))
        if x.size == 0:
            continue
        lid_y = np.interp(x, *_increasing(lid))
        floor_y = np.maximum(np.interp(x, *_increasing(floor)), lid_y)
        lid_y = lid_y - 0.006 * unit  # take the lashes along
        travel = closure * (floor_y - lid_y + 0.03 * unit)
        fold_y = lid_y - 0.115 * unit
        y = np.arange(rows)[:, None] + top
        share = np.clip((y - fold_y) / (lid_y + travel - fold_y), 0.0, 1.0)
        moved = share * travel * (y < lid_y + travel + 0.5)
        local[:, x - left, 1] += moved.astype(np.float32)


@lru_cache(maxsize=4)
def eye_weight(patch: Patch, landmarks: bytes) -> Float32[np.ndarray, "h w"]:
    """How much a pixel goes along when the eyes look elsewhere.

    Args:
        patch: where in the frame.
        landmarks: FaceMesh points of the face at rest, frame pixels, as bytes of float32 (468, 2).

    Returns:
        1 at the pupils, falling to 0 at lids and corners of the eyes.
    """
    left, top, columns, rows = patch
    points = np.frombuffer(landmarks, np.float32).reshape(468, 2)
    opened = np.zeros((rows, columns), np.uint8)
    for upper, lower in zip(UPPER_LIDS, LOWER_LIDS, strict=True):
        outline = np.concatenate([points[list(upper)], points[list(lower)][::-1]]) - (left, top)
        cv2.fillPoly(opened, [np.round(16.0 * outline).astype(np.int32)], (1.0,), cv2.LINE_8, 4)
    depth = cv2.distanceTransform(opened, cv2.DIST_L2, 5)
    share = np.clip(depth / max(0.6 * float(depth.max()), 1.0), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)


def _increasing(points: Float32[np.ndarray, "n 2"]) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(points[:, 0])
    return points[order, 0], points[order, 1]
