"""Where a movement begins, peaks and ends: bounds on the displacement projected on its own direction."""

from typing import NamedTuple

import numpy as np

from engines.compilation import compiled
from realtime.spotting.parameters import TICK_S

_BEYOND_FIRST, _BEYOND_LAST = round(0.08 / TICK_S), round(0.35 / TICK_S)
"""The rest level beyond a flank is read so many ticks after its steep part."""
_FLAT_TICKS, _FLAT_FALL = round(0.08 / TICK_S), 0.08
"""A course that falls no further than this share of its height within so many ticks has reached its foot …"""
_LEAST_FALL = 0.5
"""… once it has come down by so much of the way to its lowest point: a movement may be held half-way …"""
_PATIENCE = 0.25
"""… and the longer it takes to come down, the longer it must stay flat, by this share of the time."""
_NEXT_SHARE = 0.15
"""Beyond the foot, a change by more than this share of the height is another movement."""
_NOISE_TICKS = 20
"""Of fewer quiet ticks the spread says nothing."""


class Heights(NamedTuple):
    """Shares of a movement's rise at which its bounds lie."""

    bound: float
    """Onset and offset lie here."""
    tangent: float
    """Where noise hides that share, it is extrapolated along the tangent up to this one."""


class Bounds(NamedTuple):
    """A movement's course, in ticks of the array that it was measured on; fractions of a tick count."""

    onset: float
    apex: float
    offset: float
    prominence: float
    """Height of the apex over the higher of the two rest levels, summed over the regions as a vector."""
    rise: float
    """Height of the apex over the rest level before it, summed over the regions as a vector."""
    residual: float
    """Rest level after the movement over the one before it, fraction of the rise: 0 came back, 1 did not."""
    seen_from_start: bool
    """False where the record begins after the movement did."""


@compiled()
def median(values: np.ndarray) -> float:
    """Median of float64 (N,), without NaN; N is at least 1."""
    ordered, count = np.sort(values), len(values)
    return float(0.5 * (ordered[(count - 1) // 2] + ordered[count // 2]))


@compiled()
def _median_readable(displacement: np.ndarray, region: int, axis: int, first: int, last: int) -> float:
    """Median of one column over the readable ticks from `first` to before `last`; NaN if there are none."""
    values, count = np.empty(last - first), 0
    for tick in range(first, last):
        if not np.isnan(displacement[tick, region, 0]):
            values[count] = displacement[tick, region, axis]
            count += 1
    return median(values[:count]) if count else np.nan


@compiled()
def rest_before(displacement: np.ndarray, tick: int, length: int) -> np.ndarray:
    """Median position over the `length` ticks that end at `tick`; if none is readable, over all; if none at all, 0.

    Args:
        displacement: float64 (ticks, regions, 2), NaN where unreadable, any unit.
        tick: last tick of the rest.
        length: ticks before it that count.

    Returns:
        float64 (regions, 2), same unit.
    """
    ticks, regions = displacement.shape[0], displacement.shape[1]
    rest = np.zeros((regions, 2))
    for region in range(regions):
        for axis in range(2):
            middle = _median_readable(displacement, region, axis, max(0, tick - length), min(tick + 1, ticks))
            if np.isnan(middle):
                middle = _median_readable(displacement, region, axis, 0, ticks)
            if not np.isnan(middle):
                rest[region, axis] = middle
    return rest


@compiled()
def _add_column(course: np.ndarray, moved: np.ndarray, region: int, axis: int, rest: float, weight: float) -> None:
    """Add one column's way from rest to the course, times its weight; holes are bridged by a line."""
    latest, before = -1, 0.0
    for tick in range(len(course)):
        value = moved[tick, region, axis] - rest
        if np.isnan(value):
            continue
        slope = (value - before) / (tick - latest)
        for hole in range(latest + 1, tick):
            course[hole] += weight * (value if latest < 0 else slope * (hole - latest) + before)
        course[tick] += weight * value
        latest, before = tick, value
    for hole in range(latest + 1, len(course)):
        course[hole] += weight * before


@compiled()
def project(moved: np.ndarray, rest: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Movement along a direction of all regions together: a matched filter in space.

    Args:
        moved: float64 (ticks, regions, 2), position of the regions, NaN where unreadable, any unit.
        rest: float64 (regions, 2), where they rest, same unit.
        direction: float64 (regions, 2), their movement at the apex, same unit.

    Returns:
        float64 (ticks,), length of the projection, same unit; positive on the way out.
    """
    course, length = np.zeros(moved.shape[0]), np.sqrt(np.sum(direction**2))
    for region in range(moved.shape[1]):
        for axis in range(2):
            if direction[region, axis] != 0.0:
                _add_column(course, moved, region, axis, rest[region, axis], direction[region, axis] / length)
    return course


@compiled()
def _steps_to(course: np.ndarray, highest: int, way: int, level: float) -> float:
    """Steps from the highest tick, forwards or backwards, to where the course first reaches `level`, or to its end."""
    end = len(course) - 1 - highest if way > 0 else highest
    for step in range(end + 1):
        under = course[highest + way * step]
        if under <= level:
            if step == 0:
                return 0.0
            above = course[highest + way * (step - 1)]
            return float(step - 1 + (above - level) / (above - under))
    return float(end)


@compiled()
def _foot(course: np.ndarray, highest: int, way: int) -> int:
    """Steps from the apex to where the course no longer falls, looking from the inside out.

    A jump of the eyes or a turn of the head before or after must not be taken for a part of the movement.
    """
    steps = len(course) - 1 - highest if way > 0 else highest
    peak = lowest = course[highest]
    for step in range(1, steps + 1):
        lowest = min(lowest, course[highest + way * step])
    reached, at = peak, 0
    for step in range(1, steps + 1):
        under = course[highest + way * step]
        if under < reached - _FLAT_FALL * (peak - reached):
            reached, at = under, step
        flat = step - at >= max(_FLAT_TICKS, _PATIENCE * at)
        if flat and peak - reached >= _LEAST_FALL * (peak - lowest):
            return step
    return steps


@compiled()
def flank(course: np.ndarray, highest: int, way: int, heights: Heights, noise: float) -> tuple[float, float]:
    """Follow a movement from its apex to rest.

    The rest level is the median just beyond the steep part, so that slow drift farther out does not stretch
    the interval. The end is where the movement passes a small share of its height; where that share drowns in
    noise, the tangent from clear of the noise says where it would pass.

    Args:
        course: float64 (ticks,), projection on the movement's direction, with its surroundings.
        highest: tick of the apex.
        way: 1 follows it forwards in time, −1 backwards.
        heights: the share, and the upper end of the tangent.
        noise: noise of the projection; the lower height stays clear of it.

    Returns:
        Steps from the apex to the end, and the rest level.
    """
    steps = len(course) - 1 - highest if way > 0 else highest
    peak, foot = course[highest], _foot(course, highest, way)
    lowest = peak
    for step in range(1, foot + 1):
        lowest = min(lowest, course[highest + way * step])
    steep_end = round(_steps_to(course, highest, way, lowest + 0.3 * (peak - lowest)))
    first = min(steep_end + _BEYOND_FIRST, max(foot - _FLAT_TICKS // 2, steep_end))
    last = min(steep_end + _BEYOND_LAST, steps)
    level = 0.5 * (lowest + course[highest + way * foot])
    beyond, count = np.empty(max(0, last + 1 - first)), 0
    for step in range(first, last + 1):
        # What the face does next is not its rest.
        if step > foot and abs(course[highest + way * step] - level) > _NEXT_SHARE * (peak - level):
            break
        beyond[count] = course[highest + way * step]
        count += 1
    rest = median(beyond[:count]) if count >= 4 else lowest
    rise = max(peak - rest, 1e-9)
    low = min(max(heights.bound, 2.5 * noise / rise), 0.3)
    lower = _steps_to(course, highest, way, rest + low * rise)
    upper = _steps_to(course, highest, way, rest + heights.tangent * rise)
    end = lower + (lower - upper) * (low - heights.bound) / (heights.tangent - low)
    return min(end, float(steps)), rest


@compiled()
def _apex(course: np.ndarray, highest: int, rise: float, noise: float) -> float:
    """Middle of the plateau round the highest tick; narrow, because flanks differ in steepness."""
    level = course[highest] - min(max(0.02 * rise, 1.5 * noise), 0.1 * rise)
    return highest + (_steps_to(course, highest, 1, level) - _steps_to(course, highest, -1, level)) / 2


@compiled()
def measure(course: np.ndarray, first: int, last: int, heights: Heights, noise: float) -> Bounds:
    """Onset, apex and offset of the movement whose highest point lies between two ticks.

    Args:
        course: float64 (ticks,), projection on the movement's direction, with its surroundings; no NaN.
        first: earliest tick of the apex.
        last: latest tick of the apex.
        heights: where the bounds lie.
        noise: noise of the projection.

    Returns:
        The bounds, in ticks of `course`.
    """
    highest = first + int(np.argmax(course[first : last + 1]))
    to_onset, before = flank(course, highest, -1, heights, noise)
    to_offset, after = flank(course, highest, 1, heights, noise)
    rise, fall = course[highest] - before, course[highest] - after
    onset, offset = highest - to_onset, highest + to_offset
    return Bounds(
        onset=onset,
        apex=min(max(_apex(course, highest, min(rise, fall), noise), onset), offset),
        offset=offset,
        prominence=min(rise, fall),
        rise=rise,
        residual=(after - before) / max(rise, 1e-9),
        seen_from_start=bool(np.min(course[: highest + 1]) < before + 0.5 * rise and onset > 0),
    )


@compiled()
def noise_of(course: np.ndarray, quiet: int) -> float:
    """Robust standard deviation of the first `quiet` ticks of float64 (ticks,); 0 where there are too few."""
    if quiet < _NOISE_TICKS:
        return 0.0
    before = course[:quiet]
    return 1.4826 * median(np.abs(before - median(before)))
