"""What the head as a whole did between two images of a face, told from what its muscles did."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

GRID_COLUMNS = 28
"""About so many samples of the field across decide the fit; more of them say the same again."""
FIT_ROUNDS = 8
"""Re-weighted fits; the weights have settled by then."""
TUKEY = 4.685
"""Robust deviations beyond which a residual says nothing about the head (95 % efficiency)."""
LEAST_DEVIATION_PX = 0.02
"""Flow noise below which residuals are not told apart, pixels of the field."""
RIGID_CENTRE = (0.5, 0.36)
"""Middle of the bridge of the nose in the canonical crop, fractions of width and height."""
RIGID_SPREAD = (0.30, 0.16)
"""Over how much of the face the skull, rather than a muscle, decides the movement; one standard deviation."""
ELSEWHERE = 0.1
"""Say of the rest of the image beside the rigid part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadMovement:
    """A small similarity about the middle of an image."""

    turn: float = 0.0
    """Clockwise on the screen, radians."""
    growth: float = 0.0
    """Fraction by which the face grew."""
    shift_x_px: float = 0.0
    """To the image's right."""
    shift_y_px: float = 0.0
    """Down."""

    def plus(self, other: "HeadMovement", *, pixels: float) -> "HeadMovement":
        """This movement followed by another small one, measured where a pixel is `pixels` of these."""
        return HeadMovement(
            turn=self.turn + other.turn,
            growth=self.growth + other.growth,
            shift_x_px=self.shift_x_px + pixels * other.shift_x_px,
            shift_y_px=self.shift_y_px + pixels * other.shift_y_px,
        )

    def field(self, height: int, width: int) -> Float32[np.ndarray, "2 H W"]:
        """Displacement of every pixel, pixels."""
        y, x = _centred_grid(height, width, 1)
        u = self.growth * x - self.turn * y + self.shift_x_px
        v = self.turn * x + self.growth * y + self.shift_y_px
        field: np.ndarray = np.stack([u, v]).astype(np.float32)
        return field

    def matrix(self, height: int, width: int) -> Float64[np.ndarray, "2 3"]:
        """The similarity as a matrix that takes a pixel of the earlier image to where it is in the later one."""
        linear = np.array([[1 + self.growth, -self.turn], [self.turn, 1 + self.growth]])
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        shift = centre - linear @ centre + np.array([self.shift_x_px, self.shift_y_px])
        matrix: np.ndarray = np.column_stack([linear, shift])
        return matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSamples:
    """Where a flow field is looked at for the movement of the head, and how far each place is trusted."""

    step: int
    """Pixels of the field from one sample to the next."""
    x: Float64[np.ndarray, "points"]
    """Right of the field's middle, pixels; row after row."""
    y: Float64[np.ndarray, "points"]
    """Below it."""
    trust: Float64[np.ndarray, "points"]
    """1 where the skull shows, `ELSEWHERE` far from there."""


def head_samples(height: int, width: int) -> HeadSamples:
    """Samples of a flow field of this size, pixels."""
    step = max(1, round(width / GRID_COLUMNS))
    y, x = (grid.ravel() for grid in _centred_grid(height, width, step))
    return HeadSamples(step=step, x=x, y=y, trust=_rigid_trust(x / width + 0.5, y / height + 0.5))


def without_head_movement(flow: Float32[np.ndarray, "2 H W"]) -> Float32[np.ndarray, "2 H W"]:
    """A flow field minus the similarity (shift, turn, growth) that its rigid part follows.

    Args:
        flow: displacement of a face in canonical geometry, pixels.

    Returns:
        The field left when the head is held still, pixels.
    """
    still: np.ndarray = flow - head_movement(flow).field(*flow.shape[1:])
    return still


def head_movement(flow: Float32[np.ndarray, "2 H W"]) -> HeadMovement:
    """The similarity that the rigid part of a face follows in a flow field.

    Least squares re-weighted by Tukey's biweight, starting from weights that trust the bridge of the nose and the
    corners of the eyes: there the skull shows, while brows, lids and mouth move by muscle.

    Args:
        flow: displacement of a face in canonical geometry, pixels.

    Returns:
        The movement of the head, in the pixels of the field.

    Reference:
        Holland, Welsch, Robust regression using iteratively reweighted least-squares, 1977.
    """
    samples = head_samples(*flow.shape[1:])
    x, y, trust = samples.x, samples.y, samples.trust
    u, v = flow[:, :: samples.step, :: samples.step].reshape(2, -1).astype(np.float64)
    weights = trust
    fit = np.zeros(4)
    for _ in range(FIT_ROUNDS):
        fit = _weighted_similarity(x, y, u, v, weights)
        turn, growth, shift_x, shift_y = fit
        residual = np.hypot(u - growth * x + turn * y - shift_x, v - turn * x - growth * y - shift_y)
        deviation = max(1.4826 * _weighted_median(residual, trust), LEAST_DEVIATION_PX)
        weights = trust * np.clip(1 - (residual / (TUKEY * deviation)) ** 2, 0, None) ** 2
    turn, growth, shift_x, shift_y = fit.tolist()
    return HeadMovement(turn=turn, growth=growth, shift_x_px=shift_x, shift_y_px=shift_y)


def _centred_grid(height: int, width: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    rows = np.arange(0, height, step, dtype=np.float64) - (height - 1) / 2
    columns = np.arange(0, width, step, dtype=np.float64) - (width - 1) / 2
    y, x = np.meshgrid(rows, columns, indexing="ij")
    return y, x


def _rigid_trust(
    across: Float64[np.ndarray, "points"], down: Float64[np.ndarray, "points"]
) -> Float64[np.ndarray, "points"]:
    distance = ((across - RIGID_CENTRE[0]) / RIGID_SPREAD[0]) ** 2
    distance += ((down - RIGID_CENTRE[1]) / RIGID_SPREAD[1]) ** 2
    trust: np.ndarray = ELSEWHERE + (1 - ELSEWHERE) * np.exp(-distance / 2)
    return trust


def _weighted_similarity(
    x: Float64[np.ndarray, "points"],
    y: Float64[np.ndarray, "points"],
    u: Float64[np.ndarray, "points"],
    v: Float64[np.ndarray, "points"],
    weights: Float64[np.ndarray, "points"],
) -> Float64[np.ndarray, "4"]:
    total = weights.sum()
    if total <= 0:
        return np.zeros(4)
    mean_x, mean_y = weights @ x / total, weights @ y / total
    mean_u, mean_v = weights @ u / total, weights @ v / total
    dx, dy, du, dv = x - mean_x, y - mean_y, u - mean_u, v - mean_v
    size = weights @ (dx * dx + dy * dy)
    if size <= 0:
        return np.array([0.0, 0.0, mean_u, mean_v])
    turn = weights @ (dx * dv - dy * du) / size
    growth = weights @ (dx * du + dy * dv) / size
    return np.array([turn, growth, mean_u - growth * mean_x + turn * mean_y, mean_v - turn * mean_x - growth * mean_y])


def _weighted_median(values: Float64[np.ndarray, "points"], weights: Float64[np.ndarray, "points"]) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
