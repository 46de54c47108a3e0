"""Exact 3 × 3 and 5 × 5 median filters from minima and maxima only, many pixels at a time.

The 5 × 5 median sorts the five values of each column (shared by five neighbouring windows), then each rank of the five
columns; in a square sorted both ways only 13 values can still be the middle of 25, and their partial order leaves a
network of 28 minima and maxima. The networks are sorting networks with every comparison removed that the order already
known makes idle, found by trying all sequences of zeros and ones; `tests/engines/test_flow_median.py` compares the
filter with sorting.

Work is done in tiles of constant size, so that LLVM knows where every row lies and vectorises without checks.
"""

import numpy as np

from engines.compilation import compiled

TILE = 32
"""Pixels of a row that are filtered together."""
REACH = 2
"""Rows and columns that the larger window takes on each side, pixels."""


@compiled(fastmath=True)
def _lower(a: np.float32, b: np.float32) -> np.float32:
    return a if a < b else b


@compiled(fastmath=True)
def _upper(a: np.float32, b: np.float32) -> np.float32:
    return a if a > b else b


@compiled(fastmath=True)
def _sorted_5(a: np.float32, b: np.float32, c: np.float32, d: np.float32, e: np.float32) -> tuple[np.float32, ...]:
    a, d = _lower(a, d), _upper(a, d)
    b, e = _lower(b, e), _upper(b, e)
    a, c = _lower(a, c), _upper(a, c)
    b, d = _lower(b, d), _upper(b, d)
    a, b = _lower(a, b), _upper(a, b)
    c, e = _lower(c, e), _upper(c, e)
    b, c = _lower(b, c), _upper(b, c)
    d, e = _lower(d, e), _upper(d, e)
    c, d = _lower(c, d), _upper(c, d)
    return a, b, c, d, e


@compiled(fastmath=True)
def _lowest_2(a: np.float32, b: np.float32, c: np.float32, d: np.float32, e: np.float32) -> tuple[np.float32, ...]:
    a, d = _lower(a, d), _upper(a, d)
    b, e = _lower(b, e), _upper(b, e)
    a, c = _lower(a, c), _upper(a, c)
    b = _lower(b, d)
    a, b = _lower(a, b), _upper(a, b)
    return a, _lower(b, _lower(c, e))


@compiled(fastmath=True)
def _highest_2(a: np.float32, b: np.float32, c: np.float32, d: np.float32, e: np.float32) -> tuple[np.float32, ...]:
    a, d = _upper(a, d), _lower(a, d)
    b, e = _upper(b, e), _lower(b, e)
    a, c = _upper(a, c), _lower(a, c)
    b = _upper(b, d)
    a, b = _upper(a, b), _lower(a, b)
    return _upper(b, _upper(c, e)), a


@compiled(fastmath=True)
def _median_of_13(rows: tuple[tuple[np.float32, ...], ...]) -> np.float32:
    """Middle of 25 from what is left of the five sorted ranks.

    Args:
        rows: the two highest of the lowest rank, the three highest of the second, the middle three of the third, the
            three lowest of the fourth, the two lowest of the highest; each ascending, and ascending from rank to rank.
    """
    (c, a), (b, m, k), (d, f, j), (g, n, i), (e, h) = rows
    a, n = _lower(a, n), _upper(a, n)
    f, m = _lower(f, m), _upper(f, m)
    g = _upper(b, g)
    d = _upper(c, d)
    e, m = _lower(e, m), _upper(e, m)
    h = _lower(h, j)
    i = _lower(i, k)
    a, e = _lower(a, e), _upper(a, e)
    g = _upper(d, g)
    h, i = _lower(h, i), _upper(h, i)
    m = _lower(m, n)
    e, g = _lower(e, g), _upper(e, g)
    i = _lower(i, m)
    f = _upper(a, f)
    h = _upper(e, h)
    h, i = _lower(h, i), _upper(h, i)
    f, g = _lower(f, g), _upper(f, g)
    h = _upper(f, h)
    g = _lower(g, i)
    return _lower(g, h)


@compiled(fastmath=True)
def _filter_tile_5(tile: np.ndarray) -> None:
    for x in range(TILE + 8):
        a, b, c, d, e = _sorted_5(tile[0, x], tile[1, x], tile[2, x], tile[3, x], tile[4, x])
        tile[5, x], tile[6, x], tile[7, x], tile[8, x], tile[9, x] = a, b, c, d, e
    for x in range(TILE):
        lowest = _highest_2(tile[5, x], tile[5, x + 1], tile[5, x + 2], tile[5, x + 3], tile[5, x + 4])
        _, _, b2, b3, b4 = _sorted_5(tile[6, x], tile[6, x + 1], tile[6, x + 2], tile[6, x + 3], tile[6, x + 4])
        _, c1, c2, c3, _ = _sorted_5(tile[7, x], tile[7, x + 1], tile[7, x + 2], tile[7, x + 3], tile[7, x + 4])
        d0, d1, d2, _, _ = _sorted_5(tile[8, x], tile[8, x + 1], tile[8, x + 2], tile[8, x + 3], tile[8, x + 4])
        highest = _lowest_2(tile[9, x], tile[9, x + 1], tile[9, x + 2], tile[9, x + 3], tile[9, x + 4])
        tile[10, x] = _median_of_13((lowest, (b2, b3, b4), (c1, c2, c3), (d0, d1, d2), highest))


@compiled(fastmath=True)
def _middle(a: np.float32, b: np.float32, c: np.float32) -> np.float32:
    return _upper(_lower(a, b), _lower(_upper(a, b), c))


@compiled(fastmath=True)
def _filter_tile_3(tile: np.ndarray, above: int, present: int, below: int) -> None:
    """Median of a sorted 3 × 3 square: the middle of the highest low, the middle mean, and the lowest high."""
    for x in range(TILE + 8):
        a, b, c = tile[above, x], tile[present, x], tile[below, x]
        low, high = _lower(a, b), _upper(a, b)
        tile[5, x] = _lower(low, c)
        tile[6, x] = _upper(low, _lower(high, c))
        tile[7, x] = _upper(high, c)
    for x in range(TILE):
        highest_low = _upper(_upper(tile[5, x + 1], tile[5, x + 2]), tile[5, x + 3])
        middle = _middle(tile[6, x + 1], tile[6, x + 2], tile[6, x + 3])
        lowest_high = _lower(_lower(tile[7, x + 1], tile[7, x + 2]), tile[7, x + 3])
        tile[10, x] = _middle(highest_low, middle, lowest_high)


@compiled()
def _repeat_border(component: np.ndarray, height: int, width: int, bordered: np.ndarray) -> None:
    for y in range(height + 2 * REACH):
        source = min(max(y - REACH, 0), height - 1) + 1
        for x in range(width):
            bordered[y, x + REACH] = component[source, x + 1]
        for x in range(REACH):
            bordered[y, x] = component[source, 1]
        for x in range(width + REACH, bordered.shape[1]):
            bordered[y, x] = component[source, width]


@compiled()
def median_filter(component: np.ndarray, height: int, width: int, side: int, bordered: np.ndarray) -> None:
    """Replace one component of the flow by its median over a square window, in place; the border pixel is repeated.

    Args:
        component: float32 (H + 1, stride), padded as in `descent_kernel`.
        height: of the level, pixels.
        width: of the level, pixels.
        side: of the window: 3 or 5 pixels.
        bordered: float32, work space of the shape that `bordered_shape` gives.
    """
    _repeat_border(component, height, width, bordered)
    tile = np.empty((11, TILE + 8), np.float32)
    for start in range(0, width, TILE):
        # Rows 0 to 4 hold the five rows around the present one in turn: only one is new at each step.
        for y in range(-4, height):
            for x in range(TILE + 8):
                tile[(y + 4) % 5, x] = bordered[y + 4, start + x]
            if y < 0:
                continue
            if side == 5:
                _filter_tile_5(tile)
            else:
                _filter_tile_3(tile, (y + 1) % 5, (y + 2) % 5, (y + 3) % 5)
            for x in range(min(TILE, width - start)):
                component[y + 1, start + x + 1] = tile[10, x]


@compiled()
def bordered_shape(height: int, width: int) -> tuple[int, int]:
    """Shape of the work space of `median_filter` for a level of this size."""
    return height + 2 * REACH, (width + TILE - 1) // TILE * TILE + 8
