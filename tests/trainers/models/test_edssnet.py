"""EDSSNet against tables 2 and 3 of its paper."""

import pytest
import torch
from torch import nn

from tests.trainers.models.layer_sizes import inputs, outputs
from tests.trainers.models.learning import losses
from trainers.models.cbam import CBAM
from trainers.models.edssnet import EDSSNet
from trainers.models.registry import parameter_count

Row = tuple[int, int, int, tuple[int, int, int]] | tuple[int, int, int]
ATTENTION: list[Row] = [  # kernel, stride, dilation, size; a size alone is CBAM's
    (1, 2, 1, (16, 56, 56)),
    (16, 56, 56),
    (3, 2, 2, (32, 28, 28)),
    (3, 1, 2, (32, 28, 28)),
    (32, 28, 28),
    (5, 2, 2, (64, 14, 14)),
]
ACCRETION: list[Row] = [(1, 2, 1, (16, 56, 56)), (3, 2, 2, (32, 28, 28)), (5, 2, 2, (64, 14, 14))]


@pytest.fixture(scope="module")
def model() -> EDSSNet:
    torch.manual_seed(0)
    return EDSSNet().eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(2, 6, 112, 112, generator=torch.Generator().manual_seed(1))


def row(layer: nn.Module, size: tuple[int, ...]) -> tuple[object, ...]:
    if isinstance(layer, nn.Conv2d):
        assert layer.padding[0] == layer.dilation[0] * (layer.kernel_size[0] - 1) // 2
        return layer.kernel_size[0], layer.stride[0], layer.dilation[0], size
    return size


@pytest.mark.parametrize("stream", ["gray", "flow"])
@pytest.mark.parametrize(("channel", "table"), [("attention", ATTENTION), ("accretion", ACCRETION)])
def test_channels_are_the_tables(
    model: EDSSNet, images: torch.Tensor, stream: str, channel: str, table: list[Row]
) -> None:
    own = set(model.get_submodule(f"{stream}.{channel}").modules())
    attention = {part for module in own if isinstance(module, CBAM) for part in module.modules()} - {
        module for module in own if isinstance(module, CBAM)
    }
    called = [pair for pair in outputs(model, images, nn.Conv2d, CBAM) if pair[0] in own - attention]
    assert [row(*pair) for pair in called] == table


def test_what_follows_the_channels_is_the_tables(model: EDSSNet, images: torch.Tensor) -> None:
    assert inputs(model, images, model.fusion).shape == (2, 256, 14, 14)
    ((convolution, size),) = outputs(model, images, nn.Conv2d)[-1:]
    assert row(convolution, size) == (3, 2, 1, (256, 7, 7))
    linear = [pair for pair in outputs(model, images, nn.Linear) if pair[0] in (model.head, *model.connected)]
    assert [(layer.in_features, size) for layer, size in linear if isinstance(layer, nn.Linear)] == [
        (7 * 7 * 256, (256,)),
        (256, (3,)),
    ]
    assert not [layer for layer in model.modules() if "Pool" in type(layer).__name__], "nothing is pooled"
    assert [layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)] == [0.5]


def test_parameters_add_up(model: EDSSNet) -> None:
    convolutions = 3 * 16 + 16 * 32 * 9 + 32 * 32 * 9 + 32 * 64 * 25
    attention = convolutions + 2 * (16 + 32 + 32 + 64) + (2 * 16 * 1 + 98) + (2 * 32 * 2 + 98)
    accretion = convolutions - 32 * 32 * 9 + 2 * (16 + 32 + 64)
    for stream in (model.gray, model.flow):
        assert parameter_count(stream.attention) == attention == 65_716
        assert parameter_count(stream.accretion) == accretion == 56_080
    joined = 256 * 256 * 9 + 2 * 256
    dense = 7 * 7 * 256 * 256 + 256
    assert parameter_count(model) == 2 * (attention + accretion) + joined + dense + 256 * 3 + 3 == 4_046_219
    assert parameter_count(EDSSNet(5)) == 4_046_219 + 2 * 257


def test_an_accretion_layer_adds_both_channels_before_attention(model: EDSSNet, images: torch.Tensor) -> None:
    stream = model.flow
    first = stream.attention["first"](images[:, 3:]) + stream.accretion["first"](images[:, 3:])
    torch.testing.assert_close(inputs(model, images, stream.accretion["second"]), first)
    attended = stream.attention["first_attention"](stream.attention["first"](images[:, 3:]))
    second = stream.attention["second"](attended) + stream.accretion["second"](first)
    torch.testing.assert_close(inputs(model, images, stream.accretion["third"]), second)


def test_gray_and_flow_go_to_their_own_stream(model: EDSSNet, images: torch.Tensor) -> None:
    torch.testing.assert_close(inputs(model, images, model.gray), images[:, :3])
    torch.testing.assert_close(inputs(model, images, model.flow), images[:, 3:])


def test_a_seed_repeats_the_weights(model: EDSSNet) -> None:
    torch.manual_seed(0)
    for one, other in zip(EDSSNet().parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_it_learns() -> None:
    torch.manual_seed(0)
    seen = losses(EDSSNet(), (6, 112, 112), steps=6, learning_rate=1e-3)
    assert seen[-1] < 0.5 * seen[0]
