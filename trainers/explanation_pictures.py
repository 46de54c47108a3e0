"""Heat drawn over what a model was shown, in the canonical crop's shape."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from engines.flow.pictures import flow_picture, strain_picture
from realtime.faces.observation import CROP_HEIGHT, CROP_WIDTH
from trainers.face_regions import face_plan

APEX_CHANNEL = {"apex": 0, "edssnet": 0, "madtn": 1}
"""Recipes whose maps hold the apex as a gray picture, and where; the others hold u and v in channels 0 and 1."""
_LINE = 4
"""Fractional bits of OpenCV's line ends."""


def input_picture(
    features: UInt8[np.ndarray, "H W C"] | Float32[np.ndarray, "H W C"], recipe: str
) -> UInt8[np.ndarray, "h w 3"]:
    """What the model was shown: the apex where the map holds it, otherwise the flow by direction with a face's lines.

    Args:
        features: one map of a feature file.
        recipe: a name in `engines.inputs.RECIPES`.

    Returns:
        RGB, the size of the canonical crop.
    """
    if recipe in APEX_CHANNEL:
        return np.repeat(_gray_apex(features, recipe)[..., None], 3, axis=-1)
    picture = _resized(flow_picture(_centred_flow(features)))
    return _with_lines(picture, (90, 90, 90))


def heat_picture(
    heat: Float[np.ndarray, "H W"],
    features: UInt8[np.ndarray, "H W C"] | Float32[np.ndarray, "H W C"],
    recipe: str,
) -> UInt8[np.ndarray, "h w 3"]:
    """Heat over the apex, or over the size of the flow with a face's lines where the map holds no face.

    Args:
        heat: 0–1, over the whole crop, at any scale.
        features: the map that it belongs to.
        recipe: a name in `engines.inputs.RECIPES`.

    Returns:
        RGB, the size of the canonical crop.
    """
    if recipe in APEX_CHANNEL:
        under = np.repeat((0.62 * _gray_apex(features, recipe)).astype(np.uint8)[..., None], 3, axis=-1)
    else:
        under = _with_lines(_resized(_size_of_flow(features)), (150, 150, 150))
    level = np.clip(_resized(heat.astype(np.float32)), 0, 1)
    opacity = 0.85 * np.sqrt(level)[..., None]
    over: UInt8[np.ndarray, "h w 3"] = np.rint(under * (1 - opacity) + strain_picture(level, 1.0) * opacity).astype(
        np.uint8
    )
    return over


def _gray_apex(features: np.ndarray, recipe: str) -> UInt8[np.ndarray, "h w"]:
    gray = features[..., APEX_CHANNEL[recipe]]
    return _resized(np.clip(gray, 0, 255).astype(np.uint8))


def _centred_flow(features: np.ndarray) -> Float32[np.ndarray, "2 H W"]:
    """U and v about their medians: a stretched map has lost its zero, and most of a face stays still."""
    flow = np.moveaxis(features[..., :2], -1, 0).astype(np.float32)
    centred: Float32[np.ndarray, "2 H W"] = flow - np.median(flow, axis=(1, 2), keepdims=True).astype(np.float32)
    return centred


def _size_of_flow(features: np.ndarray) -> UInt8[np.ndarray, "H W 3"]:
    size = np.hypot(*_centred_flow(features))
    gray = 28 + 110 * np.clip(size / max(float(np.percentile(size, 99)), 1e-6), 0, 1)
    return np.repeat(gray.astype(np.uint8)[..., None], 3, axis=-1)


def _resized(picture: np.ndarray) -> np.ndarray:
    larger = cv2.INTER_CUBIC if picture.dtype == np.uint8 else cv2.INTER_LINEAR
    return cv2.resize(picture, (CROP_WIDTH, CROP_HEIGHT), interpolation=larger)


def _with_lines(picture: UInt8[np.ndarray, "h w 3"], colour: Sequence[int]) -> UInt8[np.ndarray, "h w 3"]:
    drawn = picture.copy()
    lines = [np.rint(line * 2**_LINE).astype(np.int32) for line in face_plan().lines]
    cv2.polylines(drawn, lines, False, tuple(colour), 1, cv2.LINE_AA, _LINE)
    return drawn
