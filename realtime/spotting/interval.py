"""Where a movement begins, peaks and ends: bounds on the displacement projected on its own direction."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from realtime.spotting.parameters import TICK_S, SpottingParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
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


def _gaps_closed(values: Float64[np.ndarray, " ticks"]) -> Float64[np.ndarray, " ticks"]:
    """The line through holes."""
    readable = ~np.isnan(values)
    if readable.all():
        return values
    if not readable.any():
        return np.zeros_like(values)
    ticks = np.arange(len(values))
    return np.interp(ticks, ticks[readable], values[readable])


def median(values: Float64[np.ndarray, "ticks *columns"]) -> Float64[np.ndarray, "*columns"]:
    """Median over the ticks; `numpy.median`, whose checks take ten times as long for so few numbers.

    Args:
        values: at least one row, no NaN.
    """
    ordered, count = np.sort(values, axis=0), len(values)
    return np.asarray(0.5 * (ordered[(count - 1) // 2] + ordered[count // 2]))


def rest_before(
    displacement: Float64[np.ndarray, "ticks regions 2"], tick: int, length: int
) -> Float64[np.ndarray, "regions 2"]:
    """Median position over the `length` ticks that end at `tick`; if none is readable, over all."""
    before = displacement[max(0, tick - length) : tick + 1]
    readable = ~np.isnan(before[..., 0])
    rest = np.zeros(displacement.shape[1:])
    for region in range(displacement.shape[1]):
        values = before[readable[:, region], region]
        if not len(values):
            values = displacement[~np.isnan(displacement[:, region, 0]), region]
        rest[region] = median(values) if len(values) else 0.0
    return rest


def project(
    moved: Float64[np.ndarray, "ticks regions 2"], direction: Float64[np.ndarray, "regions 2"]
) -> Float64[np.ndarray, " ticks"]:
    """Movement along a direction of all regions together: a matched filter in space.

    Args:
        moved: movement of the regions, any unit.
        direction: their movement at the apex, same unit.

    Returns:
        Length of the projection, same unit; positive on the way out.
    """
    length = float(np.linalg.norm(direction))
    if length == 0.0:
        return np.zeros(len(moved))
    columns = [_gaps_closed(column) for column in moved.reshape(len(moved), -1).T]
    return np.asarray(np.stack(columns, axis=1) @ (direction.ravel() / length))


def _crossing(course: Float64[np.ndarray, " ticks"], level: float) -> float:
    """Steps from the start of a falling course to where it first reaches `level`, or to its last step."""
    below = np.flatnonzero(course <= level)
    if not len(below):
        return float(len(course) - 1)
    step = int(below[0])
    if step == 0:
        return 0.0
    above, under = course[step - 1], course[step]
    return step - 1 + float((above - level) / (above - under))


def flank(
    course: Float64[np.ndarray, " ticks"], parameters: SpottingParameters, noise: float = 0.0
) -> tuple[float, float]:
    """Follow a movement from its apex to rest.

    The rest level is the median just beyond the steep part, so that slow drift farther out does not stretch
    the interval. The end is where the movement passes a small share of its height; where that share drowns in
    noise, the tangent from clear of the noise says where it would pass.

    Args:
        course: projection from the apex outwards.
        parameters: the share, and the upper end of the tangent.
        noise: noise of the projection; the lower height stays clear of it.

    Returns:
        Steps from the apex to the end, and the rest level.
    """
    peak, lowest = float(course[0]), float(course.min())
    steep_end = round(_crossing(course, lowest + 0.3 * (peak - lowest)))
    beyond = course[steep_end + round(0.08 / TICK_S) : steep_end + round(0.35 / TICK_S)]
    rest = float(median(beyond)) if len(beyond) >= 4 else lowest
    rise = max(peak - rest, 1e-9)
    low = min(max(parameters.bound_fraction, 2.5 * noise / rise), 0.3)
    lower = _crossing(course, rest + low * rise)
    upper = _crossing(course, rest + parameters.tangent_fraction * rise)
    end = lower + (lower - upper) * (low - parameters.bound_fraction) / (parameters.tangent_fraction - low)
    return min(end, float(len(course) - 1)), rest


def _apex(course: Float64[np.ndarray, " ticks"], highest: int, rise: float, noise: float) -> float:
    """Middle of the plateau round the highest tick; narrow, because flanks differ in steepness."""
    level = course[highest] - min(max(0.02 * rise, 1.5 * noise), 0.1 * rise)
    before = _crossing(course[highest::-1], level)
    after = _crossing(course[highest:], level)
    return highest + (after - before) / 2


def measure(
    course: Float64[np.ndarray, " ticks"],
    first: int,
    last: int,
    parameters: SpottingParameters,
    noise: float = 0.0,
) -> Bounds:
    """Onset, apex and offset of the movement whose highest point lies between two ticks.

    Args:
        course: projection on the movement's direction, with its surroundings.
        first: earliest tick of the apex.
        last: latest tick of the apex.
        parameters: heights at which the bounds lie.
        noise: noise of the projection.

    Returns:
        The bounds, in ticks of `course`.
    """
    highest = first + int(np.argmax(course[first : last + 1]))
    to_onset, before = flank(course[highest::-1], parameters, noise)
    to_offset, after = flank(course[highest:], parameters, noise)
    peak = float(course[highest])
    rise, fall = peak - before, peak - after
    onset, offset = highest - to_onset, highest + to_offset
    apex = min(max(_apex(course, highest, min(rise, fall), noise), onset), offset)
    return Bounds(
        onset=onset,
        apex=apex,
        offset=offset,
        prominence=min(rise, fall),
        rise=rise,
        residual=(after - before) / max(rise, 1e-9),
        seen_from_start=float(course[: highest + 1].min()) < before + 0.5 * rise and onset > 0,
    )
