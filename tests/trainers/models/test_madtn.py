"""MADTN: its layers, its two outputs, and that it draws two databases together."""

import pytest
import torch
from torch import nn

from tests.trainers.models.layer_sizes import outputs
from tests.trainers.models.learning import losses
from trainers.losses import squared_mmd, transfer_loss
from trainers.models.madtn import MADTN
from trainers.models.registry import parameter_count


@pytest.fixture(scope="module")
def model() -> MADTN:
    torch.manual_seed(0)
    return MADTN().eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(4, 3, 112, 112, generator=torch.Generator().manual_seed(1))


def test_five_layers_each_pooled_or_bent_as_published(model: MADTN, images: torch.Tensor) -> None:
    called = outputs(model, images, nn.Conv2d, nn.MaxPool2d, nn.LeakyReLU, nn.Linear)
    assert [(type(layer).__name__, size) for layer, size in called] == [
        ("Conv2d", (16, 112, 112)),
        ("MaxPool2d", (16, 56, 56)),
        ("LeakyReLU", (16, 56, 56)),
        ("Conv2d", (32, 56, 56)),
        ("MaxPool2d", (32, 28, 28)),
        ("LeakyReLU", (32, 28, 28)),
        ("Conv2d", (64, 28, 28)),
        ("MaxPool2d", (64, 14, 14)),
        ("LeakyReLU", (64, 14, 14)),
        ("Linear", (128,)),
        ("LeakyReLU", (128,)),
        ("Linear", (3,)),
    ]
    assert {layer.negative_slope for layer in model.modules() if isinstance(layer, nn.LeakyReLU)} == {0.01}
    assert not [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d | nn.Dropout)]


def test_parameters_add_up(model: MADTN) -> None:
    convolutions = (3 * 16 * 9 + 16) + (16 * 32 * 9 + 32) + (32 * 64 * 9 + 64)
    dense = 64 * 14 * 14 * 128 + 128
    assert parameter_count(model) == convolutions + dense + 128 * 3 + 3 == 1_629_731
    assert parameter_count(MADTN(5)) == 1_629_731 + 2 * 129
    assert "1 629 731" in (MADTN.__doc__ or "")


def test_forward_is_classified_deep_features(model: MADTN, images: torch.Tensor) -> None:
    features = model.deep_features(images)
    assert features.shape == (4, 128)
    torch.testing.assert_close(model.classify(features), model(images))


def test_a_seed_repeats_the_weights(model: MADTN) -> None:
    torch.manual_seed(0)
    for one, other in zip(MADTN().parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_it_learns() -> None:
    torch.manual_seed(0)
    seen = losses(MADTN(), (3, 112, 112), steps=12, learning_rate=2e-4)
    assert seen[-1] < 0.5 * seen[0]


def test_transfer_draws_a_brighter_database_to_the_source() -> None:
    generator = torch.Generator().manual_seed(2)
    source, target = torch.rand(6, 3, 112, 112, generator=generator), torch.rand(6, 3, 112, 112, generator=generator)
    labels = torch.arange(6) % 3
    source[labels == 1, :, :56] *= 0.5
    source[labels == 2, :, 56:] *= 0.5
    target = 0.4 + 0.6 * target
    distances = {weight: _distance_after(source, labels, target, weight) for weight in (0.0, 2.0)}
    assert distances[2.0] < 0.3 * distances[0.0]


def _distance_after(source: torch.Tensor, labels: torch.Tensor, target: torch.Tensor, weight: float) -> float:
    """Squared MMD of both databases' features after some steps with that much of it in the loss."""
    torch.manual_seed(0)
    model = MADTN()
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-4)
    for _ in range(12):
        both = model.deep_features(torch.cat([source, target]))
        loss = transfer_loss(model.classify(both[:6]), labels, both[:6], both[6:], weight=weight)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():
        return float(squared_mmd(model.deep_features(source), model.deep_features(target)))
