"""The scores of a run: folds pooled, seeds averaged, the leaky score beside the honest one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int64

from trainers.feature_file import FeatureFile
from trainers.fold_record import FoldRecord
from trainers.metrics.recognition import confusion_matrix, f1_by_class, recognition_scores

SCORES = ("uf1", "uar", "accuracy")
LEAKY_WARNING = (
    "Leaky: in every fold the epoch that does best on the tested subject was picked. Several published figures are of "
    "this kind; it says how a network does on people it was tuned on, and must not be quoted as a result."
)


def run_scores(
    folds: Sequence[FoldRecord], features: FeatureFile, label_names: Sequence[str], *, by_task: bool = False
) -> dict[str, Any]:
    """Score all folds of a run.

    Args:
        folds: of every seed.
        features: what their rows point into.
        label_names: of the classes.
        by_task: score every fold by itself and average, as cross-database protocols do, instead of pooling.

    Returns:
        The scores of `metrics.json`; see the README.
    """
    seeds = sorted({fold.seed for fold in folds})
    by_seed = {seed: sorted((f for f in folds if f.seed == seed), key=lambda fold: fold.place) for seed in seeds}
    single = [_seed_scores(seed, by_seed[seed], features, label_names, by_task) for seed in seeds]
    together = _averaged_over_seeds([by_seed[seed] for seed in seeds])
    record = {
        **_mean(single, SCORES),
        "mean": _mean(single, SCORES),
        "sd": _deviation(single, SCORES),
        "datasets": _spread_by([scores["datasets"] for scores in single]),
        "f1_by_class": {
            name: float(np.mean([scores["f1_by_class"][name] for scores in single])) for name in label_names
        },
        "ensemble_of_seeds": _scores(together, [fold.predicted for fold in together], features, label_names, by_task),
        "leaky_best_epoch": {
            "warning": LEAKY_WARNING,
            "mean": _mean([scores["leaky_best_epoch"] for scores in single], SCORES),
            "sd": _deviation([scores["leaky_best_epoch"] for scores in single], SCORES),
            "datasets": _spread_by([scores["leaky_best_epoch"]["datasets"] for scores in single]),
        },
        "confusion": single[0]["confusion"],
        "epochs": _epochs(folds),
        "seconds": float(sum(fold.seconds for fold in folds)),
        "peak_memory_mib": float(max(fold.peak_memory_mib for fold in folds)),
        "seeds": single,
    }
    if by_task:
        record["tasks"] = _spread_by([scores["tasks"] for scores in single])
    return record


def _seed_scores(
    seed: int, folds: Sequence[FoldRecord], features: FeatureFile, label_names: Sequence[str], by_task: bool
) -> dict[str, Any]:
    leaky = [_best_epoch(fold, features.y[fold.test]) for fold in folds]
    honest = _scores(folds, [fold.predicted for fold in folds], features, label_names, by_task)
    return {
        "seed": seed,
        **honest,
        "leaky_best_epoch": _scores(folds, leaky, features, label_names, by_task),
        "epochs": _epochs(folds),
        "seconds": float(sum(fold.seconds for fold in folds)),
    }


def _scores(
    folds: Sequence[FoldRecord],
    predicted: Sequence[np.ndarray],
    features: FeatureFile,
    label_names: Sequence[str],
    by_task: bool,
) -> dict[str, Any]:
    classes = len(label_names)
    tests = [fold.test for fold in folds]
    record = _pooled(tests, predicted, features, classes)
    confusion = np.array(record["confusion"])
    record["f1_by_class"] = dict(zip(label_names, f1_by_class(confusion).tolist(), strict=True))
    record["datasets"] = {
        str(name): _pooled(*_of_dataset(tests, predicted, features, str(name)), features, classes)
        for name in np.unique(features.dataset[np.concatenate(tests)])
    }
    if by_task:
        record["tasks"] = {
            fold.name: _pooled([fold.test], [given], features, classes)
            for fold, given in zip(folds, predicted, strict=True)
        }
        record |= {score: float(np.mean([task[score] for task in record["tasks"].values()])) for score in SCORES}
    return record


def _pooled(
    tests: Sequence[np.ndarray], predicted: Sequence[np.ndarray], features: FeatureFile, classes: int
) -> dict[str, Any]:
    rows, given = np.concatenate(tests), np.concatenate(predicted)
    return {"clips": len(rows), **recognition_scores(confusion_matrix(features.y[rows], given, classes))}


def _of_dataset(
    tests: Sequence[np.ndarray], predicted: Sequence[np.ndarray], features: FeatureFile, name: str
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    kept = [features.dataset[rows] == name for rows in tests]
    return (
        [rows[own] for rows, own in zip(tests, kept, strict=True)],
        [given[own] for given, own in zip(predicted, kept, strict=True)],
    )


def _best_epoch(fold: FoldRecord, truth: Int64[np.ndarray, "test"]) -> Int64[np.ndarray, "test"]:
    """Predictions after the first epoch that names most of the tested clips right."""
    right = (fold.epoch_predictions == truth).sum(axis=1)
    best: np.ndarray = fold.epoch_predictions[int(right.argmax())]
    return best


def _averaged_over_seeds(seeds: Sequence[Sequence[FoldRecord]]) -> list[FoldRecord]:
    """Each fold with the mean of its probabilities over the seeds."""
    return [
        replace(same[0], probabilities=np.mean([fold.probabilities for fold in same], axis=0).astype(np.float32))
        for same in zip(*seeds, strict=True)
    ]


def _epochs(folds: Sequence[FoldRecord]) -> int | dict[str, float]:
    """The one number of epochs, or how it spread where the inner split chose it."""
    kept = [fold.kept_epoch for fold in folds]
    if len(set(kept)) == 1:
        return kept[0]
    return {"median": float(np.median(kept)), "least": min(kept), "most": max(kept)}


def _mean(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, float]:
    return {name: float(np.mean([record[name] for record in records])) for name in names}


def _deviation(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, float | None]:
    """Standard deviation over seeds; None for a single one, which says nothing about others."""
    if len(records) < 2:
        return dict.fromkeys(names)
    return {name: float(np.std([record[name] for record in records], ddof=1)) for name in names}


def _spread_by(records: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Mean and deviation over seeds of each data set's or each task's scores."""
    return {
        name: {
            "clips": records[0][name]["clips"],
            "mean": _mean([record[name] for record in records], SCORES),
            "sd": _deviation([record[name] for record in records], SCORES),
        }
        for name in records[0]
    }
