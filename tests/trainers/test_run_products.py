"""What the card of a run's checkpoint says is what was measured and what the weights are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.trainers.test_training_run import PARAMETERS, TRAINING, clips
from trainers.feature_conversion import fitting
from trainers.feature_file import FeatureFile
from trainers.models.registry import model_entry
from trainers.run_products import _data_in_words, finish
from trainers.training_run import TrainingRun
from trainers.workers import LocalWorkers

ONE = LocalWorkers(1)


def two_datasets(size: int = 28) -> FeatureFile:
    features = clips(size=size)
    return replace(features, dataset=np.where(np.arange(len(features)) < 18, "casme2", "smic-hs"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    return TrainingRun(model_entry("ststnet"), two_datasets(), PARAMETERS, tmp_path_factory.mktemp("run") / "run")


def test_an_ensembles_card_holds_the_ensembles_scores(run: TrainingRun) -> None:
    metrics = run.run(ONE)
    assert run.record()["state"] == "running"
    card = finish(run, metrics, ONE, ensemble=True).card
    assert run.record()["state"] == "complete"
    scores, together = card.scores["leave-one-subject-out"], metrics["ensemble_of_seeds"]
    assert scores["of"] == "mean of the seeds' probabilities"
    assert "sd" not in scores
    for name in ("uf1", "uar", "accuracy"):
        assert scores[name] == together[name]
        for dataset in ("casme2", "smic-hs"):
            assert scores["datasets"][dataset][name] == together["datasets"][dataset][name]
    assert card.parameters == 2 * 1683
    assert "the mean of all seeds' networks, trained on every clip for 3 epochs" in card.protocol


def test_a_single_networks_card_holds_the_mean_over_seeds(run: TrainingRun) -> None:
    metrics = run.run(ONE)
    card = finish(run, metrics, ONE).card
    scores = card.scores["leave-one-subject-out"]
    assert scores["of"] == "mean over seeds of single networks"
    assert (scores["uf1"], scores["sd"]) == (metrics["mean"]["uf1"], metrics["sd"])
    assert scores["datasets"] == metrics["datasets"]
    assert "without their labels" not in card.protocol


def test_a_card_says_that_tested_maps_were_adapted_to(tmp_path: Path) -> None:
    training = replace(TRAINING, epochs=1, transfer_weight=2.0)
    parameters = replace(PARAMETERS, protocol="cross-database", training=training, seeds=1)
    features = replace(two_datasets(size=112), recipe="madtn")
    run = TrainingRun(model_entry("madtn"), features, parameters, tmp_path / "run")
    card = finish(run, run.run(ONE), ONE).card
    assert "saw the tested maps, without their labels, and these weights have no such target" in card.protocol


def test_a_card_says_that_magnitude_was_made_afterwards(tmp_path: Path) -> None:
    features = fitting(replace(two_datasets(), recipe=None), "dual-branch")
    run = TrainingRun(model_entry("dual-branch"), features, replace(PARAMETERS, seeds=1), tmp_path / "run")
    assert "not of pixels as in live maps" in _data_in_words(run)
    live = replace(features, x=np.zeros(features.x.shape, np.uint8))
    run = TrainingRun(model_entry("dual-branch"), live, replace(PARAMETERS, seeds=1), tmp_path / "live")
    assert "not of pixels" not in _data_in_words(run)


def test_a_fitted_machine_has_no_epochs(tmp_path: Path) -> None:
    run = TrainingRun(model_entry("linear-svm"), two_datasets(), replace(PARAMETERS, seeds=1), tmp_path / "run")
    assert "fitted to every clip" in finish(run, run.run(ONE), ONE).card.protocol
