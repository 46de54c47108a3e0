"""`onset train`: train a published system by its protocol, score it honestly, export a checkpoint."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from demo.training import TrainingSource, load_source, progress_over, training_table
from engines.errors import BadInput
from realtime.configuration_file import load_configuration
from trainers.cluster import open_workers
from trainers.datasets.synthetic_clips import SyntheticClipParameters
from trainers.models.registry import MODELS, model_entry
from trainers.pretraining import PretrainingParameters, fine_tuning
from trainers.protocol import ProtocolParameters
from trainers.run_products import finish, report_path
from trainers.training_parameters import TrainingParameters
from trainers.training_run import RunParameters, TrainingRun


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """What a configuration file may set: [protocol_parameters], [training], [synthetic_clips] and [pretraining]."""

    protocol_parameters: Annotated[ProtocolParameters, tyro.conf.arg(name="")] = field(
        default_factory=ProtocolParameters
    )
    training: Annotated[TrainingParameters, tyro.conf.arg(name="")] = field(default_factory=TrainingParameters)
    synthetic_clips: SyntheticClipParameters = field(default_factory=SyntheticClipParameters)
    pretraining: PretrainingParameters = field(default_factory=PretrainingParameters)


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a model by a protocol and score it: metrics.json, report.html and a checkpoint folder.

    Every setting's default is that of the model's paper: `onset train MODEL --help` shows that model's own, which the
    defaults of --epochs and what follows it are not without one. The same seeds give the same numbers, however many
    workers train. A run that was stopped goes on from its last finished fold when the same command is given again.
    """

    model: tyro.conf.Positional[str]
    """What to train: edssnet, dual-branch, dual-attention-crossvit, madtn, se-resnext-50; or a yardstick: linear-svm,
    ststnet, compact-cnn, dual-attention-crossvit-fine."""
    features: Path | None = None
    """Feature file (.npz) from `onset prepare`, or any with x, y, subject, dataset."""
    data: tuple[Path, ...] = ()
    """Folders of databases as their owners hand them out; they are prepared for the model first."""
    datasets: tuple[str, ...] = ()
    """With --data: the data sets that are meant, such as smic-hs, where a folder holds several; recognised if left
    out."""
    labels: str | None = None
    """With --data: label scheme, as of `onset prepare`, such as casme2-five."""
    synthetic: bool = False
    """Train on synthesised clips of known movements instead of real ones."""
    out: Path
    """Folder of the run."""
    protocol: Literal[
        "paper", "leave-one-subject-out", "megc-2019-composite", "k-fold", "cross-database", "hold-out"
    ] = "paper"
    """Who is trained and who is tested on; "paper" takes what the model's paper does."""
    settings_of: Literal["paper", "ours"] = "paper"
    """Whose training the settings below begin with: the paper's, or ours, which takes small networks less time and
    served real maps as well or better."""
    size: tuple[int, int] | None = None
    """Height and width of the maps that --data and --synthetic make; the model's own if left out."""
    seeds: int = 3
    """Trained and scored so many times."""
    pretrain: Literal["none", "synthetic"] = "none"
    """Let the networks learn from synthetic movements before the first fold."""
    workers: int | None = None
    """Folds at a time; as many as there are cores if left out."""
    cluster: str | None = None
    """Spread the folds over Ray: auto, or the address of a cluster (extra [cluster])."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the networks train; auto takes a card that PyTorch can use."""
    ensemble: bool = False
    """Export the mean of all seeds' networks instead of the first seed's alone."""
    tensorboard: bool = False
    """Write curves and scores for TensorBoard, too."""
    overwrite: bool = False
    """Remove another run that is in the folder."""
    config: Path | None = None
    """TOML file with settings; flags win over it."""
    json: bool = False
    """Print one JSON object at the end instead of text."""
    settings: Annotated[TrainSettings, tyro.conf.arg(name="")] = field(default_factory=TrainSettings)

    def run(self) -> int:
        """Load or make the features, do the folds, score, export and report."""
        entry = model_entry(self.model)
        source = TrainingSource(
            features=self.features,
            data=self.data,
            synthetic=self.synthetic,
            datasets=self.datasets,
            labels=self.labels,
            clips=self.settings.synthetic_clips,
            size=self.size,
        )
        protocol = entry.protocol if self.protocol == "paper" else self.protocol
        with open_workers(self.cluster, self.workers) as workers:
            features = load_source(source, entry, protocol, self.out, workers, overwrite=self.overwrite)
            parameters = RunParameters(
                protocol=protocol,
                protocol_parameters=self.settings.protocol_parameters,
                training=self.settings.training,
                seeds=self.seeds,
                pretrain=self.pretrain,
                pretraining=self.settings.pretraining,
            )
            run = TrainingRun(
                entry,
                features,
                parameters,
                self.out,
                origin=source.origin,
                device=_device(self.device),
                overwrite=self.overwrite,
            )
            if self.pretrain != "none" and not self.json:
                print("pre-training on synthetic movements, minutes a seed; kept in the run's folder", file=sys.stderr)
            try:
                with progress_over(run) as progress:
                    metrics = run.run(workers, progress)
                checkpoint = finish(run, metrics, workers, ensemble=self.ensemble, tensorboard=self.tensorboard)
            except KeyboardInterrupt:
                kept = len(run.records())
                print(
                    f"onset: stopped; {kept} of {len(run.jobs)} folds are kept: the same command goes on",
                    file=sys.stderr,
                )
                raise
        if self.json:
            print(json.dumps(metrics))
            return 0
        console = Console()
        console.print(training_table(metrics))
        console.print(f"report      {report_path(run.folder)}\ncheckpoint  {checkpoint.folder}", highlight=False)
        return 0


def _device(asked: str) -> str:
    import torch

    if asked == "cpu" or (asked == "auto" and not torch.cuda.is_available()):
        return "cpu"
    if not torch.cuda.is_available():
        raise BadInput("--device cuda: PyTorch finds no card here; use --device cpu, or run `onset doctor`")
    return "cuda"


_PATHS = ("--out", "--features", "--data", "--config")
"""Flags whose value may be spelt like a model without being one."""


def defaults(words: Sequence[str]) -> Train:
    """Defaults under the flags: the named model's own training, with the configuration file over it."""
    named = next((word for before, word in pairwise(["", *words]) if word in MODELS and before not in _PATHS), None)
    training = _training_of(named, ours=_says(words, "--settings-of", "ours")) if named else TrainingParameters()
    if _says(words, "--pretrain", "synthetic"):
        training = fine_tuning(training)
    settings = TrainSettings(training=training)
    for place, word in enumerate(words):
        path = words[place + 1] if word == "--config" and place + 1 < len(words) else word.removeprefix("--config=")
        if word == "--config" or path != word:
            settings = load_configuration(Path(path), settings)
    return Train(model=tyro.MISSING, out=tyro.MISSING, settings=settings)


def _training_of(name: str, *, ours: bool) -> TrainingParameters:
    entry = model_entry(name)
    if not ours:
        return entry.training
    if entry.ours is None:
        able = ", ".join(sorted(other.name for other in MODELS.values() if other.ours))
        raise BadInput(f"--settings-of ours: we have tried none with {name}, only with {able}: leave it out")
    return entry.ours


def _says(words: Sequence[str], flag: str, value: str) -> bool:
    return (flag, value) in pairwise(words) or f"{flag}={value}" in words


COMMAND = Train
