"""SE-ResNeXt-50 against table 1 of its paper."""

import pytest
import torch
from torch import nn

from tests.trainers.models.layer_sizes import inputs, outputs
from tests.trainers.models.learning import losses
from trainers.losses import focal_loss
from trainers.models.registry import parameter_count
from trainers.models.se_resnext import SEResNeXt50, SqueezeExcitation

TABLE = [  # width of the grouped convolution, channels out, values between the linear layers, size, blocks
    (128, 256, 16, 56, 3),
    (256, 512, 32, 28, 4),
    (512, 1024, 64, 14, 6),
    (1024, 2048, 128, 7, 3),
]


@pytest.fixture(scope="module")
def model() -> SEResNeXt50:
    torch.manual_seed(0)
    return SEResNeXt50().eval()


@pytest.fixture(scope="module")
def called(model: SEResNeXt50) -> list[tuple[nn.Module, tuple[int, ...]]]:
    image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return outputs(model, image, nn.Conv2d, nn.MaxPool2d, nn.Linear, SqueezeExcitation)


def test_layers_are_the_tables(model: SEResNeXt50, called: list[tuple[nn.Module, tuple[int, ...]]]) -> None:
    shortcuts = {stage.get_submodule("0.shortcut.0") for stage in model.stages}
    wanted: list[tuple[object, ...]] = [(7, 2, 1, (64, 112, 112)), (3, 2, (64, 56, 56))]
    before = 56
    for width, channels, reduced, size, blocks in TABLE:
        for block in range(blocks):
            halved = before if block == 0 else size
            wanted += [
                (1, 1, 1, (width, halved, halved)),
                (3, halved // size, 32, (width, size, size)),
                (1, 1, 1, (channels, size, size)),
                (channels, reduced),
                (reduced, channels),
                ("squeeze and excitation", (channels, size, size)),
            ]
        before = size
    wanted += [(2048, 5)]
    assert [_row(*pair) for pair in called if pair[0] not in shortcuts] == wanted
    assert [_row(*pair) for pair in called if pair[0] in shortcuts] == [
        (1, 1, 1, (256, 56, 56)),
        (1, 2, 1, (512, 28, 28)),
        (1, 2, 1, (1024, 14, 14)),
        (1, 2, 1, (2048, 7, 7)),
    ]


def _row(layer: nn.Module, size: tuple[int, ...]) -> tuple[object, ...]:
    if isinstance(layer, nn.Conv2d):
        assert layer.bias is None
        return layer.kernel_size[0], layer.stride[0], layer.groups, size
    if isinstance(layer, nn.MaxPool2d):
        return layer.kernel_size, layer.stride, size
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    return "squeeze and excitation", size


def test_there_are_fifty_layers(model: SEResNeXt50) -> None:
    beside = ("shortcut", "squeeze", "excite")
    layers = [name for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len([name for name in layers if not any(part in name for part in beside)]) == 50


def test_parameters_add_up(model: SEResNeXt50) -> None:
    stages, given = [], 64
    for width, channels, reduced, _, blocks in TABLE:
        own = width * (width // 32) * 9 + width * channels + 2 * (2 * width + channels)
        attention = 2 * channels * reduced + reduced + channels
        shortcut = given * channels + 2 * channels
        stages.append(given * width + shortcut + (blocks - 1) * channels * width + blocks * (own + attention))
        given = channels
    assert [parameter_count(stage) for stage in model.stages] == stages == [231_216, 1_330_304, 7_815_552, 16_124_288]
    stem = 3 * 64 * 49 + 2 * 64
    assert parameter_count(model) == stem + sum(stages) + 2048 * 5 + 5 == 25_521_141
    assert round(parameter_count(model) / 1e6, 1) == 25.5
    assert parameter_count(model) - 2 * 2049 == 25_517_043
    for count in ("25 521 141", "25 517 043"):
        assert count in (SEResNeXt50.__doc__ or "")


def test_squeeze_and_excitation_is_equations_2_to_4() -> None:
    torch.manual_seed(0)
    module, maps = SqueezeExcitation(32).double(), torch.randn(2, 32, 3, 5, dtype=torch.float64)
    means = maps.flatten(2).mean(2)
    hidden = (means @ module.squeeze.weight.T + module.squeeze.bias).clamp_min(0)
    weights = 1 / (1 + torch.exp(-(hidden @ module.excite.weight.T + module.excite.bias)))
    torch.testing.assert_close(module(maps), weights[:, :, None, None] * maps)


def test_channels_are_weighed_before_the_sum(model: SEResNeXt50) -> None:
    block, maps = model.stages.get_submodule("0.1"), torch.randn(1, 256, 8, 8)
    attention = block.get_submodule("residual.8")
    assert isinstance(attention, SqueezeExcitation)
    with torch.no_grad():
        residual = inputs(block, maps, attention)
        torch.testing.assert_close(block(maps), (attention(residual) + maps).clamp_min(0))


def test_a_seed_repeats_the_weights(model: SEResNeXt50) -> None:
    torch.manual_seed(0)
    again = SEResNeXt50().state_dict()
    assert all(torch.equal(weights, again[name]) for name, weights in model.state_dict().items())


def test_it_learns_from_small_images() -> None:
    torch.manual_seed(0)
    seen = losses(SEResNeXt50(3), (3, 48, 48), steps=6, learning_rate=1e-4)
    assert seen[-1] < 0.5 * seen[0]


def test_focal_loss_reaches_every_layer() -> None:
    torch.manual_seed(0)
    model = SEResNeXt50(5)
    focal_loss(model(torch.rand(2, 3, 48, 48)), torch.tensor([0, 4])).backward()  # type: ignore[no-untyped-call]
    for name, weights in model.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.isfinite().all(), name
        assert weights.grad.abs().max() > 0, name
