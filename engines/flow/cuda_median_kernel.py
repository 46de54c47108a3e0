"""Exact 3 × 3 and 5 × 5 median filters of the flow from minima and maxima only, one pixel a thread.

The networks are those of `engines.flow.median_kernel`, which explains them: each column of the window is sorted, then
each rank of the columns as far as it still counts.
"""

from typing import Any

import numpy as np
from numba import cuda

from engines.flow.cuda_tile_kernel import (
    AREA,
    HEIGHT,
    PIXELS,
    PLAN_HEAD,
    PLAN_LEVEL,
    ROWS,
    WIDTH,
    fast_function,
    place,
    tile_count,
    tile_edges,
)

Value = np.float32
Five = tuple[np.float32, np.float32, np.float32, np.float32, np.float32]


@fast_function
def sorted_5(a: Value, b: Value, c: Value, d: Value, e: Value) -> Five:
    """Five values in order."""
    a, d = min(a, d), max(a, d)
    b, e = min(b, e), max(b, e)
    a, c = min(a, c), max(a, c)
    b, d = min(b, d), max(b, d)
    a, b = min(a, b), max(a, b)
    c, e = min(c, e), max(c, e)
    b, c = min(b, c), max(b, c)
    d, e = min(d, e), max(d, e)
    c, d = min(c, d), max(c, d)
    return a, b, c, d, e


@fast_function
def column_5(work: Any, at: int, rows: tuple[int, int, int, int, int]) -> Five:
    """The five values of one column of the window, in order."""
    return sorted_5(
        work[place(at + rows[0])],
        work[place(at + rows[1])],
        work[place(at + rows[2])],
        work[place(at + rows[3])],
        work[place(at + rows[4])],
    )


@fast_function
def lowest_2(a: Value, b: Value, c: Value, d: Value, e: Value) -> tuple[Value, Value]:
    """The lowest and the second lowest of five."""
    a, d = min(a, d), max(a, d)
    b, e = min(b, e), max(b, e)
    a, c = min(a, c), max(a, c)
    b = min(b, d)
    a, b = min(a, b), max(a, b)
    return a, min(b, min(c, e))


@fast_function
def highest_2(a: Value, b: Value, c: Value, d: Value, e: Value) -> tuple[Value, Value]:
    """The second highest and the highest of five."""
    a, d = max(a, d), min(a, d)
    b, e = max(b, e), min(b, e)
    a, c = max(a, c), min(a, c)
    b = max(b, d)
    a, b = max(a, b), min(a, b)
    return max(b, max(c, e)), a


@fast_function
def median_5(work: Any, plane: int, y: int, x: int, height: int, width: int) -> Value:
    """Middle of the 5 × 5 window around a pixel; the border pixel is repeated."""
    bottom, last = height - 1, width - 1
    rows = (
        max(y - 2, 0) * width,
        max(y - 1, 0) * width,
        y * width,
        min(y + 1, bottom) * width,
        min(y + 2, bottom) * width,
    )
    # Rank by rank, the lowest first: a value of each sorted column.
    p0, q0, r0, s0, t0 = column_5(work, plane + max(x - 2, 0), rows)
    p1, q1, r1, s1, t1 = column_5(work, plane + max(x - 1, 0), rows)
    p2, q2, r2, s2, t2 = column_5(work, plane + x, rows)
    p3, q3, r3, s3, t3 = column_5(work, plane + min(x + 1, last), rows)
    p4, q4, r4, s4, t4 = column_5(work, plane + min(x + 2, last), rows)
    c, a = highest_2(p0, p1, p2, p3, p4)
    _, _, b, m, k = sorted_5(q0, q1, q2, q3, q4)
    _, d, f, j, _ = sorted_5(r0, r1, r2, r3, r4)
    g, n, i, _, _ = sorted_5(s0, s1, s2, s3, s4)
    e, h = lowest_2(t0, t1, t2, t3, t4)
    # Only these thirteen can still be the middle.
    a, n = min(a, n), max(a, n)
    f, m = min(f, m), max(f, m)
    g = max(b, g)
    d = max(c, d)
    e, m = min(e, m), max(e, m)
    h = min(h, j)
    i = min(i, k)
    a, e = min(a, e), max(a, e)
    g = max(d, g)
    h, i = min(h, i), max(h, i)
    m = min(m, n)
    e, g = min(e, g), max(e, g)
    i = min(i, m)
    f = max(a, f)
    h = max(e, h)
    h, i = min(h, i), max(h, i)
    f, g = min(f, g), max(f, g)
    h = max(f, h)
    g = min(g, i)
    return min(g, h)


@fast_function
def middle(a: Value, b: Value, c: Value) -> Value:
    """Middle of three."""
    return max(min(a, b), min(max(a, b), c))


@fast_function
def median_3(work: Any, plane: int, y: int, x: int, height: int, width: int) -> Value:
    """Middle of the 3 × 3 window around a pixel: of the highest low, the middle mean and the lowest high."""
    above, present, below = max(y - 1, 0) * width, y * width, min(y + 1, height - 1) * width
    left, right = plane + max(x - 1, 0), plane + min(x + 1, width - 1)
    here = plane + x
    a, b, c = work[place(left + above)], work[place(left + present)], work[place(left + below)]
    d, e, f = work[place(here + above)], work[place(here + present)], work[place(here + below)]
    g, h, i = work[place(right + above)], work[place(right + present)], work[place(right + below)]
    highest_low = max(max(min(min(a, b), c), min(min(d, e), f)), min(min(g, h), i))
    lowest_high = min(min(max(max(a, b), c), max(max(d, e), f)), max(max(g, h), i))
    return middle(highest_low, middle(middle(a, b, c), middle(d, e, f), middle(g, h, i)), lowest_high)


@fast_function
def filter_level(work: Any, plan: Any, level: int, side: int, flow: int, new_flow: int, rank: int, blocks: int) -> None:
    """Median-filter both components of the flow of one level.

    Args:
        work: float32, all planes.
        plan: whole numbers of the solve.
        level: of the pyramid.
        side: of the window: 3 or 5 pixels.
        flow: where the flow begins.
        new_flow: where the filtered one is written: other planes.
        rank: of the block in its team.
        blocks: of the team.
    """
    own, area = PLAN_HEAD + PLAN_LEVEL * level, plan[AREA]
    height, width = plan[own + HEIGHT], plan[own + WIDTH]
    for tile in range(rank, tile_count(plan, level), blocks):
        _, _, top, bottom, left, right = tile_edges(plan, level, tile)
        x = left + cuda.threadIdx.x
        for k in range(PIXELS):
            y = top + cuda.threadIdx.y + k * ROWS
            if y < bottom and x < right:
                for component in range(2):
                    plane = component * area
                    if side == 5:
                        value = median_5(work, flow + plane, y, x, height, width)
                    else:
                        value = median_3(work, flow + plane, y, x, height, width)
                    work[place(new_flow + plane + y * width + x)] = value
