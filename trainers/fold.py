"""One fold: train on one side of a split, answer for the other, and remember enough to score it."""

import resource
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor, nn

from engines.errors import BadInput
from engines.inputs import normalise
from trainers.augmentation import Mirror, mirror_of
from trainers.feature_file import FeatureFile
from trainers.fold_record import FoldRecord
from trainers.models.registry import ModelEntry, model_entry
from trainers.splits import Split, clips_of
from trainers.training import Labelled, Trained, probabilities, train
from trainers.training_parameters import TrainingParameters

Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class FoldJob:
    """Which fold, under which seed."""

    seed: int
    place: int
    """Of the split, from 0; `EVERYONE` for all clips at once."""


EVERYONE = -1
PART = 64
"""Maps that are normalised at a time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldTrainer:
    """Does the folds of one run: a function of the job alone, wherever it is done."""

    model: str
    x: UInt8[np.ndarray, "N H W C"] | Float32[np.ndarray, "N H W C"]
    y: Int64[np.ndarray, "N"]
    people: np.ndarray
    classes: int
    splits: tuple[Split, ...]
    training: TrainingParameters
    initial: Mapping[int, Weights] = field(default_factory=lambda: MappingProxyType({}))
    """Weights that the networks of a seed start from, by seed; fresh ones where there are none."""
    device: str = "cpu"

    def __call__(self, job: FoldJob) -> FoldRecord:
        """Train and answer for one fold."""
        split, started = self.splits[job.place], time.perf_counter()
        with _one_thread():
            answers: list[np.ndarray] = []
            test = self._maps(split.test)
            trained = self._trained(job, split, self.training, after=(test, answers))
            given = probabilities(trained.model, test, mirror=self._scoring_mirror)
        return FoldRecord(
            name=split.name,
            seed=job.seed,
            place=job.place,
            train=split.train,
            validation=split.validation,
            test=split.test,
            probabilities=given.cpu().numpy().astype(np.float32),
            epoch_predictions=np.array(answers, np.int64).reshape(len(answers), len(split.test)),
            training_losses=np.array(trained.losses, np.float32),
            validation_losses=np.array(trained.validation_losses, np.float32),
            kept_epoch=trained.kept_epoch,
            seconds=time.perf_counter() - started,
            peak_memory_mib=peak_memory_mib(),
        )

    def weights(self, job: FoldJob, epochs: int) -> dict[str, np.ndarray]:
        """Train on everyone, for a fixed number of epochs: what a finished checkpoint holds.

        Args:
            job: `EVERYONE` under a seed.
            epochs: how long; nothing is left to choose it by.

        Returns:
            Arrays by parameter name.
        """
        everyone = Split(name="everyone", train=np.arange(len(self.y)), test=np.empty(0, np.int64))
        with _one_thread():
            training = replace(self.training, epochs=epochs, patience=None)
            model = self._trained(job, everyone, training).model
        return {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}

    def _trained(
        self,
        job: FoldJob,
        split: Split,
        training: TrainingParameters,
        after: tuple[Tensor, list[np.ndarray]] | None = None,
    ) -> Trained:
        seed = fold_seed(job)
        torch.manual_seed(seed)
        model = self._fresh(job.seed)
        maps, labels = self._maps(split.train), self._labels(split.train)
        if self._entry.fit is not None:
            return self._fitted(model, maps, labels, split, seed, after)
        watch = None
        if after is not None:
            test, answers = after

            def watch(kept: nn.Module) -> None:
                answers.append(probabilities(kept, test, mirror=self._scoring_mirror).argmax(dim=1).cpu().numpy())

        return train(
            model,
            maps,
            labels,
            training,
            seed=seed,
            mirror=self._mirror,
            validation=Labelled(self._maps(split.validation), self._labels(split.validation)),
            target=self._maps(split.target) if len(split.target) and training.transfer_weight else None,
            after_epoch=watch,
        )

    def _fitted(
        self,
        model: nn.Module,
        maps: Tensor,
        labels: Tensor,
        split: Split,
        seed: int,
        after: tuple[Tensor, list[np.ndarray]] | None,
    ) -> Trained:
        started = time.perf_counter()
        assert self._entry.fit is not None  # as was asked before
        self._entry.fit(model, maps, labels, self.people[split.train], seed=seed)
        if after is not None:
            test, answers = after
            answers.append(probabilities(model.eval(), test, mirror=self._scoring_mirror).argmax(dim=1).cpu().numpy())
        return Trained(
            model=model.eval(),
            losses=(),
            validation_losses=(),
            kept_epoch=1,
            seconds=time.perf_counter() - started,
        )

    def _fresh(self, seed: int) -> nn.Module:
        model = self._entry.build(self.classes)
        if seed in self.initial:
            model.load_state_dict({name: torch.from_numpy(value) for name, value in self.initial[seed].items()})
        return model.to(self.device)

    def _maps(self, rows: Int64[np.ndarray, "rows"]) -> Tensor:
        """Normalised maps of some rows. In parts: at once, what lies between would take three times their memory."""
        maps = torch.empty((len(rows), self.x.shape[3], *self.x.shape[1:3]))
        for first in range(0, len(rows), PART):
            part = normalise(self.x[rows[first : first + PART]], self._entry.normalisation)
            maps[first : first + PART] = torch.from_numpy(part)
        return maps.to(self.device)

    def _labels(self, rows: Int64[np.ndarray, "rows"]) -> Tensor:
        return torch.from_numpy(self.y[rows]).to(self.device)

    @property
    def _entry(self) -> ModelEntry:
        return model_entry(self.model)

    @property
    def _mirror(self) -> Mirror | None:
        return mirror_of(self._entry.recipe, self._entry.normalisation)

    @property
    def _scoring_mirror(self) -> Mirror | None:
        return self._mirror if self.training.test_time_mirror else None


def fold_trainer(
    entry: ModelEntry,
    features: FeatureFile,
    splits: list[Split],
    training: TrainingParameters,
    *,
    classes: int,
    initial: Mapping[int, Weights] | None = None,
    device: str = "cpu",
) -> FoldTrainer:
    """The trainer of a run's folds.

    Args:
        entry: of the model.
        features: what is learned from; see `check_features`.
        splits: of the protocol.
        training: how.
        classes: number of labels.
        initial: weights to start from, by seed.
        device: "cpu" or "cuda".

    Raises:
        BadInput: if the features do not fit the model.
    """
    check_features(entry, features, classes)
    return FoldTrainer(
        model=entry.name,
        x=features.x,
        y=features.y,
        people=clips_of(features).people,
        classes=classes,
        splits=tuple(splits),
        training=training,
        initial=initial or {},
        device=device,
    )


def check_features(entry: ModelEntry, features: FeatureFile, classes: int) -> None:
    """Refuse features that a model cannot take.

    Raises:
        BadInput: naming the file, what it holds and what the model takes.
    """
    remedy = f"prepare it with --model {entry.name}"
    if features.recipe is not None and features.recipe != entry.recipe:
        raise BadInput(
            f"feature file {features.path} holds {features.recipe} maps; {entry.name} takes {entry.recipe}: {remedy}"
        )
    height, width, channels = features.x.shape[1:]
    if channels != entry.input_shape[0]:
        raise BadInput(
            f"feature file {features.path} has {channels} channels; {entry.name} takes {entry.input_shape[0]}: {remedy}"
        )
    try:
        with torch.no_grad():
            entry.build(classes).eval()(torch.zeros(1, channels, height, width))
    except RuntimeError:
        wanted = "×".join(map(str, entry.input_shape[1:]))
        raise BadInput(
            f"feature file {features.path} has maps of {height}×{width}; {entry.name} takes {wanted}: {remedy}"
        ) from None


def fold_seed(job: FoldJob) -> int:
    """A seed of its own for every fold of every seed."""
    state = np.random.SeedSequence([job.seed, job.place + 1]).generate_state(1)
    return int(state[0])


def peak_memory_mib() -> float:
    """The most memory that this process has held, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums come out the same however many cores there are; folds side by side use the others."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
