"""An event described, alone and by the spotter."""

import json

import numpy as np
import pytest

from realtime.events import RegionalMovement
from realtime.faces.landmarks import REGION_NAMES
from realtime.json_lines import as_json
from realtime.spotting.description import described, in_words, regional_movements
from tests.realtime.displacements import Pulse, Series, spot_series
from tests.realtime.session_fixtures import an_event

LIMITS = np.full((len(REGION_NAMES), 2), 0.42)


def displacement(**moved: tuple[float, float]) -> np.ndarray:
    """Displacement of regions by name, with _ for the blanks; the others stay."""
    values = np.zeros((len(REGION_NAMES), 2))
    for name, movement in moved.items():
        values[REGION_NAMES.index(name.replace("_", " "))] = movement
    return values


def test_an_event_says_which_regions_moved_and_how() -> None:
    smile = displacement(left_lip_corner=(1.3, -1.0), left_cheek=(0.55, -0.5), left_nose_wing=(0.3, -0.3))
    event = described(an_event(regions=("left lip corner", "left cheek")), smile, LIMITS)
    corner, cheek = event.movements
    assert (corner.region, corner.right_px, corner.down_px) == ("left lip corner", 1.3, -1.0)
    assert corner.amplitude_px == pytest.approx(np.hypot(1.3, 1.0))
    assert cheek.region == "left cheek"
    assert [(unit.unit, unit.name, unit.side) for unit in event.action_units] == [(12, "lip corner puller", "left")]
    assert event.description == "left lip corner up and out, 1.6 px; left cheek up and out, 0.7 px: AU12, one-sided"


def test_a_record_holds_the_description_as_plain_json() -> None:
    event = described(an_event(regions=("chin",)), displacement(chin=(0.0, -0.9), lower_lip=(0.0, -1.0)), LIMITS)
    record = json.loads(as_json(event.as_record()))
    assert record["movements"] == [{"region": "chin", "right_px": 0.0, "down_px": -0.9, "amplitude_px": 0.9}]
    assert record["action_units"][0] == {"unit": 17, "name": "chin raiser", "side": "both"} | {
        "score": event.action_units[0].score
    }
    assert record["description"] == "chin up, 0.9 px: AU17"


def test_what_cannot_be_read_at_the_apex_is_left_out() -> None:
    hidden = displacement(chin=(0.0, np.nan), left_cheek=(0.0, -0.8))
    assert [one.region for one in regional_movements(("chin", "left cheek"), hidden)] == ["left cheek"]
    event = described(an_event(regions=("chin",)), np.full_like(hidden, np.nan), LIMITS)
    assert (event.movements, event.action_units) == ((), ())
    assert event.description == "unreadable at the apex: suggests no single action unit"


def test_the_strongest_movements_are_named_and_the_others_counted() -> None:
    names = ("chin", "upper lip", "left cheek", "right inner brow", "left nose wing")
    movements = [RegionalMovement(region=name, right_px=0.0, down_px=1.0) for name in names]
    words = in_words(movements, ())
    assert words.startswith("chin down, 1.0 px; upper lip down, 1.0 px; left cheek down, 1.0 px and 2 more: ")


def test_the_spotter_describes_its_events() -> None:
    left = Pulse(start_s=2.0, amplitude_px=1.5, regions=("left lip corner",), direction=(0.77, -0.64))
    outcome = spot_series(Series(duration_s=4.5, pulses=[left], noise_px=0.03))
    (event,) = outcome.events
    assert [movement.region for movement in event.movements] == list(event.regions) == ["left lip corner"]
    assert event.movements[0].amplitude_px == pytest.approx(1.5, rel=0.1)
    assert event.movements[0].right_px > 0 > event.movements[0].down_px
    assert event.description.startswith("left lip corner up and out, 1.")


def test_movements_held_back_are_not_described() -> None:
    step = Series(duration_s=6.0, steps=[(2.0, "chin", 1.5)])
    outcome = spot_series(step)
    assert outcome.rejected
    assert all("movements" not in one.as_record() for one in outcome.rejected)
    assert {"chin"} <= {name for one in outcome.rejected for name in one.regions}
