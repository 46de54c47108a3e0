"""SE-ResNeXt-50: the apex alone, through grouped residual blocks that weigh their own channels."""

from jaxtyping import Float
from torch import Tensor, nn

GROUPS = 32
"""Cardinality of the 3×3 convolutions; the narrowest are 32 groups of 4 channels."""
REDUCTION = 16
"""Channels per value between the two linear layers of a squeeze-and-excitation module."""
BLOCKS = (3, 4, 6, 3)
"""Residual blocks of conv2_x to conv5_x."""


class SqueezeExcitation(nn.Module):
    """Weigh each channel by what all channels' means say (eqs. 2 to 4): s = σ(W₂ δ(W₁ z)), x̃ = s u."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, channels // REDUCTION)
        self.excite = nn.Linear(channels // REDUCTION, channels)
        self.relu = nn.ReLU()
        self.sigmoid = nn.Sigmoid()

    def forward(self, maps: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        """The maps, each channel times its weight."""
        weights = self.sigmoid(self.excite(self.relu(self.squeeze(maps.mean(dim=(2, 3))))))
        weighed: Tensor = maps * weights[:, :, None, None]
        return weighed


def _convolution(inputs: int, outputs: int, size: int, *, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    layer = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return [layer, nn.BatchNorm2d(outputs)]


class _Block(nn.Module):
    """Figure 5 (b): 1×1, grouped 3×3 and 1×1, weighed by channel, added to the input."""

    def __init__(self, inputs: int, width: int, *, stride: int) -> None:
        super().__init__()
        outputs = 2 * width
        self.residual = nn.Sequential(
            *_convolution(inputs, width, 1), nn.ReLU(),
            *_convolution(width, width, 3, stride=stride, groups=GROUPS), nn.ReLU(),
            *_convolution(width, outputs, 1),
            SqueezeExcitation(outputs),
        )  # fmt: skip
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(*_convolution(inputs, outputs, 1, stride=stride))
        self.relu = nn.ReLU()

    def forward(self, maps: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D h w"]:
        changed: Tensor = self.relu(self.residual(maps) + self.shortcut(maps))
        return changed


def _stage(inputs: int, width: int, blocks: int, *, stride: int) -> nn.Sequential:
    rest = (_Block(2 * width, width, stride=1) for _ in range(blocks - 1))
    return nn.Sequential(_Block(inputs, width, stride=stride), *rest)


class SEResNeXt50(nn.Module):
    """ResNeXt-50 (32×4d) with a squeeze-and-excitation module in every residual block.

    Input: (N, 3, 224, 224) gray apexes of the "apex" recipe, normalised by "imagenet"; other sizes run too, as the
    last maps are averaged. Output: logits (N, classes); the softmax is left to the loss and to whoever reads them.

    Parameters with five classes: 25 521 141; with three: 25 517 043. Convolutions have no bias, each is followed by a
    batch normalisation with two values a channel, linear layers have biases. The stem's 7×7 takes 9 536. A
    block from c over w to 2w channels takes cw + 9w²/32 + 2w² in its convolutions, 8w in their normalisations, and
    w²/2 + 2w + w/8 in its squeeze-and-excitation module; the first of a stage 2cw + 4w more for its shortcut.
    With w = 128, 256, 512, 1024 and 3, 4, 6, 3 blocks the stages take 231 216, 1 330 304, 7 815 552 and
    16 124 288, and the last linear layer 10 245.

    From the paper: table 1's sizes, 32 groups, reduction 16, the module behind the residual path and before the sum
    (figure 5), global average pooling, one linear layer.

    Departures from the paper: table 1 prints three blocks in every stage, which would make 38 layers and 21.4
    million parameters; the 50 of the name, and ResNeXt-50 that it cites, have 3, 4, 6 and 3, and so has this.
    Gray is the rule, not an augmentation (see the recipe).

    Where the paper is silent: padding keeps table 1's sizes (half the filter, one pixel for the max pooling); a
    stage halves its maps in the first block's 3×3 convolution, as in ResNeXt; shortcuts are 1×1 convolutions
    where the shape changes; convolutions drawn after He et al. by their outputs, as in ResNet; no dropout; trained
    from scratch, as no pre-training is mentioned.

    Reference:
        Ren et al., Micro-expression recognition based on improved residual network and apex frame (in Chinese);
        Xie, Girshick, Dollár, Tu and He, Aggregated residual transformations for deep neural networks, CVPR 2017;
        Hu, Shen and Sun, Squeeze-and-excitation networks, CVPR 2018.
    """

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_convolution(3, 64, 7, stride=2), nn.ReLU())
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        widths, inputs = (128, 256, 512, 1024), (64, 256, 512, 1024)
        self.stages = nn.Sequential(
            *(
                _stage(c, w, blocks, stride=1 if w == widths[0] else 2)
                for c, w, blocks in zip(inputs, widths, BLOCKS, strict=True)
            )
        )
        self.head = nn.Linear(2 * widths[-1], classes)

    def forward(self, images: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N classes"]:
        """Logits of apexes."""
        logits: Tensor = self.head(self.stages(self.pool(self.stem(images))).mean(dim=(2, 3)))
        return logits
