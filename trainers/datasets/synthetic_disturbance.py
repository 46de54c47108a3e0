"""What stands between a movement and its measured flow: the head, the edge of the face, and the flow's noise."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, kw_only=True)
class DisturbanceParameters:
    """Sizes are relative to the movement, whose units move the skin by about one."""

    head_probability: float = 0.6
    """How often the head moves at all between the two frames."""
    translation: float = 0.35
    rotation: float = 0.08
    """Displacement a pupil distance from the middle."""
    scaling: float = 0.08
    """Displacement a pupil distance from the middle."""
    turning: float = 0.12
    """Yaw and pitch seen through the depth of the face: how much further the nose moves than the ears."""
    mask_probability: float = 0.5
    """How often the ground behind the face stands still."""
    noise: tuple[float, float] = (0.02, 0.16)
    """Deviation of the flow's noise, log-uniform between the two."""
    noise_scales: tuple[int, ...] = (4, 8, 16)
    """Nodes across the map of each of the noise's bands."""


def disturb(
    flow: Float32[np.ndarray, "N 2 H W"],
    x: Float32[np.ndarray, "N H W"],
    y: Float32[np.ndarray, "N H W"],
    generator: np.random.Generator,
    parameters: DisturbanceParameters,
) -> Float32[np.ndarray, "N 2 H W"]:
    """Add what the head does to the displacement of facial movements, and hold the ground behind it still.

    Args:
        flow: displacement of the skin.
        x: each pixel's place in the face, pupil distances to the image's right.
        y: each pixel's place in the face, pupil distances below the pupils.
        generator: source of all randomness.
        parameters: how much of what.

    Returns:
        The displacement in the picture, same unit.
    """
    moved: np.ndarray = flow + _head(x, y, generator, parameters)
    moved *= _inside(x, y, generator, parameters)[:, None]
    return moved


def measured(
    flow: Float32[np.ndarray, "N 2 H W"], generator: np.random.Generator, parameters: DisturbanceParameters
) -> Float32[np.ndarray, "N 2 H W"]:
    """Add the noise of measuring a displacement.

    Args:
        flow: displacement in the picture.
        generator: source of all randomness.
        parameters: how much.

    Returns:
        The flow as it might be measured, same unit.
    """
    noisy: np.ndarray = flow + _noise(flow.shape, generator, parameters)
    return noisy


def _head(
    x: Float32[np.ndarray, "N H W"],
    y: Float32[np.ndarray, "N H W"],
    generator: np.random.Generator,
    parameters: DisturbanceParameters,
) -> Float32[np.ndarray, "N 2 H W"]:
    count = len(x)
    size = (generator.random(count) < parameters.head_probability) * np.exp(generator.normal(0.0, 0.5, count))

    def draw(deviation: float) -> np.ndarray:
        drawn: np.ndarray = size * generator.normal(0.0, deviation, count)
        return drawn.astype(np.float32)[:, None, None]

    depth = np.exp(-0.5 * ((x / 0.75) ** 2 + ((y - 0.5) / 1.0) ** 2))
    below = y - np.float32(0.5)
    turn, grow = draw(parameters.rotation), draw(parameters.scaling)
    u = draw(parameters.translation) + grow * x - turn * below + draw(parameters.turning) * depth
    v = draw(parameters.translation) + grow * below + turn * x + draw(parameters.turning) * depth
    return np.stack([u, v], axis=1)


def _inside(
    x: Float32[np.ndarray, "N H W"],
    y: Float32[np.ndarray, "N H W"],
    generator: np.random.Generator,
    parameters: DisturbanceParameters,
) -> Float32[np.ndarray, "N H W"]:
    """1 in the face, 0 on the ground behind it where that is seen, soft between."""
    count = len(x)

    def draw(low: float, high: float) -> np.ndarray:
        return generator.uniform(low, high, (count, 1, 1)).astype(np.float32)

    radius = np.sqrt((x / draw(0.95, 1.25)) ** 2 + ((y - 0.45) / draw(1.3, 1.65)) ** 2)
    mask = 1.0 / (1.0 + np.exp(np.clip((radius - 1.0) / draw(0.02, 0.10), -30.0, 30.0)))
    seen = generator.random((count, 1, 1)) < parameters.mask_probability
    return np.where(seen, mask, 1.0).astype(np.float32)


def _noise(
    shape: tuple[int, ...], generator: np.random.Generator, parameters: DisturbanceParameters
) -> Float32[np.ndarray, "N 2 H W"]:
    count, _, height, width = shape
    low, high = np.log(parameters.noise)
    total = np.zeros(shape, np.float32)
    deviation = np.exp(generator.uniform(low, high, (count, 1, 1, 1)))
    share = generator.dirichlet(np.ones(len(parameters.noise_scales)), count) ** 0.5
    for band, nodes in enumerate(parameters.noise_scales):
        coarse = generator.standard_normal((count, 2, nodes, nodes), np.float32)
        fine = np.matmul(np.matmul(_spline(nodes, height), coarse), _spline(nodes, width).T)
        total += (deviation * share[:, band, None, None, None] * 1.5).astype(np.float32) * fine
    return total


@cache
def _spline(nodes: int, size: int) -> Float32[np.ndarray, "size nodes"]:
    """Matrix that interpolates `nodes` random values to `size` samples, quadratic B-spline."""
    place = np.linspace(-0.5, nodes - 0.5, size)[:, None] - np.arange(nodes)[None, :]
    near = np.abs(place)
    weight = np.where(near < 0.5, 0.75 - near**2, np.where(near < 1.5, 0.5 * (1.5 - near) ** 2, 0.0))
    return weight.astype(np.float32)
