"""Scores of a checkpoint on a feature file, as it is, without training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64
from rich.table import Table

from engines.card import ModelCard
from engines.checkpoint import Checkpoint
from engines.classification import check_features, classify
from engines.errors import BadInput
from engines.sessions import open_session
from trainers.feature_file import ITSELF, FeatureFile, load_features
from trainers.metrics.recognition import confusion_matrix, recognition_scores

USUAL_LABELS = ("negative", "positive", "surprise")
"""What labels 0, 1 and 2 mean in a feature file that does not say (the MEGC 2019 composite)."""


def evaluate(
    checkpoint: str | Path | Checkpoint, features: str | Path | FeatureFile, *, backend: str = "auto"
) -> dict[str, Any]:
    """Classify every clip of a feature file and score the answers; further views of a clip are left out.

    Args:
        checkpoint: a checkpoint folder or "default".
        features: a feature file of the recipe that the checkpoint was trained on.
        backend: inference engine.

    Returns:
        `uf1`, `uar`, `accuracy`, `confusion` (true classes in rows, in the order of `classes`) and `n`,
        pooled over all clips and under `datasets` for each data set; and what was evaluated on what. Ready
        for JSON.

    Raises:
        BadInput: if the file cannot be read or does not fit the model.
        BadCheckpoint: if the checkpoint cannot be used.
    """
    file = features if isinstance(features, FeatureFile) else load_features(features)
    with open_session(checkpoint, backend=backend) as session:
        card = session.checkpoint.card
        try:
            check_features(file.x, card)
        except BadInput as fault:
            raise BadInput(f"feature file {file.path}: {fault}") from None
        itself = file.variant == ITSELF
        truth, dataset = labels_of_card(file, card)[itself], file.dataset[itself]
        predicted = classify(session, file.x[itself]).argmax(axis=1)
        return {
            "checkpoint": session.checkpoint.name,
            "model": card.model,
            "backend": session.backend,
            "features": str(file.path),
            "classes": list(card.classes),
            "test_time_mirror": card.test_time_mirror,
            "trained_on": card.training_data,
            **_scores(truth, predicted, len(card.classes)),
            "datasets": {
                str(name): _scores(truth[dataset == name], predicted[dataset == name], len(card.classes))
                for name in np.unique(dataset)
            },
        }


def labels_of_card(file: FeatureFile, card: ModelCard) -> Int64[np.ndarray, "N"]:
    """A file's labels as places in a card's classes, matched by name.

    Args:
        file: feature file; where it does not name its labels, they are taken as negative, positive, surprise.
        card: of the model.

    Raises:
        BadInput: if a label that occurs is none of the card's classes.
    """
    names = file.label_names or USUAL_LABELS
    if file.y.max() >= len(names):
        raise BadInput(f"feature file {file.path}: label {file.y.max()} has no name: add label_names to the file")
    places = {name.casefold(): place for place, name in enumerate(card.classes)}
    translated = np.array([places.get(name.casefold(), -1) for name in names], np.int64)
    strange = sorted({names[label] for label in np.unique(file.y) if translated[label] < 0})
    if strange:
        raise BadInput(
            f"feature file {file.path} has the label {strange[0]!r}, which {card.model} does not know: "
            f"its classes are {', '.join(card.classes)}"
        )
    translated_labels: np.ndarray = translated[file.y]
    return translated_labels


def score_table(result: Mapping[str, Any]) -> Table:
    """The scores as a table, the data sets under the whole.

    Args:
        result: from `evaluate`.

    Returns:
        A table for Rich's console.
    """
    table = Table(title=f"{result['model']} ({result['checkpoint']}) on {Path(result['features']).name}")
    for heading in (
        "clips of",
        "n",
        "UF1",
        "UAR",
        "accuracy",
        *(f"recall {name}" for name in result["classes"]),
    ):
        table.add_column(heading, justify="left" if heading == "clips of" else "right")
    table.add_row(*_row("all", result))
    if len(result["datasets"]) > 1:
        for name, scores in result["datasets"].items():
            table.add_row(*_row(name, scores))
    # Scores on what a model learned from look splendid and say nothing.
    table.caption = f"trained on: {result['trained_on']}"
    return table


def _row(name: str, scores: Mapping[str, Any]) -> Sequence[str]:
    recalls = [f"{row[place] / sum(row):.3f}" if sum(row) else "–" for place, row in enumerate(scores["confusion"])]
    figures = [f"{scores[key]:.3f}" for key in ("uf1", "uar", "accuracy")]
    return [name, str(scores["n"]), *figures, *recalls]


def _scores(truth: Int64[np.ndarray, "N"], predicted: Int64[np.ndarray, "N"], classes: int) -> dict[str, Any]:
    return {"n": len(truth), **recognition_scores(confusion_matrix(truth, predicted, classes))}
