"""How far a score would move with other people: a bootstrap that draws whole subjects."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from engines.errors import BadInput
from trainers.metrics.recognition import confusion_matrix, uf1


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceInterval:
    """Where a score lies for other draws of subjects."""

    low: float
    high: float
    level: float
    """Share of the draws that lie between the two."""
    resamples: int
    subjects: int


def subject_bootstrap(
    truth: Int[np.ndarray, "N"],
    predicted: Int[np.ndarray, "seeds N"],
    subject: np.ndarray,
    classes: int,
    *,
    score: Callable[[Int[np.ndarray, "K K"]], float] = uf1,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> ConfidenceInterval:
    """Percentile interval of a pooled score over subjects drawn with replacement.

    The clips of one person are alike, so drawing clips would make the interval too narrow. Within a draw the score is
    taken of each seed's pooled confusion matrix and averaged over seeds, which is the figure that a report prints. What
    another training set would change is not in it: the predictions are kept.

    Args:
        truth: true label of every clip.
        predicted: predicted labels, one row a seed.
        subject: whose clip it is; a name must be unique over all data sets.
        classes: number of classes K.
        score: of one pooled confusion matrix.
        resamples: number of draws.
        level: share of the draws within the interval.
        seed: of the draws; the same seed gives the same interval.

    Returns:
        The interval; of no width where there is one subject only.

    Raises:
        BadInput: without a clip, or if labels and subjects differ in number.

    Reference:
        Efron and Tibshirani, An introduction to the bootstrap, 1993, chapters 8 and 13.
    """
    if not len(truth) or len(subject) != len(truth) or predicted.shape[1] != len(truth):
        raise BadInput(
            f"bootstrap needs a subject and a prediction a clip, not {len(truth)} labels, {len(subject)} subjects and "
            f"predictions {predicted.shape}"
        )
    names, place = np.unique(subject, return_inverse=True)
    # Seeds, subjects, K, K: a draw is then a weighted sum over subjects.
    counts = np.stack(
        [
            [confusion_matrix(truth[place == one], guess[place == one], classes) for one in range(len(names))]
            for guess in predicted
        ]
    )
    generator = np.random.default_rng(seed)
    times_drawn = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    drawn = np.einsum("rs,gskl->rgkl", times_drawn, counts)
    scores = np.array([np.mean([score(confusion) for confusion in seeds]) for seeds in drawn])
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return ConfidenceInterval(low=float(low), high=float(high), level=level, resamples=resamples, subjects=len(names))
