"""Train a model on normalised maps, by the optimiser, schedule and loss that its parameters name."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol, runtime_checkable

import torch
import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor, nn

from engines.errors import BadInput
from trainers.augmentation import FLOW_STRAIN, Mirror, augmented, mirrored
from trainers.losses import focal_loss, transfer_loss
from trainers.training_parameters import TrainingParameters

__all__ = ["Labelled", "Trained", "TrainingParameters", "probabilities", "train"]


class Labelled(NamedTuple):
    """Normalised maps with their labels."""

    maps: Float[Tensor, "N C H W"]
    labels: Int[Tensor, "N"]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained model."""

    model: nn.Module
    """In evaluation mode, with the weights that the parameters say to keep."""
    losses: tuple[float, ...]
    """Mean training loss of each epoch."""
    validation_losses: tuple[float, ...]
    """Of each epoch, without augmentation; none without validation maps."""
    kept_epoch: int
    """Number of the epoch whose weights were kept, from 1."""
    seconds: float


@runtime_checkable
class DeepFeatures(Protocol):
    """A model whose features can be brought together between two databases."""

    def deep_features(self, images: Tensor) -> Tensor:
        """Features of each map."""

    def classify(self, features: Tensor) -> Tensor:
        """Logits of features."""


def train(
    model: nn.Module,
    maps: Float[Tensor, "N C H W"],
    labels: Int[Tensor, "N"],
    parameters: TrainingParameters,
    *,
    seed: int,
    mirror: Mirror | None = FLOW_STRAIN,
    validation: Labelled | None = None,
    target: Float[Tensor, "T C H W"] | None = None,
    after_epoch: Callable[[nn.Module], None] | None = None,
    report: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train a model.

    Args:
        model: fresh model; it is trained in place, the result is a copy.
        maps: normalised maps, on the model's device.
        labels: class of each map.
        parameters: how.
        seed: of shuffling, augmentation and dropout; with the same seed, threads and machine the result is the same.
        mirror: how the maps are mirrored; None where they cannot be.
        validation: maps that choose the epoch, where the parameters have patience.
        target: maps of the database that the model shall come to know, without labels.
        after_epoch: is given the model as it would be kept, in evaluation mode, after every epoch; it must draw no
            random numbers and leave the model as it is.
        report: called with the epoch's number and its mean loss.

    Returns:
        The model with averaged weights, or with those of its last or best epoch.

    Raises:
        BadInput: if there is nothing to train on, or the parameters need validation maps that are not there.
    """
    if not len(maps):
        raise BadInput("training: there are no maps to train on; give a split whose training side is not empty")
    if parameters.patience is not None and (validation is None or not len(validation.maps)):
        raise BadInput("training: patience needs an inner split to watch; use a protocol with one, or no patience")
    started = time.perf_counter()
    torch.manual_seed(seed)
    course = _Course(model, maps, labels, parameters, torch.Generator().manual_seed(seed), mirror, target)
    best = _Best(parameters.patience)
    losses: list[float] = []
    for epoch in range(parameters.epochs):
        losses.append(course.epoch())
        if validation is not None and len(validation.maps):
            best.see(_validation_loss(course.kept, validation), course.kept)
        if after_epoch:
            after_epoch(course.kept.eval())
        if report:
            report(epoch + 1, losses[-1])
        if best.over:
            break
    return Trained(
        model=best.restored(course.kept).eval(),
        losses=tuple(losses),
        validation_losses=tuple(best.losses),
        kept_epoch=best.kept_epoch or len(losses),
        seconds=time.perf_counter() - started,
    )


class _Course:
    """A model under training: what stays from step to step."""

    def __init__(
        self,
        model: nn.Module,
        maps: Tensor,
        labels: Tensor,
        parameters: TrainingParameters,
        generator: torch.Generator,
        mirror: Mirror | None,
        target: Tensor | None,
    ) -> None:
        self._model, self._maps, self._labels = model, maps, labels
        self._parameters, self._generator, self._mirror = parameters, generator, mirror
        whole, rest = divmod(len(maps), parameters.batch)
        # A single map has no spread of its own to be normalised by.
        self._steps = max(whole + (parameters.every_map and rest > 1), 1)
        self._optimiser = _optimiser(model, parameters)
        self._schedule = _schedule(self._optimiser, parameters, self._steps * parameters.epochs)
        self._average = _Average(model, parameters.averaging) if parameters.averaging else None
        self._target = target if parameters.transfer_weight and isinstance(model, DeepFeatures) else None

    @property
    def kept(self) -> nn.Module:
        """The model as it would be kept now."""
        return self._average.model if self._average else self._model

    def epoch(self) -> float:
        """Train on every map once (or leave out what is left over of a batch); the mean loss."""
        self._model.train()
        order = torch.randperm(len(self._maps), generator=self._generator).to(self._maps.device)
        total = 0.0
        for rows in torch.split(order, self._parameters.batch)[: self._steps]:
            loss = self._loss(rows)
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            if self._schedule:
                self._schedule.step()
            if self._average:
                self._average.follow(self._model)
            total += float(loss.detach())
        return total / self._steps

    def _loss(self, rows: Tensor) -> Tensor:
        seen, labels = self._augmented(self._maps[rows]), self._labels[rows]
        if self._target is None:
            return _label_loss(self._model(seen), labels, self._parameters)
        # Drawn anew at every step: the target's number of maps has nothing to do with the source's.
        drawn = torch.randint(len(self._target), (len(rows),), generator=self._generator).to(self._target.device)
        assert isinstance(self._model, DeepFeatures)  # as was asked before a target was kept
        source = self._model.deep_features(seen)
        other = self._model.deep_features(self._augmented(self._target[drawn]))
        return transfer_loss(
            self._model.classify(source),
            labels,
            source,
            other,
            weight=self._parameters.transfer_weight,
            label_loss=partial(_label_loss, parameters=self._parameters),
        )

    def _augmented(self, maps: Tensor) -> Tensor:
        return augmented(maps, self._parameters.augmentation, self._generator, self._mirror)


def _optimiser(model: nn.Module, parameters: TrainingParameters) -> torch.optim.Optimizer:
    kinds: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "sgd": torch.optim.SGD,
    }
    # Fused, the step goes over the weights once: a quarter of the time that the largest networks' steps took.
    return kinds[parameters.optimiser](
        model.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay, fused=True
    )


def _schedule(
    optimiser: torch.optim.Optimizer, parameters: TrainingParameters, steps: int
) -> torch.optim.lr_scheduler.OneCycleLR | None:
    if parameters.schedule == "constant":
        return None
    # Adam's first moment is cycled against the rate; plain descent has no momentum to cycle.
    cycle = parameters.optimiser != "sgd"
    return torch.optim.lr_scheduler.OneCycleLR(
        optimiser, parameters.learning_rate, total_steps=steps, cycle_momentum=cycle
    )


def _label_loss(logits: Tensor, labels: Tensor, parameters: TrainingParameters) -> Tensor:
    if parameters.loss == "focal":
        return focal_loss(logits, labels)
    return functional.cross_entropy(logits, labels, label_smoothing=parameters.label_smoothing)


@torch.no_grad()
def _validation_loss(model: nn.Module, validation: Labelled) -> float:
    model.eval()
    logits = torch.cat([model(part) for part in torch.split(validation.maps, _at_a_time(validation.maps))])
    return float(functional.cross_entropy(logits, validation.labels))


class _Best:
    """The weights with the lowest validation loss so far, where there is patience."""

    def __init__(self, patience: int | None) -> None:
        self.losses: list[float] = []
        self.kept_epoch: int | None = None
        self._patience = patience
        self._weights: dict[str, Tensor] = {}

    def see(self, loss: float, model: nn.Module) -> None:
        """Take note of an epoch."""
        if self._patience is not None and (not self.losses or loss < min(self.losses)):
            self.kept_epoch = len(self.losses) + 1
            self._weights = {name: value.clone() for name, value in model.state_dict().items()}
        self.losses.append(loss)

    @property
    def over(self) -> bool:
        """Whether patience has run out."""
        if self._patience is None or self.kept_epoch is None:
            return False
        return len(self.losses) - self.kept_epoch >= self._patience

    def restored(self, model: nn.Module) -> nn.Module:
        """The model with its best weights, or as it is."""
        if self.kept_epoch is not None:
            model.load_state_dict(self._weights)
        return model


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
def probabilities(
    model: nn.Module, maps: Float[Tensor, "N C H W"], *, mirror: Mirror | None = FLOW_STRAIN
) -> Float[Tensor, "N K"]:
    """Class probabilities of maps.

    Args:
        model: in evaluation mode, giving logits.
        maps: normalised maps.
        mirror: average with the probabilities of the mirrored map; None for the map alone.

    Returns:
        One row a map, adding up to one.
    """
    views = [maps] if mirror is None else [maps, mirrored(maps, mirror)]
    given = [
        torch.softmax(torch.cat([model(part) for part in torch.split(view, _at_a_time(view))]), dim=1) for view in views
    ]
    return torch.stack(given).mean(dim=0)


def _at_a_time(maps: Tensor) -> int:
    """How many maps are answered for together: fewer of large ones, whose activations would fill the memory."""
    height, width = maps.shape[-2:]
    return max(16, min(256, 2**18 // (height * width)))
