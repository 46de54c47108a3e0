"""One candidate read out of the window's memory: its direction, its bounds and the frames that show it."""

from typing import NamedTuple

import numpy as np

from engines.compilation import compiled
from realtime.spotting.interval_kernel import Bounds, Heights, measure, noise_of, project, rest_before
from realtime.spotting.parameters import TICK_S
from realtime.spotting.window_kernel import ORIGIN, SAMPLES, TICK_LENGTH
from realtime.spotting.window_state import WindowState

REST_TICKS = round(0.2 / TICK_S)
"""A region's rest before a movement is the median over so many ticks."""
CLEAR_TICKS = round(0.1 / TICK_S)
"""Ticks before the opening of a candidate that may belong to its rise."""


class Span(NamedTuple):
    """Ticks between which a candidate is looked at."""

    start: int
    """First that may show its surroundings."""
    opened: int
    low: int
    """When it had come back."""
    end: int
    """Last that belongs to it."""


@compiled()
def _smoothed(state: WindowState, regions: np.ndarray, first: int, last: int, units: np.ndarray) -> np.ndarray:
    """Low-passed displacement of some regions, (ticks, regions, 2) float64, in `units` of pixels."""
    moved = np.empty((last - first + 1, len(regions), 2))
    for tick in range(first, last + 1):
        row = tick & (state.smooth.shape[0] - 1)
        for place, region in enumerate(regions):
            for axis in range(2):
                moved[tick - first, place, axis] = state.smooth[row, 2 * region + axis] / units[place, axis]
    return moved


@compiled()
def moved_from_rest(state: WindowState, regions: np.ndarray, start: int, quiet: int, tick: int) -> np.ndarray:
    """Where some regions are at a tick, against their rest.

    Args:
        state: holds the displacement.
        regions: int64 (K,), their numbers.
        start: first tick that may count.
        quiet: last tick of the rest.
        tick: the tick.

    Returns:
        float64 (K, 2), canthus-normalised pixels; NaN where unreadable.
    """
    moved = _smoothed(state, regions, start, max(tick, start), np.ones((len(regions), 2)))
    rest = rest_before(moved, max(0, quiet - start), REST_TICKS)
    return np.subtract(moved[-1], rest)


@compiled()
def _farthest(moved: np.ndarray, rest: np.ndarray, first: int, last: int) -> int:
    """Where the regions together are farthest from rest."""
    farthest, at = -1.0, first
    for tick in range(first, last + 1):
        total = 0.0
        for region in range(moved.shape[1]):
            for axis in range(2):
                square = (moved[tick, region, axis] - rest[region, axis]) ** 2
                if not np.isnan(square):
                    total += square
        if total > farthest:
            farthest, at = total, tick
    return at


@compiled()
def _keep_strong(direction: np.ndarray) -> None:
    """Leave out the regions that move less than a third of the one that moves most."""
    sizes = np.sqrt(direction[:, 0] ** 2 + direction[:, 1] ** 2)
    for region in range(len(sizes)):
        if sizes[region] < np.max(sizes) / 3:
            direction[region] = 0.0


@compiled()
def _frames_that_show_it(
    state: WindowState, regions: np.ndarray, onset: float, offset: float, weights: np.ndarray, rest_px: np.ndarray
) -> int:
    """Number of frames in which, before any low-pass, the movement is past 0.3 of its height."""
    first, last = int(onset), int(np.ceil(offset))
    along = np.zeros(last - first + 1)
    for tick in range(first, last + 1):
        row = tick & (state.raw.shape[0] - 1)
        for place, region in enumerate(regions):
            for axis in range(2):
                moved_px = state.raw[row, 2 * region + axis] - rest_px[place, axis]
                along[tick - first] += moved_px * weights[place, axis]
    level, step, frames = 0.3 * np.max(along), state.durations[TICK_LENGTH], 0
    newest, kept = state.clock[SAMPLES] - 1, state.samples.shape[0]
    for number in range(newest, max(newest - kept, -1), -1):
        since_ns = state.samples[number & (kept - 1), 1] - state.clock[ORIGIN]
        if since_ns < first * step:
            break
        if since_ns <= last * step:
            frames += along[int(np.rint(since_ns / step)) - first] > level
    return frames


@compiled()
def measure_regions(
    state: WindowState,
    regions: np.ndarray,
    limits: np.ndarray,
    span: Span,
    heights: Heights,
    returned: bool,
    everything: bool,
) -> tuple[Bounds, int, np.ndarray]:
    """Measure a candidate of some regions, taken as one vector in units of their limits.

    Args:
        state: holds the displacement.
        regions: int64 (K,), their numbers.
        limits: float64 (K, 2), how far each must move to count, canthus-normalised pixels.
        span: where to look.
        heights: where the bounds lie.
        returned: whether it came back.
        everything: whether the regions are all there are, of which the weak ones do not count.

    Returns:
        Its bounds, in ticks from the start of the span and in limits; the number of frames that show it; and its
        direction, float64 (K, 2), in limits.
    """
    start, opened, low, end = span
    moved = _smoothed(state, regions, start, max(end, opened), limits)
    quiet = max(0, opened - start - CLEAR_TICKS)
    rest = rest_before(moved, quiet, REST_TICKS)
    first, last = opened - start, min(max(low, opened), end) - start
    direction = moved[_farthest(moved, rest, first, last)] - rest
    if returned:
        # Drift goes on while the face moves: the direction is taken from between the rests before and after.
        direction -= (rest_before(moved, len(moved) - 1, CLEAR_TICKS // 2) - rest) / 2
    for region in range(len(direction)):
        if np.isnan(direction[region, 0]):
            direction[region] = 0.0
    if everything:
        _keep_strong(direction)
    course = project(moved, rest, direction)
    bounds = measure(course, first, last, heights, noise_of(course, quiet))
    onset, offset = start + bounds.onset, start + bounds.offset
    frames = _frames_that_show_it(state, regions, onset, offset, direction / limits, rest * limits)
    return bounds, frames, direction


@compiled(inline=True)
def _straighten(moved: np.ndarray, first: int, last: int) -> None:
    """Take out of each column the line through its places at two ticks, so that only what departs from it is left."""
    for region in range(moved.shape[1]):
        for axis in range(2):
            start, slope = moved[first, region, axis], 0.0
            slope = (moved[last, region, axis] - start) / (last - first)
            for tick in range(moved.shape[0]):
                moved[tick, region, axis] -= start + slope * (tick - first)


@compiled()
def measure_departure(
    state: WindowState, regions: np.ndarray, limits: np.ndarray, span: Span, heights: Heights
) -> tuple[Bounds, int, np.ndarray, float]:
    """Measure how some regions depart from the line between where they are before and after.

    Args:
        state: holds the displacement.
        regions: int64 (K,), their numbers.
        limits: float64 (K, 2), how far each must move to count, canthus-normalised pixels.
        span: its `opened` and `low` are the ends of the line; `start` and `end` bound what is looked at.
        heights: where the bounds lie.

    Returns:
        As `measure_regions`; and how far the course strays from the line beyond its ends, or to its other side, share
        of the departure. A corner of a longer movement departs from the line too, but beyond it the movement goes on;
        a step departs to both sides.
    """
    start, opened, low, end = span
    moved = _smoothed(state, regions, start, end, limits)
    first, last = opened - start, low - start
    origin = moved[first].copy()
    _straighten(moved, first, last)
    for place in range(len(regions)):
        if np.isnan(origin[place, 0]) or np.isnan(moved[last, place, 0]):
            moved[:, place] = np.nan
    rest = np.zeros((len(regions), 2))
    direction = moved[_farthest(moved, rest, first, last)].copy()
    for region in range(len(direction)):
        if np.isnan(direction[region, 0]):
            direction[region] = 0.0
    course = project(moved, rest, direction)
    bounds = measure(course, first, last, heights, 0.0)
    onset, offset = start + bounds.onset, start + bounds.offset
    frames = _frames_that_show_it(state, regions, onset, offset, direction / limits, origin * limits)
    strays = 0.0
    for tick in range(len(course)):
        strays = max(strays, abs(course[tick]) if tick < first or tick > last else -course[tick])
    return bounds, frames, direction, strays / max(np.max(course[first : last + 1]), 1e-9)
