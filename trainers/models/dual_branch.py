"""Dual-branch network: residual blocks with spatial attention over two groups of flow maps, summed."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from trainers.models.cbam import SpatialAttention


class AttentiveBlock(nn.Module):
    """The basic block of ResNet-18 with spatial attention on its residual (figure 4).

    Two 3 × 3 convolutions, batch-normalised, then spatial attention, then the input is added. Where width or size
    changes, the input passes a 1 × 1 convolution (figure 3).
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.attention = SpatialAttention()
        same = inputs == outputs and stride == 1
        self.shortcut: nn.Module = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, maps: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D h w"]:
        """The input plus what two convolutions find in it, weighed place by place."""
        return torch.relu(self.attention(self.residual(maps)) + self.shortcut(maps))


def _branch(blocks: tuple[int, ...], widths: tuple[int, ...]) -> nn.Sequential:
    """Blocks one after the other; the first of every stage widens and halves."""
    layers = []
    for count, (inputs, outputs) in zip(blocks, pairwise((3, *widths)), strict=True):
        layers.append(AttentiveBlock(inputs, outputs, stride=2))
        layers += [AttentiveBlock(outputs, outputs, stride=1) for _ in range(count - 1)]
    return nn.Sequential(*layers)


class DualBranchNet(nn.Module):
    """Two branches of sixteen residual blocks with spatial attention, added before one linear layer.

    Input: (N, 6, 112, 112) of recipe "dual-branch", normalised by "centred-flow-log-strain": u, v, magnitude for the
    first branch and u, v, strain for the second. Other sizes work too, from 16 pixels on. Output: logits (N, classes).

    Parameters with three classes: 42 485 315. A branch has 21 241 888: the 21 275 136 of ResNet-34's stages, less
    35 136 since the first convolution takes 3 channels and not 64, plus 320 for the first block's 1 × 1
    convolution with its batch normalisation, plus 98 for the attention of each of 16 blocks. The last layer has 1 539.

    Choices where the paper is silent, after the cited ResNet. It prints no widths: the one ResNet of sixteen basic
    blocks, ResNet-34, has 3, 4, 6 and 3 of them with 64, 128, 256 and 512 channels. A branch is "sixteen blocks in
    series" and nothing else, so there is no layer before them: the first block takes the three channels, and the
    first of every stage halves, 112 to 56, 28, 14 and 7 pixels. The 1 × 1 convolution stands where width or size
    changes, elsewhere the input is added as it is. Attention has CBAM's 7 × 7 kernel and acts on the residual before
    the sum, as CBAM is put into ResNet. The summed maps are averaged over the face before the linear layer. Widths
    and blocks are arguments: smaller ones depart further.

    Departures: FlowNet 2.0 is replaced by TV-L1 (see the recipe); the "normalisation layer" at the end is read as
    softmax and left to the loss and to the session.

    Training in the paper: Adam, rate 1e-4, batch 16, 30 epochs; mirrored and blurred (5 × 5) maps added; leave one
    subject out.

    Reference:
        Li and Zhu, Micro-expression recognition based on video magnification and dual-branch network, 2022 (in
        Chinese), doi:10.37188/CJLCD.2021-0320; He, Zhang, Ren and Sun, Deep residual learning for image recognition,
        CVPR 2016; Woo, Park, Lee and Kweon, CBAM, ECCV 2018.
    """

    def __init__(
        self,
        classes: int = 3,
        *,
        blocks: tuple[int, ...] = (3, 4, 6, 3),
        widths: tuple[int, ...] = (64, 128, 256, 512),
    ) -> None:
        super().__init__()
        self.magnitude = _branch(blocks, widths)
        self.strain = _branch(blocks, widths)
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, maps: Float[Tensor, "N 6 H W"]) -> Float[Tensor, "N classes"]:
        """Logits of the maps."""
        # Contiguous: learning from half of a channels-last map, PyTorch 2.13's convolution writes out of bounds (CPU).
        magnitude, strain = maps[:, :3].contiguous(), maps[:, 3:].contiguous()
        together = self.magnitude(magnitude) + self.strain(strain)
        logits: Tensor = self.head(together.mean((2, 3)))
        return logits
