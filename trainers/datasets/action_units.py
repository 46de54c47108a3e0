"""Action units as smooth displacement fields, and the combinations that stand for an emotion.

Coordinates are the face's own: the unit is the distance of the pupils, the origin lies between them, x to
the image's right, y down. The table holds one side of the face, x outward; the other side is its mirror. The
subject's left is the image's right, as in any picture that is not mirrored.

An action unit is a sum of bumps, each a patch of skin that is drawn one way. It is an engineer's sketch of
what the muscle does to the skin, not anatomy: positions and directions follow the descriptions of the Facial
Action Coding System.

Reference:
    Ekman, Friesen and Hager, Facial Action Coding System: the manual, 2002.
    Friesen and Ekman, EMFACS-7: emotional facial action coding system, 1983.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float

from engines.errors import BadInput

LABEL_NAMES = ("negative", "positive", "surprise")
"""The three classes, in the order of the labels 0, 1, 2."""


@dataclass(frozen=True, slots=True)
class Bump:
    """A patch of skin that moves as one, on one side of the face."""

    x: float
    """Centre, outward from the middle of the face, pupil distances."""
    y: float
    """Centre, below the pupils, pupil distances."""
    width: float
    """Horizontal radius (one sigma), pupil distances."""
    height: float
    """Vertical radius (one sigma), pupil distances."""
    outward: float
    """Displacement away from the middle of the face, relative to the unit's peak."""
    down: float
    """Displacement downwards, relative to the unit's peak."""


def _bumps(*rows: tuple[float, float, float, float, float, float]) -> tuple[Bump, ...]:
    return tuple(Bump(*row) for row in rows)


ACTION_UNITS: dict[int, tuple[Bump, ...]] = {
    1: _bumps((0.22, -0.28, 0.20, 0.16, -0.05, -1.0), (0.25, -0.55, 0.25, 0.20, 0.0, -0.6)),
    2: _bumps(
        (0.72, -0.32, 0.26, 0.16, 0.05, -1.0),
        (0.70, -0.58, 0.28, 0.20, 0.0, -0.5),
        (0.50, -0.30, 0.20, 0.14, 0.0, -0.6),
    ),
    4: _bumps(
        (0.20, -0.25, 0.20, 0.16, -0.7, 0.7),
        (0.50, -0.30, 0.24, 0.14, -0.45, 0.6),
        (0.10, -0.08, 0.14, 0.14, -0.1, 0.5),
    ),
    5: _bumps((0.50, -0.08, 0.20, 0.07, 0.0, -0.9)),
    6: _bumps(
        (0.68, 0.38, 0.28, 0.18, 0.05, -0.8),
        (0.88, 0.10, 0.16, 0.16, -0.45, -0.05),
        (0.50, 0.14, 0.20, 0.07, 0.0, -0.5),
    ),
    7: _bumps((0.50, 0.11, 0.22, 0.07, -0.05, -0.7), (0.50, -0.05, 0.22, 0.07, 0.0, 0.5)),
    9: _bumps(
        (0.12, 0.40, 0.14, 0.22, 0.0, -0.8),
        (0.28, 0.60, 0.15, 0.14, 0.1, -0.9),
        (0.17, -0.15, 0.18, 0.14, -0.2, 0.5),
        (0.18, 0.88, 0.18, 0.10, 0.0, -0.5),
        (0.45, 0.30, 0.20, 0.14, -0.1, -0.4),
    ),
    10: _bumps((0.20, 0.88, 0.18, 0.12, 0.05, -0.9), (0.36, 0.68, 0.16, 0.16, 0.1, -0.7)),
    12: _bumps(
        (0.48, 0.98, 0.18, 0.14, 0.8, -0.6),
        (0.66, 0.80, 0.22, 0.20, 0.5, -0.6),
        (0.78, 0.55, 0.24, 0.18, 0.45, -0.35),
        (0.22, 0.93, 0.16, 0.09, 0.3, -0.2),
    ),
    14: _bumps((0.48, 1.00, 0.15, 0.13, 0.7, 0.05), (0.62, 0.98, 0.16, 0.16, 0.4, -0.05)),
    15: _bumps((0.45, 1.06, 0.17, 0.13, 0.1, 0.9), (0.42, 1.30, 0.18, 0.16, 0.0, 0.5)),
    17: _bumps((0.14, 1.45, 0.24, 0.20, 0.0, -0.9), (0.16, 1.20, 0.22, 0.10, 0.0, -0.8)),
    20: _bumps(
        (0.46, 1.02, 0.17, 0.13, 0.9, 0.15),
        (0.64, 1.00, 0.19, 0.18, 0.6, 0.10),
        (0.30, 1.10, 0.18, 0.10, 0.5, 0.10),
        (0.34, 1.32, 0.20, 0.16, 0.3, 0.10),
    ),
    24: _bumps(
        (0.16, 0.92, 0.20, 0.08, 0.0, 0.6),
        (0.16, 1.12, 0.22, 0.10, 0.0, -0.8),
        (0.42, 1.00, 0.13, 0.12, -0.4, 0.0),
        (0.16, 1.38, 0.22, 0.15, 0.0, -0.35),
    ),
    25: _bumps((0.16, 1.13, 0.22, 0.11, 0.0, 0.9), (0.16, 0.92, 0.20, 0.09, 0.0, -0.35)),
    26: _bumps(
        (0.16, 1.16, 0.24, 0.14, 0.0, 0.8),
        (0.18, 1.40, 0.32, 0.24, 0.0, 0.9),
        (0.47, 1.22, 0.20, 0.22, -0.05, 0.5),
    ),
    45: _bumps((0.50, -0.03, 0.24, 0.09, 0.0, 1.0)),
}
"""What each action unit does to one side of the face; 45 is the blink, a distractor."""

UNILATERAL_PROBABILITY: dict[int, float] = {12: 0.30, 14: 0.45, 10: 0.35}
"""How often a unit shows on one side only; `DEFAULT_UNILATERAL_PROBABILITY` for the others."""
DEFAULT_UNILATERAL_PROBABILITY = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionUnitActivation:
    """How strongly one action unit acts on either side of the face; 1 moves the skin by 1 at its peak."""

    unit: int
    """Number in the Facial Action Coding System; a key of `ACTION_UNITS`."""
    left: float
    """Strength on the subject's left, which is the image's right."""
    right: float
    """Strength on the subject's right, which is the image's left."""

    def __post_init__(self) -> None:
        if self.unit not in ACTION_UNITS:
            known = ", ".join(map(str, ACTION_UNITS))
            raise BadInput(f"action unit {self.unit} has no movement here; known: {known}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Action units that appear together, and what they are read as."""

    label: str
    """One of `LABEL_NAMES`."""
    action_units: tuple[int, ...]
    weight: float
    """Share within its class, relative to the others of the class."""


def _combinations(label: str, shares: dict[tuple[int, ...], float]) -> tuple[Combination, ...]:
    return tuple(Combination(label=label, action_units=units, weight=weight) for units, weight in shares.items())


COMBINATIONS: tuple[Combination, ...] = (
    *_combinations(
        "negative",
        {
            (4, 7): 0.22, (4,): 0.20, (4, 9): 0.06, (4, 10): 0.05, (4, 7, 10): 0.04, (4, 7, 9): 0.04,
            (15,): 0.05, (17,): 0.04, (14,): 0.05, (15, 17): 0.04, (4, 15): 0.03, (4, 17): 0.03,
            (1, 4): 0.03, (7,): 0.03, (9,): 0.03, (10,): 0.04, (20,): 0.02, (24,): 0.02, (4, 5): 0.01,
            (1, 4, 15): 0.01, (14, 17): 0.01, (10, 17): 0.01, (17, 24): 0.01, (4, 14): 0.01, (1, 20): 0.01,
        },
    ),
    *_combinations(
        "positive",
        {
            (12,): 0.36, (6, 12): 0.36, (6, 7, 12): 0.08, (12, 25): 0.06, (12, 14): 0.04, (6,): 0.04,
            (4, 12): 0.03, (12, 17): 0.03,
        },
    ),
    *_combinations(
        "surprise",
        {
            (1, 2): 0.46, (1, 2, 5): 0.16, (2,): 0.12, (1, 2, 25): 0.10, (1,): 0.07, (1, 2, 26): 0.06,
            (5,): 0.03,
        },
    ),
)  # fmt: skip
"""After EMFACS and what raters of spontaneous micro-expressions report; the weights are shares of a class."""


def bump_field(
    bump: Bump,
    side: int,
    x: Float[np.ndarray, "*shape"],
    y: Float[np.ndarray, "*shape"],
) -> Float[np.ndarray, "*shape"]:
    """Weight of one bump at points of the face, 1 at its centre.

    Args:
        bump: the patch of skin.
        side: +1 for the subject's left (image's right), −1 for the subject's right.
        x: points, pupil distances to the image's right of the middle between the pupils.
        y: points, pupil distances below the pupils.

    Returns:
        Weight in 0–1: a Gaussian in the bump's elliptic distance.
    """
    squared = ((x - side * bump.x) / bump.width) ** 2 + ((y - bump.y) / bump.height) ** 2
    return np.asarray(np.exp(-0.5 * squared))


def _side(
    unit: int, side: int, x: Float[np.ndarray, "*shape"], y: Float[np.ndarray, "*shape"]
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    dx, dy = np.zeros_like(x), np.zeros_like(y)
    for bump in ACTION_UNITS[unit]:
        weight = bump_field(bump, side, x, y)
        dx += side * bump.outward * weight
        dy += bump.down * weight
    return dx, dy


@cache
def peak_displacement(unit: int) -> float:
    """Longest displacement of the raw table's sum for a unit that acts on both sides alike.

    Args:
        unit: a key of `ACTION_UNITS`.

    Returns:
        Peak length; `displacement` divides by it, so that an activation of 1 moves the skin by 1.
    """
    x, y = np.meshgrid(np.linspace(-1.3, 1.3, 131), np.linspace(-1.2, 2.0, 161))
    left, right = _side(unit, 1, x, y), _side(unit, -1, x, y)
    return float(np.hypot(left[0] + right[0], left[1] + right[1]).max())


def displacement(
    activations: Sequence[ActionUnitActivation],
    x: Float[np.ndarray, "*shape"],
    y: Float[np.ndarray, "*shape"],
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    """Displacement of the skin under some action units.

    Args:
        activations: the units that act; where several act on one patch they add up.
        x: points, pupil distances to the image's right of the middle between the pupils.
        y: points, pupil distances below the pupils.

    Returns:
        dx to the image's right and dy down, in units of the activation: a unit that acts with 1 on both sides
        moves the skin by 1 at its peak. Multiply by an amplitude in pixels to get pixels.
    """
    dx, dy = np.zeros_like(x), np.zeros_like(y)
    for activation in activations:
        scale = 1.0 / peak_displacement(activation.unit)
        for side, strength in ((1, activation.left), (-1, activation.right)):
            if strength != 0.0:
                side_dx, side_dy = _side(activation.unit, side, x, y)
                dx += scale * strength * side_dx
                dy += scale * strength * side_dy
    return dx, dy
