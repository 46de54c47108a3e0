"""The apex as the frame that differs most from onset and offset in ten regions of the face."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32, Int64

from realtime.faces.landmarks import REGIONS
from realtime.faces.observation import CROP_HEIGHT, CROP_WIDTH, AlignedFace

TEN_REGIONS = tuple(
    f"{side} {part}"
    for part in ("inner brow", "outer brow", "cheek", "nose wing", "lip corner")
    for side in ("right", "left")
)
"""Where muscles move skin the most, named as in `realtime.faces.landmarks.REGIONS`."""
REGION_SIDE = 36
"""Side of a region's square, pixels of the canonical crop: about a quarter of the pupils' distance."""

_LANDMARKS = {region.name: region.patches for region in REGIONS}


def pixel_difference_apex(faces: Sequence[AlignedFace], onset: int, offset: int) -> int:
    r"""The frame with the largest mean change against onset and offset, weighed against its change from one frame.

    .. math:: M_i = f(i, \text{onset}) + f(i, \text{offset}), \qquad
              f(i, j) = \overline{\frac{|I_i - I_j| + 1}{|I_i - I_{i-1}| + 1}}

    with the mean over all pixels of the ten regions.

    Choices: the paper shows its regions in a figure alone, made of 68 landmarks; here they are squares round five
    pairs of FaceMesh regions, set once by the onset's landmarks on the aligned face. Its formula prints
    :math:`I_{i-3}` in the denominator while its words say the consecutive frame: the frame before is taken, which
    also comes nearer to known apexes. The ratio is taken pixel by pixel, "the mean per pixel" in its words.

    Args:
        faces: as for `find_apex`.
        onset: as for `find_apex`.
        offset: with at least one frame between it and the onset.

    Returns:
        Index of the apex, between the two.

    Reference:
        Ren et al., Micro-expression recognition based on improved residual network and apex frame, equations 5 and
        6, after Van Quang, Chun and Tokuyama, CapsuleNet for micro-expression recognition, FG 2019.
    """
    within = [face for face in faces if onset <= face.index <= offset]
    corners = _corners(within[0])
    first, last = _ten_regions(within[0], corners), _ten_regions(within[-1], corners)
    before, best, apex = first, -np.inf, within[1].index
    for face in within[1:-1]:
        pixels = _ten_regions(face, corners)
        step = np.abs(pixels - before) + 1
        change = float(np.mean((np.abs(pixels - first) + 1) / step + (np.abs(pixels - last) + 1) / step))
        if change > best:
            best, apex = change, face.index
        before = pixels
    return apex


def _corners(face: AlignedFace) -> Int64[np.ndarray, "10 2"]:
    """Left and top of each region's square, which lies within the crop."""
    places = [
        np.mean([face.landmarks[list(patch)].mean(axis=0) for patch in _LANDMARKS[name]], axis=0)
        for name in TEN_REGIONS
    ]
    corners = np.rint(np.stack(places) - REGION_SIDE / 2).astype(np.int64)
    return np.asarray(np.clip(corners, 0, np.array((CROP_WIDTH, CROP_HEIGHT)) - REGION_SIDE))


def _ten_regions(face: AlignedFace, corners: Int64[np.ndarray, "10 2"]) -> Float32[np.ndarray, "10 side side"]:
    gray = cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.stack([gray[top : top + REGION_SIDE, left : left + REGION_SIDE] for left, top in corners])
