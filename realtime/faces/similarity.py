"""Rotation, scale and translation that carry points onto points, held against outliers."""

import numpy as np
from jaxtyping import Float, Float64

_ROUNDS = 12
_ABSOLUTE_ROUNDS = 15
"""Steps of least absolute distance first: the biweight keeps the outliers that it starts with."""
_TUKEY = 4.685
_GAUSSIAN_MAD = 1.4826


def fit_similarity(
    points: Float[np.ndarray, "N 2"],
    moved: Float[np.ndarray, "N 2"],
    weights: Float[np.ndarray, " N"] | None = None,
    robust: bool = True,
) -> Float64[np.ndarray, "2 3"]:
    """Least-squares similarity from `points` to `moved`, without reflection.

    Args:
        points: where the points were.
        moved: where they are now.
        weights: trust in each point, not negative; equal when left out.
        robust: refit with Tukey's biweight until the outliers carry no weight.

    Returns:
        The matrix `[[a, -b, tx], [b, a, ty]]`.

    Raises:
        ValueError: with fewer than two points that differ and have weight.

    Reference:
        Umeyama, Least-squares estimation of transformation parameters between two point patterns, PAMI 1991.
    """
    start = np.asarray(points, dtype=np.float64)
    goal = np.asarray(moved, dtype=np.float64)
    trust = np.ones(len(start)) if weights is None else np.asarray(weights, dtype=np.float64)
    matrix = _weighted_fit(start, goal, trust)
    if not robust or len(start) < 4:
        return matrix
    for _ in range(_ABSOLUTE_ROUNDS):
        matrix = _weighted_fit(start, goal, trust / (1e-9 + _residuals(matrix, start, goal)))
    for _ in range(_ROUNDS):
        errors = _residuals(matrix, start, goal)
        scale = max(_GAUSSIAN_MAD * float(np.median(errors)), 1e-9)
        biweight = np.clip(1.0 - (errors / (_TUKEY * scale)) ** 2, 0.0, None) ** 2
        following = _weighted_fit(start, goal, trust * biweight)
        if np.allclose(following, matrix, rtol=0.0, atol=1e-10):
            break
        matrix = following
    return matrix


def apply_similarity(matrix: Float[np.ndarray, "2 3"], points: Float[np.ndarray, "N 2"]) -> Float64[np.ndarray, "N 2"]:
    """The points after the transformation."""
    return np.asarray(np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2], dtype=np.float64)


def similarity_scale(matrix: Float[np.ndarray, "2 3"]) -> float:
    """How much longer a distance becomes."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def _residuals(
    matrix: Float64[np.ndarray, "2 3"], points: Float64[np.ndarray, "N 2"], moved: Float64[np.ndarray, "N 2"]
) -> Float64[np.ndarray, " N"]:
    return np.asarray(np.hypot(*(apply_similarity(matrix, points) - moved).T))


def _weighted_fit(
    points: Float64[np.ndarray, "N 2"], moved: Float64[np.ndarray, "N 2"], weights: Float64[np.ndarray, " N"]
) -> Float64[np.ndarray, "2 3"]:
    total = float(weights.sum())
    if not total > 0:
        raise ValueError("a similarity needs at least two points with weight")
    from_centre = weights @ points / total
    to_centre = weights @ moved / total
    start, goal = points - from_centre, moved - to_centre
    spread = float(weights @ (start**2).sum(axis=1))
    if not spread > 0:
        raise ValueError("a similarity needs at least two points that differ")
    a = float(weights @ (start * goal).sum(axis=1)) / spread
    b = float(weights @ (start[:, 0] * goal[:, 1] - start[:, 1] * goal[:, 0])) / spread
    x, y = to_centre - np.array(((a, -b), (b, a))) @ from_centre
    return np.array(((a, -b, x), (b, a, y)))
