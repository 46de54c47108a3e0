"""Who was read well and who was not, and every clip that was read wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainers.feature_file import FeatureFile
from trainers.report.headline import look_of
from trainers.report.predictions import Predictions

HARDEST = 8
FEWEST_CLIPS = 3
"""A subject with fewer clips is not called hard: one miss would be half of them."""
LISTED_MISTAKES = 600


@dataclass(frozen=True, kw_only=True)
class Fold:
    """How one fold went, averaged over seeds."""

    name: str
    clips: int
    right: str
    """Clips named right."""
    percent: float
    """Of its clips."""
    by_label: Sequence[tuple[str, str, int, str]]
    """Of each label that it has: name, look, clips, and those named right."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A clip that the seeds together name wrong."""

    clip: str
    subject: str
    true: str
    true_look: str
    predicted: str
    predicted_look: str
    probability: float
    true_probability: float
    wrong_seeds: str
    """`3 of 3`."""


def folds_of(predictions: Predictions, labels: Sequence[str], seconds: Sequence[float]) -> list[Fold]:
    """Every fold in the protocol's order.

    Args:
        predictions: of the run.
        labels: names of the classes.
        seconds: mean time of each fold.
    """
    found = []
    for place, name in enumerate(predictions.fold_names):
        own = predictions.fold == place
        if own.any():
            found.append(_fold(name, predictions, own, labels, seconds[place]))
    return found


def _fold(name: str, predictions: Predictions, own: np.ndarray, labels: Sequence[str], seconds: float) -> Fold:
    right, truth = predictions.right[:, own].mean(axis=0), predictions.truth[own]
    by_label = [
        (label, look_of(label, place), int((truth == place).sum()), _number(float(right[truth == place].sum())))
        for place, label in enumerate(labels)
        if (truth == place).any()
    ]
    return Fold(
        name=name,
        clips=int(own.sum()),
        right=_number(float(right.sum())),
        percent=100 * float(right.mean()),
        by_label=by_label,
        seconds=seconds,
    )


def hardest(folds: Sequence[Fold]) -> list[Fold]:
    """The folds with the smallest share of right answers, of those with a few clips."""
    enough = [fold for fold in folds if fold.clips >= FEWEST_CLIPS and fold.percent < 100]
    return sorted(enough, key=lambda fold: (fold.percent, -fold.clips))[:HARDEST]


def mistakes(predictions: Predictions, features: FeatureFile, labels: Sequence[str]) -> list[Mistake]:
    """Clips whose averaged probabilities name another class, the surest first."""
    averaged = predictions.averaged
    answer = averaged.argmax(axis=1)
    wrong = np.flatnonzero(answer != predictions.truth)
    order = wrong[np.argsort(-averaged[wrong, answer[wrong]], kind="stable")]
    seeds_wrong = (~predictions.right).sum(axis=0)
    return [
        Mistake(
            clip=str(features.clip[predictions.rows[column]]),
            subject=str(predictions.subject[column]),
            true=labels[predictions.truth[column]],
            true_look=look_of(labels[predictions.truth[column]], int(predictions.truth[column])),
            predicted=labels[answer[column]],
            predicted_look=look_of(labels[answer[column]], int(answer[column])),
            probability=float(averaged[column, answer[column]]),
            true_probability=float(averaged[column, predictions.truth[column]]),
            wrong_seeds=f"{seeds_wrong[column]} of {len(predictions.seeds)}",
        )
        for column in order.tolist()
    ]


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value - round(value)) < 1e-6 else f"{value:.1f}"
