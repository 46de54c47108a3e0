"""Curves as SVG paths: thinned so that no peak is lost, broken where nothing was seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

WIDTH = 4000
"""Horizontal units of a curve's view box; a page stretches them to its own width."""
HEIGHT = 100
LONGEST_BRIDGE_S = 0.25
"""A curve is drawn across gaps up to this long."""


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch of time that a picture shows, seconds."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """Never zero."""
        return max(self.end_s - self.start_s, 1e-6)

    def percent(self, time_s: float) -> float:
        """Place from the left edge, 0–100."""
        return round(100 * min(1.0, max(0.0, (time_s - self.start_s) / self.length_s)), 3)


def thinned(
    time_s: Float64[np.ndarray, " rows"], values: Float64[np.ndarray, " rows"], span: Span, buckets: int
) -> Int64[np.ndarray, " kept"]:
    """Rows that look like all of them: the lowest and the highest of every bucket of time, in order of time.

    Args:
        time_s: not decreasing.
        values: NaN where nothing was seen; such rows are never kept.
        span: what the buckets divide.
        buckets: how many; at most twice as many rows are kept.

    Returns:
        Places of the rows kept.
    """
    seen = np.flatnonzero(np.isfinite(values))
    if len(seen) <= 2 * buckets:
        return seen
    bucket = np.clip((time_s[seen] - span.start_s) / span.length_s * buckets, 0, buckets - 1).astype(np.int64)
    order = np.lexsort((values[seen], bucket))
    edges = np.flatnonzero(np.diff(bucket[order])) + 1
    lowest, highest = np.concatenate([[0], edges]), np.concatenate([edges - 1, [len(order) - 1]])
    kept: Int64[np.ndarray, " kept"] = np.unique(seen[order[np.concatenate([lowest, highest])]])
    return kept


def runs(time_s: Float64[np.ndarray, " rows"], values: Float64[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
    """Number of the unbroken stretch that each row belongs to; gaps over `LONGEST_BRIDGE_S` break it."""
    seen = np.flatnonzero(np.isfinite(values))
    stretch = np.zeros(len(values), np.int64)
    breaks = seen[1:][np.diff(time_s[seen]) > LONGEST_BRIDGE_S]
    stretch[breaks] = 1
    return np.cumsum(stretch)


def path(
    time_s: Float64[np.ndarray, " rows"],
    values: Float64[np.ndarray, " rows"],
    span: Span,
    top: float,
    *,
    buckets: int = 1000,
    filled: bool = True,
) -> str:
    """A curve as the `d` of an SVG path in a box of `WIDTH` by `HEIGHT`.

    Args:
        time_s: not decreasing.
        values: 0 is the bottom of the box; NaN is a gap.
        span: left and right edge.
        top: value at the top of the box; higher ones are cut there.
        buckets: detail; at most two points a bucket.
        filled: close each stretch along the bottom, to be filled.
    """
    rows = thinned(time_s, values, span, buckets)
    if not len(rows):
        return ""
    stretch = runs(time_s, values)[rows]
    x = np.round((time_s[rows] - span.start_s) / span.length_s * WIDTH).astype(np.int64)
    y = np.round(HEIGHT * (1 - np.clip(values[rows] / max(top, 1e-9), 0, 1)), 1)
    cuts = np.flatnonzero(np.diff(stretch)) + 1
    parts = zip(np.split(x, cuts), np.split(y, cuts), strict=True)
    return "".join(_stretch(across, down, filled) for across, down in parts)


def _stretch(x: Int64[np.ndarray, " points"], y: Float64[np.ndarray, " points"], filled: bool) -> str:
    points = " ".join(f"{across} {down:g}" for across, down in zip(x.tolist(), y.tolist(), strict=True))
    if filled:
        return f"M{x[0]} {HEIGHT}L{points} {x[-1]} {HEIGHT}Z"
    return f"M{points}" if len(x) > 1 else f"M{points}h1"


def highest(
    time_s: Float64[np.ndarray, " rows"], values: Float64[np.ndarray, " rows"], span: Span, buckets: int
) -> list[float | None]:
    """The highest value in each bucket of time, None where nothing was seen; for reading off a curve."""
    seen = np.isfinite(values)
    place = np.clip((time_s[seen] - span.start_s) / span.length_s * buckets, 0, buckets - 1).astype(np.int64)
    found = np.full(buckets, -np.inf)
    np.maximum.at(found, place, values[seen])
    return [round(value, 2) if np.isfinite(value) else None for value in found.tolist()]


def intervals(
    time_s: Float64[np.ndarray, " rows"], on: Bool[np.ndarray, " rows"], shortest_gap_s: float
) -> list[tuple[float, float]]:
    """When something was so, seconds; intervals closer than `shortest_gap_s` are one."""
    if not on.any():
        return []
    times = time_s[on]
    cuts = np.flatnonzero(np.diff(times) > shortest_gap_s) + 1
    return [(float(part[0]), float(part[-1])) for part in np.split(times, cuts)]


def ticks(span: Span, wanted: int = 10) -> Sequence[float]:
    """Round times across a span, at most about `wanted` of them."""
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
    step = next((step for step in steps if span.length_s / step <= wanted), span.length_s / wanted)
    first = int(np.ceil(span.start_s / step - 1e-9))
    last = int(np.floor(span.end_s / step + 1e-9))
    return [number * step for number in range(first, last + 1)]
