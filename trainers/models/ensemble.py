"""Several networks as one model: the mean of their probabilities."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ProbabilityEnsemble(nn.Module):
    """Average the class probabilities of networks that take the same input.

    Input: as its members. Output: logarithms of the mean probabilities (N, classes), so that a softmax over them,
    which is what a card's "logits" promises, gives the mean probabilities back. Parameters: the members' sum.
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, maps: Float[Tensor, "N 3 28 28"]) -> Float[Tensor, "N classes"]:
        """Log of the members' mean probabilities."""
        mean = torch.stack([torch.softmax(member(maps), dim=1) for member in self.members]).mean(dim=0)
        return torch.log(mean.clamp_min(1e-12))
