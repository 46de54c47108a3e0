"""Flow with the head held still and its strain, on the card: `without_head_movement` and `optical_strain` in one."""

import math

import numpy as np
from numba import cuda

from engines.card_compilation import card_function, card_kernel
from engines.card_inputs.forms import MAGNITUDE, STRAIN, U, V
from engines.inputs.steady_flow import MARGIN

HALF = np.float32(0.5)


@card_function
def still_vector(field: np.ndarray, movement: np.ndarray, y: int, x: int) -> tuple[np.float32, np.float32]:
    """Flow at a pixel of a framed field (1, 2, h + 16, w + 16) minus what the head did there, pixels of the field."""
    across = np.float32(x) - HALF * np.float32(field.shape[3] - 2 * MARGIN - 1)
    down = np.float32(y) - HALF * np.float32(field.shape[2] - 2 * MARGIN - 1)
    u = movement[1] * across - movement[0] * down + movement[2]
    v = movement[0] * across + movement[1] * down + movement[3]
    return field[0, 0, y + MARGIN, x + MARGIN] - u, field[0, 1, y + MARGIN, x + MARGIN] - v


@card_kernel
def still_planes(field: np.ndarray, movement: np.ndarray, pixels: np.float32, planes: np.ndarray) -> None:
    """Magnitude, u, v (pixels of the image) and optical strain, float32 (4, h, w).

    One thread a pixel, x fastest. `movement` is the head's, in pixels of the field, of which each is `pixels` of the
    image. Derivatives are central, at the border one-sided, between pixels of the field.
    """
    x, y = cuda.grid(2)
    height, width = planes.shape[1], planes.shape[2]
    if y >= height or x >= width:
        return
    left, right, above, below = max(x - 1, 0), min(x + 1, width - 1), max(y - 1, 0), min(y + 1, height - 1)
    u_left, v_left = still_vector(field, movement, y, left)
    u_right, v_right = still_vector(field, movement, y, right)
    u_above, v_above = still_vector(field, movement, above, x)
    u_below, v_below = still_vector(field, movement, below, x)
    across, down = np.float32(right - left), np.float32(below - above)
    u_x, v_x = (u_right - u_left) / across, (v_right - v_left) / across
    u_y, v_y = (u_below - u_above) / down, (v_below - v_above) / down
    shear = u_y + v_x
    u, v = still_vector(field, movement, y, x)
    u, v = u * pixels, v * pixels
    planes[MAGNITUDE, y, x] = math.sqrt(u * u + v * v)
    planes[U, y, x] = u
    planes[V, y, x] = v
    planes[STRAIN, y, x] = math.sqrt(u_x * u_x + v_y * v_y + HALF * shear * shear)
