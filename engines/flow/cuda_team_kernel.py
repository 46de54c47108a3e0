"""What the blocks of a team do together: wait for each other, and add up how much an iteration changed the flow.

A team is the blocks that solve one pair. Alone in its team, a block waits with an ordinary barrier; several blocks,
which must all be on the card at once, count themselves in an integer of global memory. Sums are formed in one fixed
order, never with atomic additions of real numbers: the same images give the same bits, whatever the size of the team.
"""

from typing import Any

import numpy as np
from numba import cuda

from engines.flow.cuda_tile_kernel import CHANGES, DEPTH, ROWS, SIDE, SPARE, THREADS, fast_function, place

COUNTER_SPACING = 32
"""Integers between the counters of two teams, so that no two lie in one cache line."""
FULL = 2**31
"""What all blocks of a team add at one barrier together: it turns the sign of the counter and nothing else."""


@fast_function
def wait_for_team(arrived: Any, team: int, rank: int, blocks: int) -> None:
    """Go on when every thread of every block of the team has come here and what it wrote can be read.

    The barrier of CUDA's cooperative groups: the first block adds so much that the counter's sign turns when the last
    one has come. It needs no reset, and unlike theirs it serves a part of the grid and no device runtime is linked.
    """
    cuda.syncthreads()
    if blocks > 1:
        if cuda.threadIdx.x == 0 and cuda.threadIdx.y == 0:
            cuda.threadfence()
            share = 1
            if rank == 0:
                share = FULL - (blocks - 1)
            spot = team * COUNTER_SPACING
            before = cuda.atomic.add(arrived, spot, np.int32(share))
            while (cuda.atomic.add(arrived, spot, np.int32(0)) ^ before) >= 0:
                pass
            cuda.threadfence()
        cuda.syncthreads()


@fast_function
def fold(shared: Any, count: int, rows: int) -> int:
    """Sum each of `rows` rows of `count` values that begin at CHANGES, eight at a time.

    Returns:
        Where in shared memory the sums lie, one after the other.
    """
    source, target = CHANGES, SPARE
    while count > 1:
        groups = (count + 7) // 8
        for row in range(cuda.threadIdx.y, rows, ROWS):
            for group in range(cuda.threadIdx.x, groups, SIDE):
                total = np.float32(0)
                for k in range(group, count, groups):
                    total += shared[place(source + row * count + k)]
                shared[place(target + row * groups + group)] = total
        cuda.syncthreads()
        source, target = target, source
        count = groups
    return source


@fast_function
def store_tile_changes(work: Any, partials: int, tile: int, iterations: int, shared: Any) -> None:
    """Write the squared changes that this block's threads left in shared memory, one sum for each iteration."""
    spot = fold(shared, THREADS, iterations)
    thread = cuda.threadIdx.y * SIDE + cuda.threadIdx.x
    if thread < iterations:
        work[place(partials + tile * DEPTH + thread)] = shared[place(spot + thread)]


@fast_function
def first_quiet(work: Any, partials: int, tiles: int, iterations: int, enough: np.float32, shared: Any) -> int:
    """The first iteration (from 1) that changed the flow by no more than `enough`, or 0; the same in every block."""
    for row in range(cuda.threadIdx.y, iterations, ROWS):
        total = np.float32(0)
        for tile in range(cuda.threadIdx.x, tiles, SIDE):
            total += work[place(partials + tile * DEPTH + row)]
        shared[place(CHANGES + row * SIDE + cuda.threadIdx.x)] = total
    cuda.syncthreads()
    spot = fold(shared, SIDE, iterations)
    first = 0
    for k in range(iterations - 1, -1, -1):
        if shared[place(spot + k)] <= enough:
            first = k + 1
    # The sums may be overwritten only when every thread has read them.
    cuda.syncthreads()
    return first
