"""Where the parts of a face lie in the canonical crop, to say in words where on a map something is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Float64, Int64

from realtime.faces.alignment import crop_similarity
from realtime.faces.landmarks import REGIONS
from realtime.faces.observation import CROP_HEIGHT, CROP_WIDTH, PUPIL_DISTANCE
from realtime.faces.similarity import apply_similarity
from trainers.datasets.synthetic_face import LOWER_LIDS, PORTRAITS, UPPER_LIDS, load_portrait

ELSEWHERE = "outside the named regions"
REACH = 0.25 * PUPIL_DISTANCE
"""A place belongs to the nearest region whose middle is not further than this, crop pixels."""
_FURTHER: Mapping[str, tuple[tuple[int, ...], ...]] = MappingProxyType(
    {
        "forehead": ((10, 151), (151,), (337, 338), (108, 109)),
        "root of the nose": ((168,), (6,), (8,)),
        "tip of the nose": ((4,), (1,)),
        "right jaw": ((172,), (136,), (215,)),
        "left jaw": ((397,), (365,), (435,)),
    }
)
"""Parts that spotting does not measure, but a network may look at; patches as in `Region`."""
_OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
         150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10)  # fmt: skip
_LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 61)
_BROWS = ((70, 63, 105, 66, 107), (336, 296, 334, 293, 300))
_NOSE = ((168, 6, 197, 195, 4), (98, 97, 2, 326, 327))


@dataclass(frozen=True, slots=True, kw_only=True)
class FacePlan:
    """The average face of the shipped portraits and their mirror images, set upright in the canonical crop."""

    patches: Mapping[str, Float64[np.ndarray, "_ 2"]]
    """Middles of each region's patches by its name, x and y in crop pixels; left and right are the subject's."""
    lines: tuple[Float64[np.ndarray, "_ 2"], ...]
    """Outline, brows, eyes, nose and lips, to draw under something."""


@lru_cache(maxsize=1)
def face_plan() -> FacePlan:
    """The plan; measured once a process."""
    points = _average_points()
    measured = {region.name: region.patches for region in REGIONS}
    patches = {
        name: np.stack([points[list(patch)].mean(axis=0) for patch in middles])
        for name, middles in {**measured, **_FURTHER}.items()
    }
    eyes = [(*upper, *reversed(lower)) for upper, lower in zip(UPPER_LIDS, LOWER_LIDS, strict=True)]
    outlines = (_OVAL, *_BROWS, *eyes, *_NOSE, _LIPS)
    return FacePlan(patches=MappingProxyType(patches), lines=tuple(points[list(outline)] for outline in outlines))


def _average_points() -> Float64[np.ndarray, "468 2"]:
    """Points of the average face; it is as symmetric as its regions' patches are."""
    upright = []
    for name in PORTRAITS:
        landmarks = load_portrait(name).landmarks.astype(np.float64)
        upright.append(apply_similarity(crop_similarity(landmarks), landmarks))
    points: Float64[np.ndarray, "468 2"] = np.mean(upright, axis=0)
    return points


@lru_cache(maxsize=8)
def region_of_pixel(height: int, width: int) -> Int64[np.ndarray, "H W"]:
    """Which region each pixel of a map over the canonical crop belongs to.

    Args:
        height: of the map, pixels.
        width: of the map, pixels.

    Returns:
        Places in `region_names()`.
    """
    plan = face_plan()
    x = (np.arange(width) + 0.5) * CROP_WIDTH / width
    y = (np.arange(height) + 0.5) * CROP_HEIGHT / height
    pixels = np.stack(np.meshgrid(x, y), axis=-1)[:, :, None]
    distances = np.stack(
        [np.hypot(*np.moveaxis(pixels - middles, -1, 0)).min(axis=2) for middles in plan.patches.values()]
    )
    nearest = distances.argmin(axis=0).astype(np.int64)
    return np.where(distances.min(axis=0) <= REACH, nearest, len(plan.patches))


def region_names() -> tuple[str, ...]:
    """Names of the regions; the last is `ELSEWHERE`."""
    return (*face_plan().patches, ELSEWHERE)


def shares_by_region(heat: Float[np.ndarray, "H W"]) -> dict[str, float]:
    """How heat over the canonical crop spreads over the parts of a face.

    Args:
        heat: not negative.

    Returns:
        Share of the heat by region, the largest first; shares add up to one, or are all 0 where there is no heat.
    """
    names, place = region_names(), region_of_pixel(*heat.shape)
    sums = np.bincount(place.ravel(), weights=heat.ravel(), minlength=len(names))
    shares = sums / sums.sum() if sums.sum() > 0 else sums
    order = np.argsort(-shares, kind="stable")
    return {names[index]: float(shares[index]) for index in order}
