"""Which source pixels make a pixel of a resized image, and how much each counts: OpenCV's resizing as tables."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32

NEGLIGIBLE = 1e-3
"""Part of a pixel that OpenCV's area averaging leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResamplingTable:
    """One axis of a resizing: target pixel k is the sum of `weights[k, i]` times source pixel `first[k] + i`."""

    first: Int32[np.ndarray, "length"]
    """Source pixel of the first weight. Weights of zero may reach past the last source pixel."""
    weights: Float32[np.ndarray, "length taps"]
    """Rows add up to one."""


Tables = tuple[ResamplingTable, ResamplingTable]
"""Of the rows and of the columns."""


def resampling_tables(height: int, width: int, to_height: int, to_width: int) -> Tables:
    """Rows and columns of the resizing that `engines.inputs.steady_flow.area_resized` does.

    Args:
        height: of the source, pixels.
        width: of the source, pixels.
        to_height: of the target, pixels.
        to_width: of the target, pixels.

    Returns:
        Table of the rows and of the columns: averaging where no side grows, else linear.
    """
    grows = height < to_height or width < to_width
    table = _linear if grows else _averaging
    return table(height, to_height), table(width, to_width)


def _averaging(length: int, to_length: int) -> ResamplingTable:
    """Every source pixel counts by how much of it the target pixel covers (OpenCV's `computeResizeAreaTab`)."""
    scale = length / to_length
    rows = [_covered(k * scale, k * scale + scale, length) for k in range(to_length)]
    return _table(rows)


def _covered(start: float, end: float, length: int) -> tuple[int, list[float]]:
    size = min(end - start, length - start)
    last = min(math.floor(end), length - 1)
    whole = min(math.ceil(start), last)
    first, weights = whole, [1.0 / size] * (last - whole)
    if whole - start > NEGLIGIBLE:
        first, weights = whole - 1, [(whole - start) / size, *weights]
    if end - last > NEGLIGIBLE:
        weights.append(min(end - last, 1.0, size) / size)
    return first, weights


def _linear(length: int, to_length: int) -> ResamplingTable:
    scale = length / to_length
    rows = []
    for k in range(to_length):
        place = min(max((k + 0.5) * scale - 0.5, 0.0), length - 1.0)
        first = math.floor(place)
        rows.append((first, [1.0 - (place - first), place - first]))
    return _table(rows)


def _table(rows: list[tuple[int, list[float]]]) -> ResamplingTable:
    taps = max(len(weights) for _, weights in rows)
    padded = [weights + [0.0] * (taps - len(weights)) for _, weights in rows]
    return ResamplingTable(first=np.array([first for first, _ in rows], np.int32), weights=np.array(padded, np.float32))
