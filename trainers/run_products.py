"""What a finished run leaves: a checkpoint trained on everything, pictures of what it looks at, and the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from engines.card import ModelCard
from engines.checkpoint import Checkpoint
from engines.inputs import normalise
from trainers.augmentation import mirror_of
from trainers.explanation import explain
from trainers.export import export_checkpoint
from trainers.feature_conversion import is_converted
from trainers.fold import Weights
from trainers.metrics.pooled import SCORES
from trainers.models.ensemble import ProbabilityEnsemble
from trainers.models.registry import parameter_count
from trainers.report import write_report, write_scores
from trainers.report.gallery import rows_to_explain
from trainers.report.predictions import predictions_of
from trainers.tensorboard import write_tensorboard
from trainers.training_run import TrainingRun
from trainers.workers import Workers

CHECKPOINT_FOLDER = "checkpoint"
EXPLAINED = 1
"""Surest right and surest wrong answers of each label that the report shows the network's attention on."""
PARITY_MAPS = 64


def finish(
    run: TrainingRun,
    metrics: Mapping[str, Any],
    workers: Workers,
    *,
    ensemble: bool = False,
    tensorboard: bool = False,
) -> Checkpoint:
    """Train on every clip, export, explain and report.

    Args:
        run: all of whose folds are done.
        metrics: its scores.
        workers: who trains.
        ensemble: export the mean of all seeds' networks instead of the first seed's alone.
        tensorboard: write curves and scores for TensorBoard too.

    Returns:
        The exported checkpoint.

    Raises:
        ParityError: if the exported graph does not compute what the network computes.
    """
    seeds = range(run.parameters.seeds if ensemble else 1)
    networks = [_network(run, weights) for weights in run.finished_weights(workers, list(seeds))]
    model = ProbabilityEnsemble(networks).eval() if ensemble else networks[0]
    checkpoint = export_checkpoint(
        model,
        _card(run, metrics, model, ensemble=ensemble),
        run.folder / CHECKPOINT_FOLDER,
        normalise(run.features.x[:PARITY_MAPS], run.entry.normalisation),
        replace_existing=True,
    )
    folds = run.records()
    rows = rows_to_explain(predictions_of(folds, run.features), each=EXPLAINED)
    explanations = explain(networks[0], run.entry, run.features, rows, label_names=run.label_names)
    write_report(run.folder, run.record(), metrics, folds, run.features, explanations)
    write_scores(run.folder, metrics)
    if tensorboard:
        write_tensorboard(run.folder, folds, metrics, run.features)
    run.finish()
    return checkpoint


def report_path(folder: Path) -> Path:
    """Where a run's report lies."""
    return folder / "report.html"


def _network(run: TrainingRun, weights: Weights) -> nn.Module:
    model = run.entry.build(len(run.label_names))
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return model.eval()


def _card(run: TrainingRun, metrics: Mapping[str, Any], model: nn.Module, *, ensemble: bool) -> ModelCard:
    training = run.parameters.training
    height, width, channels = run.features.x.shape[1:]
    mirror = mirror_of(run.entry.recipe, run.entry.normalisation)
    return ModelCard(
        model=run.entry.name,
        paper=run.entry.paper,
        recipe=run.entry.recipe,
        normalisation=run.entry.normalisation,
        input_shape=(channels, height, width),
        classes=tuple(run.label_names),
        test_time_mirror=training.test_time_mirror and mirror is not None,
        parameters=parameter_count(model),
        training_data=_data_in_words(run),
        protocol=_protocol_in_words(run, metrics, ensemble=ensemble),
        limits=(
            "It names the movement of facial muscles, not what a person feels: it is not a lie detector and must not "
            "decide about anyone. The agreement of the database it learned from may forbid passing it on."
        ),
        scores={run.parameters.protocol: _ensemble_scores(metrics) if ensemble else _single_scores(metrics)},
    )


def _single_scores(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **metrics["mean"],
        "sd": metrics["sd"],
        "datasets": metrics["datasets"],
        "of": "mean over seeds of single networks",
    }


def _ensemble_scores(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """One answer a clip, so nothing spreads over seeds."""
    together = metrics["ensemble_of_seeds"]
    return {
        **{name: together[name] for name in SCORES},
        "datasets": {
            name: {"clips": own["clips"], **{score: own[score] for score in SCORES}}
            for name, own in together["datasets"].items()
        },
        "of": "mean of the seeds' probabilities",
    }


def _data_in_words(run: TrainingRun) -> str:
    datasets = ", ".join(f"{name}: {count} clips" for name, count in run.record()["features"]["datasets"].items())
    before = {"none": "", "synthetic": " Before that, on synthetic movements only."}[run.parameters.pretrain]
    # Live, u and v are measured in pixels, and their magnitude is another one.
    made = (
        " Magnitude was made of stretched u and v, each centred and scaled, not of pixels as in live maps."
        if is_converted(run.features)
        else ""
    )
    return f"All clips ({datasets}) of: {run.record()['features']['origin']}.{made}{before}"


def _protocol_in_words(run: TrainingRun, metrics: Mapping[str, Any], *, ensemble: bool) -> str:
    seeds = run.parameters.seeds
    kept = "the mean of all seeds' networks" if ensemble else "the first seed's network"
    how = "fitted to every clip" if run.entry.fit else f"trained on every clip for {run.usual_epochs()} epochs"
    adapted = (
        "; every task's networks saw the tested maps, without their labels, and these weights have no such target"
        if run.parameters.training.transfer_weight and any(len(split.target) for split in run.splits)
        else ""
    )
    return (
        f"Scored by {run.parameters.protocol}: {len(run.splits)} splits, {seeds} seed{'s' if seeds > 1 else ''}, no "
        f"choice on tested subjects{adapted}; these weights are {kept}, {how} after scoring. Folds took "
        f"{metrics['seconds']:.0f} s in all, one thread each."
    )
