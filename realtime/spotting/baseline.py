"""The personal baseline: what the spotter has learnt of one face at rest, region by region."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from realtime.spotting.spotter import Spotter
from realtime.spotting.window_kernel import QUICK, QUICK_DEVIATIONS, QUICK_SHARE

LEAST_ENTRIES = 10
"""With fewer values a region's noise is not known, and its limit is a guess."""
FIRST_ENTRIES = 40
"""With so many, two quiet seconds, the noise is good enough to be called a baseline."""
KNOWN_SHARE = 0.75
"""A baseline is known when so many of the regions have theirs: some may be hidden or never rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Rest and noise of every region at one moment, canthus-normalised pixels."""

    neutral_px: Float32[np.ndarray, "regions 2"]
    """Where the region rests against the neutral reference, x and y; it follows slow change."""
    noise_px: Float32[np.ndarray, " regions"]
    """Robust standard deviation of quiet movement an axis, at the pace of a micro-expression; NaN while unknown."""
    limit_px: Float32[np.ndarray, " regions"]
    """How far the region must move to be noticed, any way alike; NaN while unknown."""
    learnt: Bool[np.ndarray, " regions"]
    """Whether two quiet seconds have been seen."""

    @property
    def is_known(self) -> bool:
        """Whether enough regions have been learnt to call it a baseline."""
        return bool(self.learnt.mean() >= KNOWN_SHARE)


def read_baseline(spotter: Spotter) -> Baseline:
    """What a spotter has learnt so far; some tenth of a millisecond, so not for every frame.

    Args:
        spotter: of one face.

    Returns:
        Its regions' rest, noise and limits, for movements as short as a micro-expression.
    """
    window = spotter.window
    state, regions = window.state, window.regions
    count = state.noise_count[QUICK]
    known = count >= LEAST_ENTRIES
    noise = _spread(state.noise_entries[QUICK], count).reshape(regions, 2)
    neutral_px, limit_px = read_rest(spotter)
    return Baseline(
        neutral_px=neutral_px,
        noise_px=np.where(known, np.sqrt((noise**2).mean(axis=1)), np.nan).astype(np.float32),
        limit_px=np.where(known, limit_px, np.nan).astype(np.float32),
        learnt=count >= FIRST_ENTRIES,
    )


def read_rest(spotter: Spotter) -> tuple[Float32[np.ndarray, "regions 2"], Float32[np.ndarray, " regions"]]:
    """Where each region rests, and how far it must move to be noticed; quick enough for every frame.

    Args:
        spotter: of one face.

    Returns:
        Rest and limit of every region, canthus-normalised pixels; the limit is the floor's while the region's noise is
        not known.
    """
    state, regions = spotter.window.state, spotter.window.regions
    limits = state.limit[QUICK].reshape(regions, 2)
    # It must both leave its rest and stand out of what the region does anyway.
    limit_px = np.fmax(np.sqrt(limits[:, 0] * limits[:, 1]), spotter.contrast_limits_px)
    return state.rest[QUICK].reshape(regions, 2).copy(), np.asarray(limit_px, np.float32)


def _spread(entries: Float32[np.ndarray, "columns entries"], count: np.ndarray) -> Float32[np.ndarray, " columns"]:
    """Standard deviation that a Gaussian of the same 80th percentile has: what the spotter takes."""
    length = entries.shape[1]
    filled = np.minimum(np.repeat(count, 2), length)
    # A ring that is not yet full has its values in front; what lies behind them counts as infinitely large.
    ordered = np.sort(np.where(np.arange(length) < filled[:, None], entries, np.inf), axis=1)
    rank = (QUICK_SHARE * filled).astype(np.int64)
    at_rank: np.ndarray = ordered[np.arange(len(ordered)), np.minimum(rank, length - 1)]
    return np.asarray(at_rank / QUICK_DEVIATIONS, np.float32)
