"""Optimisers, schedules, patience, adaptation and what a run must not do: draw on anything but its seed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from engines.errors import BadInput
from trainers.augmentation import AugmentationParameters
from trainers.models.madtn import MADTN
from trainers.models.registry import MODELS, model_entry
from trainers.training import Labelled, probabilities, train
from trainers.training_parameters import TrainingParameters

PLAIN = AugmentationParameters(mirror_probability=0.0, shift_px=0, noise=0.0)


class Tiny(torch.nn.Module):
    """A linear layer on the mean of every channel, with features between two databases."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(3, 8)
        self.head = torch.nn.Linear(8, 3)

    def deep_features(self, images: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.inner(images.mean((2, 3))))

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(features)
        return logits

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classify(self.deep_features(images))


def coloured(count: int, seed: int, lift: float = 0.0) -> Labelled:
    """Maps whose label is their strongest channel."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    maps = generator.normal(lift, 0.5, (count, 3, 8, 8)).astype(np.float32)
    maps[np.arange(count), labels] += 1.0
    return Labelled(torch.from_numpy(maps), torch.from_numpy(labels))


@pytest.mark.parametrize(
    "settings",
    [
        TrainingParameters(epochs=30, batch=16, learning_rate=0.02, averaging=0.9),
        TrainingParameters(epochs=30, batch=16, learning_rate=0.02, schedule="constant", optimiser="adam", averaging=0),
        TrainingParameters(epochs=60, batch=8, learning_rate=0.2, schedule="constant", optimiser="sgd", averaging=0),
        TrainingParameters(epochs=30, batch=16, learning_rate=0.05, loss="focal", averaging=0),
        TrainingParameters(epochs=60, batch=8, learning_rate=0.4, optimiser="sgd", averaging=0),
    ],
)
def test_every_way_of_training_learns(settings: TrainingParameters) -> None:
    settings = replace(settings, augmentation=PLAIN)
    torch.manual_seed(0)
    seen, unseen = coloured(90, 1), coloured(90, 2)
    trained = train(Tiny(), seen.maps, seen.labels, settings, seed=0, mirror=None)
    assert len(trained.losses) == settings.epochs == trained.kept_epoch
    assert trained.losses[-1] < 0.7 * trained.losses[0]
    right = probabilities(trained.model, unseen.maps, mirror=None).argmax(dim=1) == unseen.labels
    assert float(right.float().mean()) > 0.95


def test_looking_after_every_epoch_changes_nothing() -> None:
    seen, watched = coloured(60, 1), []
    results = []
    for watch in (None, lambda model: watched.append(float(probabilities(model, seen.maps).sum()))):
        torch.manual_seed(3)
        results.append(
            train(Tiny(), seen.maps, seen.labels, TrainingParameters(epochs=4, batch=16), seed=3, after_epoch=watch)
        )
    assert len(watched) == 4
    torch.testing.assert_close(results[0].model.state_dict(), results[1].model.state_dict(), rtol=0, atol=0)


def test_patience_stops_and_keeps_the_best_weights() -> None:
    seen = coloured(60, 1)
    # Labels of the validation maps are wrong on purpose: the better the network learns, the higher their loss.
    wrong = Labelled(seen.maps, (seen.labels + 1) % 3)
    torch.manual_seed(1)
    settings = TrainingParameters(
        epochs=50, batch=16, learning_rate=0.02, schedule="constant", averaging=0, patience=3, augmentation=PLAIN
    )
    trained = train(Tiny(), seen.maps, seen.labels, settings, seed=1, validation=wrong)
    assert trained.kept_epoch == int(np.argmin(trained.validation_losses)) + 1
    assert len(trained.losses) == trained.kept_epoch + 3 < 50
    with torch.no_grad():
        loss = float(torch.nn.functional.cross_entropy(trained.model(wrong.maps), wrong.labels))
    assert loss == pytest.approx(min(trained.validation_losses), abs=1e-6)


def test_without_patience_validation_is_watched_and_decides_nothing() -> None:
    seen = coloured(60, 1)
    settings = TrainingParameters(epochs=5, batch=16)
    models = []
    for validation in (None, coloured(30, 9)):
        torch.manual_seed(2)
        trained = train(Tiny(), seen.maps, seen.labels, settings, seed=2, validation=validation)
        assert len(trained.validation_losses) == (5 if validation else 0)
        assert trained.kept_epoch == 5
        models.append(trained.model.state_dict())
    torch.testing.assert_close(models[0], models[1], rtol=0, atol=0)


def test_a_target_brings_features_together() -> None:
    source, target = coloured(120, 1), coloured(120, 2, lift=1.5)
    gaps = []
    for weight in (0.0, 5.0):
        settings = TrainingParameters(
            epochs=40, batch=24, learning_rate=0.02, averaging=0, transfer_weight=weight, augmentation=PLAIN
        )
        torch.manual_seed(4)
        model = train(Tiny(), source.maps, source.labels, settings, seed=4, target=target.maps).model
        assert isinstance(model, Tiny)
        with torch.no_grad():
            gap = model.deep_features(source.maps).mean(0) - model.deep_features(target.maps).mean(0)
        gaps.append(float(gap.norm()))
    assert gaps[1] < 0.5 * gaps[0]


@pytest.mark.parametrize(("count", "every", "seen"), [(20, False, 16), (20, True, 20), (17, True, 16), (6, False, 6)])
def test_what_is_left_over_of_a_batch(count: int, every: bool, seen: int) -> None:
    """Eight at a time: four left over are trained on if asked for, a single one never, and a lone small batch is."""

    class Counting(Tiny):
        maps = 0

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            Counting.maps += len(images)
            return super().forward(images)

    given = coloured(count, 1)
    settings = TrainingParameters(epochs=3, batch=8, every_map=every, averaging=0)
    train(Counting(), given.maps, given.labels, settings, seed=0)
    assert Counting.maps == 3 * seen


def test_patience_without_validation_is_refused() -> None:
    seen = coloured(6, 1)
    with pytest.raises(BadInput, match="patience needs an inner split"):
        train(Tiny(), seen.maps, seen.labels, TrainingParameters(patience=2), seed=0)
    with pytest.raises(BadInput, match="no maps to train on"):
        train(Tiny(), seen.maps[:0], seen.labels[:0], TrainingParameters(), seed=0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("epochs", 0), ("batch", 0), ("learning_rate", 0.0), ("weight_decay", -1.0), ("averaging", 1.0), ("patience", 0)],
)
def test_parameters_that_make_no_sense_are_named(field: str, value: Any) -> None:
    with pytest.raises(BadInput, match=field):
        TrainingParameters(**{field: value})


def test_every_model_is_trained_as_its_paper_does() -> None:
    """The papers' own figures; what they leave open is our choice and not asserted."""
    edssnet = model_entry("edssnet")
    assert (edssnet.training.optimiser, edssnet.training.learning_rate) == ("sgd", 1e-3)
    assert (edssnet.training.weight_decay, edssnet.training.epochs, edssnet.training.patience) == (1e-2, 1000, 20)
    assert (edssnet.protocol, edssnet.views) == ("k-fold", "neighbours")
    dual = model_entry("dual-branch").training
    assert (dual.optimiser, dual.learning_rate, dual.batch, dual.epochs) == ("adam", 1e-4, 16, 30)
    assert dual.augmentation.mirror_probability == dual.augmentation.blur_probability == 0.5
    crossvit = model_entry("dual-attention-crossvit").training
    assert (crossvit.optimiser, crossvit.learning_rate, crossvit.batch, crossvit.epochs) == ("adam", 5e-4, 256, 800)
    madtn = model_entry("madtn")
    assert (madtn.training.optimiser, madtn.training.learning_rate) == ("adam", 2e-4)
    assert (madtn.training.transfer_weight, madtn.training.augmentation.rotation_deg) == (2.0, 30.0)
    assert (madtn.protocol, madtn.views) == ("cross-database", "middle")
    resnext = model_entry("se-resnext-50").training
    assert (resnext.optimiser, resnext.learning_rate, resnext.batch, resnext.epochs) == ("adam", 1e-4, 2, 100)
    assert (resnext.loss, resnext.augmentation.rotation_deg) == ("focal", 15.0)
    for entry in MODELS.values():
        assert entry.training.patience is None or entry.protocol in ("k-fold", "hold-out")


def test_madtn_takes_a_target() -> None:
    from trainers.training import DeepFeatures

    assert isinstance(MADTN(), DeepFeatures)
