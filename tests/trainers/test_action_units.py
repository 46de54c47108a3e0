"""The action-unit table: where each unit moves the skin, and which way."""

import numpy as np
import pytest

from engines.errors import BadInput
from trainers.datasets.action_units import (
    ACTION_UNITS,
    COMBINATIONS,
    LABEL_NAMES,
    ActionUnitActivation,
    displacement,
)

X, Y = np.meshgrid(np.linspace(-1.2, 1.2, 121), np.linspace(-1.0, 1.9, 146))


def moved(unit: int, left: float = 1.0, right: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    return displacement([ActionUnitActivation(unit=unit, left=left, right=right)], X, Y)


@pytest.mark.parametrize("unit", ACTION_UNITS)
def test_activation_of_one_moves_the_skin_by_one(unit: int) -> None:
    dx, dy = moved(unit)
    assert np.hypot(dx, dy).max() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("unit", ACTION_UNITS)
def test_both_sides_mirror_each_other(unit: int) -> None:
    dx, dy = moved(unit)
    np.testing.assert_allclose(dx, -dx[:, ::-1], atol=1e-12)
    np.testing.assert_allclose(dy, dy[:, ::-1], atol=1e-12)


def test_subjects_left_is_the_images_right() -> None:
    dx, dy = moved(12, right=0.0)
    strength = np.hypot(dx, dy)
    assert strength[X > 0].sum() > 20 * strength[X < 0].sum()
    corner = strength.argmax()
    assert dx.flat[corner] > 0, "the lip corner is drawn outward, to the image's right"
    assert dy.flat[corner] < 0, "and up"


@pytest.mark.parametrize(
    ("unit", "x", "y", "down"),
    [(1, 0.22, -0.28, -1), (2, 0.72, -0.32, -1), (4, 0.2, -0.25, 1), (15, 0.45, 1.06, 1), (26, 0.0, 1.4, 1)],
)
def test_direction_at_the_landmark(unit: int, x: float, y: float, down: int) -> None:
    _, dy = displacement([ActionUnitActivation(unit=unit, left=1.0, right=1.0)], np.array([x]), np.array([y]))
    assert down * dy[0] > 0.5


def test_units_add_up() -> None:
    one, two = moved(6), moved(12)
    both = displacement([ActionUnitActivation(unit=unit, left=1.0, right=1.0) for unit in (6, 12)], X, Y)
    np.testing.assert_allclose(both[0], one[0] + two[0])
    np.testing.assert_allclose(both[1], one[1] + two[1])


def test_unknown_unit_is_named() -> None:
    with pytest.raises(BadInput, match="action unit 99"):
        ActionUnitActivation(unit=99, left=1.0, right=1.0)


@pytest.mark.parametrize("label", LABEL_NAMES)
def test_combinations_of_a_class_are_shares(label: str) -> None:
    of_class = [combination for combination in COMBINATIONS if combination.label == label]
    assert sum(combination.weight for combination in of_class) == pytest.approx(1.0, abs=0.1)
    assert all(unit in ACTION_UNITS for combination in of_class for unit in combination.action_units)
