"""All folds of a run side by side: what was answered for which clip under every seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from engines.errors import BadInput
from trainers.feature_file import FeatureFile
from trainers.fold_record import FoldRecord
from trainers.metrics.recognition import confusion_matrix, uf1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """Answers of a run, one column a tested clip; a clip that several folds test stands there several times."""

    seeds: tuple[int, ...]
    rows: Int64[np.ndarray, "N"]
    """Of the feature file."""
    fold: Int64[np.ndarray, "N"]
    """Place of the fold that tested it."""
    fold_names: tuple[str, ...]
    truth: Int64[np.ndarray, "N"]
    dataset: np.ndarray
    subject: np.ndarray
    """Names with their data set, so that they are unique: "casme2/sub01"."""
    probabilities: Float32[np.ndarray, "seeds N K"]
    by_epoch: Int64[np.ndarray, "seeds epochs N"]
    """Predicted classes after each epoch; a fold that stopped early keeps its last."""

    @property
    def predicted(self) -> Int64[np.ndarray, "seeds N"]:
        """The honest prediction under each seed."""
        predicted: Int64[np.ndarray, "seeds N"] = self.probabilities.argmax(axis=2).astype(np.int64)
        return predicted

    @property
    def right(self) -> Bool[np.ndarray, "seeds N"]:
        """Where the prediction is the truth."""
        right: Bool[np.ndarray, "seeds N"] = self.predicted == self.truth
        return right

    @property
    def averaged(self) -> Float32[np.ndarray, "N K"]:
        """Probabilities averaged over seeds."""
        mean: Float32[np.ndarray, "N K"] = self.probabilities.mean(axis=0)
        return mean

    def uf1_by_epoch(self) -> Float64[np.ndarray, "seeds epochs"]:
        """Pooled UF1 after each epoch: to be drawn, never to be chosen by."""
        classes = self.probabilities.shape[2]
        return np.array(
            [[uf1(confusion_matrix(self.truth, given, classes)) for given in answers] for answers in self.by_epoch]
        )


def predictions_of(folds: Sequence[FoldRecord], features: FeatureFile) -> Predictions:
    """Lay the folds of all seeds side by side.

    Args:
        folds: of every seed, in any order.
        features: what their rows point into.

    Raises:
        BadInput: if there is no fold, or the seeds did not do the same folds.
    """
    if not folds:
        raise BadInput("a report needs at least one fold: train first")
    seeds = sorted({fold.seed for fold in folds})
    by_seed = [sorted((fold for fold in folds if fold.seed == seed), key=lambda fold: fold.place) for seed in seeds]
    first = by_seed[0]
    rows = np.concatenate([fold.test for fold in first])
    for seed, own in zip(seeds, by_seed, strict=True):
        if not np.array_equal(np.concatenate([fold.test for fold in own]), rows):
            raise BadInput(f"folds of seed {seed} test other clips than those of seed {seeds[0]}: finish the run first")
    epochs = max(len(fold.epoch_predictions) for fold in folds)
    return Predictions(
        seeds=tuple(seeds),
        rows=rows,
        fold=np.repeat(np.arange(len(first)), [len(fold.test) for fold in first]),
        fold_names=tuple(fold.name for fold in first),
        truth=features.y[rows],
        dataset=features.dataset[rows],
        subject=np.array([f"{features.dataset[row]}/{features.subject[row]}" for row in rows]),
        probabilities=np.stack([np.concatenate([fold.probabilities for fold in own]) for own in by_seed]),
        by_epoch=np.stack([np.concatenate([_padded(fold, epochs) for fold in own], axis=1) for own in by_seed]),
    )


def _padded(fold: FoldRecord, epochs: int) -> Int64[np.ndarray, "epochs test"]:
    given = fold.epoch_predictions
    if not len(given):
        given = fold.predicted[None]
    return np.concatenate([given, np.repeat(given[-1:], max(epochs - len(given), 0), axis=0)])
