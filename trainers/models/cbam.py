"""Convolutional block attention: where on the map, and which of its channels, a network looks."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ChannelAttention(nn.Module):
    """Weigh channels by their mean and their largest value: σ(MLP(mean) + MLP(max)) ⊙ maps.

    The two share one perceptron with a hidden layer of `channels` / `reduction` and no biases.
    Parameters: 2 · channels² / reduction.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(channels // reduction, 1)
        self.shared = nn.Sequential(
            nn.Linear(channels, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, channels, bias=False)
        )

    def forward(self, maps: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        """The maps, each channel scaled by its weight, which is between 0 and 1."""
        weights = torch.sigmoid(self.shared(maps.mean((2, 3))) + self.shared(maps.amax((2, 3))))
        return maps * weights[:, :, None, None]


class SpatialAttention(nn.Module):
    """Weigh places by mean and largest value over the channels: σ(conv([mean; max])) ⊙ maps.

    Parameters: 2 · kernel², without a bias; 98 with the 7 × 7 kernel of the paper.
    """

    def __init__(self, kernel: int = 7) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, maps: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        """The maps, each place scaled by its weight, which is between 0 and 1."""
        seen = torch.cat([maps.mean(1, keepdim=True), maps.amax(1, keepdim=True)], dim=1)
        return maps * torch.sigmoid(self.convolution(seen))


class CBAM(nn.Sequential):
    """Channel attention, then spatial attention.

    Choice: no batch normalisation in the spatial part; the formulas have none.

    Reference:
        Woo, Park, Lee and Kweon, CBAM: convolutional block attention module, ECCV 2018.
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__(ChannelAttention(channels, reduction), SpatialAttention())
