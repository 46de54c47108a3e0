"""The neutral picture against which movement is measured, and when it is renewed."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from realtime.clock import NANOSECONDS
from realtime.faces import landmarks as named
from realtime.faces.observation import CANTHUS_DISTANCE, CROP_HEIGHT, CROP_WIDTH, AlignedFace
from realtime.spotting.motion_kernel import prepare_patches
from realtime.spotting.picture_edges import beyond_edges

_EYE_REACH, _MOUTH_REACH = 12.0, 28.0
_REGION_PATCHES = tuple(patch for region in named.REGIONS for patch in region.patches)
PATCHES = _REGION_PATCHES + tuple((point,) for point in named.RIGID_POINTS)
"""Landmarks at whose mean each patch lies: those of the regions in order, then the rigid points."""
REGION_BOUNDS = np.cumsum([0, *(len(region.patches) for region in named.REGIONS)]).astype(np.int64)
"""First patch of each region, and the end of the last."""
RIGID_FROM = len(_REGION_PATCHES)
"""First patch of the rigid points."""
BROW_PATCHES, LID_PATCHES, MOUTH_PATCHES = (
    np.flatnonzero([region.name in names for region in named.REGIONS for _ in region.patches])
    for names in (named.BROW_REGIONS, named.LID_REGIONS, named.MOUTH_REGIONS)
)
"""Numbers of the patches on the brows, on the lids, and on lips and chin."""
PATCH_REACH = np.array(
    [
        _EYE_REACH if region.name in named.EYE_REGIONS else _MOUTH_REACH
        for region in named.REGIONS
        for _ in region.patches
    ]
    + [_EYE_REACH] * len(named.RIGID_POINTS)
)
"""How far beyond the head each patch can move, canthus-normalised pixels; further is a mistake."""
_FIRST, _LAST = np.array([(patch[0], patch[-1]) for patch in PATCHES]).T
_DEPTH = np.array([np.mean([named.DEPTH[point] for point in patch]) for patch in PATCHES])
_SMOOTHING_PX = 1.0


def patch_places(landmarks: Float32[np.ndarray, "468 2"]) -> Float64[np.ndarray, "P 2"]:
    """Where the landmarks say that the middle of each patch is: at one of them, or halfway between two."""
    points = landmarks.astype(np.float64)
    return np.asarray((points[_FIRST] + points[_LAST]) / 2)


def picture_levels(
    image: UInt8[np.ndarray, "304 256 3"],
) -> tuple[Float32[np.ndarray, "304 256"], Float32[np.ndarray, "152 128"]]:
    """The crop in gray, lightly smoothed so that reading between pixels stays true; and at half its size."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = cv2.GaussianBlur(gray, (5, 5), _SMOOTHING_PX)
    coarse = cv2.resize(fine, (CROP_WIDTH // 2, CROP_HEIGHT // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(fine), np.asarray(coarse)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchLevel:
    """The patches of one reference at one size of the picture."""

    centres: Float64[np.ndarray, "P 2"]
    templates: Float32[np.ndarray, "P n n"]
    steepest: Float32[np.ndarray, "P 2 n n"]
    hessians: Float64[np.ndarray, "P 3"]

    @classmethod
    def cut(cls, picture: Float32[np.ndarray, "H W"], centres: Float64[np.ndarray, "P 2"], size: int) -> Self:
        """Prepare patches of `size` pixels round `centres`."""
        count = len(centres)
        level = cls(
            centres=centres,
            templates=np.empty((count, size, size), np.float32),
            steepest=np.empty((count, 2, size, size), np.float32),
            hessians=np.empty((count, 3)),
        )
        prepare_patches(picture, centres, level.templates, level.steepest, level.hessians)
        return level


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutralReference:
    """One face at rest: its patches at two sizes and the head's shape."""

    time_ns: int
    fine: PatchLevel
    coarse: PatchLevel
    origin: Float64[np.ndarray, "2"]
    """Bridge of the nose, crop pixels: the middle about which the head turns."""
    head: Float64[np.ndarray, "P 3"]
    """Patches from the origin with their depth, turned as the head was: crop pixels."""
    textured: Bool[np.ndarray, " P"]
    """Patches with enough texture to be followed, and whole in the picture."""
    trust: Float64[np.ndarray, "P 3"]
    """How firmly the texture of each patch fixes it: xx, xy, yy of a matrix with eigenvalues from 0 to 1."""
    unit: float
    """Canthus-normalised pixels in a crop pixel."""
    yaw_deg: float
    pitch_deg: float

    @classmethod
    def take(
        cls,
        aligned: AlignedFace,
        fine: Float32[np.ndarray, "H W"],
        coarse: Float32[np.ndarray, "h w"],
        patch_px: int,
    ) -> Self:
        """Make this face the reference; patches lie where its landmarks are."""
        points = aligned.landmarks.astype(np.float64)
        centres = patch_places(aligned.landmarks)
        outside, _ = beyond_edges(aligned, centres, patch_px)
        canthus = float(np.hypot(*(points[named.RIGHT_EYE_INNER] - points[named.LEFT_EYE_INNER])))
        origin = points[named.NOSE_BRIDGE[0]]
        level = PatchLevel.cut(fine, centres, patch_px)
        xx, xy, yy = level.hessians.T
        weakest = 0.5 * (xx + yy - np.hypot(xx - yy, 2 * xy))
        typical = max(float(np.median(weakest)), 1e-6)
        return cls(
            time_ns=aligned.time_ns,
            fine=level,
            coarse=PatchLevel.cut(coarse, (centres - 0.5) / 2, patch_px),
            origin=origin,
            head=_turned(centres - origin, _DEPTH * canthus, aligned.quality.yaw_deg, aligned.quality.pitch_deg),
            textured=(xx + yy > 0.02 * float(np.median(xx + yy))) & (weakest > 0) & ~outside,
            trust=_firmness(level.hessians, typical),
            unit=CANTHUS_DISTANCE / max(canthus, 1e-6),
            yaw_deg=aligned.quality.yaw_deg,
            pitch_deg=aligned.quality.pitch_deg,
        )

    def age_s(self, time_ns: int) -> float:
        """Seconds since the reference was taken."""
        return (time_ns - self.time_ns) / NANOSECONDS


def _firmness(hessians: Float64[np.ndarray, "P 3"], typical: float) -> Float64[np.ndarray, "P 3"]:
    """Each matrix with its eigenvalues e turned into e / (e + typical): texture beyond enough does not add trust."""
    xx, xy, yy = hessians.T
    matrices = np.stack((np.stack((xx, xy), -1), np.stack((xy, yy), -1)), -2)
    values, vectors = np.linalg.eigh(matrices)
    values = np.clip(values, 0.0, None)
    firm = (vectors * (values / (values + typical))[:, None, :]) @ vectors.transpose(0, 2, 1)
    return np.column_stack((firm[:, 0, 0], firm[:, 0, 1], firm[:, 1, 1]))


def _turned(
    places: Float64[np.ndarray, "P 2"], depth: Float64[np.ndarray, " P"], yaw_deg: float, pitch_deg: float
) -> Float64[np.ndarray, "P 3"]:
    """Points with the depth that they have while the head is turned by yaw and pitch (to first order)."""
    yaw, pitch = np.radians((yaw_deg, pitch_deg))
    return np.column_stack((places, depth + np.sin(yaw) * places[:, 0] - np.sin(pitch) * places[:, 1]))
