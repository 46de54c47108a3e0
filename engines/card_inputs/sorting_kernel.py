"""Sums, sorting and the weighted median within one block of the card; the block's size is a power of two."""

import numpy as np
from numba import cuda

from engines.card_compilation import card_function


@card_function
def add_up(sums: np.ndarray, rows: int) -> None:
    """Leave the sum of each of the first rows of shared (rows, threads) in its first entry; the same order always."""
    thread = cuda.threadIdx.x
    half = cuda.blockDim.x // 2
    cuda.syncthreads()
    while half > 0:
        if thread < half:
            for row in range(rows):
                sums[row, thread] += sums[row, thread + half]
        cuda.syncthreads()
        half //= 2


@card_function
def sort_pairs(keys: np.ndarray, counts: np.ndarray, slots: int) -> None:
    """Bitonic sort of shared keys, rising, their counts with them; slots is a power of two."""
    size = 2
    while size <= slots:
        stride = size // 2
        while stride > 0:
            cuda.syncthreads()
            for pair in range(cuda.threadIdx.x, slots // 2, cuda.blockDim.x):
                low = 2 * pair - (pair & (stride - 1))
                high = low + stride
                rising = (low & size) == 0
                if (keys[low] > keys[high]) == rising:
                    key, count = keys[low], counts[low]
                    keys[low], counts[low] = keys[high], counts[high]
                    keys[high], counts[high] = key, count
            stride //= 2
        size *= 2
    cuda.syncthreads()


@card_function
def weighted_median(
    keys: np.ndarray, counts: np.ndarray, slots: int, reached: np.ndarray, found: np.ndarray
) -> np.float32:
    """The first key, in rising order, at which the counts have reached half of their sum.

    Counts are whole numbers: their sums do not depend on the order, and exactly one thread finds the key.

    Args:
        keys: shared float32; sorted on return. Infinite in slots that hold nothing.
        counts: shared int32, not negative, below 2³⁰ in all; zero in slots that hold nothing.
        slots: how many of both, a power of two.
        reached: shared int32, one a thread, overwritten.
        found: shared float32 (1,), overwritten.
    """
    sort_pairs(keys, counts, slots)
    thread, each = cuda.threadIdx.x, max(1, slots // cuda.blockDim.x)
    mine = 0
    for place in range(thread * each, min((thread + 1) * each, slots)):
        mine += counts[place]
    reached[thread] = mine
    stride = 1
    while stride < cuda.blockDim.x:
        cuda.syncthreads()
        further = reached[thread - stride] if thread >= stride else 0
        cuda.syncthreads()
        reached[thread] += further
        stride *= 2
    cuda.syncthreads()
    total = reached[cuda.blockDim.x - 1]
    running = reached[thread] - mine
    if 2 * running < total and 2 * reached[thread] >= total:
        place = thread * each
        running += counts[place]
        while 2 * running < total:
            place += 1
            running += counts[place]
        found[0] = keys[place]
    cuda.syncthreads()
    middle: np.float32 = found[0]
    return middle
