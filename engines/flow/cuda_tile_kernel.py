"""How a level is cut into tiles, and what the threads of a block do in one.

A tile is what a block holds in shared memory at once: a *region* of at most SIDE × SIDE pixels, of which the *interior*
is written back. Regions overlap by DEPTH pixels on either side of a border between two interiors, because each
iteration reads one pixel further on every side; at the border of the image nothing is lost and no overlap is needed.
All regions of a level are equally long, so no tile waits for a larger one.

The sizes suit every card since Turing: 37 KB of shared memory for a block (48 KB may be had without asking), 512
threads of at most 64 registers; a multiprocessor with 100 KB runs two blocks at once. They are constants, so that the
compiler knows every distance in shared memory.
"""

from typing import Any, cast

import numpy as np
from numba import cuda

from engines.card_compilation import SIMULATED, Function, card_kernel

_jit: Any = cuda.jit  # numba-cuda gives it no types

SIDE, ROWS, DEPTH = (16, 2, 3) if SIMULATED else (32, 16, 5)
"""Longest side of a region, pixels, and the threads of a block along x; its threads along y; iterations in shared
memory between two visits of global memory, a divisor of the default 30 between two medians.

The simulator runs each thread as one of Python, and gets few.
"""
PIXELS = SIDE // ROWS
"""Pixels of a region that one thread does."""
THREADS = SIDE * ROWS
STRIDE = SIDE + 1
"""Pixel (y, x) of a region lies at (y + 1) · STRIDE + x + 1: a row and a column of zeros stand before the first."""
PLANE = STRIDE * STRIDE
CHANGES = 6 * PLANE
"""Where the squared changes begin in shared memory, after both components of the flow and the four of the dual."""
SPARE = CHANGES + DEPTH * THREADS
"""Where sums of eight of them begin."""
SHARED_FLOATS = SPARE + DEPTH * (THREADS // 8 + 1)

place = np.uint64
"""Every index is made unsigned: for a signed one, Numba adds the code that lets a negative one count from the end."""


def fast_function(function: Function) -> Function:
    """Compile a function that kernels call, with approximate division and root, a few units in the last place off."""
    return cast(Function, _jit(device=True, fastmath=True)(function))


def fast_kernel(function: Function) -> Any:
    """Compile a kernel likewise, with at most 64 registers a thread: two blocks find room on a multiprocessor.

    Not by way of link-time optimisation: what the tests look at in the PTX is then what runs.
    """
    if SIMULATED:
        return card_kernel(function)
    return card_kernel(function, fastmath=True, lto=False, launch_bounds=(THREADS, 2))


# The plan of a solve: whole numbers that every block reads. First the common ones …
LEVELS, WARPS, OUTER, INNER, MEDIAN, AREA, PARTIALS, TEAM_FLOATS = range(8)
PLAN_HEAD = 8
# … then eight for each level, the finest first.
HEIGHT, WIDTH, PREVIOUS, FOLLOWING, TILES_Y, LENGTH_Y, TILES_X, LENGTH_X = range(8)
PLAN_LEVEL = 8
# The settings: real numbers, in single precision; those of `ENOUGH` are one for each level.
THETA, LIMIT, RATE, SHRINKAGE, MEAN, ENOUGH = range(6)
# Planes of a team's work space, each as large as the finest level.
DATA, FLOW, DUAL, TOTAL, GRADIENT, PLANES = 0, 4, 8, 16, 20, 22


@fast_function
def tile_count(plan: Any, level: int) -> int:
    """Tiles of a level."""
    row = PLAN_HEAD + PLAN_LEVEL * level
    count: int = plan[row + TILES_Y] * plan[row + TILES_X]
    return count


@fast_function
def edge(k: int, count: int, length: int, size: int) -> tuple[int, int, int]:
    """Where along one axis the region of tile `k` begins, and between which pixels its interior lies."""
    if count == 1:
        return 0, 0, size
    spare = size - length
    start = k * spare // (count - 1)
    first, end = start + DEPTH, (k + 1) * spare // (count - 1) + DEPTH
    if k == 0:
        first = 0
    if k == count - 1:
        end = size
    return start, first, end


@fast_function
def tile_edges(plan: Any, level: int, tile: int) -> tuple[int, int, int, int, int, int]:
    """Upper left pixel of a tile's region, then the rows (top, bottom) and columns (left, right) of its interior."""
    row = PLAN_HEAD + PLAN_LEVEL * level
    across = plan[row + TILES_X]
    down = tile // across
    y, top, bottom = edge(down, plan[row + TILES_Y], plan[row + LENGTH_Y], plan[row + HEIGHT])
    x, left, right = edge(tile - down * across, across, plan[row + LENGTH_X], plan[row + WIDTH])
    return y, x, top, bottom, left, right


@fast_function
def clear_shared(shared: Any) -> None:
    """Zeros all over shared memory; those before the first row and column stay for good."""
    for k in range(cuda.threadIdx.y * SIDE + cuda.threadIdx.x, SHARED_FLOATS, THREADS):
        shared[place(k)] = 0
    cuda.syncthreads()
