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
    low, high_x, high_y = np.float32(-2), np.float32(width + 1), np.float32(height + 1)
    for y in range(height):
        for x in range(width):
            u, v = flow[0, y + 1, x + 1], flow[1, y + 1, x + 1]
            position_x = min(max(np.float32(x) + u, low), high_x)
            position_y = min(max(np.float32(y) + v, low), high_y)
            # Shifted to be positive, so that cutting off the fraction is rounding down.
            column, row = int(position_x + np.float32(2)), int(position_y + np.float32(2))
            a0, a1, a2, a3 = _cubic_weights(position_x + np.float32(2) - np.float32(column))
            b0, b1, b2, b3 = _cubic_weights(position_y + np.float32(2) - np.float32(row))
            value = gradient_x = gradient_y = np.float32(0)
            for k in range(4):
                weight = b0 if k == 0 else (b1 if k == 1 else (b2 if k == 2 else b3))
                p, q, r, s = (
                    following[row + k, column],
                    following[row + k, column + 1],
                    following[row + k, column + 2],
                    following[row + k, column + 3],
                )
                value += weight * (a0 * p[0] + a1 * q[0] + a2 * r[0] + a3 * s[0])
                gradient_x += weight * (a0 * p[1] + a1 * q[1] + a2 * r[1] + a3 * s[1])
                gradient_y += weight * (a0 * p[2] + a1 * q[2] + a2 * r[2] + a3 * s[2])
            data[0, y + 1, x + 1] = gradient_x
            data[1, y + 1, x + 1] = gradient_y
            data[2, y + 1, x + 1] = np.float32(1) / max(gradient_x * gradient_x + gradient_y * gradient_y, flat)
            data[3, y + 1, x + 1] = value - gradient_x * u - gradient_y * v - previous[y, x]
