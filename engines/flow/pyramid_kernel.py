"""Image pyramid, image gradient and bicubic warp: what happens once a level or once a warp."""

import numpy as np

from engines.compilation import compiled

MARGIN = 3
"""Zeros kept around an image to be warped, pixels: a bicubic read whose centre is outside needs no branch."""
CHANNELS = 4
"""Image, x gradient, y gradient and one spare, side by side: each of the 16 reads of a pixel is one short vector."""


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
        float32 (H + 2 · MARGIN + 1, W + 2 · MARGIN + 1, CHANNELS), zero in the margin.
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
def _cubic_weights(t: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Bicubic kernel of Keys (1981) with a = -0.75 for a position t between the second and the third tap."""
    a = np.float32(-0.75)
    one, two, three = np.float32(1), np.float32(2), np.float32(3)
    s = one - t
    first = a * t * s * s
    last = a * s * t * t
    second = ((a + two) * t - (a + three)) * t * t + one
    return first, second, one - first - second - last, last


@compiled(fastmath=True)
def _place_row(
    y: int, width: int, flow: np.ndarray, high_x: np.float32, high_y: np.float32, taps: np.ndarray, weights: np.ndarray
) -> None:
    """First tap (row, column) and the eight weights of each pixel of one row."""
    two = np.float32(2)
    for x in range(width):
        # Shifted by the two taps before the image, so that cutting off the fraction is rounding down.
        column = min(max(np.float32(x) + flow[0, y + 1, x + 1] + two, np.float32(0)), high_x)
        row = min(max(np.float32(y) + flow[1, y + 1, x + 1] + two, np.float32(0)), high_y)
        taps[0, x], taps[1, x] = np.int32(row), np.int32(column)
        weights[0, x] = row - np.float32(np.int32(row))
        weights[1, x] = column - np.float32(np.int32(column))


@compiled(fastmath=True)
def _read_line(
    line: np.ndarray, start: int, weights: tuple[np.float32, np.float32, np.float32, np.float32]
) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Sum of four neighbours on one row, weighted, all channels at once (LLVM makes one vector of the four)."""
    a, b, c, d = weights
    first = a * line[start] + b * line[start + 4] + c * line[start + 8] + d * line[start + 12]
    second = a * line[start + 1] + b * line[start + 5] + c * line[start + 9] + d * line[start + 13]
    third = a * line[start + 2] + b * line[start + 6] + c * line[start + 10] + d * line[start + 14]
    fourth = a * line[start + 3] + b * line[start + 7] + c * line[start + 11] + d * line[start + 15]
    return first, second, third, fourth


@compiled(fastmath=True)
def _read_row(width: int, following: np.ndarray, taps: np.ndarray, weights: np.ndarray, warped: np.ndarray) -> None:
    """Bicubic interpolation at each pixel of one row, all channels at once."""
    stride = following.shape[1] * CHANNELS
    line = following.reshape(-1)
    for x in range(width):
        start = np.intp(np.uint32(taps[0, x])) * stride + np.intp(np.uint32(taps[1, x])) * CHANNELS
        b0, b1, b2, b3 = _cubic_weights(weights[0, x])
        across = _cubic_weights(weights[1, x])
        p0, p1, p2, p3 = _read_line(line, start, across)
        q0, q1, q2, q3 = _read_line(line, start + stride, across)
        r0, r1, r2, r3 = _read_line(line, start + 2 * stride, across)
        s0, s1, s2, s3 = _read_line(line, start + 3 * stride, across)
        warped[x, 0] = b0 * p0 + b1 * q0 + b2 * r0 + b3 * s0
        warped[x, 1] = b0 * p1 + b1 * q1 + b2 * r1 + b3 * s1
        warped[x, 2] = b0 * p2 + b1 * q2 + b2 * r2 + b3 * s2
        warped[x, 3] = b0 * p3 + b1 * q3 + b2 * r3 + b3 * s3


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
    weights = np.empty((2, width), np.float32)
    warped = np.empty((width, CHANNELS), np.float32)
    high_x, high_y = np.float32(width + 3), np.float32(height + 3)
    for y in range(height):
        _place_row(y, width, flow, high_x, high_y, taps, weights)
        _read_row(width, following, taps, weights, warped)
        _residual_row(y, width, previous, flow, warped, data, flat)
