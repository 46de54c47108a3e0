"""What the head did, fitted on the card in one block: the counterpart of `engines.inputs.head_movement`.

All in float32: a fit over about a thousand vectors of a pixel or so loses nothing that the flow itself would show, and
cards of laptops do 64 times less float64.
"""

import math

import numpy as np
from numba import cuda, float32, int32

from engines.card_compilation import card_function, card_kernel
from engines.card_inputs.sorting_kernel import add_up, weighted_median
from engines.inputs.head_movement import FIT_ROUNDS, LEAST_DEVIATION_PX, TUKEY
from engines.inputs.steady_flow import MARGIN, STILL_PX

THREADS = 512
"""Most threads of the block; fewer will do, a power of two."""
SLOTS = 2048
"""Most vectors that a fit can sort."""
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)
SPREAD = np.float32(1.4826)
"""Standard deviation of a normal distribution over its median absolute residual."""
LEAST, REACH, STILL = np.float32(LEAST_DEVIATION_PX), np.float32(TUKEY), np.float32(STILL_PX)
EVERYTHING = np.float32(np.inf)
Movement = tuple[np.float32, np.float32, np.float32, np.float32]
"""Turn, growth, shift x, shift y; pixels of the field."""


@card_function
def sample(field: np.ndarray, step: int, columns: int, index: int) -> Movement:
    """Place about the field's middle, and vector, of one sample of a framed field (1, 2, h + 16, w + 16)."""
    row, column = index // columns * step, index % columns * step
    y = np.float32(row) - HALF * np.float32(field.shape[2] - 2 * MARGIN - 1)
    x = np.float32(column) - HALF * np.float32(field.shape[3] - 2 * MARGIN - 1)
    return x, y, field[0, 0, row + MARGIN, column + MARGIN], field[0, 1, row + MARGIN, column + MARGIN]


@card_function
def residual(x: np.float32, y: np.float32, u: np.float32, v: np.float32, fit: Movement) -> np.float32:
    """Length of what a similarity (turn, growth, shift x, shift y) leaves of a vector, pixels."""
    left_u = u - (fit[1] * x - fit[0] * y + fit[2])
    left_v = v - (fit[0] * x + fit[1] * y + fit[3])
    return np.float32(math.sqrt(left_u * left_u + left_v * left_v))


@card_function
def weight(trust: np.float32, length: np.float32, reach: np.float32) -> np.float32:
    """Tukey's biweight of a residual, times the trust in its place."""
    share = length / reach
    kept = max(ZERO, ONE - share * share)
    return trust * kept * kept


@card_function
def weighted_similarity(
    field: np.ndarray, step: int, columns: int, trust: np.ndarray, reach: np.float32, sums: np.ndarray, fit: Movement
) -> Movement:
    """The least-squares similarity under weights by what the last one left; every thread gets it."""
    thread, points = cuda.threadIdx.x, trust.size
    for row in range(5):
        sums[row, thread] = ZERO
    for index in range(thread, points, cuda.blockDim.x):
        x, y, u, v = sample(field, step, columns, index)
        w = weight(trust[index], residual(x, y, u, v, fit), reach)
        sums[0, thread] += w
        sums[1, thread] += w * x
        sums[2, thread] += w * y
        sums[3, thread] += w * u
        sums[4, thread] += w * v
    add_up(sums, 5)
    total = sums[0, 0]
    if total <= ZERO:
        return ZERO, ZERO, ZERO, ZERO
    mean_x, mean_y, mean_u, mean_v = sums[1, 0] / total, sums[2, 0] / total, sums[3, 0] / total, sums[4, 0] / total
    cuda.syncthreads()
    for row in range(3):
        sums[row, thread] = ZERO
    for index in range(thread, points, cuda.blockDim.x):
        x, y, u, v = sample(field, step, columns, index)
        w = weight(trust[index], residual(x, y, u, v, fit), reach)
        dx, dy, du, dv = x - mean_x, y - mean_y, u - mean_u, v - mean_v
        sums[0, thread] += w * (dx * dx + dy * dy)
        sums[1, thread] += w * (dx * dv - dy * du)
        sums[2, thread] += w * (dx * du + dy * dv)
    add_up(sums, 3)
    size = sums[0, 0]
    if size <= ZERO:
        return ZERO, ZERO, mean_u, mean_v
    turn, growth = sums[1, 0] / size, sums[2, 0] / size
    return turn, growth, mean_u - growth * mean_x + turn * mean_y, mean_v - turn * mean_x - growth * mean_y


@card_function
def fitted(field: np.ndarray, step: int, columns: int, trust: np.ndarray, shares: np.ndarray, slots: int) -> Movement:
    """Turn, growth and shift (pixels of the field) that the rigid part of the face follows; every thread gets them.

    Weights are not kept from round to round: they follow from the last fit.
    """
    sums = cuda.shared.array((5, THREADS), float32)
    keys = cuda.shared.array(SLOTS, float32)
    counts = cuda.shared.array(SLOTS, int32)
    reached = cuda.shared.array(THREADS, int32)
    found = cuda.shared.array(1, float32)
    thread, points = cuda.threadIdx.x, trust.size
    fit = (ZERO, ZERO, ZERO, ZERO)
    reach = EVERYTHING
    for done in range(FIT_ROUNDS):
        fit = weighted_similarity(field, step, columns, trust, reach, sums, fit)
        if done + 1 < FIT_ROUNDS:
            for index in range(thread, slots, cuda.blockDim.x):
                keys[index], counts[index] = EVERYTHING, 0
                if index < points:
                    x, y, u, v = sample(field, step, columns, index)
                    keys[index], counts[index] = residual(x, y, u, v, fit), shares[index]
            middle = weighted_median(keys, counts, slots, reached, found)
            reach = REACH * max(SPREAD * middle, LEAST)
    return fit


@card_kernel
def measure_head(
    field: np.ndarray, step: int, columns: int, trust: np.ndarray, shares: np.ndarray, slots: int, movement: np.ndarray
) -> None:
    """Fit the head's movement in a framed flow field (1, 2, h + 16, w + 16), leave it in `movement` float32 (4,).

    One block. Samples are `step` pixels apart, `columns` in a row; `trust` float32 and `shares` int32 say how much each
    counts, `slots` is the power of two that holds them (`head_samples`).
    """
    fit = fitted(field, step, columns, trust, shares, slots)
    if cuda.threadIdx.x == 0:
        for part in range(4):
            movement[part] = fit[part]


@card_kernel
def hold_head(
    field: np.ndarray,
    step: int,
    columns: int,
    trust: np.ndarray,
    shares: np.ndarray,
    slots: int,
    first: int,
    pixels: np.float32,
    height: int,
    width: int,
    movement: np.ndarray,
    still: np.ndarray,
) -> None:
    """Fit what the head still does, add it to what it did, and decide whether that is a movement at all.

    One block. The host is not asked: the steps that follow read `still`. A head found still stays so until the next
    event, as the oracle returns at once.

    Args:
        field: framed flow, as of `measure_head`, with the five arguments that follow.
        step: of the samples.
        columns: of the samples.
        trust: in each sample.
        shares: the same as whole numbers.
        slots: for sorting.
        first: 1 where a new event begins, else 0.
        pixels: of the image, in one of the field; float32.
        height: of the image.
        width: of the image.
        movement: float32 (4,), turn, growth and shift in pixels of the image.
        still: int32 (1,), 1 for a head that moved no corner of the image by `STILL_PX`.
    """
    fit = fitted(field, step, columns, trust, shares, slots)
    if cuda.threadIdx.x > 0:
        return
    if first != 0:
        still[0] = 0
        for part in range(4):
            movement[part] = ZERO
    if still[0] != 0:
        return
    movement[0] += fit[0]
    movement[1] += fit[1]
    movement[2] += pixels * fit[2]
    movement[3] += pixels * fit[3]
    still[0] = 1
    for corner in range(4):
        x = HALF * np.float32(width - 1) * np.float32(2 * (corner & 1) - 1)
        y = HALF * np.float32(height - 1) * np.float32((corner & 2) - 1)
        u = movement[1] * x - movement[0] * y + movement[2]
        v = movement[0] * x + movement[1] * y + movement[3]
        if abs(u) >= STILL or abs(v) >= STILL:
            still[0] = 0
