"""From a candidate in the window to a measured movement."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64

from realtime.spotting import measurement_kernel as kernel
from realtime.spotting.interval_kernel import Heights
from realtime.spotting.movement import Movement
from realtime.spotting.parameters import TICK_S, SpottingParameters
from realtime.spotting.window import QUICK_MARGIN_S, Closing, MotionWindow
from realtime.spotting.window_kernel import RETURNED, SLOW

BEYOND_TICKS = round(0.15 / TICK_S)
"""How far beyond the line between before and after a departure from it is followed."""


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
    start = max(opened - round(parameters.lead_s / TICK_S), window.oldest)
    everything = regions == (window.regions,)
    if everything:
        regions = tuple(range(window.regions))
    limits = window.limits(regions).astype(np.float64)
    bounds, frames, direction = kernel.measure_regions(
        window.state,
        np.array(regions),
        limits,
        kernel.Span(start, opened, low, end),
        Heights(parameters.bound_fraction, parameters.tangent_fraction),
        returned,
        everything,
    )
    sizes = [math.sqrt(x * x + y * y) for x, y in direction.tolist()]
    order = [place for place in np.argsort(-np.array(sizes), kind="stable").tolist() if sizes[place] > 0] or [0]
    strongest = order[0]
    longer = (bounds.offset - bounds.onset) * TICK_S > parameters.micro_longest_s + QUICK_MARGIN_S
    demanded = window.limits([regions[strongest]], SLOW)[0] if longer else limits[strongest]
    strongest_px = direction[strongest] * limits[strongest]
    length_px = math.hypot(*strongest_px.tolist())
    relative = max(math.hypot(*(strongest_px / demanded).tolist()), 1e-9)
    total = max(math.hypot(*sizes), 1e-9)
    height = bounds.prominence if returned else bounds.rise
    # Regions that move together back each other up: none of them need pass its limit.
    together = parameters.joint_factor if everything else parameters.together_factor
    needed = min(1.0, together * sizes[strongest] / total)
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
        frames=frames,
        seen_from_start=bounds.seen_from_start,
    )


def measure_find(
    window: MotionWindow, regions: tuple[int, ...], moment: int, reach: int, parameters: SpottingParameters
) -> Movement | None:
    """Measure what stands out of the line between before and after.

    Args:
        window: holds the displacement.
        regions: numbers of the regions that stand out, most outstanding first.
        moment: tick at which they do.
        reach: ticks to either side between which the line is held.
        parameters: heights of the bounds.

    Returns:
        The movement, without a reason; None where too little of it can be read.
    """
    start = max(moment - reach - BEYOND_TICKS, window.oldest)
    end = min(moment + reach + BEYOND_TICKS, window.settled)
    opened, low = max(moment - reach, start), min(moment + reach, end)
    limits = np.full((len(regions), 2), parameters.contrast_floor_px)
    bounds, frames, direction, strays = kernel.measure_departure(
        window.state,
        np.array(regions),
        limits,
        kernel.Span(start, opened, low, end),
        Heights(parameters.bound_fraction, parameters.tangent_fraction),
    )
    sizes = [math.hypot(x, y) for x, y in direction.tolist()]
    total = math.hypot(*sizes)
    if not total > 0 or not bounds.prominence > 0 or strays > parameters.strays_fraction:
        return None
    order = [place for place in np.argsort(-np.array(sizes), kind="stable").tolist() if sizes[place] > 0]
    return Movement(
        regions=tuple(regions[place] for place in order),
        onset=start + bounds.onset,
        apex=start + bounds.apex,
        offset=start + bounds.offset,
        strength_px=sizes[order[0]] * parameters.contrast_floor_px * bounds.prominence / total,
        threshold_px=parameters.contrast_floor_px,
        residual=0.0,
        opened=opened,
        low=low,
        frames=frames,
        departure=True,
    )


def moved_by(window: MotionWindow, region: int, opened: int, tick: int) -> float:
    """How far a region whose candidate is open had moved at a tick, pixels."""
    quiet = opened - kernel.CLEAR_TICKS
    start = max(quiet - kernel.REST_TICKS, window.oldest)
    x, y = kernel.moved_from_rest(window.state, np.array([region]), start, quiet, tick)[0].tolist()
    return 0.0 if math.isnan(x) else math.hypot(x, y)


def moved_at_apex(window: MotionWindow, movement: Movement) -> Float64[np.ndarray, "regions 2"]:
    """Every region at the apex against its rest before the onset, pixels; NaN where unreadable."""
    quiet = int(movement.onset)
    start = max(quiet - kernel.REST_TICKS, window.oldest)
    return kernel.moved_from_rest(window.state, np.arange(window.regions), start, quiet, round(movement.apex))


def departed_at_apex(window: MotionWindow, movement: Movement) -> Float64[np.ndarray, "regions 2"]:
    """Every region at the apex against the line from the onset to the offset, pixels; NaN where unreadable.

    What a departure does beyond the movement that it sits on.
    """
    onset, apex, offset = (
        min(max(round(tick), window.oldest), window.settled)
        for tick in (movement.onset, movement.apex, movement.offset)
    )
    first, middle, last = (window.smoothed(tick, tick)[0].astype(np.float64) for tick in (onset, apex, offset))
    along = (apex - onset) / max(offset - onset, 1)
    departed: Float64[np.ndarray, "regions 2"] = middle - first - along * (last - first)
    return departed


def restlessness_px(window: MotionWindow, regions: Sequence[int], first: float, last: float) -> float:
    """How far the most restless of some regions moves back and forth between two ticks, pixels; 0 where unreadable.

    What drifts one way, as a head that turns makes a mouth do, does not go back and forth.
    """
    start, end = max(round(first), window.oldest), min(round(last), window.settled)
    if end <= start:
        return 0.0
    moved = window.smoothed(start, end)[:, list(regions)]
    along = np.linspace(0.0, 1.0, len(moved), dtype=np.float32)[:, None, None]
    drift = np.nan_to_num(moved[-1] - moved[0]) * along
    ways = [_range_px(moved), _range_px(moved - drift)]
    return float(np.min(ways, axis=0).max())


def _range_px(moved: Float32[np.ndarray, "ticks regions 2"]) -> Float32[np.ndarray, " regions"]:
    """How far apart the outermost places of each region are, pixels; 0 where unreadable."""
    unreadable = np.isnan(moved)
    highest = np.where(unreadable, -np.inf, moved).max(axis=0)
    lowest = np.where(unreadable, np.inf, moved).min(axis=0)
    return np.asarray(np.linalg.norm(np.maximum(highest - lowest, 0.0), axis=-1), np.float32)
