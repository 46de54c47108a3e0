"""The one pass over the pixels that films a synthetic scene: warp, light, sensor noise."""

import numpy as np

from engines.compilation import compiled


@compiled(fastmath=True)
def film(
    source: np.ndarray,
    oversampling: float,
    head_weight: np.ndarray,
    depth: np.ndarray,
    centre_x: float,
    centre_y: float,
    pose: np.ndarray,
    local: np.ndarray,
    local_x: int,
    local_y: int,
    has_local: bool,
    gain: float,
    noise: np.ndarray,
    noise_start: int,
    noise_sd: np.ndarray,
    out: np.ndarray,
) -> None:
    """Film one frame.

    Args:
        source: still picture (H·oversampling, W·oversampling, 3) uint8.
        oversampling: source pixels per frame pixel.
        head_weight: (H, W) float32, how much of the head's movement a pixel takes, 0–1.
        depth: (H, W) float32, distance of the surface in front of the axis of the neck, frame pixels.
        centre_x: middle between the pupils at rest, frame pixels.
        centre_y: the same, vertical.
        pose: float64 (6,): shift right, shift down (pixels), roll (clockwise, radians), scale − 1, yaw, pitch (radians).
        local: (h, w, 2) float32, movement of the skin in the head's rest position, frame pixels, from its top left.
        local_x: column of the patch's left edge.
        local_y: row of its top edge.
        has_local: whether `local` holds any movement.
        gain: factor on the gray values.
        noise: float32 ring of standard normal values, three times longer than needed or more.
        noise_start: where in the ring this frame begins.
        noise_sd: float32 (256,), noise at each gray value; all zero leaves the picture as it is.
        out: (H, W, 3) uint8, overwritten.
    """
    height, width = head_weight.shape
    source_height, source_width = source.shape[0], source.shape[1]
    local_height, local_width = local.shape[0], local.shape[1]
    cosine = np.cos(pose[2]) * (1.0 + pose[3]) - 1.0
    sine = np.sin(pose[2]) * (1.0 + pose[3])
    turn_x, turn_y = np.sin(pose[4]), np.sin(pose[5])
    narrow_x, narrow_y = np.cos(pose[4]) - 1.0, np.cos(pose[5]) - 1.0
    edge = 0.5 * (oversampling - 1.0)
    noisy = noise_sd[128] > 0.0
    at = noise_start
    length = noise.size
    for row in range(height):
        y = row - centre_y
        for column in range(width):
            x = column - centre_x
            weight = head_weight[row, column]
            px, py = float(column), float(row)
            if weight > 0.0:
                z = depth[row, column]
                px -= weight * (pose[0] + (cosine + narrow_x) * x - sine * y + turn_x * z)
                py -= weight * (pose[1] + (cosine + narrow_y) * y + sine * x - turn_y * z)
            if has_local:
                u, v = px - local_x, py - local_y
                if 0.0 <= u < local_width - 1 and 0.0 <= v < local_height - 1:
                    j, i = int(u), int(v)
                    a, b = u - j, v - i
                    w00, w01, w10, w11 = (1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b
                    px -= (
                        w00 * local[i, j, 0]
                        + w01 * local[i, j + 1, 0]
                        + w10 * local[i + 1, j, 0]
                        + w11 * local[i + 1, j + 1, 0]
                    )
                    py -= (
                        w00 * local[i, j, 1]
                        + w01 * local[i, j + 1, 1]
                        + w10 * local[i + 1, j, 1]
                        + w11 * local[i + 1, j + 1, 1]
                    )
            sx = min(max(px * oversampling + edge, 0.0), source_width - 1.001)
            sy = min(max(py * oversampling + edge, 0.0), source_height - 1.001)
            j, i = int(sx), int(sy)
            a, b = sx - j, sy - i
            w00, w01, w10, w11 = (1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b
            for channel in range(3):
                value = gain * (
                    w00 * source[i, j, channel]
                    + w01 * source[i, j + 1, channel]
                    + w10 * source[i + 1, j, channel]
                    + w11 * source[i + 1, j + 1, channel]
                )
                if noisy:
                    if at >= length:
                        at = 0
                    level = min(int(value), 255)
                    value += noise[at] * noise_sd[level]
                    at += 1
                out[row, column, channel] = np.uint8(min(max(value + 0.5, 0.0), 255.0))
