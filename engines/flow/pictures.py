"""Flow as a colour wheel and strain as a heat map, for reports and files."""

import numpy as np
from jaxtyping import Float32, UInt8

from engines.errors import BadInput
from engines.strain import flow_magnitude

_HEAT = np.array(
    [
        [0, 0, 4],
        [40, 11, 84],
        [101, 21, 110],
        [159, 42, 99],
        [212, 72, 66],
        [245, 125, 21],
        [250, 193, 39],
        [252, 255, 164],
    ]
)
"""Dark to bright with evenly rising lightness, so that it reads in gray as well."""


def flow_picture(flow: Float32[np.ndarray, "2 H W"], maximum_px: float | None = None) -> UInt8[np.ndarray, "H W 3"]:
    """Direction as hue (right is red, down is yellow-green, left is cyan, up is violet), length as saturation.

    Args:
        flow: horizontal and vertical displacement, pixels.
        maximum_px: length drawn in full colour; longer ones are drawn as this. None takes the 99th percentile of the
            field, but at least a tenth of a pixel, so that noise does not look like movement.

    Returns:
        RGB, white where nothing moves.

    Raises:
        BadInput: if `flow` is not float32 (2, H, W), or `maximum_px` is not positive.
    """
    length = flow_magnitude(flow)
    full = max(float(np.percentile(length, 99)), 0.1) if maximum_px is None else maximum_px
    if not full > 0:
        raise BadInput(f"maximum_px of the flow picture is {maximum_px}: give a positive length in pixels, or None")
    saturation = np.clip(length / full, 0, 1)[..., np.newaxis]
    hue = np.arctan2(flow[1], flow[0]) / (2 * np.pi)
    colour = _hue_colour(hue)
    picture: UInt8[np.ndarray, "H W 3"] = np.rint(255 * (1 - saturation * (1 - colour))).astype(np.uint8)
    return picture


def strain_picture(strain: Float32[np.ndarray, "H W"], maximum: float | None = None) -> UInt8[np.ndarray, "H W 3"]:
    """Strain as a heat map, dark where the skin keeps its shape.

    Args:
        strain: strain magnitude, dimensionless.
        maximum: strain drawn brightest. None takes the 99th percentile of the field, but at least 0.005.

    Returns:
        RGB.

    Raises:
        BadInput: if `strain` has not two axes, or `maximum` is not positive.
    """
    if strain.ndim != 2:
        raise BadInput(f"strain has shape {strain.shape}: give (H, W), as engines.strain.optical_strain returns it")
    full = max(float(np.percentile(strain, 99)), 0.005) if maximum is None else maximum
    if not full > 0:
        raise BadInput(f"maximum of the strain picture is {maximum}: give a positive strain, or None")
    place = np.clip(strain / full, 0, 1) * (len(_HEAT) - 1)
    channels = [np.interp(place, np.arange(len(_HEAT)), _HEAT[:, channel]) for channel in range(3)]
    picture: UInt8[np.ndarray, "H W 3"] = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return picture


def _hue_colour(hue: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W 3"]:
    """Fully saturated colour of a hue in turns, darkened a little so that yellow stays visible on white."""
    phase = hue[..., np.newaxis] + np.array([0, 2 / 3, 1 / 3], np.float32)
    colour: Float32[np.ndarray, "H W 3"] = np.clip(np.abs((phase % 1) * 6 - 3) - 1, 0, 1).astype(np.float32)
    dimmed: Float32[np.ndarray, "H W 3"] = colour * np.float32(0.92)
    return dimmed
