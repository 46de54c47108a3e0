"""Train a model on normalised maps; the weights that come out are an average over the last steps."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor, nn

from trainers.augmentation import AugmentationParameters, augmented, mirrored


@dataclass(frozen=True, kw_only=True)
class TrainingParameters:
    """How a model is trained."""

    epochs: int = 8
    batch: int = 128
    learning_rate: float = 2e-3
    """Peak of the one-cycle schedule."""
    weight_decay: float = 1e-2
    label_smoothing: float = 0.05
    averaging: float = 0.998
    """Share of the averaged weights kept at each step; the average, not the last step, is the result."""
    augmentation: AugmentationParameters = field(default_factory=AugmentationParameters)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained model."""

    model: nn.Module
    """In evaluation mode, with averaged weights."""
    losses: tuple[float, ...]
    """Mean training loss of each epoch."""
    seconds: float


def train(
    model: nn.Module,
    maps: Float[Tensor, "N C H W"],
    labels: Int[Tensor, "N"],
    parameters: TrainingParameters,
    *,
    seed: int,
    report: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train a model.

    Args:
        model: fresh model; it is trained in place, the result is a copy.
        maps: normalised maps.
        labels: class of each map.
        parameters: how.
        seed: of shuffling, augmentation and dropout; with the same seed, threads and machine the result is the same.
        report: called with the epoch's number and its mean loss.

    Returns:
        The model with averaged weights.
    """
    started = time.perf_counter()
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    steps = max(len(maps) // parameters.batch, 1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, parameters.learning_rate, total_steps=steps * parameters.epochs
    )
    average = _Average(model, parameters.averaging)
    losses = []
    for epoch in range(parameters.epochs):
        model.train()
        total = 0.0
        for rows in torch.split(torch.randperm(len(maps), generator=generator), parameters.batch)[:steps]:
            seen = augmented(maps[rows], parameters.augmentation, generator)
            loss = functional.cross_entropy(model(seen), labels[rows], label_smoothing=parameters.label_smoothing)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            average.follow(model)
            total += float(loss.detach())
        losses.append(total / steps)
        if report:
            report(epoch + 1, losses[-1])
    return Trained(model=average.model.eval(), losses=tuple(losses), seconds=time.perf_counter() - started)


class _Average:
    """Exponential moving average of a model's weights and running statistics, quick to start."""

    def __init__(self, model: nn.Module, keep: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)
        self._keep = keep
        self._steps = 0

    @torch.no_grad()
    def follow(self, model: nn.Module) -> None:
        self._steps += 1
        keep = min(self._keep, (1 + self._steps) / (10 + self._steps))
        for mine, theirs in zip(self.model.state_dict().values(), model.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1 - keep)
            else:
                mine.copy_(theirs)


@torch.no_grad()
def probabilities(model: nn.Module, maps: Float[Tensor, "N C H W"], *, mirror: bool = True) -> Float[Tensor, "N K"]:
    """Class probabilities of maps.

    Args:
        model: in evaluation mode, giving logits.
        maps: normalised maps.
        mirror: average with the probabilities of the mirrored map.

    Returns:
        One row a map, adding up to one.
    """
    views = [maps, mirrored(maps)] if mirror else [maps]
    given = [torch.softmax(torch.cat([model(part) for part in torch.split(view, 1024)]), dim=1) for view in views]
    return torch.stack(given).mean(dim=0)
