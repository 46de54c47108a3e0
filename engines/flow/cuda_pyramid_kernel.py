"""Image pyramid, start of a level and linearisation of the brightness: what is done once a level or a warp.

Every function does all tiles of a level that fall to one block of the team: the interiors only, which do not overlap.
"""

from typing import Any

import numpy as np
from numba import cuda

from engines.flow.cuda_tile_kernel import (
    AREA,
    DATA,
    DUAL,
    FOLLOWING,
    GRADIENT,
    HEIGHT,
    LEVELS,
    MEAN,
    PIXELS,
    PLAN_HEAD,
    PLAN_LEVEL,
    PREVIOUS,
    ROWS,
    SHRINKAGE,
    TOTAL,
    WIDTH,
    fast_function,
    place,
    tile_count,
    tile_edges,
)

FLAT = np.float32(np.finfo(np.float32).eps)
"""Least squared length of a gradient, against division by zero."""
SHARPNESS = np.float32(-0.75)
"""Free parameter of the bicubic kernel (Keys 1981), with OpenCV's value."""


@fast_function
def read_linear(
    work: Any, start: int, height: int, width: int, y: int, x: int, ratio_y: np.float32, ratio_x: np.float32
) -> np.float32:
    """Value of an image at pixel (y, x) of another size, pixel centres aligned.

    Args:
        work: float32, all planes.
        start: where the image begins.
        height: of the image.
        width: of the image.
        y: row in the other size.
        x: column in the other size.
        ratio_y: rows of the image for each row of the other size.
        ratio_x: the same for columns.
    """
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    row = min(max((np.float32(y) + half) * ratio_y - half, zero), np.float32(height - 1))
    column = min(max((np.float32(x) + half) * ratio_x - half, zero), np.float32(width - 1))
    upper, left = min(int(row), height - 2), min(int(column), width - 2)
    below, right = row - np.float32(upper), column - np.float32(left)
    at = start + upper * width + left
    top = work[place(at)] * (one - right) + work[place(at + 1)] * right
    bottom = work[place(at + width)] * (one - right) + work[place(at + width + 1)] * right
    return np.float32(top * (one - below) + bottom * below)


@fast_function
def copy_pair(
    previous: Any, following: Any, pair: int, work: Any, base: int, plan: Any, rank: int, blocks: int
) -> None:
    """Bring both images of a pair into the team's work space, as the finest level."""
    width = plan[PLAN_HEAD + WIDTH]
    to_previous, to_following = base + plan[PLAN_HEAD + PREVIOUS], base + plan[PLAN_HEAD + FOLLOWING]
    for tile in range(rank, tile_count(plan, 0), blocks):
        _, _, top, bottom, left, right = tile_edges(plan, 0, tile)
        x = left + cuda.threadIdx.x
        for k in range(PIXELS):
            y = top + cuda.threadIdx.y + k * ROWS
            if y < bottom and x < right:
                work[place(to_previous + y * width + x)] = previous[pair, y, x]
                work[place(to_following + y * width + x)] = following[pair, y, x]


@fast_function
def shrink_pair(work: Any, base: int, plan: Any, settings: Any, level: int, rank: int, blocks: int) -> None:
    """Both images of a level from those of the next finer one."""
    coarse, fine = PLAN_HEAD + PLAN_LEVEL * level, PLAN_HEAD + PLAN_LEVEL * (level - 1)
    ratio = settings[SHRINKAGE]
    for tile in range(rank, tile_count(plan, level), blocks):
        _, _, top, bottom, left, right = tile_edges(plan, level, tile)
        x = left + cuda.threadIdx.x
        for k in range(PIXELS):
            y = top + cuda.threadIdx.y + k * ROWS
            if y < bottom and x < right:
                for image in range(PREVIOUS, FOLLOWING + 1):
                    work[place(base + plan[coarse + image] + y * plan[coarse + WIDTH] + x)] = read_linear(
                        work, base + plan[fine + image], plan[fine + HEIGHT], plan[fine + WIDTH], y, x, ratio, ratio
                    )


@fast_function
def begin_level(work: Any, base: int, plan: Any, settings: Any, level: int, flow: int, rank: int, blocks: int) -> None:
    """Gradient of the second image, flow from the coarser level, and zeros for the dual and the sum of flows.

    Args:
        work: float32, all planes.
        base: where the team's begin.
        plan: whole numbers of the solve.
        settings: real numbers of the solve.
        level: to begin.
        flow: where the flow is written.
        rank: of the block in its team.
        blocks: of the team.
    """
    own, coarse = PLAN_HEAD + PLAN_LEVEL * level, PLAN_HEAD + PLAN_LEVEL * (level + 1)
    height, width, area, following = plan[own + HEIGHT], plan[own + WIDTH], plan[AREA], base + plan[own + FOLLOWING]
    half, zero = np.float32(0.5), np.float32(0)
    # Sums of two levels in turn: this level's start reads those of the coarser one.
    total, coarse_total = base + (TOTAL + level % 2 * 2) * area, base + (TOTAL + (level + 1) % 2 * 2) * area
    gradient, dual = base + GRADIENT * area, base + DUAL * area
    for tile in range(rank, tile_count(plan, level), blocks):
        _, _, top, bottom, left, right = tile_edges(plan, level, tile)
        x = left + cuda.threadIdx.x
        for k in range(PIXELS):
            y = top + cuda.threadIdx.y + k * ROWS
            if y < bottom and x < right:
                at = y * width + x
                row = following + y * width
                work[place(gradient + at)] = half * (
                    work[place(row + min(x + 1, width - 1))] - work[place(row + max(x - 1, 0))]
                )
                work[place(gradient + area + at)] = half * (
                    work[place(following + min(y + 1, height - 1) * width + x)]
                    - work[place(following + max(y - 1, 0) * width + x)]
                )
                for component in range(2):
                    start = zero
                    if level + 1 < plan[LEVELS]:
                        rows, columns = plan[coarse + HEIGHT], plan[coarse + WIDTH]
                        start = read_linear(
                            work,
                            coarse_total + component * area,
                            rows,
                            columns,
                            y,
                            x,
                            np.float32(rows) / np.float32(height),
                            np.float32(columns) / np.float32(width),
                        ) * (settings[MEAN] * settings[SHRINKAGE])
                    work[place(flow + component * area + at)] = start
                    work[place(total + component * area + at)] = zero
                for part in range(4):
                    work[place(dual + part * area + at)] = zero


@fast_function
def read_row(
    work: Any,
    row: int,
    first: int,
    width: int,
    a: np.float32,
    b: np.float32,
    c: np.float32,
    d: np.float32,
) -> np.float32:
    """Four pixels of one row, from column `first` on, weighted and added; the weights are zero outside the image."""
    last = width - 1
    near = a * work[place(row + min(max(first, 0), last))] + b * work[place(row + min(max(first + 1, 0), last))]
    far = c * work[place(row + min(max(first + 2, 0), last))] + d * work[place(row + min(max(first + 3, 0), last))]
    return np.float32(near + far)


@fast_function
def cubic_weights(t: np.float32, first: int, size: int) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Weights of four pixels for the place `t` between the second and the third; zero where a pixel is outside.

    Args:
        t: 0 to 1.
        first: place of the first of the four.
        size: pixels that there are.
    """
    s, one, two, three, zero = SHARPNESS, np.float32(1), np.float32(2), np.float32(3), np.float32(0)
    a = ((s * t - two * s) * t + s) * t
    b = ((s + two) * t - (s + three)) * t * t + one
    c = ((-(s + two) * t + (two * s + three)) * t - s) * t
    d = (s - s * t) * t * t
    if first < 0 or first >= size:
        a = zero
    if first + 1 < 0 or first + 1 >= size:
        b = zero
    if first + 2 < 0 or first + 2 >= size:
        c = zero
    if first + 3 < 0 or first + 3 >= size:
        d = zero
    return a, b, c, d


@fast_function
def read_cubic(
    work: Any,
    start: int,
    height: int,
    width: int,
    upper: int,
    left: int,
    down: tuple[np.float32, np.float32, np.float32, np.float32],
    across: tuple[np.float32, np.float32, np.float32, np.float32],
) -> np.float32:
    """Sixteen pixels of an image from (upper, left) on, weighted and added."""
    total, a, b, c, d = np.float32(0), across[0], across[1], across[2], across[3]
    for k in range(4):
        row = start + min(max(upper + k, 0), height - 1) * width
        total += down[k] * read_row(work, row, left, width, a, b, c, d)
    return total


@fast_function
def linearise(work: Any, base: int, plan: Any, level: int, flow: int, rank: int, blocks: int) -> None:
    """Read the second image where the flow points and linearise the brightness residual there.

    Args:
        work: float32, all planes.
        base: where the team's begin.
        plan: whole numbers of the solve.
        level: of the pyramid.
        flow: where the flow begins.
        rank: of the block in its team.
        blocks: of the team.
    """
    own = PLAN_HEAD + PLAN_LEVEL * level
    height, width, area = plan[own + HEIGHT], plan[own + WIDTH], plan[AREA]
    previous, following = base + plan[own + PREVIOUS], base + plan[own + FOLLOWING]
    gradient, data = base + GRADIENT * area, base + DATA * area
    zero, one, two = np.float32(0), np.float32(1), np.float32(2)
    for tile in range(rank, tile_count(plan, level), blocks):
        _, _, top, bottom, left, right = tile_edges(plan, level, tile)
        x = left + cuda.threadIdx.x
        for k in range(PIXELS):
            y = top + cuda.threadIdx.y + k * ROWS
            if y < bottom and x < right:
                at = y * width + x
                u, v = work[place(flow + at)], work[place(flow + area + at)]
                # Shifted by the two taps before the image, so that cutting off the fraction is rounding down.
                place_x = min(max(np.float32(x) + u + two, zero), np.float32(width + 3))
                place_y = min(max(np.float32(y) + v + two, zero), np.float32(height + 3))
                column, row = int(place_x) - 3, int(place_y) - 3
                across = cubic_weights(place_x - np.float32(int(place_x)), column, width)
                down = cubic_weights(place_y - np.float32(int(place_y)), row, height)
                value = read_cubic(work, following, height, width, row, column, down, across)
                along_x = read_cubic(work, gradient, height, width, row, column, down, across)
                along_y = read_cubic(work, gradient + area, height, width, row, column, down, across)
                work[place(data + at)], work[place(data + area + at)] = along_x, along_y
                work[place(data + 2 * area + at)] = one / max(along_x * along_x + along_y * along_y, FLAT)
                work[place(data + 3 * area + at)] = value - (along_x * u + along_y * v) - work[place(previous + at)]
