"""Scalars for TensorBoard, read back as TensorBoard reads them."""

from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from engines.errors import BadInput
from tests.trainers.demo_run import demo_features, demo_folds, demo_metrics
from trainers.tensorboard import TESTED, TRAINING, VALIDATION, write_tensorboard


def scalars(place: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(place)).Reload()
    return {name: [(event.step, event.value) for event in events.Scalars(name)] for name in events.Tags()["scalars"]}


def test_losses_scores_and_curves_come_back(tmp_path: Path) -> None:
    features = demo_features(30, 3)
    folds = demo_folds(features, seeds=2, epochs=8, inner=True)
    metrics = demo_metrics(folds, features)
    place = write_tensorboard(tmp_path, folds, metrics, features)
    assert place == tmp_path / "tensorboard"
    assert sorted(one.name for one in place.iterdir()) == ["all seeds", "seed 0", "seed 1"]
    fold = next(fold for fold in folds if (fold.seed, fold.place) == (1, 2))
    read = scalars(place / "seed 1" / f"002 {fold.name.replace('/', '-')}")
    assert [step for step, _ in read[TRAINING]] == list(range(1, len(fold.training_losses) + 1))
    np.testing.assert_allclose([value for _, value in read[TRAINING]], fold.training_losses)
    np.testing.assert_allclose([value for _, value in read[VALIDATION]], fold.validation_losses)
    seed = scalars(place / "seed 1")
    assert seed["score/uf1"][0][1] == pytest.approx(metrics["seeds"][1]["uf1"])
    # Each fold's last answers are its kept ones here, so the curve of the tested clips ends at the score.
    assert seed[TESTED][-1][1] == pytest.approx(metrics["seeds"][1]["uf1"])
    means = scalars(place / "all seeds")
    assert means["score/uar"][0][1] == pytest.approx(metrics["mean"]["uar"])
    assert means["score of smic-hs/uf1"][0][1] == pytest.approx(metrics["datasets"]["smic-hs"]["mean"]["uf1"])
    assert means["F1 by class/surprise"][0][1] == pytest.approx(metrics["f1_by_class"]["surprise"])


def test_an_older_one_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    features = demo_features(20, 2)
    folds = demo_folds(features, seeds=1, epochs=4)
    (tmp_path / "tensorboard" / "seed 7").mkdir(parents=True)
    write_tensorboard(tmp_path, folds, demo_metrics(folds, features), features)
    assert [one.name for one in tmp_path.iterdir()] == ["tensorboard"]
    assert not (tmp_path / "tensorboard" / "seed 7").exists()
    assert VALIDATION not in scalars(tmp_path / "tensorboard" / "seed 0")


def test_a_run_without_folds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="at least one fold"):
        write_tensorboard(tmp_path, [], {}, demo_features(10, 2))
    assert not list(tmp_path.iterdir())
