"""The yardstick separates what a line separates, chooses C on training subjects, and exports as one layer."""

import numpy as np
import pytest
import torch

from engines.errors import BadInput
from trainers.models.linear_svm import LinearSVM, fit_linear_svm
from trainers.models.ststnet import STSTNet


def clusters(count: int, classes: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    maps = generator.normal(0, 1, (count, 3, 6, 6)).astype(np.float32)
    for label in range(classes):
        maps[labels == label, label % 3, :3, label // 3 * 3 : label // 3 * 3 + 3] += 1.5
    people = np.array([f"s{index % 7}" for index in range(count)])
    return torch.from_numpy(maps), torch.from_numpy(labels), people


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_clusters_of_unseen_maps_are_told_apart(classes: int) -> None:
    maps, labels, people = clusters(140, classes, 1)
    model = LinearSVM(classes, shape=(3, 6, 6))
    fit_linear_svm(model, maps, labels, people, seed=0)
    unseen, truth, _ = clusters(140, classes, 2)
    assert float((model(unseen).argmax(dim=1) == truth).float().mean()) > 0.95


def test_a_class_that_training_lacks_is_never_named() -> None:
    maps, labels, people = clusters(90, 3, 3)
    kept = labels != 1
    model = LinearSVM(3, shape=(3, 6, 6))
    fit_linear_svm(model, maps[kept], labels[kept], people[kept.numpy()], seed=0)
    assert 1 not in model(maps).argmax(dim=1)


def test_the_same_seed_gives_the_same_machine() -> None:
    maps, labels, people = clusters(60, 3, 4)
    models = [LinearSVM(3, shape=(3, 6, 6)) for _ in range(2)]
    for model in models:
        fit_linear_svm(model, maps, labels, people, seed=5)
    torch.testing.assert_close(models[0].state_dict(), models[1].state_dict(), rtol=0, atol=0)


def test_what_cannot_be_fitted_is_said() -> None:
    maps, labels, people = clusters(30, 3, 4)
    with pytest.raises(BadInput, match="one class alone"):
        fit_linear_svm(LinearSVM(3, shape=(3, 6, 6)), maps, torch.zeros_like(labels), people, seed=0)
    with pytest.raises(BadInput, match="STSTNet is no LinearSVM"):
        fit_linear_svm(STSTNet(), maps, labels, people, seed=0)
