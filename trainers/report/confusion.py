"""Confusion matrices as the page draws them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainers.metrics.recognition import confusion_matrix
from trainers.report.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class Cell:
    """How often one class was named so."""

    count: str
    percent: float
    """Of the row's true class."""
    right: bool


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """A confusion matrix: true classes in rows, predicted ones in columns."""

    name: str
    labels: Sequence[str]
    totals: Sequence[int]
    rows: Sequence[Sequence[Cell]]


def matrices(predictions: Predictions, labels: Sequence[str]) -> list[Matrix]:
    """Of all answers, then of each data set where there are several; counts are means over seeds."""
    everyone = np.ones(len(predictions.rows), bool)
    names = sorted({str(name) for name in predictions.dataset})
    parts = [(name, predictions.dataset == name) for name in names] if len(names) > 1 else []
    several = len(np.unique(predictions.rows)) < len(predictions.rows)
    whole = ("All tasks" if several else "All clips", everyone)
    return [_matrix(name, predictions, chosen, labels) for name, chosen in [whole, *parts]]


def _matrix(name: str, predictions: Predictions, chosen: np.ndarray, labels: Sequence[str]) -> Matrix:
    truth = predictions.truth[chosen]
    counts = [confusion_matrix(truth, predicted, len(labels)) for predicted in predictions.predicted[:, chosen]]
    mean = np.mean(counts, axis=0)
    totals = mean.sum(axis=1)
    rows = [
        [
            Cell(count=_count(value), percent=100 * value / max(totals[true], 1), right=true == predicted)
            for predicted, value in enumerate(row)
        ]
        for true, row in enumerate(mean.tolist())
    ]
    return Matrix(name=name, labels=labels, totals=[round(total) for total in totals.tolist()], rows=rows)


def _count(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"
