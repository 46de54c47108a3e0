"""Image pyramid, image gradient and bicubic warp: what happens once a level or once a warp."""

import numpy as np

from engines.compilation import compiled
from engines.flow.bicubic_kernel import CHANNELS, read_bicubic

MARGIN = 3
"""Zeros kept around an image to be warped, pixels: a bicubic read whose centre is outside needs no branch."""


@compiled()
def resize(image: np.ndarray, result: np.ndarray, ratio_y: float, ratio_x: float, gain: np.float32) -> None:
    """Linear interpolation with pixel centres aligned, times `gain`.

    Args:
        image: float32 (H, W).
        result: float32 (h, w), written.
        ratio_y: rows of the image for each row of the result.
        ratio_x: the same for columns.
        gain: factor on the result.
    """
    height, width = image.shape
    rows, columns = result.shape
    left = np.empty(columns, np.int64)
    weight = np.empty(columns, np.float32)
    for x in range(columns):
        position = min(max((x + 0.5) * ratio_x - 0.5, 0.0), width - 1.0)
        left[x] = min(int(position), width - 2)
        weight[x] = position - left[x]
    one = np.float32(1)
    for y in range(rows):
        position = min(max((y + 0.5) * ratio_y - 0.5, 0.0), height - 1.0)
        upper = min(int(position), height - 2)
        below = np.float32(position - upper)
        for x in range(columns):
            k, right = left[x], weight[x]
            top = image[upper, k] * (one - right) + image[upper, k + 1] * right
            bottom = image[upper + 1, k] * (one - right) + image[upper + 1, k + 1] * right
            result[y, x] = (top * (one - below) + bottom * below) * gain


@compiled()
def with_gradient(image: np.ndarray) -> np.ndarray:
    """Image and its central differences, interleaved for `linearise`.

    Args:
        image: float32 (H, W).

    Returns:
        Image, x gradient, y gradient and one spare channel, float32 (H + 2 · MARGIN + 1, W + 2 · MARGIN + 1, CHANNELS);
        zero in the margin.
    """
    height, width = image.shape
    result = np.zeros((height + 2 * MARGIN + 1, width + 2 * MARGIN + 1, CHANNELS), np.float32)
    half = np.float32(0.5)
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            pixel = result[y + MARGIN, x + MARGIN]
            pixel[0] = image[y, x]
            pixel[1] = half * (image[y, right] - image[y, left])
            pixel[2] = half * (image[below, x] - image[above, x])
    return result


@compiled(fastmath=True)
def _place_row(
    y: int,
    width: int,
    flow: np.ndarray,
    high_x: np.float32,
    high_y: np.float32,
    taps: np.ndarray,
    fractions: np.ndarray,
) -> None:
    """First tap (row, column) and the place between the second and the third tap of each pixel of one row."""
    two = np.float32(2)
    for x in range(width):
        # Shifted by the two taps before the image, so that cutting off the fraction is rounding down.
        column = min(max(np.float32(x) + flow[0, y + 1, x + 1] + two, np.float32(0)), high_x)
        row = min(max(np.float32(y) + flow[1, y + 1, x + 1] + two, np.float32(0)), high_y)
        taps[0, x], taps[1, x] = np.int32(row), np.int32(column)
        fractions[0, x] = row - np.float32(np.int32(row))
        fractions[1, x] = column - np.float32(np.int32(column))


@compiled(fastmath=True)
def _read_row(width: int, following: np.ndarray, taps: np.ndarray, fractions: np.ndarray, warped: np.ndarray) -> None:
    """Bicubic interpolation at each pixel of one row, all channels at once."""
    stride = following.shape[1] * CHANNELS
    values, result = following.reshape(-1), warped.reshape(-1)
    for x in range(width):
        start = taps[0, x] * stride + taps[1, x] * CHANNELS
        read_bicubic(values, start, stride, fractions[0, x], fractions[1, x], result, x * CHANNELS)


@compiled(fastmath=True)
def _residual_row(
    y: int, width: int, previous: np.ndarray, flow: np.ndarray, warped: np.ndarray, data: np.ndarray, flat: np.float32
) -> None:
    """What `linearise` writes, for one row."""
    for x in range(width):
        gradient_x, gradient_y = warped[x, 1], warped[x, 2]
        data[0, y + 1, x + 1] = gradient_x
        data[1, y + 1, x + 1] = gradient_y
        data[2, y + 1, x + 1] = np.float32(1) / max(gradient_x * gradient_x + gradient_y * gradient_y, flat)
        shift = gradient_x * flow[0, y + 1, x + 1] + gradient_y * flow[1, y + 1, x + 1]
        data[3, y + 1, x + 1] = warped[x, 0] - shift - previous[y, x]


@compiled()
def linearise(
    previous: np.ndarray, following: np.ndarray, flow: np.ndarray, data: np.ndarray, flat: np.float32
) -> None:
    """Read the second image where the flow points and linearise the brightness residual there.

    Args:
        previous: float32 (H, W).
        following: the second image as `with_gradient` gives it.
        flow: float32 (2, H + 1, stride), padded as in `descent_kernel`.
        data: float32 (4, H + 1, stride), written: gradient x, gradient y, one over the squared length of the gradient,
            constant part of the residual.
        flat: least squared length of a gradient, against division by zero.
    """
    height, width = previous.shape
    taps = np.empty((2, width), np.int32)
    fractions = np.empty((2, width), np.float32)
    warped = np.empty((width, CHANNELS), np.float32)
    high_x, high_y = np.float32(width + 3), np.float32(height + 3)
    for y in range(height):
        _place_row(y, width, flow, high_x, high_y, taps, fractions)
        _read_row(width, following, taps, fractions, warped)
        _residual_row(y, width, previous, flow, warped, data, flat)
