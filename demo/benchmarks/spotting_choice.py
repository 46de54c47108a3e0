"""Leave one identity out: the sensitivity that is best on the other faces, put to the face that was left out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from demo.benchmarks.spotting_figures import scored
from demo.benchmarks.spotting_takes import NATURAL, POSITIONS, Outcome
from realtime.spotting.parameters import SpottingParameters

DEFAULT = SpottingParameters().sensitivity
MOST_ALARMS = 1.0
"""On recordings of real faces: micro false alarms a minute that a position may cost."""
UNTOUCHED, INSERTED = "untouched", "brows"


def choice_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Figures of a dial that is set on other faces, beside those of the default.

    Args:
        outcomes: those with events at every position of the dial count.

    Returns:
        For portraits under the main condition, where F1 of the others decides, and for recordings, where recall of
        the others' insertions decides among the positions that cost at most `MOST_ALARMS` on them as they are: by
        identity the position, and by identity and pooled the figures at it and at the default. None without at least
        two faces.
    """
    known = [outcome for outcome in outcomes if outcome.at_positions]
    portraits = [outcome for outcome in known if outcome.condition == NATURAL]
    recordings = [outcome for outcome in known if outcome.condition in (UNTOUCHED, INSERTED)]
    return {"portraits": _left_out(portraits), "recordings": _left_out(recordings)}


def best_position(outcomes: Sequence[Outcome]) -> float:
    """The position at which some faces are spotted best; among equals the one nearest to the default.

    Args:
        outcomes: portraits, or recordings with and without insertions.
    """
    untouched = [outcome for outcome in outcomes if outcome.condition == UNTOUCHED]
    judged = [outcome for outcome in outcomes if outcome.condition != UNTOUCHED]
    quiet = [position for position in POSITIONS if _alarms_a_minute(untouched, position) <= MOST_ALARMS]
    return max(
        quiet or POSITIONS[:1],
        key=lambda position: (
            (_score(judged, position)["recall" if untouched else "f1"] or 0.0) if judged else 0.0,
            -abs(position - DEFAULT),
        ),
    )


def _left_out(outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    identities = sorted({outcome.identity for outcome in outcomes})
    if len(identities) < 2:
        return None
    chosen = {
        identity: best_position([outcome for outcome in outcomes if outcome.identity != identity])
        for identity in identities
    }
    at_chosen = [_at(outcome, chosen[outcome.identity]) for outcome in outcomes]
    at_default = [_at(outcome, DEFAULT) for outcome in outcomes]
    return {
        "by_identity": {
            identity: {
                "position": chosen[identity],
                "chosen": _figures([outcome for outcome in at_chosen if outcome.identity == identity]),
                "default": _figures([outcome for outcome in at_default if outcome.identity == identity]),
            }
            for identity in identities
        },
        "pooled": {"chosen": _figures(at_chosen), "default": _figures(at_default)},
    }


def _at(outcome: Outcome, position: float) -> Outcome:
    return replace(outcome, events=outcome.at_positions[position])


def _figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What is found where something is true, and false alarms where recordings are untouched, else everywhere."""
    expressive = [outcome for outcome in outcomes if outcome.condition != UNTOUCHED]
    untouched = [outcome for outcome in outcomes if outcome.condition == UNTOUCHED]
    record = scored(expressive).as_record() if expressive else {"f1": None, "precision": None, "recall": None}
    alarms = scored(untouched or expressive).as_record()["false_alarms_per_minute"]
    true = sum(truth.kind == "micro" for outcome in expressive for truth in outcome.truths)
    named = {name: record[name] if true else None for name in ("f1", "precision", "recall")}
    return {"true": true, **named, "false_alarms_per_minute": alarms}


def _score(outcomes: Sequence[Outcome], position: float) -> dict[str, Any]:
    return scored([_at(outcome, position) for outcome in outcomes]).as_record()


def _alarms_a_minute(untouched: Sequence[Outcome], position: float) -> float:
    return float(_score(untouched, position)["false_alarms_per_minute"] or 0.0) if untouched else 0.0


def render_choice(choice: dict[str, Any] | None) -> list[str]:
    """The figures as lines of a table."""
    lines: list[str] = []
    for what, found in (choice or {}).items():
        if found is None:
            continue
        lines.append(f"{what}, leaving one out: F1, recall and false alarms a minute, the dial set on the others")
        lines.append(f"{'':>16} {'dial':>5} {'micro':>6} {'chosen':>22} {'default':>22}")
        for identity, one in found["by_identity"].items():
            lines.append(_line(identity, f"{one['position']:g}", one))
        lines.append(_line("pooled", "", found["pooled"]))
    return lines


def _line(name: str, position: str, one: dict[str, Any]) -> str:
    cells = " ".join(f"{_cell(one[setting]):>22}" for setting in ("chosen", "default"))
    return f"{name:>16.16} {position:>5} {one['chosen']['true']:>6} {cells}"


def _cell(found: dict[str, Any]) -> str:
    values = (("f1", ".3f"), ("recall", ".2f"), ("false_alarms_per_minute", ".2f"))
    return " / ".join("–" if found[name] is None else format(found[name], form) for name, form in values)
