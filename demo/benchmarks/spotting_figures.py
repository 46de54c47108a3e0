"""Figures of the spotting bench: pooled scores by condition, rate, identity and amplitude."""

from collections.abc import Callable, Container, Sequence
from itertools import groupby
from typing import Any

from demo.benchmarks.spotting_takes import Outcome
from trainers.metrics.interval_matching import Pairing, pair_up
from trainers.metrics.spotting import Interval, SpottingScore, Which, score_pairing

AMPLITUDE_BINS_PX = ((0.8, 1.5), (1.5, 2.2), (2.2, 3.0))
"""Canthus-normalised pixels; the last one includes its upper bound."""
WELL_VISIBLE_PX = 1.5


def scored(outcomes: Sequence[Outcome], which: Which = "micro") -> SpottingScore:
    """Pooled score of some recordings."""
    return score_pairing(_pairing(outcomes, which), sum(outcome.duration_s for outcome in outcomes))


def scored_between(outcomes: Sequence[Outcome], low_px: float, high_px: float) -> SpottingScore:
    """Score of the micro-expressions between two amplitudes.

    Args:
        outcomes: of some recordings.
        low_px: least amplitude, included.
        high_px: largest amplitude, excluded.

    Returns:
        The score. No false alarm has an amplitude of its own: each counts in every such score, so that precision and
        F1 are those of a spotter that had all its false alarms and only these truths.
    """
    chosen = {
        truth
        for outcome in outcomes
        for truth, size in zip(outcome.truths, outcome.amplitudes_px, strict=True)
        if low_px <= size < high_px
    }
    return _scored_of(outcomes, chosen)


def scored_calm(outcomes: Sequence[Outcome]) -> SpottingScore:
    """Score of the micro-expressions of a face that does nothing else at the time; false alarms are everyone's."""
    chosen = {truth for outcome in outcomes for truth, calm in zip(outcome.truths, outcome.calm, strict=True) if calm}
    return _scored_of(outcomes, chosen)


def scored_readable(outcomes: Sequence[Outcome]) -> SpottingScore:
    """Score of the micro-expressions put in where a face could be read; false alarms are everyone's."""
    chosen = {
        truth
        for outcome in outcomes
        for truth, readable in zip(outcome.truths, outcome.readable, strict=bool(outcome.readable))
        if readable
    }
    return _scored_of(outcomes, chosen)


def _scored_of(outcomes: Sequence[Outcome], chosen: Container[Interval]) -> SpottingScore:
    pairing = _pairing(outcomes, "micro")
    kept = Pairing(
        hits=tuple(hit for hit in pairing.hits if hit.truth in chosen),
        missed=tuple(truth for truth in pairing.missed if truth in chosen),
        false_alarms=pairing.false_alarms,
    )
    return score_pairing(kept, sum(outcome.duration_s for outcome in outcomes))


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All figures of some recordings, as plain values."""
    micro = scored(outcomes)
    minutes = sum(outcome.duration_s for outcome in outcomes) / 60.0
    return {
        "minutes": minutes,
        "true_micro": micro.true_positives + micro.false_negatives,
        "micro": micro.as_record(),
        "all": scored(outcomes, "all").as_record(),
        "well_visible": scored_between(outcomes, WELL_VISIBLE_PX, float("inf")).as_record(),
        "calm": scored_calm(outcomes).as_record(),
        "readable": scored_readable(outcomes).as_record(),
        "by_amplitude_px": {f"{low:g}–{high:g}": _bin(outcomes, low, high) for low, high in AMPLITUDE_BINS_PX},
        "rejected": sum(outcome.rejected for outcome in outcomes),
    }


def alarms(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """False alarms of recordings in which nothing is true, by kind."""
    minutes = sum(outcome.duration_s for outcome in outcomes) / 60.0
    events = [event.kind for outcome in outcomes for event in outcome.events]
    counts = {kind: events.count(kind) for kind in ("micro", "macro")}
    return {
        "minutes": minutes,
        **counts,
        "micro_per_minute": counts["micro"] / minutes if minutes else None,
        "macro_per_minute": counts["macro"] / minutes if minutes else None,
        "rejected": sum(outcome.rejected for outcome in outcomes),
    }


def grouped(
    outcomes: Sequence[Outcome],
    key: Callable[[Outcome], Any],
    measure: Callable[[Sequence[Outcome]], dict[str, Any]] = figures,
) -> dict[str, dict[str, Any]]:
    """Figures of the recordings that have a key in common, in order of the key."""
    ordered = sorted(outcomes, key=key)
    return {str(value): measure(list(group)) for value, group in groupby(ordered, key=key)}


def _bin(outcomes: Sequence[Outcome], low: float, high: float) -> dict[str, Any]:
    last = high == AMPLITUDE_BINS_PX[-1][1]
    score = scored_between(outcomes, low, float("inf") if last else high)
    return {
        "true": score.true_positives + score.false_negatives,
        "recall": score.recall,
        "f1": score.f1,
        "apex_error_ms": score.as_record()["apex_error_ms"]["median"],
    }


def _pairing(outcomes: Sequence[Outcome], which: Which) -> Pairing:
    return pair_up(
        [truth for outcome in outcomes for truth in outcome.truths],
        [event for outcome in outcomes for event in outcome.events],
        which=which,
    )
