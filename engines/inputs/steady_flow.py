"""Flow between two face images with the residual movement of the head taken out."""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from engines.errors import BadInput
from engines.flow import Tvl1Parameters, tvl1

WORKING_WIDTH = 128
"""Width to which face images are brought before TV-L1, pixels: the canonical crop at half its size."""
GRID_STEP = 4
"""Every how many pixels the head's movement is sampled from the field."""
FIT_ROUNDS = 8
"""Re-weighted fits; the weights have settled by then."""
TUKEY = 4.685
"""Robust deviations beyond which a residual says nothing about the head (95 % efficiency)."""
LEAST_DEVIATION_PX = 0.02
"""Flow noise below which residuals are not told apart, working pixels."""
RIGID_CENTRE = (0.5, 0.36)
"""Middle of the bridge of the nose in the canonical crop, fractions of width and height."""
RIGID_SPREAD = (0.30, 0.16)
"""Over how much of the face the skull, rather than a muscle, decides the movement; one standard deviation."""
ELSEWHERE = 0.1
"""Say of the rest of the image beside the rigid part."""

Gray = UInt8[np.ndarray, "H W"] | Float32[np.ndarray, "H W"]


def area_resized(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize by area averaging: every source pixel counts by how much of it a target pixel covers.

    Args:
        planes: (H, W) or (H, W, C), uint8 or float32.
        height: of the result, pixels.
        width: of the result, pixels.

    Returns:
        The same type and number of channels, (height, width) or (height, width, C).
    """
    if planes.shape[:2] == (height, width):
        return planes
    # Where a side grows there is nothing to average, and INTER_AREA would repeat pixels.
    grows = planes.shape[0] < height or planes.shape[1] < width
    method = cv2.INTER_LINEAR if grows else cv2.INTER_AREA
    resized: np.ndarray = cv2.resize(planes, (width, height), interpolation=method)
    return resized.reshape(height, width, *planes.shape[2:])


def steady_flow(
    previous: Gray,
    following: Gray,
    parameters: Tvl1Parameters | None = None,
    *,
    working_width: int = WORKING_WIDTH,
) -> Float32[np.ndarray, "2 h w"]:
    """TV-L1 flow of a face, without what the head as a whole did.

    Args:
        previous: gray face in canonical geometry, 0–255.
        following: the same face later, of the same size.
        parameters: of TV-L1; OpenCV's defaults if None.
        working_width: width of the images that the flow is computed on, pixels; wider ones are averaged down.

    Returns:
        Displacement at working size, in pixels of the images as they were given.

    Raises:
        BadInput: if the images differ in shape.
    """
    if previous.shape != following.shape or previous.ndim != 2:
        raise BadInput(f"flow needs two gray images of one size, not {previous.shape} and {following.shape}")
    width = min(working_width, previous.shape[1])
    height = round(previous.shape[0] * width / previous.shape[1])
    small = [
        area_resized(image.astype(np.float32, copy=False), height, width) for image in (previous, following)
    ]
    field = tvl1(small[0], small[1], parameters or Tvl1Parameters())
    return without_head_movement(field) * np.float32(previous.shape[1] / width)


def without_head_movement(flow: Float32[np.ndarray, "2 H W"]) -> Float32[np.ndarray, "2 H W"]:
    """A flow field minus the similarity (shift, turn, growth) that its rigid part follows.

    Args:
        flow: displacement of a face in canonical geometry, pixels.

    Returns:
        The field left when the head is held still, pixels.
    """
    turn, growth, shift_x, shift_y = head_movement(flow)
    y, x = _centred_grid(flow.shape[1], flow.shape[2], 1)
    head = np.stack([growth * x - turn * y + shift_x, turn * x + growth * y + shift_y])
    still: np.ndarray = (flow - head).astype(np.float32)
    return still


def head_movement(flow: Float32[np.ndarray, "2 H W"]) -> tuple[float, float, float, float]:
    """The similarity that the rigid part of a face follows in a flow field.

    Least squares re-weighted by Tukey's biweight, starting from weights that trust the bridge of the nose and
    the corners of the eyes: there the skull shows, while brows, lids and mouth move by muscle.

    Args:
        flow: displacement of a face in canonical geometry, pixels.

    Returns:
        Turn (radians, small) and growth (fraction) about the centre; shift right and down (pixels).

    Reference:
        Holland, Welsch, Robust regression using iteratively reweighted least-squares, 1977.
    """
    height, width = flow.shape[1:]
    y, x = (grid.ravel() for grid in _centred_grid(height, width, GRID_STEP))
    u = flow[0, ::GRID_STEP, ::GRID_STEP].ravel().astype(np.float64)
    v = flow[1, ::GRID_STEP, ::GRID_STEP].ravel().astype(np.float64)
    trust = _rigid_trust(x / width + 0.5, y / height + 0.5)
    weights = trust
    fit = np.zeros(4)
    for _ in range(FIT_ROUNDS):
        fit = _weighted_similarity(x, y, u, v, weights)
        turn, growth, shift_x, shift_y = fit
        residual = np.hypot(u - growth * x + turn * y - shift_x, v - turn * x - growth * y - shift_y)
        deviation = max(1.4826 * _weighted_median(residual, trust), LEAST_DEVIATION_PX)
        weights = trust * np.clip(1 - (residual / (TUKEY * deviation)) ** 2, 0, None) ** 2
    return float(fit[0]), float(fit[1]), float(fit[2]), float(fit[3])


def _centred_grid(height: int, width: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    rows = np.arange(0, height, step, dtype=np.float64) - (height - 1) / 2
    columns = np.arange(0, width, step, dtype=np.float64) - (width - 1) / 2
    y, x = np.meshgrid(rows, columns, indexing="ij")
    return y, x


def _rigid_trust(
    across: Float64[np.ndarray, "points"], down: Float64[np.ndarray, "points"]
) -> Float64[np.ndarray, "points"]:
    distance = ((across - RIGID_CENTRE[0]) / RIGID_SPREAD[0]) ** 2
    distance += ((down - RIGID_CENTRE[1]) / RIGID_SPREAD[1]) ** 2
    trust: np.ndarray = ELSEWHERE + (1 - ELSEWHERE) * np.exp(-distance / 2)
    return trust


def _weighted_similarity(
    x: Float64[np.ndarray, "points"],
    y: Float64[np.ndarray, "points"],
    u: Float64[np.ndarray, "points"],
    v: Float64[np.ndarray, "points"],
    weights: Float64[np.ndarray, "points"],
) -> Float64[np.ndarray, "4"]:
    total = weights.sum()
    if total <= 0:
        return np.zeros(4)
    mean_x, mean_y = weights @ x / total, weights @ y / total
    mean_u, mean_v = weights @ u / total, weights @ v / total
    dx, dy, du, dv = x - mean_x, y - mean_y, u - mean_u, v - mean_v
    size = weights @ (dx * dx + dy * dy)
    if size <= 0:
        return np.array([0.0, 0.0, mean_u, mean_v])
    turn = weights @ (dx * dv - dy * du) / size
    growth = weights @ (dx * du + dy * dv) / size
    return np.array(
        [turn, growth, mean_u - growth * mean_x + turn * mean_y, mean_v - turn * mean_x - growth * mean_y]
    )


def _weighted_median(values: Float64[np.ndarray, "points"], weights: Float64[np.ndarray, "points"]) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
