"""From a candidate in the window to a measured movement."""

import numpy as np
from jaxtyping import Float32, Float64

from realtime.spotting.interval import measure, project, rest_before
from realtime.spotting.movement import Movement
from realtime.spotting.parameters import TICK_S, SpottingParameters
from realtime.spotting.window import TICKS_KEPT, MotionWindow

REST_TICKS = round(0.2 / TICK_S)
"""A region's rest before a movement is the median over so many ticks."""
CLEAR_TICKS = round(0.1 / TICK_S)
"""Ticks before the opening of a candidate that may belong to its rise."""


def _noise(course: Float64[np.ndarray, " ticks"], quiet: int) -> float:
    """Robust standard deviation of the first `quiet` ticks, pixels; 0 where there are too few."""
    if quiet < 20:
        return 0.0
    before = course[:quiet]
    return float(1.4826 * np.median(np.abs(before - np.median(before))))


def _direction_tick(moved: Float64[np.ndarray, "ticks regions 2"], first: int, last: int) -> int:
    """Where the regions together are farthest from rest."""
    squares = np.nan_to_num(moved[first : last + 1] ** 2).sum(axis=(1, 2))
    return first + int(np.argmax(squares))


def _frames_that_show_it(
    window: MotionWindow,
    regions: tuple[int, ...],
    span: tuple[int, int],
    direction: Float64[np.ndarray, "regions 2"],
    rest: Float64[np.ndarray, "regions 2"],
) -> int:
    """Number of frames in which, before any low-pass, the movement is past 0.3 of its height."""
    ticks = np.asarray(window.sample_ticks(*span), dtype=int)
    if not len(ticks):
        return 0
    raw = window.unsmoothed(*span)[ticks - span[0]][:, list(regions)]
    height = float((direction**2).sum())
    along = ((raw - rest) * direction).sum(axis=(1, 2)) / max(height, 1e-12)
    return int((along > 0.3).sum())


def measure_movement(
    window: MotionWindow,
    regions: tuple[int, ...],
    span: tuple[int, int],
    end: int,
    parameters: SpottingParameters,
    *,
    returned: bool = True,
) -> Movement:
    """Measure a candidate of one or more regions, all taken as one vector.

    Args:
        window: holds the displacement.
        regions: numbers of the regions; one past the last stands for all of them together.
        span: ticks at which the candidate opened and at which it had come back.
        end: last tick that belongs to it.
        parameters: heights of the bounds.
        returned: whether it came back, so that its strength is what rose and fell; else what rose.

    Returns:
        The movement, without a reason; `regions` strongest first.
    """
    opened, low = span
    start = max(opened - round(parameters.lead_s / TICK_S), window.run_start, window.settled - TICKS_KEPT + 1)
    joint = regions == (window.regions,)
    course_of = window.smoothed(start, max(end, opened))
    if joint:
        regions = _taking_part(course_of, opened - start, low - start)
    chosen: Float32[np.ndarray, "ticks regions 2"] = course_of[:, list(regions)]
    rest = rest_before(chosen, max(0, opened - start - CLEAR_TICKS), REST_TICKS)
    first, last = opened - start, min(max(low, opened), end) - start
    at = _direction_tick(chosen - rest, first, last)
    direction = np.nan_to_num(chosen[at] - rest)
    course = project(chosen, rest, at)
    bounds = measure(course, first, last, parameters, _noise(course, opened - start - CLEAR_TICKS))
    parts = np.linalg.norm(direction, axis=1)
    order = [regions[place] for place in np.argsort(-parts, kind="stable")]
    total = float(np.linalg.norm(direction))
    share = 1.0 if joint else float(parts.max()) / max(total, 1e-9)
    whole = (start + int(bounds.onset), start + int(np.ceil(bounds.offset)))
    return Movement(
        regions=tuple(order),
        onset=start + bounds.onset,
        apex=start + bounds.apex,
        offset=start + max(bounds.offset, float(min(last, low - start))),
        strength_px=share * (bounds.prominence_px if returned else bounds.rise_px),
        threshold_px=window.threshold(window.regions if joint else order[0]),
        residual=bounds.residual,
        opened=opened,
        low=low,
        frames=_frames_that_show_it(window, regions, whole, direction, rest),
        seen_from_start=bounds.seen_from_start,
    )


def _taking_part(displacement: Float32[np.ndarray, "ticks regions 2"], first: int, last: int) -> tuple[int, ...]:
    """Regions that move at least a third as far as the strongest one."""
    rest = rest_before(displacement, max(0, first - CLEAR_TICKS), REST_TICKS)
    moved = displacement - rest
    at = _direction_tick(moved, first, last)
    parts = np.nan_to_num(np.linalg.norm(moved[at], axis=1))
    return tuple(np.flatnonzero(parts >= parts.max() / 3).tolist())


def moved_at_apex(window: MotionWindow, movement: Movement) -> Float64[np.ndarray, "regions 2"]:
    """Every region at the apex against its rest before the onset, pixels; NaN where unreadable."""
    onset, apex = int(movement.onset), round(movement.apex)
    start = max(onset - REST_TICKS, window.run_start, window.settled - TICKS_KEPT + 1)
    displacement = window.smoothed(start, max(apex, start))
    rest = rest_before(displacement, max(0, onset - start), REST_TICKS)
    return np.asarray(displacement[-1] - rest, dtype=np.float64)
