"""The passes over the pixels that film a synthetic scene: warp, light, sensor noise; then what lies over the face."""

import numpy as np

from engines.compilation import compiled


@compiled(fastmath=True)
def film(
    source: np.ndarray,
    oversampling: float,
    head_weight: np.ndarray,
    depth: np.ndarray,
    centre: np.ndarray,
    pose: np.ndarray,
    local: np.ndarray,
    local_origin: np.ndarray,
    gain: float,
    noise: np.ndarray,
    noise_seed: int,
    read_noise: float,
    shot_noise: float,
    out: np.ndarray,
) -> None:
    """Film one frame.

    Args:
        source: still picture (H·oversampling, W·oversampling, 3) uint8.
        oversampling: source pixels per frame pixel.
        head_weight: (H, W) float32, how much of the head's movement a pixel takes, 0–1.
        depth: (H, W) float32, distance of the surface in front of the axis of the neck, frame pixels.
        centre: float32 (2,), middle between the pupils at rest, x and y, frame pixels.
        pose: float32 (6,): shift right, shift down (pixels), roll (clockwise, radians), scale − 1, yaw, pitch
            (radians).
        local: (h, w, 2) float32, movement of the skin in the head's rest position, frame pixels; (0, 0, 2)
            where nothing moves.
        local_origin: int64 (2,), column and row of its top left.
        gain: factor on the gray values.
        noise: float32 standard normal values, many times more than a row of the frame holds.
        noise_seed: what chooses among them for this frame.
        read_noise: standard deviation of the noise in the dark, gray levels.
        shot_noise: variance of the noise per gray level.
        out: (H, W, 3) uint8, overwritten.
    """
    height, width = head_weight.shape
    cosine = np.float32(np.cos(pose[2]) * (1.0 + pose[3]) - 1.0)
    sine = np.float32(np.sin(pose[2]) * (1.0 + pose[3]))
    turn_x, turn_y = np.float32(np.sin(pose[4])), np.float32(np.sin(pose[5]))
    squeeze_x = cosine + np.float32(np.cos(pose[4]) - 1.0)
    squeeze_y = cosine + np.float32(np.cos(pose[5]) - 1.0)
    edge = np.float32(0.5 * (oversampling - 1.0))
    fine, light = np.float32(oversampling), np.float32(gain)
    limit_x, limit_y = np.float32(source.shape[1] - 1.01), np.float32(source.shape[0] - 1.01)
    noisy = read_noise > 0.0 or shot_noise > 0.0
    dark, shot = np.float32(read_noise * read_noise), np.float32(shot_noise)
    px, py = np.empty(width, np.float32), np.empty(width, np.float32)
    values = np.empty(3 * width, np.float32)
    reach = noise.size - 3 * width
    for row in range(height):
        y = np.float32(row) - centre[1]
        for column in range(width):
            x = np.float32(column) - centre[0]
            weight, z = head_weight[row, column], depth[row, column]
            px[column] = np.float32(column) - weight * (pose[0] + squeeze_x * x - sine * y + turn_x * z)
            py[column] = np.float32(row) - weight * (pose[1] + squeeze_y * y + sine * x - turn_y * z)
        if local.size > 0:
            _move_skin(px, py, local, local_origin)
        for column in range(width):
            sx = min(max(px[column] * fine + edge, np.float32(0.0)), limit_x)
            sy = min(max(py[column] * fine + edge, np.float32(0.0)), limit_y)
            j, i = int(sx), int(sy)
            a, b = sx - np.float32(j), (sy - np.float32(i)) * light
            top = light - b
            w01, w11 = a * top, a * b
            w00, w10 = top - w01, b - w11
            for channel in range(3):
                values[3 * column + channel] = (
                    w00 * np.float32(source[i, j, channel])
                    + w01 * np.float32(source[i, j + 1, channel])
                    + w10 * np.float32(source[i + 1, j, channel])
                    + w11 * np.float32(source[i + 1, j + 1, channel])
                )
        if noisy:
            start = (noise_seed + row * 1_000_003) % reach
            for at in range(3 * width):
                values[at] += noise[start + at] * np.sqrt(dark + shot * values[at])
        line = out[row].reshape(3 * width)
        for at in range(3 * width):
            rounded = values[at] + np.float32(0.5)
            line[at] = np.uint8(np.int32(min(max(rounded, np.float32(0.0)), np.float32(255.0))))


@compiled(fastmath=True)
def _move_skin(px: np.ndarray, py: np.ndarray, local: np.ndarray, local_origin: np.ndarray) -> None:
    """Take from a row of source positions the movement of the skin there, interpolated linearly."""
    height, width = local.shape[0], local.shape[1]
    left, top = np.float32(local_origin[0]), np.float32(local_origin[1])
    for column in range(px.size):
        u, v = px[column] - left, py[column] - top
        if u >= 0.0 and v >= 0.0 and u < width - 1 and v < height - 1:
            j, i = int(u), int(v)
            a, b = u - np.float32(j), v - np.float32(i)
            one = np.float32(1.0)
            w00, w01, w10, w11 = (one - a) * (one - b), a * (one - b), (one - a) * b, a * b
            px[column] -= (
                w00 * local[i, j, 0]
                + w01 * local[i, j + 1, 0]
                + w10 * local[i + 1, j, 0]
                + w11 * local[i + 1, j + 1, 0]
            )
            py[column] -= (
                w00 * local[i, j, 1]
                + w01 * local[i, j + 1, 1]
                + w10 * local[i + 1, j, 1]
                + w11 * local[i + 1, j + 1, 1]
            )


@compiled(fastmath=True)
def lay_over(
    layer: np.ndarray,
    oversampling: float,
    head_weight: np.ndarray,
    depth: np.ndarray,
    lift: float,
    centre: np.ndarray,
    pose: np.ndarray,
    bounds: np.ndarray,
    gain: float,
    noise: np.ndarray,
    noise_seed: int,
    read_noise: float,
    shot_noise: float,
    out: np.ndarray,
) -> None:
    """Lay over a filmed frame what goes with the head, but not with its skin.

    Args:
        layer: (H·oversampling, W·oversampling, 4) uint8, colour and opacity in the head's rest position.
        oversampling: layer pixels per frame pixel.
        head_weight: see `film`.
        depth: see `film`.
        lift: how far the layer stands in front of that surface, frame pixels.
        centre: see `film`.
        pose: see `film`.
        bounds: int64 (4,), first and one past the last row and column of the frame that the layer may touch.
        gain: factor on the gray values.
        noise: see `film`; where the layer is opaque it has noise of its own.
        noise_seed: what chooses among them for this frame.
        read_noise: standard deviation of the noise in the dark, gray levels.
        shot_noise: variance of the noise per gray level.
        out: (H, W, 3) uint8, changed.
    """
    cosine, sine = np.cos(pose[2]) * (1.0 + pose[3]) - 1.0, np.sin(pose[2]) * (1.0 + pose[3])
    turn_x, turn_y = np.sin(pose[4]), np.sin(pose[5])
    squeeze_x, squeeze_y = cosine + np.cos(pose[4]) - 1.0, cosine + np.cos(pose[5]) - 1.0
    edge = 0.5 * (oversampling - 1.0)
    colour = np.zeros(4)
    for row in range(bounds[0], bounds[1]):
        y = row - centre[1]
        for column in range(bounds[2], bounds[3]):
            x = column - centre[0]
            weight, z = head_weight[row, column], depth[row, column] + lift
            px = column - weight * (pose[0] + squeeze_x * x - sine * y + turn_x * z)
            py = row - weight * (pose[1] + squeeze_y * y + sine * x - turn_y * z)
            sx = min(max(px * oversampling + edge, 0.0), layer.shape[1] - 1.01)
            sy = min(max(py * oversampling + edge, 0.0), layer.shape[0] - 1.01)
            j, i = int(sx), int(sy)
            a, b = sx - j, sy - i
            for part in range(4):
                colour[part] = (1.0 - b) * ((1.0 - a) * layer[i, j, part] + a * layer[i, j + 1, part]) + b * (
                    (1.0 - a) * layer[i + 1, j, part] + a * layer[i + 1, j + 1, part]
                )
            if colour[3] <= 0.0:
                continue
            opacity = colour[3] / 255.0
            start = (noise_seed + row * 1_000_003 + 3 * column) % (noise.size - 3)
            for channel in range(3):
                own = colour[channel] * gain
                own += noise[start + channel] * np.sqrt(read_noise * read_noise + shot_noise * own)
                mixed = (1.0 - opacity) * out[row, column, channel] + opacity * own + 0.5
                out[row, column, channel] = np.uint8(min(max(mixed, 0.0), 255.0))
