"""Random facial movements as bumps: which units act, how strongly, on which side, with whose face.

Everything is drawn for many samples at once. A movement is an array of bumps (N, K, 7): centre x and y, radii,
displacement dx and dy, and the exponent of the bump's profile, in the coordinates of `action_units`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from trainers.datasets.action_units import (
    ACTION_UNITS,
    COMBINATIONS,
    DEFAULT_UNILATERAL_PROBABILITY,
    LABEL_NAMES,
    UNILATERAL_PROBABILITY,
    peak_displacement,
)

UNITS = tuple(ACTION_UNITS)
BLINK = 45
_NONE = len(UNITS)
_SLOTS = max(len(combination.action_units) for combination in COMBINATIONS)
_BUMPS = max(len(bumps) for bumps in ACTION_UNITS.values())


@dataclass(frozen=True, kw_only=True)
class MovementParameters:
    """How movements vary from one sample to the next."""

    intensity: tuple[float, float] = (0.45, 1.1)
    """Strength of a unit, uniform between the two."""
    asymmetry: float = 0.35
    """The weaker side falls short of the stronger by the absolute value of a normal with this deviation."""
    weight_spread: float = 0.35
    """Deviation of the logarithm of a bump's weight: how differently a muscle pulls in different faces."""
    direction_spread_deg: float = 15.0
    """Deviation of a bump's direction, degrees."""
    size: tuple[float, float] = (0.65, 1.05)
    """All radii of a sample relative to the table's, uniform between the two."""
    size_spread: float = 0.25
    """Deviation of the logarithm of a bump's radii."""
    place_spread: float = 0.04
    """Deviation of a bump's centre, pupil distances."""
    profile: tuple[float, float] = (0.8, 2.5)
    """Exponent p of a bump's profile exp(−(q/2)^p), uniform between the two; 1 is a Gaussian, more is flatter."""
    off_target_probability: float = 0.12
    """How often a weak unit from outside the combination joins in."""
    blink_probability: float = 0.25
    """How often the lids move, either way."""
    gaze_probability: float = 0.20
    """How often the pupils move sideways."""
    stray_bumps: int = 3
    """At most this many bumps of no meaning anywhere in the face."""
    peak_scaled: bool = False
    """Scale every unit to the same peak, as the video synthesiser does, instead of as the table says."""


class Movements(NamedTuple):
    """Drawn movements."""

    labels: Int64[np.ndarray, "N"]
    """0 negative, 1 positive, 2 surprise: all three equally often."""
    combinations: Int64[np.ndarray, "N"]
    """Index into `COMBINATIONS`."""
    bumps: Float32[np.ndarray, "N K 7"]
    """Centre x, y; radii x, y; displacement dx, dy; profile exponent. Unused rows have no displacement."""


def draw_movements(count: int, generator: np.random.Generator, parameters: MovementParameters) -> Movements:
    """Draw movements of the three classes, balanced.

    Args:
        count: number of samples N.
        generator: source of all randomness.
        parameters: how the movements vary.

    Returns:
        Labels, combinations and bumps.
    """
    labels = generator.permutation(np.arange(count) % len(LABEL_NAMES))
    combinations = _draw_combinations(labels, generator)
    units, strengths = _draw_strengths(combinations, generator, parameters)
    bumps = np.concatenate(
        [
            _bumps_of_units(units, strengths, generator, parameters),
            _gaze(count, generator, parameters),
            _stray(count, generator, parameters),
        ],
        axis=1,
    )
    return Movements(labels, combinations, _packed(bumps))


def _draw_combinations(labels: Int64[np.ndarray, "N"], generator: np.random.Generator) -> Int64[np.ndarray, "N"]:
    drawn = np.zeros(len(labels), np.int64)
    for label, name in enumerate(LABEL_NAMES):
        weights = np.array([c.weight * (c.label == name) for c in COMBINATIONS])
        mask = labels == label
        drawn[mask] = generator.choice(len(COMBINATIONS), int(mask.sum()), p=weights / weights.sum())
    return drawn


def _combination_table() -> Int64[np.ndarray, "C U"]:
    table = np.full((len(COMBINATIONS), _SLOTS), _NONE)
    for row, combination in enumerate(COMBINATIONS):
        table[row, : len(combination.action_units)] = [UNITS.index(u) for u in combination.action_units]
    return table


def _draw_strengths(
    combinations: Int64[np.ndarray, "N"], generator: np.random.Generator, parameters: MovementParameters
) -> tuple[Int64[np.ndarray, "N U"], Float32[np.ndarray, "N U 2"]]:
    """Units by slot (the combination's, one off target, the blink) and their strength left and right."""
    count = len(combinations)
    of_combination = _combination_table()[combinations]
    stranger = np.where(
        generator.random(count) < parameters.off_target_probability,
        generator.integers(0, UNITS.index(BLINK), count),
        _NONE,
    )
    blink = np.where(generator.random(count) < parameters.blink_probability, UNITS.index(BLINK), _NONE)
    units = np.concatenate([of_combination, stranger[:, None], blink[:, None]], axis=1)
    strength = generator.uniform(*parameters.intensity, units.shape)
    strength[:, _SLOTS] *= generator.uniform(0.25, 0.6, count)
    strength[:, _SLOTS + 1] *= generator.choice([-1.0, 1.0], count) * generator.uniform(0.4, 1.4, count)
    return units, _sided(units, strength, generator, parameters)


def _sided(
    units: Int64[np.ndarray, "N U"],
    strength: np.ndarray,
    generator: np.random.Generator,
    parameters: MovementParameters,
) -> Float32[np.ndarray, "N U 2"]:
    """Give each unit a stronger and a weaker side; a face leans to one side with most of its units."""
    chance = [UNILATERAL_PROBABILITY.get(unit, DEFAULT_UNILATERAL_PROBABILITY) for unit in UNITS]
    unilateral = generator.random(units.shape) < np.array([*chance, 0.0])[units]
    short = np.abs(generator.normal(0.0, parameters.asymmetry, units.shape))
    weaker = np.where(unilateral, 0.0, np.clip(1.0 - short, 0.0, 1.0))
    weaker[:, -1] = np.maximum(weaker[:, -1], 0.7)  # both lids close together
    leaning = generator.integers(0, 2, (len(units), 1))
    side = np.where(generator.random(units.shape) < 0.75, leaning, 1 - leaning)
    sided = np.ones((*units.shape, 2))
    np.put_along_axis(sided, side[..., None], weaker[..., None], axis=2)
    strengths: np.ndarray = (sided * strength[..., None]).astype(np.float32)
    return strengths


def _unit_table(peak_scaled: bool) -> Float32[np.ndarray, "units B 6"]:
    table = np.zeros((len(UNITS) + 1, _BUMPS, 6), np.float32)
    table[..., 2:4] = 1.0
    for row, (unit, bumps) in enumerate(ACTION_UNITS.items()):
        scale = 1.0 / peak_displacement(unit) if peak_scaled else 1.0
        for column, bump in enumerate(bumps):
            moved = (bump.outward * scale, bump.down * scale)
            table[row, column] = (bump.x, bump.y, bump.width, bump.height, *moved)
    return table


def _bumps_of_units(
    units: Int64[np.ndarray, "N U"],
    strengths: Float32[np.ndarray, "N U 2"],
    generator: np.random.Generator,
    parameters: MovementParameters,
) -> Float32[np.ndarray, "N K 7"]:
    """Both sides' bumps, varied together (the face) and each for itself (the two halves of a face differ)."""
    table = _unit_table(parameters.peak_scaled)[units]
    sided = np.stack([table, table], axis=2)  # N U side B 6
    shape = sided.shape[:-1]

    def spread(deviation: float, *more: int) -> np.ndarray:
        common = generator.normal(0.0, deviation, (shape[0], shape[1], 1, shape[3], *more))
        own = generator.normal(0.0, deviation / 2, (*shape, *more))
        varied: np.ndarray = (0.87 * common + own).astype(np.float32)
        return varied

    place = sided[..., 0:2] + spread(parameters.place_spread, 2)
    size = generator.uniform(*parameters.size, (shape[0], 1, 1, 1, 1)).astype(np.float32)
    radii = size * sided[..., 2:4] * np.exp(spread(parameters.size_spread, 2))
    weight = strengths[..., None] * np.exp(spread(parameters.weight_spread))
    turn = spread(np.deg2rad(parameters.direction_spread_deg))
    outward, down = sided[..., 4], sided[..., 5]
    dx = weight * (outward * np.cos(turn) - down * np.sin(turn))
    dy = weight * (outward * np.sin(turn) + down * np.cos(turn))
    profile = np.broadcast_to(generator.uniform(*parameters.profile, (shape[0], shape[1], 1, shape[3])), shape)
    sign = np.array([1.0, -1.0], np.float32)[:, None]
    columns = [sign * place[..., 0], place[..., 1], radii[..., 0], radii[..., 1], sign * dx, dy, profile]
    bumps: np.ndarray = np.stack(columns, axis=-1).reshape(shape[0], -1, 7).astype(np.float32)
    return bumps


def _gaze(count: int, generator: np.random.Generator, parameters: MovementParameters) -> Float32[np.ndarray, "N 2 7"]:
    bumps = np.zeros((count, 2, 7), np.float32)
    bumps[:, 0, 0], bumps[:, 1, 0] = 0.5, -0.5
    bumps[..., 2], bumps[..., 3], bumps[..., 6] = 0.15, 0.08, 1.0
    happens = generator.random(count) < parameters.gaze_probability
    bumps[..., 4] = (happens * generator.normal(0.0, 0.8, count))[:, None]
    bumps[..., 5] = (happens * generator.normal(0.0, 0.2, count))[:, None]
    return bumps


def _stray(count: int, generator: np.random.Generator, parameters: MovementParameters) -> Float32[np.ndarray, "N S 7"]:
    size = (count, parameters.stray_bumps)
    present = np.arange(parameters.stray_bumps) < generator.integers(0, parameters.stray_bumps + 1, (count, 1))
    moved = present[..., None] * generator.normal(0.0, 0.22, (*size, 2))
    columns = [
        generator.uniform(-0.95, 0.95, size),
        generator.uniform(-0.6, 1.6, size),
        generator.uniform(0.08, 0.30, size),
        generator.uniform(0.08, 0.30, size),
        moved[..., 0],
        moved[..., 1],
        np.ones(size),
    ]
    bumps: np.ndarray = np.stack(columns, axis=-1).astype(np.float32)
    return bumps


def _packed(bumps: Float32[np.ndarray, "N K 7"]) -> Float32[np.ndarray, "N used 7"]:
    """Move the bumps that act to the front and drop the rows that no sample uses."""
    acts = (bumps[..., 4] != 0.0) | (bumps[..., 5] != 0.0)
    order = np.argsort(~acts, axis=1, kind="stable")
    packed = np.take_along_axis(bumps, order[..., None], axis=1)
    packed[..., 2:4] = np.maximum(packed[..., 2:4], 1e-3)
    used: np.ndarray = packed[:, : int(acts.sum(axis=1).max())]
    return used
