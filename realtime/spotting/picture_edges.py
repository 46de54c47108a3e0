"""Which patches lie at or beyond the edges of the source picture, where the crop shows nothing of the face."""

import numpy as np
from jaxtyping import Bool, Float64

from realtime.faces import landmarks as named
from realtime.faces.observation import AlignedFace

_EDGE_PX = 1.0
"""The outermost pixels are blended with what lies beyond, source pixels."""
_SMOOTHING_REACH_PX = 2.0
"""How far the smoothing of the crop carries what lies beyond, crop pixels."""
_OUTWARD = np.array(((-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)))
"""Towards the left, right, upper and lower edge of the picture."""
_SIDES = (named.GATE_OUT_RIGHT, named.GATE_OUT_LEFT, named.GATE_OUT_ABOVE, named.GATE_OUT_BELOW)
"""What lies at the crop's left, right, upper and lower edge; left and right of the face are the subject's."""


def beyond_edges(
    aligned: AlignedFace, centres: Float64[np.ndarray, "P 2"], patch_px: int
) -> tuple[Bool[np.ndarray, " P"], tuple[str, ...]]:
    """Patches that the source picture does not hold whole.

    Args:
        aligned: the face.
        centres: middles of the patches, crop pixels.
        patch_px: side of a patch, crop pixels.

    Returns:
        Which patches they are, and the gates that name the sides of the face on which they are cut off; none where
        it is not known how large the source picture was.
    """
    if aligned.source_size is None:
        return np.zeros(len(centres), np.bool_), ()
    matrix, shift = aligned.to_crop[:, :2], aligned.to_crop[:, 2]
    scale = max(float(np.hypot(*matrix[0])), 1e-6)
    source = (centres - shift) @ matrix / scale**2  # a similarity's inverse is its transpose over its scale squared
    reach_px = (patch_px / 2 + _SMOOTHING_REACH_PX) * float(np.abs(matrix[0]).sum()) / scale**2 + _EDGE_PX
    farthest = np.array(aligned.source_size) - 1.0
    beyond = np.column_stack((-source, source - farthest)) > -reach_px
    if not beyond.any():
        return np.zeros(len(centres), np.bool_), ()
    # Columns are x and y of either end; edges are asked for in the order of _OUTWARD.
    cut = beyond[:, (0, 2, 1, 3)].any(axis=0)
    gates = {_side(matrix @ outward) for outward, is_cut in zip(_OUTWARD, cut, strict=True) if is_cut}
    return beyond.any(axis=1), tuple(sorted(gates))


def _side(outward: Float64[np.ndarray, "2"]) -> str:
    """The side of the upright face that looks most in a direction of the crop."""
    x, y = outward
    if abs(x) >= abs(y):
        return _SIDES[int(x > 0)]
    return _SIDES[2 + int(y > 0)]
