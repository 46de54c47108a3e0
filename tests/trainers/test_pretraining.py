"""Synthetic pre-training: what a network has learned before it sees a real map, and that it is kept and passed on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.errors import BadInput
from engines.inputs import normalise
from trainers import pretraining
from trainers.datasets.action_units import LABEL_NAMES
from trainers.datasets.synthetic import SyntheticMapParameters, generate_maps
from trainers.datasets.synthetic_clips import SyntheticClipParameters
from trainers.models.registry import MODELS, model_entry
from trainers.pretraining import (
    FINE_TUNING_SHARE,
    PretrainingParameters,
    fine_tuning,
    for_labels,
    initial_weights,
    last_layer,
    pretrained,
)
from trainers.training import probabilities
from trainers.training_parameters import TrainingParameters

STSTNET = model_entry("ststnet")
SMALL = PretrainingParameters(drawn_maps=900, filmed_maps=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "pretrained"


@pytest.fixture(scope="module")
def weights(folder: Path) -> dict[str, np.ndarray]:
    return initial_weights(STSTNET, LABEL_NAMES, seed=1, folder=folder, parameters=SMALL)


def test_pretrained_network_reads_maps_it_never_saw(weights: dict[str, np.ndarray]) -> None:
    unseen = generate_maps(150, 9, SyntheticMapParameters(filmed_share=0.0))
    model = STSTNET.build(3)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    given = probabilities(model.eval(), torch.from_numpy(normalise(unseen.x, STSTNET.normalisation)))
    assert np.mean(given.argmax(dim=1).numpy() == unseen.y) > 0.7, "chance is a third"


def test_weights_are_a_function_of_model_seed_and_parameters(weights: dict[str, np.ndarray]) -> None:
    again = pretrained(STSTNET, seed=1, parameters=SMALL)
    other = pretrained(STSTNET, seed=2, parameters=SMALL)
    assert set(again) == set(weights)
    for name, value in weights.items():
        np.testing.assert_array_equal(value, again[name])
    assert any((again[name] != other[name]).any() for name in again)


def test_kept_weights_are_taken_for_the_same_settings_only(
    weights: dict[str, np.ndarray], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> dict[str, np.ndarray]:
        raise AssertionError("trained again")

    monkeypatch.setattr(pretraining, "pretrained", refuse)
    kept = initial_weights(STSTNET, LABEL_NAMES, seed=1, folder=folder, parameters=SMALL)
    for name, value in weights.items():
        np.testing.assert_array_equal(value, kept[name])
        assert value.dtype == kept[name].dtype
    for seed, parameters in ((2, SMALL), (1, replace(SMALL, maps_seed=3))):
        with pytest.raises(AssertionError, match="trained again"):
            initial_weights(STSTNET, LABEL_NAMES, seed=seed, folder=folder, parameters=parameters)
    assert [path.suffix for path in folder.iterdir()] == [".safetensors"], "nothing half-written"


def test_same_labels_in_another_order_keep_the_last_layer(weights: dict[str, np.ndarray]) -> None:
    turned = for_labels(weights, STSTNET, ("surprise", "negative", "positive"), seed=0)
    for name in last_layer(STSTNET):
        np.testing.assert_array_equal(turned[name], weights[name][[2, 0, 1]])


def test_other_labels_get_a_fresh_last_layer_on_what_was_learned(weights: dict[str, np.ndarray]) -> None:
    names = ("happiness", "surprise", "disgust", "repression", "others")
    five = for_labels(weights, STSTNET, names, seed=0)
    model = STSTNET.build(5)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in five.items()})
    fresh, last = STSTNET.build(5).state_dict(), last_layer(STSTNET)
    assert len(last) == 2
    for name, value in five.items():
        if name not in last:
            np.testing.assert_array_equal(value, weights[name])
        assert value.shape == tuple(fresh[name].shape)
    again = for_labels(weights, STSTNET, names, seed=0)
    assert all((five[name] == again[name]).all() for name in last)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_has_a_last_layer(name: str) -> None:
    arrays = model_entry(name).build(4).state_dict()
    last = last_layer(model_entry(name))
    assert last
    assert all(arrays[array].shape[0] == 4 for array in last)


def test_models_of_other_inputs_learn_from_filmed_clips(tmp_path: Path) -> None:
    few = PretrainingParameters(
        clips=SyntheticClipParameters(subjects=2, clips_per_subject=2),
        training=TrainingParameters(epochs=1, batch=2),
    )
    entry = model_entry("edssnet")
    weights = initial_weights(entry, LABEL_NAMES, seed=0, folder=tmp_path, parameters=few)
    torch.manual_seed(0)
    untrained = entry.build(3).state_dict()
    assert any((weights[name] != value.numpy()).any() for name, value in untrained.items())
    assert all(np.isfinite(value).all() for value in weights.values())


def test_fine_tuning_is_gentler() -> None:
    training = TrainingParameters(learning_rate=0.01)
    assert fine_tuning(training) == replace(training, learning_rate=0.01 * FINE_TUNING_SHARE)


def test_what_cannot_be_pretrained_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'linear-svm' is fitted at once"):
        initial_weights(model_entry("linear-svm"), LABEL_NAMES, seed=0, folder=tmp_path)
    with pytest.raises(BadInput, match="0 drawn and 0 filmed maps"):
        PretrainingParameters(drawn_maps=0, filmed_maps=0)
    assert not list(tmp_path.iterdir())


def test_damaged_weights_are_named(weights: dict[str, np.ndarray], folder: Path, tmp_path: Path) -> None:
    assert weights
    (kept,) = folder.iterdir()
    (tmp_path / kept.name).write_bytes(kept.read_bytes()[:100])
    with pytest.raises(BadInput, match=r"ststnet-seed1-.*cannot be read: remove the file"):
        initial_weights(STSTNET, LABEL_NAMES, seed=1, folder=tmp_path, parameters=SMALL)
