"""One iteration of TV-L1 in a single sweep over the rows: thresholding, flow update and dual ascent fused.

All arrays are padded: pixel (y, x) lies at [y + 1, x + 1]. The first row and column stay zero, which makes the
divergence right at the border without a branch; the columns past the last pixel let the dual update, the dear part
with its root and its division, run in whole vectors. Each loop below touches few enough arrays for LLVM to check at
run time that they do not overlap, and so to vectorise it.
"""

import numpy as np

from engines.compilation import compiled

LANES = 16
"""Rows are padded to a multiple of this: a 512-bit vector of float32, or two of 256 bits."""


@compiled(fastmath=True)
def _threshold_row(
    y: int,
    padded: int,
    step: np.ndarray,
    flow_x: np.ndarray,
    flow_y: np.ndarray,
    gradient_x: np.ndarray,
    gradient_y: np.ndarray,
    inverse: np.ndarray,
    constant: np.ndarray,
    limit: np.float32,
) -> None:
    """How far each pixel moves along its gradient to make the residual zero, within ± limit."""
    for x in range(padded):
        residual = (
            constant[y, x + 1] + gradient_x[y, x + 1] * flow_x[y, x + 1] + gradient_y[y, x + 1] * flow_y[y, x + 1]
        )
        wanted = -residual * inverse[y, x + 1]
        wanted = limit if wanted > limit else wanted
        step[x] = -limit if wanted < -limit else wanted


@compiled(fastmath=True)
def _primal_row(
    y: int,
    padded: int,
    flow: np.ndarray,
    step: np.ndarray,
    gradient: np.ndarray,
    dual_x: np.ndarray,
    dual_y: np.ndarray,
    theta: np.ndarray,
) -> np.float32:
    """Update one component of the flow in one row; return the sum of its squared changes."""
    change = np.float32(0)
    for x in range(padded):
        divergence = (dual_x[y, x + 1] - dual_x[y, x]) + (dual_y[y, x + 1] - dual_y[y - 1, x + 1])
        difference = step[x] * gradient[y, x + 1] + theta[x] * divergence
        flow[y, x + 1] += difference
        change += difference * difference
    return change


@compiled(fastmath=True)
def _dual_row(
    y: int, below: int, padded: int, flow: np.ndarray, dual_x: np.ndarray, dual_y: np.ndarray, rate: np.float32
) -> None:
    """Ascend the dual of one component in one row."""
    one = np.float32(1)
    for x in range(padded):
        slope_x = flow[y, x + 2] - flow[y, x + 1]
        slope_y = flow[below, x + 1] - flow[y, x + 1]
        shrink = one / (one + rate * np.sqrt(slope_x * slope_x + slope_y * slope_y))
        dual_x[y, x + 1] = (dual_x[y, x + 1] + rate * slope_x) * shrink
        dual_y[y, x + 1] = (dual_y[y, x + 1] + rate * slope_y) * shrink


@compiled(fastmath=True)
def iterate(
    height: int,
    width: int,
    flow: np.ndarray,
    dual: np.ndarray,
    data: np.ndarray,
    step: np.ndarray,
    limit: np.float32,
    theta: np.ndarray,
    rate: np.float32,
) -> float:
    """Do one iteration in place.

    Args:
        height: of the level, pixels.
        width: of the level, pixels.
        flow: float32 (2, H + 1, stride), both components.
        dual: float32 (4, H + 1, stride): x and y part of the dual of u, then of v.
        data: float32 (4, H + 1, stride): gradient x and y, one over its squared length, constant part of the residual.
        step: float32 (stride,), work space.
        limit: lambda · theta.
        theta: float32 (stride,), coupling of the flow to its auxiliary copy; zero past the last pixel, which keeps
            the padding still and out of the sum.
        rate: tau / theta.

    Returns:
        Sum of the squared changes of both components over all pixels.
    """
    padded = (width + LANES - 1) // LANES * LANES
    u, v = flow[0], flow[1]
    u_dual_x, u_dual_y, v_dual_x, v_dual_y = dual[0], dual[1], dual[2], dual[3]
    gradient_x, gradient_y, inverse, constant = data[0], data[1], data[2], data[3]
    change = 0.0
    for y in range(1, height + 1):
        _threshold_row(y, padded, step, u, v, gradient_x, gradient_y, inverse, constant, limit)
        change += _primal_row(y, padded, u, step, gradient_x, u_dual_x, u_dual_y, theta)
        change += _primal_row(y, padded, v, step, gradient_y, v_dual_x, v_dual_y, theta)
        # The last pixel is repeated: no difference over the right border.
        u[y, width + 1], v[y, width + 1] = u[y, width], v[y, width]
        # The row above now has all that it needs, and its old dual is not needed any more.
        if y > 1:
            _dual_row(y - 1, y, padded, u, u_dual_x, u_dual_y, rate)
            _dual_row(y - 1, y, padded, v, v_dual_x, v_dual_y, rate)
    _dual_row(height, height, padded, u, u_dual_x, u_dual_y, rate)
    _dual_row(height, height, padded, v, v_dual_x, v_dual_y, rate)
    return change
