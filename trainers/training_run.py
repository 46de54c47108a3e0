"""A run: every fold of a protocol under every seed, kept as they are done, then scores, report and checkpoint."""

import json
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np

from engines.errors import BadInput
from realtime.json_lines import write_atomically
from trainers.feature_file import ITSELF, FeatureFile
from trainers.fold import EVERYONE, FoldJob, FoldTrainer, Weights, fold_trainer
from trainers.fold_record import FoldRecord, fold_path, load_fold, save_fold
from trainers.metrics.pooled import run_scores
from trainers.models.registry import ModelEntry, parameter_count
from trainers.pretraining import PretrainingParameters, initial_weights
from trainers.protocol import ProtocolParameters, splits_of
from trainers.run_identity import identity_of
from trainers.splits import Split
from trainers.training_parameters import TrainingParameters
from trainers.workers import Workers

RUN_FILE, METRICS_FILE, FEATURES_FILE = "run.json", "metrics.json", "features.npz"
OWN = (RUN_FILE, METRICS_FILE, "report.html", "scores.md", "folds", "pretrained", "checkpoint", "tensorboard")
"""What a run writes into its folder, and all that replacing it removes."""
Progress = Callable[[int, int, FoldRecord | None], None]
"""Told the folds that are done, all there are, and the last one done."""


@dataclass(frozen=True, kw_only=True)
class RunParameters:
    """Everything that decides a run's numbers, beside the data and the model."""

    protocol: str
    protocol_parameters: ProtocolParameters = field(default_factory=ProtocolParameters)
    training: TrainingParameters = field(default_factory=TrainingParameters)
    seeds: int = 3
    """Trained and scored so many times, with seeds 0, 1, 2 …"""
    pretrain: Literal["none", "synthetic"] = "none"
    """What the networks have seen before the first fold."""
    pretraining: PretrainingParameters = field(default_factory=PretrainingParameters)
    """How they learned from it."""


class TrainingRun:
    """A model trained and scored by a protocol, in a folder that it can go on from after a stop.

    Args:
        entry: of the model.
        features: what is learned from and scored on.
        parameters: how.
        folder: where everything goes.
        origin: of the features, in words, for the record.
        device: "cpu" or "cuda"; not part of what is compared when a run goes on.
        overwrite: remove another run that is in the folder.

    Raises:
        BadInput: if the features do not fit the model or the protocol, or the folder holds another run.
    """

    def __init__(
        self,
        entry: ModelEntry,
        features: FeatureFile,
        parameters: RunParameters,
        folder: Path,
        *,
        origin: str = "feature file",
        device: str = "cpu",
        overwrite: bool = False,
    ) -> None:
        if parameters.seeds < 1:
            raise BadInput(f"seeds is {parameters.seeds}: give 1 or more")
        self.entry, self.features, self.parameters, self.folder = entry, features, parameters, folder
        self.label_names = features.label_names or tuple(f"class {label}" for label in range(int(features.y.max()) + 1))
        self.splits = splits_of(parameters.protocol, features, _resolved(parameters))
        self._refuse_patience_without_validation()
        self._device, self._origin = device, origin
        # Checked before anything is written.
        self._trainer(initial={})
        self._identity = identity_of(entry.name, features, parameters, self.splits)
        self._take(overwrite)

    @property
    def jobs(self) -> list[FoldJob]:
        """Every fold of every seed."""
        return [FoldJob(seed, place) for seed in range(self.parameters.seeds) for place in range(len(self.splits))]

    def run(self, workers: Workers, progress: Progress | None = None) -> dict[str, Any]:
        """Do what is not done yet, and score everything.

        Args:
            workers: who trains.
            progress: told after every fold, and once at the start.

        Returns:
            What `metrics.json` holds.

        Raises:
            BadInput: if a network diverged, or a fold that was kept cannot be read.
        """
        done = self._done()
        missing = [job for job in self.jobs if job not in done]
        if progress:
            progress(len(done), len(self.jobs), None)
        if missing:
            trainer = self._trainer(initial=self._initial(sorted({job.seed for job in missing}), workers))
            for place, record in workers.run(trainer, missing):
                _refuse_diverged(record)
                save_fold(fold_path(self.folder, record.seed, record.place), record)
                done[missing[place]] = record
                if progress:
                    progress(len(done), len(self.jobs), record)
        return self._scored([done[job] for job in self.jobs])

    def finished_weights(self, workers: Workers, seeds: Sequence[int]) -> list[Weights]:
        """Networks that learned from every clip, for the checkpoint.

        Args:
            workers: who trains.
            seeds: one network each.

        Returns:
            Weights in the seeds' order.
        """
        trainer = self._trainer(initial=self._initial(list(seeds), workers))
        jobs = [FoldJob(seed, EVERYONE) for seed in seeds]
        weights: list[Weights] = [{}] * len(jobs)
        for place, given in workers.run(_Everyone(trainer, self.usual_epochs()), jobs):
            weights[place] = given
        return weights

    def usual_epochs(self) -> int:
        """Epochs that the folds kept, their median: what is trained for where nothing can be validated."""
        if self.parameters.training.patience is None:
            return self.parameters.training.epochs
        return max(1, round(float(np.median([record.kept_epoch for record in self.records()]))))

    def records(self) -> list[FoldRecord]:
        """The folds that are done, in the order of the jobs."""
        done = self._done()
        return [done[job] for job in self.jobs if job in done]

    def record(self) -> dict[str, Any]:
        """What `run.json` says."""
        record: dict[str, Any] = json.loads((self.folder / RUN_FILE).read_text(encoding="utf-8"))
        return record

    def finish(self) -> None:
        """Note in `run.json` that everything is there."""
        _write_json(self.folder / RUN_FILE, {**self.record(), "state": "complete"})

    def _scored(self, folds: list[FoldRecord]) -> dict[str, Any]:
        by_task = self.parameters.protocol == "cross-database"
        metrics = {
            "model": self.entry.name,
            "protocol": self.parameters.protocol,
            "label_names": list(self.label_names),
            "clips": int((self.features.variant == ITSELF).sum()),
            "clips_scored": len(np.unique(np.concatenate([split.test for split in self.splits]))),
            "folds": len(self.splits),
            "parameters": parameter_count(self.entry.build(len(self.label_names))),
            **run_scores(folds, self.features, self.label_names, by_task=by_task),
            "settings": asdict(self.parameters),
        }
        _write_json(self.folder / METRICS_FILE, metrics)
        return metrics

    def _refuse_patience_without_validation(self) -> None:
        if self.parameters.training.patience is not None and not all(len(split.validation) for split in self.splits):
            raise BadInput(
                f"{self.entry.name} stops by validation loss (patience), and {self.parameters.protocol} has no inner "
                "split: add --inner-share 0.2, or choose k-fold or hold-out"
            )

    def _trainer(self, initial: Mapping[int, Weights]) -> FoldTrainer:
        return fold_trainer(
            self.entry,
            self.features,
            self.splits,
            self.parameters.training,
            classes=len(self.label_names),
            initial=initial,
            device=self._device,
        )

    def _initial(self, seeds: list[int], workers: Workers) -> dict[int, Weights]:
        if self.parameters.pretrain == "none":
            return {}
        return {
            seed: initial_weights(
                self.entry,
                self.label_names,
                seed=seed,
                folder=self.folder / "pretrained",
                parameters=self.parameters.pretraining,
                processes=workers.count,
            )
            for seed in seeds
        }

    def _done(self) -> dict[FoldJob, FoldRecord]:
        paths = {job: fold_path(self.folder, job.seed, job.place) for job in self.jobs}
        return {job: load_fold(path) for job, path in paths.items() if path.is_file()}

    def _take(self, overwrite: bool) -> None:
        """Go on with the run in the folder, or begin one."""
        file = self.folder / RUN_FILE
        if file.is_file() and not overwrite:
            if _read_json(file).get("identity") == self._identity:
                # Told anew: there may be more seeds now, or another device, and it is not complete.
                _write_json(file, self._opening_record())
                return
            raise BadInput(
                f"{self.folder} holds another run (other data, model or settings): choose another --out, or --overwrite"
            )
        refuse_foreign(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        # The record first: without it what is left by a stop in the middle is nobody's and is removed next time.
        for path in (file, *(path for path in self.folder.iterdir() if _is_own(path))):
            _remove(path)
        _write_json(file, self._opening_record())

    def _opening_record(self) -> dict[str, Any]:
        return {
            "state": "running",
            "identity": self._identity,
            "model": self.entry.name,
            "paper": self.entry.paper,
            "protocol": self.parameters.protocol,
            "features": {
                "path": str(self.features.path),
                "origin": self._origin,
                "clips": int((self.features.variant == ITSELF).sum()),
                "rows": len(self.features),
                "shape": list(self.features.x.shape[1:]),
                "recipe": self.entry.recipe,
                "normalisation": self.entry.normalisation,
                "datasets": {
                    str(name): int(((self.features.dataset == name) & (self.features.variant == ITSELF)).sum())
                    for name in np.unique(self.features.dataset)
                },
            },
            "label_names": list(self.label_names),
            "seeds": list(range(self.parameters.seeds)),
            "splits": [_counts(split) for split in self.splits],
            "settings": asdict(self.parameters),
            "device": self._device,
            "versions": {
                "python": platform.python_version(),
                **{name: metadata.version(name) for name in ("onset-live", "torch", "numpy")},
            },
        }


@dataclass(frozen=True)
class _Everyone:
    """A fold trainer's other job, as something that can be sent."""

    trainer: FoldTrainer
    epochs: int

    def __call__(self, job: FoldJob) -> dict[str, np.ndarray]:
        return self.trainer.weights(job, self.epochs)


def _refuse_diverged(record: FoldRecord) -> None:
    """A network of NaN would be scored as one that always names the first class."""
    if not np.isfinite(record.probabilities).all():
        raise BadInput(
            f"fold {record.name}, seed {record.seed}: the training diverged, its network gives no numbers any more: "
            "lower --learning-rate"
        )


def _resolved(parameters: RunParameters) -> ProtocolParameters:
    """No clips are set aside for a validation that would decide nothing, unless they were asked for."""
    given = parameters.protocol_parameters
    if given.inner_share is None and parameters.training.patience is None:
        return replace(given, inner_share=0.0)
    return given


def _counts(split: Split) -> dict[str, Any]:
    return {
        "name": split.name,
        **{side: len(getattr(split, side)) for side in ("train", "validation", "test", "target")},
    }


def refuse_foreign(folder: Path) -> None:
    """Leave a folder alone that holds something and no training run.

    Raises:
        BadInput: naming the folder.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file: choose another --out")
    if folder.is_dir() and not (folder / RUN_FILE).is_file() and any(map(_is_foreign, folder.iterdir())):
        raise BadInput(f"{folder} is not empty and holds no training run: choose another --out")


def _is_own(path: Path) -> bool:
    """Whether a run wrote it, whole or half: what a kill left half-written has a dot before its name."""
    return path.name in OWN or path.name.startswith(tuple(f".{name}" for name in OWN))


def _is_foreign(path: Path) -> bool:
    """Whether something in the folder is neither a run's nor the features that were made for it."""
    return not _is_own(path) and not path.name.lstrip(".").startswith(Path(FEATURES_FILE).stem)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise BadInput(f"{path} cannot be read ({fault}): choose another --out, or --overwrite") from None
    return record if isinstance(record, dict) else {}


def _write_json(path: Path, record: Mapping[str, Any]) -> None:
    write_atomically(path, (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode())
