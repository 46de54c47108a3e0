"""The dual-branch network against its paper's text and against ResNet, which it cites."""

import pytest
import torch
from torch import nn

from tests.trainers.models.layer_sizes import inputs, outputs
from tests.trainers.models.learning import losses
from trainers.models.cbam import SpatialAttention
from trainers.models.dual_branch import AttentiveBlock, DualBranchNet
from trainers.models.registry import parameter_count

STAGES = [(64, 56, 56)] * 3 + [(128, 28, 28)] * 4 + [(256, 14, 14)] * 6 + [(512, 7, 7)] * 3


@pytest.fixture(scope="module")
def model() -> DualBranchNet:
    torch.manual_seed(0)
    return DualBranchNet().eval()


@pytest.fixture(scope="module")
def maps() -> torch.Tensor:
    return torch.randn(1, 6, 112, 112, generator=torch.Generator().manual_seed(1))


def test_each_branch_is_sixteen_attentive_blocks(model: DualBranchNet, maps: torch.Tensor) -> None:
    called = outputs(model, maps, AttentiveBlock, SpatialAttention)
    for branch in (model.magnitude, model.strain):
        assert [type(part) for part in branch] == [AttentiveBlock] * 16, "and nothing else"
        own = set(branch.modules())
        blocks = [size for layer, size in called if layer in own and isinstance(layer, AttentiveBlock)]
        attention = [size for layer, size in called if layer in own and isinstance(layer, SpatialAttention)]
        assert blocks == attention == STAGES
        for block in branch.children():
            assert isinstance(block, AttentiveBlock)
            kernels = [layer.kernel_size for layer in block.residual if isinstance(layer, nn.Conv2d)]
            assert kernels == [(3, 3), (3, 3)]
            assert block.attention.convolution.kernel_size == (7, 7)
        wide = [
            index for index, block in enumerate(branch) if not isinstance(block.get_submodule("shortcut"), nn.Identity)
        ]
        assert wide == [0, 3, 7, 13], "a 1 × 1 convolution where width or size changes"


def test_parameters_add_up(model: DualBranchNet) -> None:
    branch, inner = 0, 3
    for outer, count in ((64, 3), (128, 4), (256, 6), (512, 3)):
        branch += inner * outer * 9 + (2 * count - 1) * outer * outer * 9  # 3 × 3 convolutions
        branch += 2 * count * 2 * outer + inner * outer + 2 * outer  # batch normalisation, the 1 × 1 convolution
        branch += count * 98  # attention
        inner = outer
    assert branch == 21_275_136 - (64 - 3) * 64 * 9 + 3 * 64 + 2 * 64 + 16 * 98, "ResNet-34's stages, but for these"
    assert parameter_count(model.magnitude) == parameter_count(model.strain) == branch == 21_241_888
    assert parameter_count(model) == 2 * branch + 512 * 3 + 3 == 42_485_315


def test_branches_are_summed(model: DualBranchNet, maps: torch.Tensor) -> None:
    torch.testing.assert_close(inputs(model, maps, model.magnitude), maps[:, :3])
    torch.testing.assert_close(inputs(model, maps, model.strain), maps[:, 3:])
    together = model.magnitude(maps[:, :3]) + model.strain(maps[:, 3:])
    torch.testing.assert_close(inputs(model, maps, model.head), together.mean((2, 3)))


def test_attention_weighs_the_residual_alone() -> None:
    torch.manual_seed(2)
    block = AttentiveBlock(8, 8, 1).eval()
    maps = torch.randn(2, 8, 6, 6)
    wanted = torch.relu(block.attention(block.residual(maps)) + maps)
    torch.testing.assert_close(block(maps), wanted)
    with torch.no_grad():
        block.attention.convolution.weight.zero_()  # a weight of one half everywhere
    torch.testing.assert_close(block(maps), torch.relu(block.residual(maps) / 2 + maps))


def test_a_seed_repeats_the_weights(model: DualBranchNet) -> None:
    torch.manual_seed(0)
    for one, other in zip(DualBranchNet().parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_it_learns_at_another_size() -> None:
    torch.manual_seed(0)
    seen = losses(DualBranchNet(), (6, 28, 28), steps=3, learning_rate=1e-4)
    assert seen[-1] < 0.5 * seen[0]
