"""Folds pooled by hand, against what `run_scores` says."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from trainers.feature_file import FeatureFile
from trainers.fold_record import FoldRecord
from trainers.metrics.pooled import run_scores

NAMES = ("negative", "positive", "surprise")


def made_up(seeds: int = 2, epochs: int = 5) -> tuple[FeatureFile, list[FoldRecord]]:
    """Four subjects of two data sets, tested one by one with random answers."""
    generator = np.random.default_rng(0)
    count = 80
    features = FeatureFile(
        path=Path("made-up.npz"),
        x=np.zeros((count, 2, 2, 3), np.uint8),
        y=generator.integers(0, 3, count),
        subject=np.array([f"s{row // 20}" for row in range(count)]),
        dataset=np.array(["casme2" if row < 40 else "smic" for row in range(count)]),
        clip=np.array([f"c{row}" for row in range(count)]),
        label_names=NAMES,
        variant=np.full(count, ""),
    )
    folds = []
    for seed in range(seeds):
        for place in range(4):
            test = np.arange(20 * place, 20 * place + 20)
            folds.append(
                FoldRecord(
                    name=f"subject {place}",
                    seed=seed,
                    place=place,
                    train=np.setdiff1d(np.arange(count), test),
                    validation=np.empty(0, np.int64),
                    test=test,
                    probabilities=generator.dirichlet([1, 1, 1], 20).astype(np.float32),
                    epoch_predictions=generator.integers(0, 3, (epochs, 20)),
                    training_losses=np.ones(epochs, np.float32),
                    validation_losses=np.empty(0, np.float32),
                    kept_epoch=epochs,
                    seconds=2.0,
                    peak_memory_mib=100.0 + place,
                )
            )
    return features, folds


def test_scores_are_pooled_over_folds_and_averaged_over_seeds() -> None:
    features, folds = made_up()
    scores = run_scores(folds, features, NAMES)
    by_seed = []
    for seed in (0, 1):
        own = [fold for fold in folds if fold.seed == seed]
        truth = np.concatenate([features.y[fold.test] for fold in own])
        given = np.concatenate([fold.predicted for fold in own])
        by_seed.append(f1_score(truth, given, average="macro"))
        record = scores["seeds"][seed]
        assert record["uf1"] == pytest.approx(by_seed[-1])
        assert record["uar"] == pytest.approx(recall_score(truth, given, average="macro"))
        assert record["accuracy"] == pytest.approx(accuracy_score(truth, given))
        assert list(record["f1_by_class"].values()) == pytest.approx(f1_score(truth, given, average=None))
        smic = features.dataset[np.concatenate([fold.test for fold in own])] == "smic"
        assert record["datasets"]["smic"]["uf1"] == pytest.approx(f1_score(truth[smic], given[smic], average="macro"))
        assert record["datasets"]["smic"]["clips"] == 40
    assert scores["uf1"] == scores["mean"]["uf1"] == pytest.approx(np.mean(by_seed))
    assert scores["sd"]["uf1"] == pytest.approx(np.std(by_seed, ddof=1))
    assert (scores["epochs"], scores["seconds"], scores["peak_memory_mib"]) == (5, 16.0, 103.0)
    json.dumps(scores)


def test_the_leaky_score_picks_each_folds_best_epoch() -> None:
    features, folds = made_up(seeds=1)
    right = sum(int((fold.epoch_predictions == features.y[fold.test]).sum(axis=1).max()) for fold in folds)
    scores = run_scores(folds, features, NAMES)
    assert scores["leaky_best_epoch"]["mean"]["accuracy"] == pytest.approx(right / 80)
    assert scores["leaky_best_epoch"]["mean"]["accuracy"] > scores["accuracy"]
    assert "must not be quoted" in scores["leaky_best_epoch"]["warning"]
    assert scores["sd"] == {"uf1": None, "uar": None, "accuracy": None}


def test_the_ensemble_averages_probabilities() -> None:
    features, folds = made_up()
    together = np.concatenate(
        [(folds[place].probabilities + folds[place + 4].probabilities).argmax(axis=1) for place in range(4)]
    )
    scores = run_scores(folds, features, NAMES)
    assert scores["ensemble_of_seeds"]["uf1"] == pytest.approx(f1_score(features.y, together, average="macro"))


def test_tasks_are_scored_one_by_one_and_averaged() -> None:
    features, folds = made_up(seeds=1)
    scores = run_scores(folds, features, NAMES, by_task=True)
    each = [f1_score(features.y[fold.test], fold.predicted, average="macro") for fold in folds]
    assert [task["mean"]["uf1"] for task in scores["tasks"].values()] == pytest.approx(each)
    assert scores["uf1"] == pytest.approx(np.mean(each))
