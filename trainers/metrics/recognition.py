"""Scores of recognition, as the Micro-Expression Grand Challenges define them."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from engines.errors import BadInput


def confusion_matrix(
    truth: Int[np.ndarray, "N"], predicted: Int[np.ndarray, "M"], classes: int
) -> Int[np.ndarray, "K K"]:
    """Count predictions by true class.

    Args:
        truth: true labels.
        predicted: predicted labels.
        classes: number of classes K; labels are 0 to K − 1.

    Returns:
        Counts, true classes in rows and predicted classes in columns. Folds pool by adding their matrices.

    Raises:
        BadInput: if the labels differ in number or lie outside the classes.
    """
    if truth.shape != predicted.shape or truth.ndim != 1:
        raise BadInput(f"labels must be two lists of one length, not {truth.shape} and {predicted.shape}")
    together = np.concatenate([truth, predicted])
    if together.size and not 0 <= together.min() <= together.max() < classes:
        raise BadInput(f"labels must be 0 to {classes - 1}, not {together.min()} to {together.max()}")
    counts = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes)


def f1_by_class(confusion: Int[np.ndarray, "K K"]) -> np.ndarray:
    """F1 of each class: 2 TP / (2 TP + FP + FN); 0 for a class that is neither there nor predicted.

    Args:
        confusion: counts from `confusion_matrix`.

    Returns:
        K figures in 0–1.
    """
    hits = np.diag(confusion).astype(np.float64)
    f1: np.ndarray = 2 * hits / np.maximum(confusion.sum(axis=0) + confusion.sum(axis=1), 1)
    return f1


def uf1(confusion: Int[np.ndarray, "K K"]) -> float:
    """Unweighted F1: the mean of the classes' F1 over the confusion matrix pooled over all folds.

    Args:
        confusion: counts from `confusion_matrix`, added up over folds.

    Returns:
        UF1 in 0–1.

    Reference:
        See, Yap, Li, Hong and Wang, MEGC 2019 – the second facial micro-expressions grand challenge, FG 2019.
    """
    return float(f1_by_class(confusion).mean())


def uar(confusion: Int[np.ndarray, "K K"]) -> float:
    """Unweighted average recall: the mean of the classes' recall, pooled over all folds.

    Args:
        confusion: counts from `confusion_matrix`, added up over folds.

    Returns:
        UAR in 0–1; a class without a sample counts as 0.
    """
    return float((np.diag(confusion) / np.maximum(confusion.sum(axis=1), 1)).mean())


def accuracy(confusion: Int[np.ndarray, "K K"]) -> float:
    """Share of samples that were named right.

    Args:
        confusion: counts from `confusion_matrix`.

    Returns:
        Accuracy in 0–1; 0 without samples.
    """
    return float(np.trace(confusion) / max(int(confusion.sum()), 1))


def recognition_scores(confusion: Int[np.ndarray, "K K"]) -> Mapping[str, float | list[list[int]]]:
    """All the scores of one confusion matrix, by the names that reports use.

    Args:
        confusion: counts from `confusion_matrix`.

    Returns:
        `uf1`, `uar`, `accuracy` and `confusion`, ready for JSON.
    """
    return {
        "uf1": uf1(confusion),
        "uar": uar(confusion),
        "accuracy": accuracy(confusion),
        "confusion": confusion.tolist(),
    }
