"""Resizing on the card, and the mirrored frame that TV-L1 wants: `area_resized` and `_framed` of the steady flow."""

import numpy as np
from numba import cuda

from engines.card_compilation import card_function, card_kernel
from engines.inputs.steady_flow import MARGIN

# Every literal that meets a float32 is made one: a Python float would pull the arithmetic into float64, of which the
# cards of laptops do 64 times less.
ZERO = np.float32(0)


@card_function
def reflected(place: int, length: int) -> int:
    """Index of a pixel outside an image mirrored at its edge pixels (OpenCV's BORDER_REFLECT_101)."""
    if length == 1:
        return 0
    period = 2 * (length - 1)
    place = place % period
    return min(place, period - place)


@card_function
def resampled(
    image: np.ndarray,
    row: int,
    column: int,
    first_row: np.ndarray,
    row_weights: np.ndarray,
    first_column: np.ndarray,
    column_weights: np.ndarray,
) -> np.float32:
    """One pixel of a resized image, float32; the tables come from `resampling_tables`."""
    last_row, last_column = image.shape[0] - 1, image.shape[1] - 1
    total = ZERO
    for i in range(row_weights.shape[1]):
        y = min(first_row[row] + i, last_row)
        line = ZERO
        for j in range(column_weights.shape[1]):
            x = min(first_column[column] + j, last_column)
            line += column_weights[column, j] * np.float32(image[y, x])
        total += row_weights[row, i] * line
    return total


@card_kernel
def frame_pair(
    previous: np.ndarray,
    following: np.ndarray,
    first_row: np.ndarray,
    row_weights: np.ndarray,
    first_column: np.ndarray,
    column_weights: np.ndarray,
    framed: np.ndarray,
) -> None:
    """Resize two images (H, W) of any type and put the mirrored frame round them: float32 (2, h + 16, w + 16).

    One thread a pixel of the result, x fastest.
    """
    x, y = cuda.grid(2)
    if y < framed.shape[1] and x < framed.shape[2]:
        row = reflected(y - MARGIN, row_weights.shape[0])
        column = reflected(x - MARGIN, column_weights.shape[0])
        framed[0, y, x] = resampled(previous, row, column, first_row, row_weights, first_column, column_weights)
        framed[1, y, x] = resampled(following, row, column, first_row, row_weights, first_column, column_weights)
