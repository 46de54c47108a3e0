"""What training costs: folds side by side against one after another, and a leave-one-subject-out run of every model."""

import multiprocessing
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from trainers.feature_file import ITSELF, FeatureFile
from trainers.fold import FoldJob, FoldTrainer, fold_trainer
from trainers.models.registry import MODELS, ModelEntry, model_entry
from trainers.protocol import splits_of
from trainers.workers import LocalWorkers

SUBJECTS, CLIPS_EACH = 40, 8
"""About the shared composite: forty subjects, some three hundred clips."""
COMPARED = "ststnet"
SHORT_EPOCHS = 10
"""Timed of a model of small maps."""
SMALL_MAPS = 28
"""Height and width of the maps on which the dual-branch network is timed too: those of the published composite."""


def run(*, quick: bool = False) -> dict[str, Any]:
    """Time folds of random maps: what they show does not change what they cost.

    Args:
        quick: fewer folds, and small models alone.

    Returns:
        The same folds with one process and with one a core, and for every model the time of an epoch and what a run of
        forty folds comes to on these cores.
    """
    names = [name for name, entry in MODELS.items() if not quick or entry.input_shape[1] == SMALL_MAPS]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        costs = {name: pool.submit(_cost, name, None).result() for name in names}
        if not quick:
            costs["dual-branch at 28×28"] = pool.submit(_cost, "dual-branch", SMALL_MAPS).result()
    return {"side_by_side": _side_by_side(SUBJECTS if not quick else 6, turns=1 if quick else 3), "models": costs}


def _side_by_side(folds: int, turns: int) -> dict[str, Any]:
    """The same folds, one after another and on all cores by turns, so that what else the machine does falls on both."""
    trainer = _trainer(model_entry(COMPARED), SMALL_MAPS)
    jobs = [FoldJob(0, place) for place in range(folds)]
    most = LocalWorkers().count
    seconds: dict[int, list[float]] = {1: [], most: []}
    answers = {}
    trainer(jobs[0])  # what is loaded and laid out once
    for _ in range(turns):
        for count in seconds:
            started = time.perf_counter()
            done = dict(LocalWorkers(count).run(trainer, jobs))
            seconds[count].append(time.perf_counter() - started)
            answers[count] = [done[place].probabilities for place in range(folds)]
    return {
        "model": COMPARED,
        "folds": folds,
        "workers": most,
        "one_s": seconds[1],
        "many_s": seconds[most],
        "times_as_fast": sum(seconds[1]) / sum(seconds[most]),
        "equal": all(np.array_equal(a, b) for a, b in zip(answers[1], answers[most], strict=True)),
    }


def _cost(name: str, size: int | None) -> Mapping[str, Any]:
    """One epoch of one fold, in a process that does nothing else, and what forty folds come to."""
    entry = model_entry(name)
    batch = entry.training.batch
    # A whole epoch, several times over, where it is short; some steps of it where it is long.
    short = entry.input_shape[1] == SMALL_MAPS and size is None
    clips = SUBJECTS * CLIPS_EACH if short else max(4 * batch, SUBJECTS)
    trainer = _trainer(entry, size or entry.input_shape[1], clips=clips, epochs=SHORT_EPOCHS if short else 1)
    # The first fold of a process also waits for what is loaded and laid out once.
    record = [trainer(FoldJob(seed, 0)) for seed in range(2)][-1]
    trained = SUBJECTS * CLIPS_EACH * (1 - 1 / SUBJECTS)
    epochs_done = max(len(record.training_losses), 1)
    epoch_s = record.seconds / epochs_done * trained / len(record.train)
    epochs = entry.training.epochs
    return {
        "map": size or entry.input_shape[1],
        "ms_a_map": 1e3 * epoch_s / trained,
        "epochs": epochs,
        "forty_folds_s": epoch_s * epochs * SUBJECTS / LocalWorkers().count,
        "peak_mib": record.peak_memory_mib,
    }


def _trainer(
    entry: ModelEntry, size: int, clips: int = SUBJECTS * CLIPS_EACH, epochs: int | None = None
) -> FoldTrainer:
    generator = np.random.default_rng(0)
    features = FeatureFile(
        path=Path("random-maps"),
        x=generator.integers(0, 256, (clips, size, size, entry.input_shape[0]), np.uint8),
        y=np.arange(clips) % 3,
        subject=np.array([f"s{index * SUBJECTS // clips:02d}" for index in range(clips)]),
        dataset=np.full(clips, "random"),
        clip=np.array([f"c{index}" for index in range(clips)]),
        label_names=("negative", "positive", "surprise"),
        variant=np.full(clips, ITSELF),
        recipe=entry.recipe,
    )
    training = replace(entry.training, epochs=epochs or entry.training.epochs, patience=None)
    splits = splits_of("leave-one-subject-out", features)
    return fold_trainer(entry, features, splits, training, classes=3)


def render(result: dict[str, Any]) -> str:
    """The figures as lines."""
    both = result["side_by_side"]
    lines = [
        f"{both['folds']} folds of {both['model']}: one process {_listed(both['one_s'])} s, "
        f"{both['workers']} side by side {_listed(both['many_s'])} s: {both['times_as_fast']:.2f} times as fast, "
        f"{'the same numbers' if both['equal'] else 'DIFFERENT NUMBERS'}",
        "",
        f"{'model':<28} {'map':>5} {'ms a map':>9} {'epochs':>7} {'40 folds, about':>16} {'peak':>9}",
    ]
    for name, cost in result["models"].items():
        line = f"{name:<28} {cost['map']:>4}² {cost['ms_a_map']:>9.2f} {cost['epochs']:>7}"
        lines.append(f"{line} {_duration(cost['forty_folds_s']):>16} {cost['peak_mib']:>5.0f} MiB")
    return "\n".join(lines)


def _listed(seconds: list[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in seconds)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
