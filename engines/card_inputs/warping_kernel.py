"""The later image with the head moved back, on the card: the counterpart of `_moved_back` of the steady flow."""

import numpy as np
from numba import cuda

from engines.card_compilation import card_function, card_kernel
from engines.card_inputs.framing_kernel import reflected
from engines.card_inputs.rounding_kernel import nearest

SUBPIXELS = 32
"""OpenCV rounds the places that it reads to this part of a pixel; so does this, or the two flows would differ by it."""
FIXED = np.float32(1024)
"""OpenCV adds up rows and columns in this part of a pixel before it rounds."""
HALF = np.float32(0.5)


def cubic_weights() -> np.ndarray:
    """Weights (32, 4) float32 of the pixels around a place by its 32nds past the second: OpenCV's, a = −0.75."""
    a, past = -0.75, np.arange(SUBPIXELS) / SUBPIXELS
    weights = np.empty((SUBPIXELS, 4))
    weights[:, 0] = ((a * (past + 1) - 5 * a) * (past + 1) + 8 * a) * (past + 1) - 4 * a
    weights[:, 1] = ((a + 2) * past - (a + 3)) * past * past + 1
    weights[:, 2] = ((a + 2) * (1 - past) - (a + 3)) * (1 - past) * (1 - past) + 1
    weights[:, 3] = 1 - weights[:, :3].sum(axis=1)
    return weights.astype(np.float32)


@card_function
def places_read(x: int, y: int, movement: np.ndarray, height: int, width: int) -> tuple[int, int]:
    """Where in the later image a pixel of the held one lies, 32nds of a pixel from the image's corner.

    `movement` is turn, growth and shift about the middle. The whole pixels stay out of the floating-point arithmetic,
    so that float32 is fine enough for what is left.
    """
    turn, growth = movement[0], movement[1]
    middle_x, middle_y = HALF * np.float32(width - 1), HALF * np.float32(height - 1)
    shift_x = movement[2] - growth * middle_x + turn * middle_y
    shift_y = movement[3] - turn * middle_x - growth * middle_y
    column, row = np.float32(x), np.float32(y)
    along_x = 1024 * x + nearest(growth * column * FIXED) + nearest((shift_x - turn * row) * FIXED)
    along_y = 1024 * y + nearest(turn * column * FIXED) + nearest((shift_y + growth * row) * FIXED)
    # Half of a 32nd is added before the bits under it are cut off.
    return (along_x + 16) >> 5, (along_y + 16) >> 5


@card_kernel
def move_back(
    later: np.ndarray, movement: np.ndarray, still: np.ndarray, weights: np.ndarray, held: np.ndarray
) -> None:
    """Read the later image (H, W) where the head's movement took each pixel; copy it where the head kept still.

    One thread a pixel, x fastest. `movement` float32 (4,) and `still` int32 (1,) are what `hold_head` left, `weights`
    what `cubic_weights` gives, `held` is float32 (H, W).
    """
    x, y = cuda.grid(2)
    height, width = held.shape
    if y >= height or x >= width:
        return
    if still[0] != 0:
        held[y, x] = np.float32(later[y, x])
        return
    place_x, place_y = places_read(x, y, movement, height, width)
    left, top = (place_x >> 5) - 1, (place_y >> 5) - 1
    across, down = place_x & 31, place_y & 31
    total = np.float32(0)
    for i in range(4):
        row = reflected(top + i, height)
        for j in range(4):
            column = reflected(left + j, width)
            total += weights[down, i] * weights[across, j] * np.float32(later[row, column])
    held[y, x] = total
