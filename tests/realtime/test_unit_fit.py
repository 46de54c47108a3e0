"""Action units recognised in regional movement: drawn by the synthesiser's fields, filmed, and none at all."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.events import Side
from realtime.faces.landmarks import LID_REGIONS, REGION_NAMES, REGIONS
from realtime.faces.observation import CROP_HEIGHT, CROP_WIDTH, PUPIL_DISTANCE, PUPIL_HEIGHT
from realtime.spotting.action_units import ACTION_UNITS, ActionUnit
from realtime.spotting.unit_fit import LARGEST_SET, suggest_units
from tests.realtime.filmed_faces import aligned_faces, close_up, displacements_of, movement_of
from trainers.datasets import action_units as fields
from trainers.datasets.action_units import COMBINATIONS, ActionUnitActivation, displacement
from trainers.datasets.synthetic_face import fitted_to_mouth
from trainers.datasets.synthetic_scenes import Movement
from trainers.face_regions import face_plan

LIMITS = np.full((len(REGION_NAMES), 2), 0.42)
BLINK = 45
SKETCHED = [unit for unit in ACTION_UNITS if unit.number != BLINK]


@cache
def region_places() -> list[np.ndarray]:
    """Patches of each region on the average face, in the coordinates of the fields."""
    plan = face_plan()
    places = [
        (plan.patches[region.name] - (CROP_WIDTH / 2, PUPIL_HEIGHT * CROP_HEIGHT)) / PUPIL_DISTANCE
        for region in REGIONS
    ]
    mouth = np.mean([places[REGION_NAMES.index(f"{side} lip corner")][0, 1] for side in ("left", "right")])
    return [np.column_stack([patch[:, 0], fitted_to_mouth(patch[:, 1], float(mouth))]) for patch in places]


def sampled(activations: Sequence[ActionUnitActivation]) -> np.ndarray:
    """What the fields of the synthesiser do to each region, mean over its patches."""
    rows = [displacement(activations, patch[:, 0], patch[:, 1]) for patch in region_places()]
    return np.array([(dx.mean(), dy.mean()) for dx, dy in rows])


def acting(number: int, side: Side = "both") -> ActionUnitActivation:
    return ActionUnitActivation(unit=number, left=float(side != "right"), right=float(side != "left"))


def as_measured(units: Sequence[ActionUnitActivation], seed: int, noise_px: float = 0.07) -> np.ndarray:
    """Units that move the face by 1.6 px where they move it most, with the noise of measuring."""
    moved = sampled(units)
    moved *= 1.6 / np.hypot(*moved.T).max()
    return np.asarray(moved + np.random.default_rng(seed).normal(0.0, noise_px, moved.shape))


def found(moved: np.ndarray, names: Sequence[str] = REGION_NAMES) -> dict[int, Side]:
    return {unit.unit: unit.side for unit in suggest_units(moved, LIMITS, names)}


def test_the_table_knows_the_units_of_the_synthesiser() -> None:
    assert [unit.number for unit in ACTION_UNITS] == sorted(fields.ACTION_UNITS)


@pytest.mark.parametrize("unit", SKETCHED, ids=lambda unit: f"AU{unit.number}")
def test_the_table_is_what_the_fields_do_at_the_regions(unit: ActionUnit) -> None:
    sides: tuple[Side, ...] = ("left", "right", "both") if unit.two_sided else ("both",)
    for side in sides:
        assert np.abs(unit.pattern(side) - sampled([acting(unit.number, side)])).max() < 0.1


@pytest.mark.parametrize("unit", SKETCHED, ids=lambda unit: f"AU{unit.number}")
def test_each_unit_alone_is_found_with_its_side(unit: ActionUnit) -> None:
    for seed, side in enumerate(("left", "right", "both") if unit.two_sided else ("both",)):
        assert found(as_measured([acting(unit.number, side)], seed)) == {unit.number: side}  # type: ignore[arg-type]  # of `Side`


def test_most_combinations_are_found_whole_and_hardly_any_unit_is_made_up() -> None:
    whole, named, made_up, acted = 0.0, 0, 0, 0
    weight = sum(one.weight for one in COMBINATIONS)
    for place, combination in enumerate(COMBINATIONS):
        for seed in range(3):
            units = found(as_measured([acting(number) for number in combination.action_units], 10 * place + seed))
            whole += combination.weight * (set(units) == set(combination.action_units)) / weight / 3
            made_up += len(set(units) - set(combination.action_units))
            named += len(units)
            acted += len(combination.action_units)
    assert whole > 0.85
    assert made_up / named < 0.04
    assert (named - made_up) / acted > 0.85


@settings(max_examples=25, deadline=None)
@given(place=st.integers(0, len(COMBINATIONS) - 1), left=st.floats(0.0, 1.0), seed=st.integers(0, 1000))
def test_a_mirrored_face_is_read_as_the_other_side(place: int, left: float, seed: int) -> None:
    units = [
        ActionUnitActivation(unit=number, left=left, right=1.0 - left) for number in COMBINATIONS[place].action_units
    ]
    moved = as_measured(units, seed)
    swap = {"left": "right", "right": "left"}
    rows = [
        REGION_NAMES.index(f"{swap[side]} {part}") if (side := name.partition(" ")[0]) in swap else row
        for row, name in enumerate(REGION_NAMES)
        for part in [name.partition(" ")[2]]
    ]
    mirrored = suggest_units(moved[rows] * (-1.0, 1.0), LIMITS, REGION_NAMES)
    plain = suggest_units(moved, LIMITS, REGION_NAMES)
    assert [(one.unit, swap.get(one.side, one.side)) for one in mirrored] == [(one.unit, one.side) for one in plain]
    assert [one.score for one in mirrored] == pytest.approx([one.score for one in plain])


@pytest.mark.parametrize("numbers", [(12,), (1, 2), (4,), (17,)])
def test_what_the_heads_fit_takes_along_does_not_change_the_units(numbers: tuple[int, ...]) -> None:
    moved = as_measured([acting(number) for number in numbers], 5)
    for shift in ((0.0, 0.35), (0.25, -0.2)):
        assert set(found(moved + shift)) == set(numbers)


def test_movements_of_no_muscle_are_seldom_given_a_unit() -> None:
    random = np.random.default_rng(3)
    given_one = 0
    for _ in range(150):
        moved = random.normal(0.0, 0.05, (len(REGION_NAMES), 2))
        places = random.choice(len(REGION_NAMES), 3, replace=False)
        angles = random.uniform(0.0, 2.0 * np.pi, 3)
        moved[places] += random.uniform(0.8, 2.5, (3, 1)) * np.column_stack([np.cos(angles), np.sin(angles)])
        given_one += bool(found(moved))
    assert given_one < 0.1 * 150


def test_lids_that_are_no_part_of_the_event_suggest_nothing() -> None:
    tight = as_measured([acting(7)], 1)
    assert found(tight) == {7: "both"}
    assert found(tight, [name for name in REGION_NAMES if name not in LID_REGIONS]) == {}
    closing = as_measured([acting(12)], 2)
    for side in ("left", "right"):
        closing[REGION_NAMES.index(f"{side} upper lid"), 1] += 2.0
    assert found(closing, ["left lip corner", "right lip corner"]) == {12: "both"}


def test_unreadable_regions_are_left_out() -> None:
    moved = as_measured([acting(12, "left")], 4)
    moved[[REGION_NAMES.index(name) for name in LID_REGIONS]] = np.nan
    assert found(moved) == {12: "left"}
    assert found(np.full_like(moved, np.nan)) == {}


def test_a_score_is_a_share_and_more_noise_lowers_it() -> None:
    moved = as_measured([acting(14)], 6, noise_px=0.0)
    clear, noisy = (suggest_units(moved, limits, REGION_NAMES) for limits in (LIMITS, 6 * LIMITS))
    assert 1 <= len(clear) <= LARGEST_SET
    assert 0.6 <= clear[0].score <= 1.0
    assert not noisy or noisy[0].score < clear[0].score


@pytest.mark.parametrize(
    ("numbers", "side", "identity"),
    [
        ((12,), "left", 0),
        ((12,), "both", 1),
        ((4,), "both", 0),
        ((1, 2), "both", 1),
        ((17,), "both", 0),
        ((6, 12), "both", 0),
    ],
)
def test_units_are_found_in_films(numbers: tuple[int, ...], side: Side, identity: int) -> None:
    smile = Movement(
        label="positive",
        kind="micro",
        activations=tuple(acting(number, side) for number in numbers),
        amplitude_px=1.8,
        start_s=0.1,
        rise_s=0.16,
        hold_s=0.02,
        fall_s=0.2,
    )
    faces = aligned_faces(close_up(smile, duration_s=0.36, identity=identity, noise_sd=1.5, head_shift_px=1.5))
    times_s = np.array([face.time_ns for face in faces]) / 1e9
    moved = displacements_of(movement_of(faces))
    apex = moved[np.abs(times_s - smile.apex_s) < 0.022].mean(axis=0) - moved[times_s < 0.11].mean(axis=0)
    assert found(apex) == dict.fromkeys(numbers, side)
