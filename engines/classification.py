"""From feature maps to class probabilities: the one copy, live and in evaluation."""

import numpy as np
from jaxtyping import Float32

from engines.card import ModelCard
from engines.errors import BadInput
from engines.inputs import mirrored, normalise
from engines.inputs.normalisation import Features
from engines.sessions.base import InferenceSession

BATCH = 256
"""Maps that go through the model at once; bounds memory on large feature files."""


def classify(session: InferenceSession, features: Features) -> Float32[np.ndarray, "N K"]:
    """Probabilities of each class, averaged with those of the mirror image where the card says so.

    Args:
        session: an open session; its checkpoint's card says how to normalise, mirror and read the output.
        features: maps as a feature file holds them, of the size that the card states.

    Returns:
        One row a map that adds up to one, in the order of the card's classes.

    Raises:
        BadInput: if the features do not fit the card.
    """
    card = session.checkpoint.card
    check_features(features, card)
    batches = [
        _probabilities(session, card, features[first : first + BATCH]) for first in range(0, len(features), BATCH)
    ]
    return np.concatenate(batches)


def check_features(features: np.ndarray, card: ModelCard) -> None:
    """Raise where maps are not of the type and size that a model was trained on.

    Raises:
        BadInput: saying what the maps are and what the model takes.
    """
    channels, height, width = card.input_shape
    if features.dtype not in (np.dtype(np.uint8), np.dtype(np.float32)):
        raise BadInput(f"feature maps are {features.dtype}: they must be uint8 or float32")
    if features.ndim != 4 or features.shape[1:] != (height, width, channels) or not len(features):
        raise BadInput(
            f"feature maps have shape {features.shape}: {card.model} takes {card.recipe} maps of shape "
            f"(N, {height}, {width}, {channels})"
        )
    if features.dtype == np.float32 and not np.isfinite(features).all():
        raise BadInput("feature maps hold values that are not finite (NaN or infinity)")


def softmax(logits: Float32[np.ndarray, "N K"]) -> Float32[np.ndarray, "N K"]:
    """Logits as probabilities; rows add up to one."""
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities: np.ndarray = (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def _probabilities(session: InferenceSession, card: ModelCard, features: Features) -> Float32[np.ndarray, "N K"]:
    views = [features, mirrored(features, card.recipe)] if card.test_time_mirror else [features]
    given = session.run(np.concatenate([normalise(view, card.normalisation) for view in views]))
    probabilities = softmax(given) if card.output == "logits" else given
    averaged: np.ndarray = probabilities.reshape(len(views), len(features), -1).mean(axis=0)
    return averaged
