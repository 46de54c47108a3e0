"""A few steps on a few maps: does a network learn at all?"""

import torch
import torch.nn.functional as functional
from torch import nn


def losses(model: nn.Module, shape: tuple[int, int, int], *, steps: int, learning_rate: float) -> list[float]:
    """Training loss of each step on six maps, in which a bright patch says the class."""
    generator = torch.Generator().manual_seed(4)
    maps, labels = torch.rand(6, *shape, generator=generator), torch.arange(6) % 3
    third = shape[1] // 3
    for row, label in enumerate(labels.tolist()):
        maps[row, :, label * third : (label + 1) * third] += 1.0
    torch.manual_seed(5)
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    model.train()
    seen = []
    for _ in range(steps):
        loss = functional.cross_entropy(model(maps), labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        seen.append(float(loss.detach()))
    return seen
