"""Pairs of pictures of a face between which the true flow of every pixel is known."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from trainers.datasets.synthetic_face import shipped_face

LARGEST_PX = (0.5, 1.5, 3.0)
"""Largest displacement of a pair."""
NOISE_SD = 1.0
"""Sensor noise, gray values of 255."""

Gray = UInt8[np.ndarray, "N N"]
Field = Float32[np.ndarray, "2 N N"]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two images and the flow between them."""

    previous: Gray
    following: Gray
    truth: Field


def known_pairs(size: int, *, faces: int) -> list[Pair]:
    """Pairs of some faces, small, middling and large movements of each.

    Args:
        size: side of the pictures, pixels.
        faces: how many of the shipped faces.
    """
    return [known_pair(face, size, largest) for face in range(faces) for largest in LARGEST_PX]


def known_pair(face: int, size: int, largest_px: float) -> Pair:
    """A shipped face, and the same face read at smoothly displaced places, both with a little sensor noise.

    Args:
        face: which of the shipped faces.
        size: side of the pictures, pixels.
        largest_px: of the displacements.
    """
    random = np.random.default_rng(1000 * face + round(10 * largest_px))
    portrait = shipped_face(face)
    gray = cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY)
    low, high = portrait.landmarks.min(0), portrait.landmarks.max(0)
    centre, half = (low + high) / 2, 0.58 * float((high - low).max())
    corner = np.clip(np.rint(centre - half), 0, None).astype(int)
    square = gray[corner[1] : corner[1] + round(2 * half), corner[0] : corner[0] + round(2 * half)]
    picture = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    bumps = np.stack([cv2.GaussianBlur(random.standard_normal((size, size)), (0, 0), size / 10) for _ in range(2)])
    truth = (bumps * largest_px / np.abs(bumps).max()).astype(np.float32)
    # The earlier image is the later one read where the flow points: so the flow is exact at every pixel.
    return Pair(previous=_noisy(_read(picture, truth), random), following=_noisy(picture, random), truth=truth)


def end_point_error(flow: Field, other: Field) -> float:
    """Mean distance of two flows, pixels."""
    return float(np.hypot(*(flow - other)).mean())


def energy(pair: Pair, flow: Field, lambda_: float = 0.15) -> float:
    """What TV-L1 minimises: total variation plus the weighted absolute brightness residual."""
    along_x = np.diff(flow, axis=2, append=flow[:, :, -1:])
    along_y = np.diff(flow, axis=1, append=flow[:, -1:])
    residual = _read(pair.following.astype(np.float32), flow) - pair.previous
    return float(np.hypot(along_x, along_y).sum() + lambda_ * np.abs(residual).sum())


def _read(picture: Float32[np.ndarray, "N N"], flow: Field) -> Float32[np.ndarray, "N N"]:
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    read = cv2.remap(picture, x + flow[0], y + flow[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read, np.float32)


def _noisy(picture: Float32[np.ndarray, "N N"], random: np.random.Generator) -> Gray:
    return np.asarray(np.clip(np.rint(picture + random.normal(0, NOISE_SD, picture.shape)), 0, 255), np.uint8)
