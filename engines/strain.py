"""Optical strain and magnitude of a flow field: where the skin is stretched, and how far it moves."""

from typing import Any

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
        Strain magnitude, dimensionless, not negative; zero for a translation, and for a rotation to first order.

    Raises:
        BadInput: if `flow` is not float32 of shape (2, H, W) with at least 2 × 2 pixels.

    Reference:
        Shreve et al., Macro- and micro-expression spotting in long videos using spatio-temporal strain, FG 2011.
    """
    _check(flow)
    u_y, u_x = np.gradient(flow[0])
    v_y, v_x = np.gradient(flow[1])
    strain: Float32[np.ndarray, "H W"] = np.sqrt(u_x**2 + v_y**2 + np.float32(0.5) * (u_y + v_x) ** 2)
    return strain


def flow_magnitude(flow: Float32[np.ndarray, "2 H W"]) -> Float32[np.ndarray, "H W"]:
    """Length of the displacement of each pixel.

    Args:
        flow: horizontal and vertical displacement, pixels.

    Returns:
        Magnitude, pixels.

    Raises:
        BadInput: if `flow` is not float32 of shape (2, H, W) with at least 2 × 2 pixels.
    """
    _check(flow)
    magnitude: Float32[np.ndarray, "H W"] = np.hypot(flow[0], flow[1])
    return magnitude


def _check(flow: Any) -> None:
    if not isinstance(flow, np.ndarray):
        raise BadInput(f"flow is {type(flow).__name__}: give a float32 array of shape (2, H, W)")
    if flow.dtype != np.float32 or flow.ndim != 3 or len(flow) != 2 or min(flow.shape) < 2:
        raise BadInput(
            f"flow is {flow.dtype} of shape {flow.shape}: give float32 of shape (2, H, W), at least 2 × 2 pixels"
        )
