"""From a candidate in the window to a measured movement."""

import numpy as np
from jaxtyping import Float64

from realtime.spotting.interval import measure, median, project, rest_before
from realtime.spotting.movement import Movement
from realtime.spotting.parameters import TICK_S, SpottingParameters
from realtime.spotting.window import QUICK_MARGIN_S, TICKS_KEPT, Closing, MotionWindow
from realtime.spotting.window_kernel import RETURNED, SLOW

REST_TICKS = round(0.2 / TICK_S)
"""A region's rest before a movement is the median over so many ticks."""
CLEAR_TICKS = round(0.1 / TICK_S)
"""Ticks before the opening of a candidate that may belong to its rise."""


def measure_candidate(window: MotionWindow, closing: Closing, parameters: SpottingParameters) -> Movement:
    """Measure the candidate of one channel; see `measure_movement`."""
    return measure_movement(
        window,
        (closing.channel,),
        (closing.opened, closing.low),
        closing.end,
        parameters,
        returned=closing.reason == RETURNED,
    )


def measure_movement(
    window: MotionWindow,
    regions: tuple[int, ...],
    span: tuple[int, int],
    end: int,
    parameters: SpottingParameters,
    *,
    returned: bool = True,
) -> Movement:
    """Measure a candidate of one or more regions, all taken as one vector in units of their limits.

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
    everything = regions == (window.regions,)
    if everything:
        regions = tuple(range(window.regions))
    limits = window.limits(regions).astype(np.float64)
    moved = window.smoothed(start, max(end, opened))[:, list(regions)] / limits
    quiet = max(0, opened - start - CLEAR_TICKS)
    rest = rest_before(moved, quiet, REST_TICKS)
    first, last = opened - start, min(max(low, opened), end) - start
    at = _farthest(moved - rest, first, last)
    # Drift goes on while the face moves: the direction is taken from between the rests before and after.
    middle = (rest + rest_before(moved, len(moved) - 1, CLEAR_TICKS // 2)) / 2 if returned else rest
    direction = np.nan_to_num(moved[at] - middle)
    if everything:
        sizes = np.linalg.norm(direction, axis=1)
        direction[sizes < sizes.max() / 3] = 0.0
    course = project(moved - rest, direction)
    bounds = measure(course, first, last, parameters, _noise(course, quiet))
    sizes = np.linalg.norm(direction, axis=1)
    order = [int(place) for place in np.argsort(-sizes, kind="stable") if sizes[place] > 0] or [0]
    longer = (bounds.offset - bounds.onset) * TICK_S > parameters.micro_longest_s + QUICK_MARGIN_S
    strongest_px = (direction * limits)[order[0]]
    length_px = float(np.linalg.norm(strongest_px))
    total = max(float(np.linalg.norm(sizes)), 1e-9)
    height = bounds.prominence if returned else bounds.rise
    # Regions that move together back each other up: none of them need pass its limit.
    together = parameters.joint_factor if everything else parameters.together_factor
    needed = min(1.0, together * float(sizes[order[0]]) / total)
    demanded = window.limits([regions[order[0]]], SLOW)[0] if longer else limits[order[0]]
    relative = max(float(np.linalg.norm(strongest_px / demanded)), 1e-9)
    return Movement(
        regions=tuple(regions[place] for place in order),
        onset=start + bounds.onset,
        apex=start + bounds.apex,
        offset=start + bounds.offset,
        strength_px=length_px * height / total,
        threshold_px=length_px * needed / relative,
        residual=bounds.residual,
        opened=opened,
        low=low,
        frames=_frames_that_show_it(
            window, regions, (start + bounds.onset, start + bounds.offset), direction / limits, rest * limits
        ),
        seen_from_start=bounds.seen_from_start,
    )


def _noise(course: Float64[np.ndarray, " ticks"], quiet: int) -> float:
    """Robust standard deviation of the first `quiet` ticks; 0 where there are too few."""
    if quiet < 20:
        return 0.0
    before = course[:quiet]
    return float(1.4826 * median(np.abs(before - median(before))))


def _farthest(moved: Float64[np.ndarray, "ticks regions 2"], first: int, last: int) -> int:
    """Where the regions together are farthest from rest."""
    squares = np.nan_to_num(moved[first : last + 1] ** 2).sum(axis=(1, 2))
    return first + int(np.argmax(squares))


def _frames_that_show_it(
    window: MotionWindow,
    regions: tuple[int, ...],
    interval: tuple[float, float],
    weights: Float64[np.ndarray, "regions 2"],
    rest_px: Float64[np.ndarray, "regions 2"],
) -> int:
    """Number of frames in which, before any low-pass, the movement is past 0.3 of its height."""
    first, last = int(interval[0]), int(np.ceil(interval[1]))
    ticks = np.asarray(window.sample_ticks(first, last), dtype=int)
    raw = window.unsmoothed(first, last)[:, list(regions)]
    along = ((raw - rest_px) * weights).sum(axis=(1, 2))
    inside = ticks[(ticks >= first) & (ticks <= last)] - first
    return int((along[inside] > 0.3 * along.max()).sum())


def moved_by(window: MotionWindow, region: int, opened: int, tick: int) -> float:
    """How far a region whose candidate is open had moved at a tick, pixels."""
    start = max(opened - CLEAR_TICKS - REST_TICKS, window.run_start, window.settled - TICKS_KEPT + 1)
    course = window.smoothed(start, max(tick, start))[:, [region]].astype(np.float64)
    rest = rest_before(course, max(0, opened - CLEAR_TICKS - start), REST_TICKS)
    return float(np.nan_to_num(np.linalg.norm(course[-1] - rest)))


def moved_at_apex(window: MotionWindow, movement: Movement) -> Float64[np.ndarray, "regions 2"]:
    """Every region at the apex against its rest before the onset, pixels; NaN where unreadable."""
    onset, apex = int(movement.onset), round(movement.apex)
    start = max(onset - REST_TICKS, window.run_start, window.settled - TICKS_KEPT + 1)
    displacement = window.smoothed(start, max(apex, start)).astype(np.float64)
    rest = rest_before(displacement, max(0, onset - start), REST_TICKS)
    return np.asarray(displacement[-1] - rest)
