"""The recipe of the checkpoint that ships with the package.

    python -m trainers.default_checkpoint --out FOLDER [--measure FEATURES.npz]

Maps are generated, networks trained and their mean exported, all from fixed seeds. Nothing real goes in: a feature
file given to `--measure` is scored at the end, once, and its figures are written into the card.
"""

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numba
import numpy as np
import torch
import tyro
from torch import Tensor, nn

from engines.card import ModelCard
from engines.checkpoint import Checkpoint
from engines.inputs import normalise
from trainers.datasets.action_units import LABEL_NAMES
from trainers.datasets.synthetic import GENERATOR_VERSION, SyntheticMapParameters, generate_maps
from trainers.export import export_checkpoint
from trainers.metrics.recognition import confusion_matrix, recognition_scores, uar, uf1
from trainers.models.ensemble import ProbabilityEnsemble
from trainers.models.registry import ModelEntry, model_entry, parameter_count
from trainers.training import TrainingParameters, probabilities, train


@dataclass(frozen=True, kw_only=True)
class DefaultRecipe:
    """How the default checkpoint is made; the values are those of the shipped one."""

    model: str = "ststnet"
    networks: int = 3
    """Networks of that model, each from its own seed and its own maps; their mean is one graph."""
    maps: int = 12_000
    """Generated maps a network."""
    validation_maps: int = 3_000
    seed: int = 20_261_120
    processes: int = 2
    """Networks trained at a time, one thread each; does not change the result."""
    training: TrainingParameters = field(default_factory=TrainingParameters)
    generator: SyntheticMapParameters = field(default_factory=SyntheticMapParameters)


def make_default_checkpoint(
    folder: Path, recipe: DefaultRecipe, *, measure: Path | None = None, replace_existing: bool = False
) -> Checkpoint:
    """Generate, train, export and, if asked, measure.

    Args:
        folder: where the checkpoint goes.
        recipe: how it is made.
        measure: a feature file of real maps to score the finished checkpoint on.
        replace_existing: take the place of a checkpoint that is there.

    Returns:
        The checkpoint as read back.
    """
    started = time.perf_counter()
    entry = model_entry(recipe.model)
    members = _networks(recipe)
    model = ProbabilityEnsemble(members).eval()
    held_out = generate_maps(recipe.validation_maps, recipe.seed - 1, recipe.generator, processes=recipe.processes)
    maps = _tensor(held_out.x, entry)
    scores: dict[str, Any] = {"synthetic": _scores(model, maps, held_out.y)}
    if measure is not None:
        scores |= _measured(model, members, entry, measure)
    seconds = time.perf_counter() - started
    card = _card(entry, recipe, scores, parameter_count(model), seconds)
    return export_checkpoint(model, card, folder, maps[:256].numpy(), replace_existing=replace_existing)


def _networks(recipe: DefaultRecipe) -> list[nn.Module]:
    if recipe.processes == 1:
        return [_network(recipe, index) for index in range(recipe.networks)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(recipe.processes, mp_context=context) as pool:
        return list(pool.map(_network, [recipe] * recipe.networks, range(recipe.networks)))


def _network(recipe: DefaultRecipe, index: int) -> nn.Module:
    """Generate one network's maps and train it on them, in a process of its own."""
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    entry = model_entry(recipe.model)
    seed = recipe.seed + index
    maps = generate_maps(recipe.maps, seed, recipe.generator)
    torch.manual_seed(seed)
    trained = train(
        entry.build(len(LABEL_NAMES)), _tensor(maps.x, entry), torch.from_numpy(maps.y), recipe.training, seed=seed
    )
    found = f"loss {trained.losses[-1]:.3f}, {trained.seconds:.0f} s"
    print(f"network {index + 1} of {recipe.networks}: {found}", flush=True)
    return trained.model


def _tensor(x: np.ndarray, entry: ModelEntry) -> Tensor:
    return torch.from_numpy(normalise(x, entry.normalisation))


def _scores(model: nn.Module, maps: Tensor, labels: np.ndarray) -> dict[str, Any]:
    predicted = probabilities(model, maps).argmax(dim=1).numpy()
    return dict(recognition_scores(confusion_matrix(labels, predicted, len(LABEL_NAMES))))


def _measured(model: nn.Module, members: list[nn.Module], entry: ModelEntry, features: Path) -> dict[str, Any]:
    """Score on real maps: overall, by data set, and what the single networks reach alone."""
    with np.load(features) as file:
        x, y, datasets = file["x"], file["y"], file["dataset"]
    maps = _tensor(x, entry)
    scores: dict[str, Any] = {"real": _scores(model, maps, y)}
    for name in np.unique(datasets):
        scores[f"real {name}"] = _scores(model, maps[torch.from_numpy(datasets == name)], y[datasets == name])
    single = [probabilities(member, maps).argmax(dim=1).numpy() for member in members]
    tables = [confusion_matrix(y, predicted, len(LABEL_NAMES)) for predicted in single]
    for name, score in (("uf1", uf1), ("uar", uar)):
        values = [score(table) for table in tables]
        scores[f"real, single networks, {name}"] = {
            "mean": float(np.mean(values)),
            "sd": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
            "networks": len(values),
        }
    return scores


def _card(
    entry: ModelEntry, recipe: DefaultRecipe, scores: dict[str, Any], parameters: int, seconds: float
) -> ModelCard:
    return ModelCard(
        model=entry.name,
        paper=entry.paper,
        recipe=entry.recipe,
        normalisation=entry.normalisation,
        input_shape=entry.input_shape,
        classes=LABEL_NAMES,
        test_time_mirror=True,
        parameters=parameters,
        training_data=(
            f"Synthetic movements only: {recipe.networks} × {recipe.maps} maps of generator version "
            f"{GENERATOR_VERSION}, seeds {recipe.seed} to {recipe.seed + recipe.networks - 1}. No real recording, "
            "and no label of one, was trained on."
        ),
        protocol=(
            f"One graph that holds {recipe.networks} networks of {entry.name} and averages their probabilities; "
            f"{recipe.training.epochs} epochs each, averaged weights, no choice of epoch. Made by "
            f"`python -m trainers.default_checkpoint` in {seconds:.0f} s on {recipe.processes} of {os.cpu_count()} "
            "cores. Scores named 'real' are on real maps that were never trained on."
        ),
        limits=(
            "It names the movement of facial muscles, not what a person feels: it is not a lie detector and must not "
            "decide about anyone. Made for frontal faces, about the size of the canonical crop or larger; "
            "speech, glasses, strong head movement and large poses were not trained for."
        ),
        scores=scores,
    )


SHIPPED = DefaultRecipe()
"""The recipe of the shipped checkpoint."""


def main(out: Path, *, recipe: DefaultRecipe = SHIPPED, measure: Path | None = None, replace: bool = False) -> None:
    """Make the default checkpoint.

    Args:
        out: folder of the checkpoint.
        recipe: how it is made.
        measure: feature file of real maps to score the finished checkpoint on.
        replace: take the place of a checkpoint that is there.
    """
    checkpoint = make_default_checkpoint(out, recipe, measure=measure, replace_existing=replace)
    print(f"written: {checkpoint.folder}")


if __name__ == "__main__":
    tyro.cli(main)
