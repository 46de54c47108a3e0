"""Class probabilities on the card: the counterpart of `engines.classification`."""

import math

import numpy as np
from numba import cuda

from engines.card_compilation import card_kernel

ZERO = np.float32(0)


@card_kernel
def average_views(given: np.ndarray, logits: int, probabilities: np.ndarray) -> None:
    """Mean over the views of what the model gave, logits through a softmax first; one block of one thread.

    Args:
        given: float32 (views, K).
        logits: 1 where `given` are logits, 0 where they are probabilities.
        probabilities: float32 (K,).
    """
    if cuda.grid(1) > 0:
        return
    views, classes = given.shape
    for k in range(classes):
        probabilities[k] = ZERO
    for view in range(views):
        greatest, total = given[view, 0], ZERO
        for k in range(1, classes):
            greatest = max(greatest, given[view, k])
        for k in range(classes):
            total += math.exp(given[view, k] - greatest)
        for k in range(classes):
            share = math.exp(given[view, k] - greatest) / total if logits != 0 else given[view, k]
            probabilities[k] += share / np.float32(views)
