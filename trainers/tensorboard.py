"""Scalars of a training run for TensorBoard, on request."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from engines.errors import BadInput
from trainers.feature_file import FeatureFile
from trainers.fold_record import FoldRecord
from trainers.report.predictions import predictions_of

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

TENSORBOARD_FOLDER = "tensorboard"
SCORES = ("uf1", "uar", "accuracy")
TRAINING, VALIDATION = "loss/training", "loss/inner validation"
TESTED = "tested clips, not used for anything/pooled UF1"


def write_tensorboard(
    folder: Path, folds: Sequence[FoldRecord], metrics: Mapping[str, Any], features: FeatureFile
) -> Path:
    """Write what a run measured as TensorBoard reads it.

    `tensorboard --logdir FOLDER/tensorboard` then shows one curve a fold ("seed 0/003 casme2-sub04": its losses), one a
    seed ("seed 0": losses averaged over folds, final scores, and the pooled UF1 of the tested clips after each
    epoch, which nothing was chosen by), and the scores averaged over seeds ("all seeds").

    Args:
        folder: of the training run; `tensorboard` in it is replaced.
        folds: of every seed.
        metrics: as `metrics.json` holds them.
        features: what the folds' rows point into.

    Returns:
        The folder `tensorboard`.

    Raises:
        BadInput: if the seeds did not do the same folds, or nothing can be written there.
    """
    predictions = predictions_of(folds, features)
    test_curves = predictions.uf1_by_epoch()
    scores: dict[int, Mapping[str, Any]] = {int(one["seed"]): one for one in metrics.get("seeds") or ()}
    place, unfinished = folder / TENSORBOARD_FOLDER, folder / f".{TENSORBOARD_FOLDER}.tmp"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        for seed, test_curve in zip(predictions.seeds, test_curves, strict=True):
            own = sorted((fold for fold in folds if fold.seed == seed), key=lambda fold: fold.place)
            _write_seed(unfinished / f"seed {seed}", own, test_curve, scores.get(seed, {}))
        _write_means(unfinished / "all seeds", metrics)
        shutil.rmtree(place, ignore_errors=True)
        unfinished.replace(place)
    except OSError as fault:
        raise BadInput(f"{place}: cannot be written ({fault.strerror}); free some space") from fault
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return place


def _write_seed(
    place: Path, folds: Sequence[FoldRecord], test_curve: Float[np.ndarray, "epochs"], scores: Mapping[str, Any]
) -> None:
    for fold in folds:
        with _writer(place / f"{fold.place:03d} {_file_name(fold.name)}") as writer:
            _add_curve(writer, TRAINING, fold.training_losses)
            _add_curve(writer, VALIDATION, fold.validation_losses)
    with _writer(place) as writer:
        _add_curve(writer, TRAINING, _mean([fold.training_losses for fold in folds]))
        _add_curve(writer, VALIDATION, _mean([fold.validation_losses for fold in folds]))
        _add_curve(writer, TESTED, test_curve)
        _add_scores(writer, "score", scores)


def _write_means(place: Path, metrics: Mapping[str, Any]) -> None:
    with _writer(place) as writer:
        _add_scores(writer, "score", metrics["mean"])
        for name, scores in (metrics.get("tasks") or metrics.get("datasets") or {}).items():
            _add_scores(writer, f"score of {name}", scores["mean"])
        for label, f1 in (metrics.get("f1_by_class") or {}).items():
            writer.add_scalar(f"F1 by class/{label}", f1, 0)


@contextmanager
def _writer(place: Path) -> Iterator["SummaryWriter"]:
    # Brings PyTorch in, and TensorBoard's protocol buffers: only where somebody asks for them.
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(place))
    try:
        yield writer
    finally:
        writer.close()


def _add_curve(writer: "SummaryWriter", name: str, values: np.ndarray) -> None:
    for epoch, value in enumerate(values.tolist(), start=1):
        writer.add_scalar(name, value, epoch)


def _add_scores(writer: "SummaryWriter", name: str, scores: Mapping[str, Any]) -> None:
    for score in SCORES:
        if scores.get(score) is not None:
            writer.add_scalar(f"{name}/{score}", float(scores[score]), 0)


def _mean(curves: Sequence[np.ndarray]) -> Float[np.ndarray, "epochs"]:
    """Mean over the folds that are still training."""
    longest = max(len(curve) for curve in curves)
    reaching = [[curve[epoch] for curve in curves if len(curve) > epoch] for epoch in range(longest)]
    return np.array([np.mean(values) for values in reaching])


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", name).strip("-")
