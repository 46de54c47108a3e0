"""A small plain CNN: the house model where only synthetic movements are there to learn from."""

from jaxtyping import Float
from torch import Tensor, nn


def _block(inputs: int, outputs: int, *, pool: bool) -> list[nn.Module]:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]
    return [*layers, nn.MaxPool2d(2)] if pool else layers


class CompactCNN(nn.Module):
    """Three 3×3 convolutions, pooled to 7×7, and a linear layer that still knows where in the face it looks.

    Input: (N, 3, 28, 28), normalised by "centred-flow-log-strain". Output: logits (N, classes).
    Parameters with three classes and the default widths: 15 651.

    From no paper: larger than STSTNet, far smaller than the transformers, and free of global pooling because where
    a patch moves says more than how.
    """

    def __init__(self, classes: int = 3, *, widths: tuple[int, int, int] = (16, 24, 32), dropout: float = 0.5) -> None:
        super().__init__()
        first, second, third = widths
        self.features = nn.Sequential(
            *_block(3, first, pool=True), *_block(first, second, pool=True), *_block(second, third, pool=False)
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(third * 49, classes))

    def forward(self, maps: Float[Tensor, "N 3 28 28"]) -> Float[Tensor, "N classes"]:
        """Logits of the maps."""
        logits: Tensor = self.head(self.features(maps))
        return logits
