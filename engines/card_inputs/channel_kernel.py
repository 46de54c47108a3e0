"""Feature map and normalised tensor on the card: the counterpart of the flow recipes and their normalisation.

A stretched plane holds whole numbers from 0 to 255, so median, mean and deviation come exactly from a histogram.
"""

import math

import numpy as np
from numba import cuda, float32, int32

from engines.card_compilation import card_function, card_kernel
from engines.card_inputs.framing_kernel import resampled
from engines.card_inputs.rounding_kernel import nearest
from engines.inputs.normalisation import FLAT, FLOW_LIMIT, STRAIN_LEVEL, STRAIN_LIMIT

THREADS = 256
"""Most threads of the block of a channel; fewer will do, a power of two."""
GRAYS = 256
ZERO, HALF, ONE, LARGEST = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)
FARTHEST = np.float32(np.inf)
LEAST_SPREAD, FLOW_END = np.float32(FLAT), np.float32(FLOW_LIMIT)
STRAIN_END, STRAIN_MIDDLE = np.float32(STRAIN_LIMIT), np.float32(STRAIN_LEVEL)


@card_function
def find_ends(lows: np.ndarray, highs: np.ndarray) -> None:
    """Leave the least of shared lows and the greatest of shared highs in their first entries."""
    thread = cuda.threadIdx.x
    half = cuda.blockDim.x // 2
    cuda.syncthreads()
    while half > 0:
        if thread < half:
            lows[thread] = min(lows[thread], lows[thread + half])
            highs[thread] = max(highs[thread], highs[thread + half])
        cuda.syncthreads()
        half //= 2


@card_function
def gray_at_rank(histogram: np.ndarray, rank: int) -> int:
    """Gray of the pixel that has `rank` darker ones in rising order."""
    gray, passed = 0, histogram[0]
    while passed <= rank and gray < GRAYS - 1:
        gray += 1
        passed += histogram[gray]
    return gray


@card_function
def centre_and_unit(histogram: np.ndarray, count: int, logarithmic: bool) -> tuple[np.float32, np.float32]:
    """What is taken off a channel and what it is then divided by, float32; a unit of zero where the channel is flat.

    Median and standard deviation for flow, minimum and mean above it for strain.
    """
    total, squares = 0, 0
    lowest, highest = GRAYS, 0
    for gray in range(GRAYS):
        pixels = histogram[gray]
        if pixels > 0:
            lowest, highest = min(lowest, gray), max(highest, gray)
        total += pixels * gray
        squares += pixels * gray * gray
    if logarithmic:
        mean = np.float32(total - lowest * count) / np.float32(count)
        flat = mean <= LEAST_SPREAD * np.float32(highest)
        return np.float32(lowest), ZERO if flat else mean
    between = gray_at_rank(histogram, (count - 1) // 2) + gray_at_rank(histogram, count // 2)
    # Whole numbers until the root: nothing cancels.
    deviation = math.sqrt(np.float32(count * squares - total * total)) / np.float32(count)
    flat = deviation <= LEAST_SPREAD * max(ONE, np.float32(highest))
    return HALF * np.float32(between), ZERO if flat else deviation


@card_function
def scaled(value: np.float32, centre: np.float32, unit: np.float32, logarithmic: bool) -> np.float32:
    """One normalised value of a channel, as `centred_flow_log_strain` gives it."""
    share = (value - centre) / unit if unit > ZERO else ZERO
    if logarithmic:
        return math.log1p(min(share, STRAIN_END)) - STRAIN_MIDDLE
    return HALF * max(-FLOW_END, min(share, FLOW_END))


@card_kernel
def make_channels(
    planes: np.ndarray,
    plane_of: np.ndarray,
    logarithmic: np.ndarray,
    mirror_sign: np.ndarray,
    first_row: np.ndarray,
    row_weights: np.ndarray,
    first_column: np.ndarray,
    column_weights: np.ndarray,
    reduced: np.ndarray,
    features: np.ndarray,
    tensor: np.ndarray,
) -> None:
    """Reduce, stretch to 0–255 and normalise every channel; one block a channel.

    Args:
        planes: float32 (4, h, w), from `still_planes`.
        plane_of: int32 (C,), plane of each channel.
        logarithmic: int32 (C,), 1 for channels that are normalised as strain.
        mirror_sign: float32 (C,), −1 for channels that change sign in a mirror.
        first_row: with the next three, tables from `resampling_tables`.
        row_weights: of the map's rows.
        first_column: of its columns.
        column_weights: of its columns.
        reduced: float32 (C, H, W), overwritten.
        features: float32 (H, W, C), the map in whole numbers.
        tensor: float32 (1 or 2, C, H, W), the model's input, and its mirror image where there is room.
    """
    lows = cuda.shared.array(THREADS, float32)
    highs = cuda.shared.array(THREADS, float32)
    histogram = cuda.shared.array(GRAYS, int32)
    thread, threads, channel = cuda.threadIdx.x, cuda.blockDim.x, cuda.blockIdx.x
    height, width = features.shape[0], features.shape[1]
    low, high = FARTHEST, -FARTHEST
    plane = planes[plane_of[channel]]
    for pixel in range(thread, height * width, threads):
        y, x = pixel // width, pixel % width
        value = resampled(plane, y, x, first_row, row_weights, first_column, column_weights)
        reduced[channel, y, x] = value
        low, high = min(low, value), max(high, value)
    lows[thread], highs[thread] = low, high
    for gray in range(thread, GRAYS, threads):
        histogram[gray] = 0
    find_ends(lows, highs)
    low, high = lows[0], highs[0]
    stretch = LARGEST / (high - low) if high > low else ZERO
    for pixel in range(thread, height * width, threads):
        y, x = pixel // width, pixel % width
        raised = (reduced[channel, y, x] - low) * stretch
        # Nothing may count beside the histogram, not even not-a-number: that would end the card for this process.
        gray = nearest(min(raised, LARGEST)) if raised > ZERO else 0
        features[y, x, channel] = np.float32(gray)
        cuda.atomic.add(histogram, gray, 1)
    cuda.syncthreads()
    centre, unit = centre_and_unit(histogram, height * width, logarithmic[channel] != 0)
    for pixel in range(thread, height * width, threads):
        y, x = pixel // width, pixel % width
        value = scaled(features[y, x, channel], centre, unit, logarithmic[channel] != 0)
        tensor[0, channel, y, x] = value
        if tensor.shape[0] > 1:
            tensor[1, channel, y, width - 1 - x] = mirror_sign[channel] * value
