"""A training run as the report gets it: a quickly trained STSTNet on drawn maps, or answers from a seeded generator."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from engines.inputs import normalise
from trainers.datasets.synthetic import SyntheticMapParameters, feature_file, generate_maps
from trainers.explanation import explain
from trainers.feature_file import FeatureFile
from trainers.fold_record import FoldRecord
from trainers.heat import Explanation
from trainers.metrics.pooled import run_scores
from trainers.models.registry import model_entry
from trainers.report.gallery import rows_to_explain
from trainers.report.predictions import predictions_of

LABELS = ("negative", "positive", "surprise")


def demo_features(clips: int = 90, subjects: int = 12, path: str = "/somewhere/private/maps.npz") -> FeatureFile:
    """Drawn maps of made-up subjects in two made-up data sets."""
    maps = generate_maps(clips, 11, SyntheticMapParameters(filmed_share=0.0))
    arrays = feature_file(maps)
    place = np.random.default_rng(2).integers(0, subjects, clips)
    return FeatureFile(
        path=Path(path),
        x=maps.x,
        y=maps.y,
        subject=np.array([f"sub{one // 2 + 1:02d}" for one in place]),
        dataset=np.where(place % 2 == 0, "casme2", "smic-hs"),
        clip=np.array([f"EP{index:02d}_{name}" for index, name in enumerate(arrays["clip"])]),
        label_names=LABELS,
        variant=np.full(clips, ""),
        recipe="flow-strain",
    )


def demo_folds(
    features: FeatureFile, *, seeds: int = 3, epochs: int = 20, inner: bool = False, skill: float = 0.62
) -> list[FoldRecord]:
    """Folds whose answers come from a generator: a subject each, some of them hard."""
    people = np.array([f"{d}/{s}" for d, s in zip(features.dataset, features.subject, strict=True)])
    generator = np.random.default_rng(5)
    ease = {name: generator.uniform(0.2, 1.2) for name in sorted(set(people))}
    return [
        _fold(features, people, name, place, seed, epochs, inner, skill * ease[name])
        for seed in range(seeds)
        for place, name in enumerate(sorted(ease))
    ]


def _fold(
    features: FeatureFile, people: np.ndarray, name: str, place: int, seed: int, epochs: int, inner: bool, skill: float
) -> FoldRecord:
    generator = np.random.default_rng((seed, place))
    test, others = np.flatnonzero(people == name), np.flatnonzero(people != name)
    own_epochs = epochs - int(generator.integers(0, epochs // 4)) if inner else epochs
    course = np.linspace(0, 1, own_epochs)
    logits = generator.normal(size=(own_epochs, len(test), 3)) * 0.4 + generator.normal(size=(len(test), 3))
    logits[:, np.arange(len(test)), features.y[test]] += 3.2 * skill * (course[:, None] ** 0.4)
    losses = 0.25 + 0.85 * np.exp(-3 * course) + generator.normal(0, 0.02, own_epochs)
    softmax = np.exp(logits[-1]) / np.exp(logits[-1]).sum(axis=1, keepdims=True)
    return FoldRecord(
        name=name,
        seed=seed,
        place=place,
        train=others[::5] if not inner else others[1::5],
        validation=others[::5] if inner else np.array([], np.int64),
        test=test,
        probabilities=softmax.astype(np.float32),
        epoch_predictions=logits.argmax(axis=2),
        training_losses=losses.astype(np.float32),
        validation_losses=(losses + 0.15 + 0.3 * course**2).astype(np.float32) if inner else np.array([], np.float32),
        kept_epoch=own_epochs,
        seconds=float(generator.uniform(2, 3)),
        peak_memory_mib=812.0,
    )


def demo_metrics(folds: list[FoldRecord], features: FeatureFile, *, by_task: bool = False) -> dict[str, Any]:
    """What `metrics.json` would hold."""
    return {
        "model": "ststnet",
        "protocol": "cross-database" if by_task else "leave-one-subject-out",
        "label_names": list(LABELS),
        "clips": len(features),
        "parameters": 1683,
        **run_scores(folds, features, LABELS, by_task=by_task),
    }


def demo_record(features: FeatureFile, folds: list[FoldRecord], *, model: str = "ststnet") -> dict[str, Any]:
    """What `run.json` would hold."""
    return {
        "state": "running",
        "model": model,
        "protocol": "leave-one-subject-out",
        "features": {
            "path": str(features.path),
            "clips": len(features),
            "shape": list(features.x.shape[1:]),
            "recipe": "flow-strain",
            "normalisation": "centred-flow-log-strain",
        },
        "label_names": list(LABELS),
        "seeds": sorted({fold.seed for fold in folds}),
        "settings": {
            "training": {"epochs": 20, "learning_rate": 0.002, "augmentation": {"shift_px": 1}, "patience": None},
            "pretrain": "none",
        },
        "device": "cpu",
        "versions": {"onset-live": "0.1.0", "torch": torch.__version__},
    }


def demo_explanations(features: FeatureFile, folds: list[FoldRecord], *, steps: int = 40) -> list[Explanation]:
    """Of a STSTNet that learned a little from all maps."""
    torch.manual_seed(0)
    entry = model_entry("ststnet")
    model = entry.build(3)
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    maps, labels = torch.from_numpy(normalise(features.x, entry.normalisation)), torch.from_numpy(features.y)
    for _ in range(steps):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(maps), labels).backward()  # type: ignore[no-untyped-call]  # PyTorch
        optimiser.step()
    rows = rows_to_explain(predictions_of(folds, features))
    return explain(model, entry, features, rows)
