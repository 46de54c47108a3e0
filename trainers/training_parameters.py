"""How a model is trained: one record for every published recipe and for our own."""

from dataclasses import dataclass, field
from typing import Literal

from engines.errors import BadInput
from trainers.augmentation import AugmentationParameters

Optimiser = Literal["adam", "adamw", "sgd"]
Schedule = Literal["constant", "one-cycle"]
Loss = Literal["cross-entropy", "focal"]


@dataclass(frozen=True, kw_only=True)
class TrainingParameters:
    """How a model is trained."""

    epochs: int = 8
    """Times that every training map is seen; with patience, at most so many."""
    batch: int = 128
    every_map: bool = False
    """Train in every epoch on what is left over of the last batch too, where it is two maps or more."""
    """Maps a step."""
    optimiser: Optimiser = "adamw"
    """What takes the steps."""
    learning_rate: float = 2e-3
    """Peak of the one-cycle schedule, or the one rate of a constant one."""
    schedule: Schedule = "one-cycle"
    """One-cycle warms up to the peak and cools down to nearly nothing over all epochs."""
    weight_decay: float = 1e-2
    """Decoupled for AdamW; an L2 term of the loss for Adam and SGD."""
    loss: Loss = "cross-entropy"
    """What is made small; focal loss weighs clips that are still read wrong more."""
    label_smoothing: float = 0.05
    """Of cross-entropy."""
    averaging: float = 0.998
    """Share of the averaged weights kept at each step; the average, not the last step, is the result. 0 for the last
    step's own weights."""
    patience: int | None = None
    """Epochs without a lower validation loss after which training stops, and the best weights on the validation rows
    are kept. None trains all epochs and keeps the last. Needs a protocol with an inner split."""
    transfer_weight: float = 0.0
    """Weight of the squared MMD between deep features of the source's and of the target's unlabelled maps; counts
    where the protocol gives a target and the model has deep features."""
    test_time_mirror: bool = False
    """Average the probabilities of a map and of its mirror image, in scoring and in the exported checkpoint."""
    augmentation: AugmentationParameters = field(default_factory=AugmentationParameters)

    def __post_init__(self) -> None:
        """Refuse what cannot be trained with.

        Raises:
            BadInput: naming the field.
        """
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}: give 1 or more")
        if not self.learning_rate > 0:
            raise BadInput(f"learning_rate is {self.learning_rate:g}: give a number above 0")
        for name in ("weight_decay", "transfer_weight"):
            if not getattr(self, name) >= 0:
                raise BadInput(f"{name} is {getattr(self, name):g}: give 0 or more")
        for name in ("averaging", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name):g}: give 0 or more, below 1")
        if self.patience is not None and self.patience < 1:
            raise BadInput(f"patience is {self.patience}: give 1 or more, or leave it out")
