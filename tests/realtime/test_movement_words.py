"""Movements and action units in words."""

import pytest

from realtime.events import RegionalMovement, Side, SuggestedUnit
from realtime.movement_words import direction, listed, said, together, unit_words


def moved(region: str, right_px: float, down_px: float) -> RegionalMovement:
    return RegionalMovement(region=region, right_px=right_px, down_px=down_px)


def unit(number: int, side: Side = "both", score: float = 0.99) -> SuggestedUnit:
    return SuggestedUnit(unit=number, name="any", side=side, score=score)


@pytest.mark.parametrize(
    ("regions", "wanted"),
    [
        ([], ""),
        (["left cheek", "chin", "right inner brow"], "left cheek, chin and right inner brow"),
        (["left cheek", "chin", "right cheek"], "both cheeks and chin"),
    ],
)
def test_regions_are_listed_with_both_sides_in_one_word(regions: list[str], wanted: str) -> None:
    assert listed(together(regions)) == wanted


@pytest.mark.parametrize(
    ("region", "right_px", "down_px", "wanted"),
    [
        ("left lip corner", 1.0, -0.8, "up and out"),
        ("right lip corner", -1.0, -0.8, "up and out"),
        ("right inner brow", 0.6, 1.0, "down and in"),
        ("left inner brow", 0.05, -1.2, "up"),
        ("chin", 0.9, 0.1, "to the subject's left"),
        ("chin", 0.01, 0.01, ""),
    ],
)
def test_directions_are_the_subjects_own(region: str, right_px: float, down_px: float, wanted: str) -> None:
    assert direction(region, right_px, down_px) == wanted


def test_sides_that_do_alike_are_one_movement_and_others_stay_two() -> None:
    alike = [moved("left cheek", 0.3, -0.9), moved("chin", 0.0, 0.7), moved("right cheek", -0.5, -0.5)]
    assert [str(one) for one in said(alike)] == ["both cheeks up and out, 0.8 px", "chin down, 0.7 px"]
    weaker = [moved("left cheek", 0.0, -0.9), moved("right cheek", 0.0, -0.1)]
    assert [str(one) for one in said(weaker)] == ["left cheek up, 0.9 px", "right cheek, 0.1 px"]
    elsewhere = [moved("right cheek", 0.0, 0.7), moved("left cheek", 0.0, -0.9)]
    assert [str(one) for one in said(elsewhere)] == ["right cheek down, 0.7 px", "left cheek up, 0.9 px"]


@pytest.mark.parametrize(
    ("units", "wanted"),
    [
        ([], "suggests no single action unit"),
        ([unit(6), unit(12)], "AU6 + AU12"),
        ([unit(12, "left")], "AU12, one-sided"),
        ([unit(6, "left"), unit(12, "right")], "AU6 (left) + AU12 (right)"),
        ([unit(4), unit(10, "left")], "AU4 + AU10 (left)"),
        ([unit(4), unit(14, score=0.6)], "AU4, perhaps AU14"),
        ([unit(4, score=0.7), unit(14, score=0.6)], "perhaps AU4 + AU14"),
        ([unit(12, "left"), unit(14, "left", score=0.6)], "AU12, perhaps AU14, one-sided"),
    ],
)
def test_units_are_said_with_their_side_and_with_doubt(units: list[SuggestedUnit], wanted: str) -> None:
    assert unit_words(units) == wanted
