"""The sensitivity dial, calibrated: what each position finds, and what it costs in false alarms."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from demo.benchmarks.spotting_figures import scored
from demo.benchmarks.spotting_takes import NATURAL, POSITIONS, USUAL_HZ, Outcome

SITUATIONS: dict[str, Callable[[Outcome], bool]] = {
    "natural": lambda outcome: outcome.condition == NATURAL and outcome.rate_hz == USUAL_HZ,
    "speech": lambda outcome: outcome.condition == "speech",
    "at rest": lambda outcome: outcome.condition == "at rest",
    "footage untouched": lambda outcome: outcome.condition == "untouched",
    "footage, brows": lambda outcome: outcome.condition == "brows",
}
"""Recordings on which each position is judged."""


def dial_figures(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Any]]:
    """Recall, F1 and false alarms a minute of micro-expressions, by situation and position.

    Args:
        outcomes: those with events at every position count.
    """
    known = [outcome for outcome in outcomes if outcome.at_positions]
    found: dict[str, dict[str, Any]] = {}
    for name, belongs in SITUATIONS.items():
        chosen = [outcome for outcome in known if belongs(outcome)]
        if chosen:
            found[name] = {f"{position:g}": _figures(chosen, position) for position in POSITIONS}
    return found


def _figures(outcomes: Sequence[Outcome], position: float) -> dict[str, Any]:
    score = scored([replace(outcome, events=outcome.at_positions[position]) for outcome in outcomes])
    true = score.true_positives + score.false_negatives
    return {
        "true": true,
        "recall": score.recall if true else None,
        "f1": score.f1 if true else None,
        "false_alarms_per_minute": score.as_record()["false_alarms_per_minute"],
    }


def render_dial(dial: dict[str, dict[str, Any]]) -> list[str]:
    """The calibration as lines of a table."""
    if not dial:
        return []
    lines = ["the dial: recall / false alarms a minute of micro-expressions, by position"]
    lines.append(f"{'':>24}" + "".join(f"{f'{position:g}':>14}" for position in POSITIONS))
    for name, positions in dial.items():
        lines.append(f"{name:>24}" + "".join(f"{_cell(one):>14}" for one in positions.values()))
    return lines


def _cell(one: dict[str, Any]) -> str:
    recall = "–" if one["recall"] is None else f"{one['recall']:.2f}"
    alarms = one["false_alarms_per_minute"]
    return f"{recall} / {'–' if alarms is None else format(alarms, '.1f')}"
