"""The default checkpoint's recipe, made small: from seeds to a folder that opens, with honest figures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines import load_checkpoint, open_session
from engines.checkpoint import Checkpoint
from engines.classification import classify
from engines.errors import BadInput
from trainers.datasets.synthetic import SyntheticMapParameters, feature_file, generate_maps
from trainers.default_checkpoint import SHIPPED, make_default_checkpoint
from trainers.metrics.recognition import confusion_matrix, uf1

SMALL = replace(
    SHIPPED,
    models=("ststnet",),
    networks=2,
    drawn_maps=512,
    filmed_maps=0,
    validation_maps=100,
    processes=1,
)
DRAWN = SyntheticMapParameters(filmed_share=0.0)


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("features") / "maps.npz"
    np.savez_compressed(path, **feature_file(generate_maps(90, 77, DRAWN)))
    return path


@pytest.fixture(scope="module")
def made(features: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return make_default_checkpoint(tmp_path_factory.mktemp("made") / "small", SMALL, measure=features)


def test_card_tells_the_scores_that_the_graph_reaches(made: Checkpoint, features: Path) -> None:
    with np.load(features) as file:
        x, y = file["x"], file["y"]
    session = open_session(load_checkpoint(made.folder), backend="onnxruntime")
    predicted = classify(session, x).argmax(axis=1)
    session.close()
    assert made.card.scores["real"]["uf1"] == pytest.approx(uf1(confusion_matrix(y, predicted, 3)))
    assert made.card.scores["real, one ststnet alone"]["uf1"]["networks"] == 2


def test_card_counts_its_weights_and_names_its_data(made: Checkpoint) -> None:
    assert made.card.parameters == 2 * 1_683
    assert "512 drawn maps" in made.card.training_data
    assert made.card.model == "ststnet"


def test_same_recipe_same_weights(made: Checkpoint, tmp_path: Path) -> None:
    again = make_default_checkpoint(tmp_path / "again", SMALL)
    assert again.weights_path.read_bytes() == made.weights_path.read_bytes()


def test_a_model_without_synthetic_maps_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"model 'edssnet': no synthetic maps .* edssnet: use compact-cnn, .*ststnet$"):
        make_default_checkpoint(tmp_path / "none", replace(SMALL, models=("ststnet", "edssnet")))
    assert not list(tmp_path.iterdir())
