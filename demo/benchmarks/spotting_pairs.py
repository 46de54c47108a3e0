"""Do 30 and 200 Hz give the same events? One script filmed at both rates, with and without loss."""

from dataclasses import replace
from itertools import product
from typing import Any, Literal, get_args

import numpy as np

from demo.benchmarks.spotting_takes import Outcome, Take
from trainers.datasets.synthetic_videos import PRESETS, Filming
from trainers.metrics.spotting import match_intervals

SEEDS, RATES_HZ = (61, 62), (30.0, 200.0)
"""Scripts that are filmed twice, and at which rates."""
FILM_S = 12.0
"""Length of each of these films, seconds."""
CONDITIONS = ("moving", "still")

Codec = Literal["h264", "h264-lossless"]
"""Rate pairs are filmed with both: H.264 leaves out small changes, most of all at 200 Hz, so that what it films is no
longer quite the same movement."""


def pair_takes(*, quick: bool = False) -> list[Take]:
    """Both films of every script, the slow one before the fast one."""
    seeds, conditions = (SEEDS[:1], CONDITIONS[:1]) if quick else (SEEDS, CONDITIONS)
    return [
        Take(
            condition=f"{condition}, {codec}", rate_hz=rate_hz, seed=seed, identity=seed, duration_s=FILM_S,
            scene=PRESETS[condition], filming=replace(Filming(), codec=codec),
        )
        for condition, codec, seed, rate_hz in product(conditions, get_args(Codec), seeds, RATES_HZ)
    ]  # fmt: skip


def rate_differences(slow: Outcome, fast: Outcome) -> list[float]:
    """Largest difference of onset, apex and offset, ms, of each expression spotted in both films of a script."""
    pairs = match_intervals(
        [(one.onset_s, one.offset_s) for one in slow.events], [(one.onset_s, one.offset_s) for one in fast.events]
    )
    differences = []
    for pair in pairs:
        one, other = slow.events[pair.truth], fast.events[pair.event]
        first, second = (np.array([a.onset_s, a.apex_s or 0.0, a.offset_s]) for a in (one, other))
        differences.append(1000.0 * float(np.abs(first - second).max()))
    return differences


def pair_figures(outcomes: list[Outcome]) -> dict[str, Any]:
    """How far the films of one script differ, by condition and codec.

    Args:
        outcomes: of `pair_takes`, in their order.
    """
    differences: dict[str, list[float]] = {}
    for slow, fast in zip(outcomes[::2], outcomes[1::2], strict=True):
        differences.setdefault(slow.condition, []).extend(rate_differences(slow, fast))
    return {
        condition: {
            "expressions": len(values),
            "median_ms": float(np.median(values)) if values else None,
            "largest_ms": max(values, default=None),
            "within_one_frame": sum(value <= 1000.0 / min(RATES_HZ) + 0.5 for value in values),
        }
        for condition, values in differences.items()
    }
