"""The scores that a reader looks for first, and how sure they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainers.metrics.bootstrap import ConfidenceInterval, subject_bootstrap
from trainers.report.predictions import Predictions

LEAKY_WORDS = (
    "It was picked by looking at the answers: in every fold the epoch that does best on the very people who are "
    "tested, so it must not be quoted as a result."
)
NAMED_LOOKS = ("negative", "positive", "surprise")
"""Labels that have a style class of their own name."""
OTHER_LOOKS = ("fourth", "fifth", "sixth", "seventh", "negative", "positive")
"""Style classes of other labels, by their place."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Scores of everything, or of one data set or task."""

    name: str
    clips: int
    uf1: str
    uar: str
    accuracy: str
    interval: ConfidenceInterval | None
    """Of UF1 over subjects; None where scores are not pooled."""
    place: float
    """UF1 on a scale of 0–100."""
    leaky_uf1: str
    leaky_uar: str


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """F1 of one class."""

    label: str
    look: str
    f1: float
    clips: int


def with_deviation(mean: float | None, deviation: float | None) -> str:
    """`0.612 ± 0.008`; without a deviation where one seed alone was trained."""
    if mean is None:
        return "–"
    return f"{mean:.3f}" if deviation is None else f"{mean:.3f} ± {deviation:.3f}"


def look_of(label: str, place: int) -> str:
    """Style class of a label."""
    return label if label in NAMED_LOOKS else OTHER_LOOKS[place % len(OTHER_LOOKS)]


def score_rows(metrics: Mapping[str, Any], predictions: Predictions, classes: int) -> list[Row]:
    """Everything first, then each task or data set."""
    leaky = metrics.get("leaky_best_epoch") or {}
    pooled = "tasks" not in metrics
    # Those that were scored: hold-out tests a part of the clips, tasks between databases test a clip several times.
    whole = {"clips": len(np.unique(predictions.rows)), "mean": metrics["mean"], "sd": metrics.get("sd")}
    everyone = np.ones(len(predictions.rows), bool)
    rows = [
        _row(
            "All clips" if pooled else "Mean of tasks", whole, leaky, predictions, everyone if pooled else None, classes
        )
    ]
    parts = metrics.get("datasets") or {}
    if not pooled:
        parts = metrics["tasks"]
    elif len(parts) < 2:
        return rows
    for name, scores in parts.items():
        chosen = predictions.dataset == name if pooled else None
        own = (leaky.get("datasets") or {}).get(name, {}) if pooled else {}
        rows.append(_row(str(name), scores, own, predictions, chosen, classes))
    return rows


def _row(
    name: str,
    scores: Mapping[str, Any],
    leaky: Mapping[str, Any],
    predictions: Predictions,
    chosen: np.ndarray | None,
    classes: int,
) -> Row:
    mean, deviation = scores["mean"], scores.get("sd") or {}
    leaky_mean, leaky_deviation = leaky.get("mean") or {}, leaky.get("sd") or {}
    interval = None
    if chosen is not None and chosen.any():
        truth, predicted = predictions.truth[chosen], predictions.predicted[:, chosen]
        interval = subject_bootstrap(truth, predicted, predictions.subject[chosen], classes)
    return Row(
        name=name,
        clips=int(scores.get("clips", 0)),
        uf1=with_deviation(mean["uf1"], deviation.get("uf1")),
        uar=with_deviation(mean["uar"], deviation.get("uar")),
        accuracy=with_deviation(mean["accuracy"], deviation.get("accuracy")),
        interval=interval,
        place=100 * float(mean["uf1"]),
        leaky_uf1=with_deviation(leaky_mean.get("uf1"), leaky_deviation.get("uf1")),
        leaky_uar=with_deviation(leaky_mean.get("uar"), leaky_deviation.get("uar")),
    )


def class_scores(metrics: Mapping[str, Any], predictions: Predictions, labels: Sequence[str]) -> list[ClassScore]:
    """F1 of each class, averaged over seeds, in the order of the labels."""
    f1 = metrics.get("f1_by_class") or {}
    return [
        ClassScore(
            label=label,
            look=look_of(label, place),
            f1=float(f1.get(label, 0.0)),
            clips=int((predictions.truth == place).sum()),
        )
        for place, label in enumerate(labels)
    ]
