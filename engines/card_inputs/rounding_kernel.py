"""Rounding on the card without the float64 that Numba's own `round` goes through."""

import numpy as np

from engines.card_compilation import card_function

ROUNDER = np.float32(1.5 * 2**23)
"""Next to so large a number float32 holds no fractions: adding it rounds, halves to even."""


@card_function
def nearest(value: np.float32) -> int:
    """The whole number nearest to a float32 of less than 2²² either way, halves to even, as NumPy's `rint`."""
    return int((value + ROUNDER) - ROUNDER)
