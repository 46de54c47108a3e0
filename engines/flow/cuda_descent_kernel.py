"""Iterations of TV-L1 in shared memory: load a tile, iterate up to DEPTH times, write its interior.

Each thread keeps in registers what only it needs (the linearised brightness, and its own flow and dual) and shares
flow and dual through shared memory: 8 reads and 6 writes for each pixel and iteration, about 85 instructions in all.
What is written goes to other planes than what is read, so no tile sees another's new values.
"""

import math
from typing import Any

import numpy as np
from numba import cuda, float32, int32

from engines.flow.cuda_tile_kernel import CHANGES, PIXELS, PLANE, ROWS, SIDE, STRIDE, THREADS, fast_function, place

NEVER = 1 << 30


@fast_function
def iterate_tile(  # noqa: C901  # one sweep: what it keeps in registers cannot be handed on
    work: Any,
    area: int,
    width: int,
    rows: int,
    columns: int,
    y: int,
    x: int,
    top: int,
    bottom: int,
    left: int,
    right: int,
    data: int,
    flow: int,
    dual: int,
    new_flow: int,
    new_dual: int,
    total: int,
    iterations: int,
    add_from: int,
    theta: np.float32,
    limit: np.float32,
    rate: np.float32,
    shared: Any,
) -> None:
    """Iterate on one tile.

    Args:
        work: float32, all planes; a plane begins at each of `data`, `flow` … and the next one `area` further on.
        area: values from one plane to the next.
        width: of the level, pixels.
        rows: of the region.
        columns: of the region.
        y: first row of the region.
        x: first column of the region.
        top: first row of the interior; rows and columns are those of the level.
        bottom: row after the last of the interior.
        left: first column of the interior.
        right: column after the last of the interior.
        data: gradient x, gradient y, one over its squared length, constant part of the residual.
        flow: both components, read.
        dual: x and y part of the dual of u, then of v, read.
        new_flow: written.
        new_dual: written.
        total: both components of the sum that becomes the level's flow; added to.
        iterations: how many, at most DEPTH.
        add_from: add the flow to `total` after this many iterations and after each later one.
        theta: coupling of the flow to its auxiliary copy.
        limit: lambda · theta.
        rate: tau / theta.
        shared: of the block; the squared changes of each thread's pixels of the interior are left at CHANGES.
    """
    gradient_x, gradient_y = cuda.local.array(PIXELS, float32), cuda.local.array(PIXELS, float32)
    inverse, constant = cuda.local.array(PIXELS, float32), cuda.local.array(PIXELS, float32)
    u, v = cuda.local.array(PIXELS, float32), cuda.local.array(PIXELS, float32)
    ux, uy = cuda.local.array(PIXELS, float32), cuda.local.array(PIXELS, float32)
    vx, vy = cuda.local.array(PIXELS, float32), cuda.local.array(PIXELS, float32)
    sum_u, sum_v = cuda.local.array(PIXELS, float32), cuda.local.array(PIXELS, float32)
    distance = cuda.local.array(PIXELS, int32)
    column, line = cuda.threadIdx.x, cuda.threadIdx.y
    last_row, last_column = np.int32(rows - 1), np.int32(columns - 1)
    # Numba counts in 64 bits unless it is told otherwise: two registers each.
    count, adding = np.int32(iterations), np.int32(add_from - 1)
    zero, one = np.float32(0), np.float32(1)
    for k in range(PIXELS):
        row = line + k * ROWS
        u[k], v[k], sum_u[k], sum_v[k] = zero, zero, zero, zero
        distance[k] = np.int32(NEVER)
        if row <= last_row and column <= last_column:
            level_row, level_column = y + row, x + column
            # How far outside the interior: an iteration does the pixels that the later ones still reach.
            distance[k] = np.int32(
                max(max(top - level_row, level_row - bottom + 1), max(left - level_column, level_column - right + 1))
            )
            at, here = level_row * width + level_column, (row + 1) * STRIDE + column + 1
            gradient_x[k], gradient_y[k] = work[place(data + at)], work[place(data + area + at)]
            inverse[k], constant[k] = work[place(data + 2 * area + at)], work[place(data + 3 * area + at)]
            u[k], v[k] = work[place(flow + at)], work[place(flow + area + at)]
            ux[k], uy[k] = work[place(dual + at)], work[place(dual + area + at)]
            vx[k], vy[k] = work[place(dual + 2 * area + at)], work[place(dual + 3 * area + at)]
            shared[place(here)], shared[place(PLANE + here)] = u[k], v[k]
            shared[place(2 * PLANE + here)], shared[place(3 * PLANE + here)] = ux[k], uy[k]
            shared[place(4 * PLANE + here)], shared[place(5 * PLANE + here)] = vx[k], vy[k]
            if add_from == 0:
                sum_u[k], sum_v[k] = u[k], v[k]
    cuda.syncthreads()
    for done in range(count):
        reach = np.int32(count - done)
        change = zero
        for k in range(PIXELS):
            here = (line + k * ROWS + 1) * STRIDE + column + 1
            if distance[k] <= reach:
                residual = gradient_x[k] * u[k] + gradient_y[k] * v[k] + constant[k]
                step = min(max(residual * inverse[k], -limit), limit)
                left_u, above_u = shared[place(2 * PLANE + here - 1)], shared[place(3 * PLANE + here - STRIDE)]
                left_v, above_v = shared[place(4 * PLANE + here - 1)], shared[place(5 * PLANE + here - STRIDE)]
                # The step goes against the residual.
                moved_u = theta * (ux[k] - left_u + (uy[k] - above_u)) - step * gradient_x[k]
                moved_v = theta * (vx[k] - left_v + (vy[k] - above_v)) - step * gradient_y[k]
                u[k] += moved_u
                v[k] += moved_v
                shared[place(here)], shared[place(PLANE + here)] = u[k], v[k]
                if distance[k] <= 0:
                    change += moved_u * moved_u + moved_v * moved_v
        shared[place(CHANGES + done * THREADS + line * SIDE + column)] = change
        cuda.syncthreads()
        for k in range(PIXELS):
            row = line + k * ROWS
            here = (row + 1) * STRIDE + column + 1
            if distance[k] <= reach:
                # No difference over the right and the lower border; inside the level they are never in reach.
                along_u, along_v, down_u, down_v = zero, zero, zero, zero
                if column < last_column:
                    along_u, along_v = shared[place(here + 1)] - u[k], shared[place(PLANE + here + 1)] - v[k]
                if np.int32(row) < last_row:
                    down_u = shared[place(here + STRIDE)] - u[k]
                    down_v = shared[place(PLANE + here + STRIDE)] - v[k]
                shrink = one / (one + rate * np.float32(math.sqrt(along_u * along_u + down_u * down_u)))
                ux[k], uy[k] = (ux[k] + rate * along_u) * shrink, (uy[k] + rate * down_u) * shrink
                shrink = one / (one + rate * np.float32(math.sqrt(along_v * along_v + down_v * down_v)))
                vx[k], vy[k] = (vx[k] + rate * along_v) * shrink, (vy[k] + rate * down_v) * shrink
                shared[place(2 * PLANE + here)], shared[place(3 * PLANE + here)] = ux[k], uy[k]
                shared[place(4 * PLANE + here)], shared[place(5 * PLANE + here)] = vx[k], vy[k]
            if done >= adding:
                sum_u[k] += u[k]
                sum_v[k] += v[k]
        cuda.syncthreads()
    for k in range(PIXELS):
        if distance[k] <= 0:
            at = (y + line + k * ROWS) * width + x + column
            work[place(new_flow + at)], work[place(new_flow + area + at)] = u[k], v[k]
            work[place(new_dual + at)], work[place(new_dual + area + at)] = ux[k], uy[k]
            work[place(new_dual + 2 * area + at)], work[place(new_dual + 3 * area + at)] = vx[k], vy[k]
            if add_from < NEVER:
                work[place(total + at)] += sum_u[k]
                work[place(total + area + at)] += sum_v[k]
