"""Shallow triple stream three-dimensional CNN, the yardstick of the field."""

from jaxtyping import Float
from torch import Tensor, nn


class STSTNet(nn.Module):
    """Three shallow streams of different width over the same (u, v, strain) map.

    Input: (N, 3, 28, 28), normalised by "centred-flow-log-strain". Output: logits (N, classes).
    Parameters with three classes: 1 683 (streams of 3, 5 and 8 filters and a linear layer on 400 features).

    The streams differ in nothing but their number of filters and are joined before the linear layer, so they are
    computed as one convolution with all the filters, which is the same function.

    Departures from the paper: dropout is an argument, none by default; its first layer, written there as a
    three-dimensional convolution over a depth of three, is an ordinary convolution over three channels.

    Reference:
        Liong, Gan, See, Khor and Huang, Shallow triple stream three-dimensional CNN (STSTNet) for
        micro-expression recognition, FG 2019.
    """

    def __init__(self, classes: int = 3, *, filters: tuple[int, ...] = (3, 5, 8), dropout: float = 0.0) -> None:
        super().__init__()
        width = sum(filters)
        self.streams = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            nn.ReLU(),
            nn.BatchNorm2d(width),
            nn.MaxPool2d(3, stride=3, padding=1),
            nn.Dropout(dropout),
        )
        self.pool = nn.AvgPool2d(2, stride=2)
        self.head = nn.Linear(width * 25, classes)

    def forward(self, maps: Float[Tensor, "N 3 28 28"]) -> Float[Tensor, "N classes"]:
        """Logits of the maps."""
        logits: Tensor = self.head(self.pool(self.streams(maps)).flatten(1))
        return logits
