"""EDSSNet: magnified gray and flow, each read by an attention channel and by an accretion channel."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from trainers.models.cbam import CBAM


def _convolution(inputs: int, outputs: int, kernel: int, *, stride: int, dilation: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation and ReLU, padded so that stride 1 keeps the size and stride 2 halves it."""
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class _Stream(nn.Module):
    """One image through both channels; the layers stand in the order of table 2 and of table 3."""

    def __init__(self, reduction: int) -> None:
        super().__init__()
        self.attention = nn.ModuleDict(
            {
                "first": _convolution(3, 16, 1, stride=2),
                "first_attention": CBAM(16, reduction=reduction),
                "second": nn.Sequential(
                    _convolution(16, 32, 3, stride=2, dilation=2), _convolution(32, 32, 3, stride=1, dilation=2)
                ),
                "second_attention": CBAM(32, reduction=reduction),
                "third": _convolution(32, 64, 5, stride=2, dilation=2),
            }
        )
        self.accretion = nn.ModuleDict(
            {
                "first": _convolution(3, 16, 1, stride=2),
                "second": _convolution(16, 32, 3, stride=2, dilation=2),
                "third": _convolution(32, 64, 5, stride=2, dilation=2),
            }
        )

    def forward(self, image: Float[Tensor, "N 3 112 112"]) -> Float[Tensor, "N 128 14 14"]:
        """What the attention channel finds, then what the accretion channel finds."""
        attended, gathered = image, image
        for stage in ("first", "second"):
            response = self.attention[stage](attended)
            # The accretion layer (eq. 11): both channels' answers before attention weighs them.
            gathered = self.accretion[stage](gathered) + response
            attended = self.attention[f"{stage}_attention"](response)
        return torch.cat([self.attention["third"](attended), self.accretion["third"](gathered)], dim=1)


class EDSSNet(nn.Module):
    """Enhanced dual-stream shallow network: two streams, each with an attention and an accretion channel.

    Input: (N, 6, 112, 112) of recipe "edssnet", normalised by "unit-interval": three channels of magnified gray apex,
    then the flow image. Output: logits (N, classes).

    Each stream's attention channel (table 2) is a 1 × 1 convolution, CBAM, two dilated 3 × 3, CBAM and a dilated 5 × 5;
    its accretion channel (table 3) a 1 × 1, accretion, dilated 3 × 3, accretion and dilated 5 × 5. The four results of
    64 × 14 × 14 are concatenated, a 3 × 3 convolution with stride 2 leaves 256 × 7 × 7, a fully connected layer 256
    values, and one more layer the classes. Nothing is pooled; every size is the tables'.

    Parameters with three classes: 4 046 219. An attention channel has 65 716 (convolutions 65 072, batch
    normalisation 288, CBAM 130 and 226), an accretion channel 56 080 (55 856 and 224); twice both are 243 592. The
    convolution that joins them has 590 336, the fully connected layer 3 211 520, the last one 771.

    Choices where the paper is silent or its text is damaged. What an accretion layer adds: "two channels'
    convolutional responses to the image"; here those of the stream's own two channels, the attention channel's before
    CBAM weighs it, which is where the tables line the two layers up. Every convolution is followed by batch
    normalisation, whose shift stands in for the bias of eq. (9), and by ReLU. CBAM's reduction is that of its authors,
    16, which leaves hidden layers of one and two values; eq. (6) prints the channel map twice, the second is the
    spatial one. Dropout stands before the last layer.

    Departures: none in the layers; softmax is left to the loss and to the session. In training the L2 term is PyTorch's
    weight decay of 0.01, whose slope is that of 0.005 times the squared weights; eq. (13) leaves the factor open. Where
    SMIC gives no apex the paper takes the middle frame (`onset prepare --missing-apex middle`).

    Training in the paper: SGD, rate 0.001, L2 0.01, at most 1000 epochs, until the validation loss has not changed for
    20; mirrored images and the neighbours of the apex added; 10-fold.

    Reference:
        Li, Chen, Wang and Wang, Enhanced dual-stream shallow convolutional neural network for facial micro-expression
        recognition, 2021 (in Chinese); Woo, Park, Lee and Kweon, CBAM, ECCV 2018.
    """

    def __init__(self, classes: int = 3, *, dropout: float = 0.5, reduction: int = 16) -> None:
        super().__init__()
        self.gray = _Stream(reduction)
        self.flow = _Stream(reduction)
        self.fusion = _convolution(256, 256, 3, stride=2)
        self.connected = nn.Sequential(nn.Flatten(), nn.Linear(256 * 7 * 7, 256), nn.ReLU(), nn.Dropout(dropout))
        self.head = nn.Linear(256, classes)

    def forward(self, maps: Float[Tensor, "N 6 112 112"]) -> Float[Tensor, "N classes"]:
        """Logits of the images."""
        # Contiguous: learning from half of a channels-last map, PyTorch 2.13's convolution writes out of bounds (CPU).
        gray, flow = maps[:, :3].contiguous(), maps[:, 3:].contiguous()
        together = torch.cat([self.gray(gray), self.flow(flow)], dim=1)
        logits: Tensor = self.head(self.connected(self.fusion(together)))
        return logits
