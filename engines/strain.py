"""Optical strain and magnitude of a flow field."""

import numpy as np
from jaxtyping import Float32

from engines.errors import BadInput


def optical_strain(flow: Float32[np.ndarray, "2 H W"]) -> Float32[np.ndarray, "H W"]:
    r"""Magnitude of the infinitesimal strain of a flow field.

    .. math:: \varepsilon = \sqrt{u_x^2 + v_y^2 + \tfrac12 (u_y + v_x)^2}

    Derivatives are central differences, one-sided at the border.

    Args:
        flow: horizontal and vertical displacement, pixels.

    Returns:
        Strain magnitude, dimensionless, not negative; 0 for a translation.

    Raises:
        BadInput: if `flow` is not float32 of shape (2, H, W) with H and W of at least 2.

    Reference:
        Shreve et al., Macro- and micro-expression spotting in long videos using spatio-temporal strain, FG 2011.
    """
    _check(flow, smallest=2)
    (u_y, u_x), (v_y, v_x) = np.gradient(flow[0]), np.gradient(flow[1])
    return np.sqrt(u_x**2 + v_y**2 + np.float32(0.5) * (u_y + v_x) ** 2)


def flow_magnitude(flow: Float32[np.ndarray, "2 H W"]) -> Float32[np.ndarray, "H W"]:
    """Length of the displacement at every pixel, pixels.

    Args:
        flow: horizontal and vertical displacement, pixels.

    Raises:
        BadInput: if `flow` is not float32 of shape (2, H, W).
    """
    _check(flow, smallest=1)
    return np.hypot(flow[0], flow[1])


def _check(flow: np.ndarray, smallest: int) -> None:
    if flow.dtype != np.float32 or flow.ndim != 3 or flow.shape[0] != 2 or min(flow.shape[1:]) < smallest:
        raise BadInput(
            f"flow of shape {flow.shape}, {flow.dtype}: expected float32 of shape (2, H, W), sides of {smallest} or more"
        )
