"""Leave one identity out: what decides, what is reported, on outcomes whose best positions are known."""

import pytest

from demo.benchmarks import spotting
from demo.benchmarks.spotting_choice import best_position, choice_figures, render_choice
from demo.benchmarks.spotting_takes import POSITIONS, Outcome, Take, spot_at_positions
from trainers.metrics.spotting import Interval

TRUE = ((2.0, 2.3), (4.0, 4.3), (6.0, 6.3), (8.0, 8.3))


def outcome(identity: str, found: dict[float, int], alarms: dict[float, int], condition: str = "natural") -> Outcome:
    """One minute of a face: so many of its four expressions, and so many false alarms, at each position."""
    name = f"{condition}-{identity}"

    def events(position: float) -> list[Interval]:
        hits = [Interval(video=name, onset_s=a, offset_s=b) for a, b in TRUE[: found.get(position, 0)]]
        stray = range(alarms.get(position, 0))
        return hits + [Interval(video=name, onset_s=20.0 + one, offset_s=20.2 + one) for one in stray]

    truths = [] if condition == "untouched" else [Interval(video=name, onset_s=a, offset_s=b) for a, b in TRUE]
    return Outcome(
        name=name,
        condition=condition,
        rate_hz=30.0,
        identity=identity,
        duration_s=60.0,
        truths=truths,
        amplitudes_px=[2.0] * len(truths),
        calm=[True] * len(truths),
        events=events(5.0),
        rejected=0,
        at_positions={position: events(position) for position in POSITIONS},
    )


EAGER = {3.0: 1, 5.0: 2, 7.0: 4}
QUIET = {3.0: 4, 5.0: 4, 7.0: 4, 9.0: 4}


def test_a_face_is_judged_at_the_position_that_suits_the_others() -> None:
    faces = [outcome("0", EAGER, {}), outcome("1", EAGER, {}), outcome("2", QUIET, {7.0: 2, 9.0: 20})]
    found = choice_figures(faces)["portraits"]
    positions = {identity: one["position"] for identity, one in found["by_identity"].items()}
    assert positions == {"0": 7.0, "1": 7.0, "2": 7.0}
    left_out = found["by_identity"]["2"]
    assert left_out["chosen"]["precision"] == pytest.approx(4 / 6)
    assert left_out["chosen"]["false_alarms_per_minute"] == 2.0
    assert left_out["default"]["f1"] == 1.0
    assert found["pooled"]["chosen"]["recall"] == 1.0
    assert found["pooled"]["default"]["recall"] == pytest.approx(8 / 12)


def test_no_face_has_a_say_in_its_own_position() -> None:
    faces = [outcome("0", {1.0: 4}, {}), outcome("1", {9.0: 4}, {})]
    found = choice_figures(faces)["portraits"]["by_identity"]
    assert (found["0"]["position"], found["1"]["position"]) == (9.0, 1.0)
    assert found["0"]["chosen"]["f1"] == found["1"]["chosen"]["f1"] == 0.0


def test_equally_good_positions_leave_the_dial_where_it_is() -> None:
    assert best_position([outcome("0", dict.fromkeys(POSITIONS, 4), {})]) == 5.0
    assert best_position([outcome("0", {3.0: 2, 9.0: 2}, {})]) == 3.0


def test_recordings_are_chosen_by_what_is_found_within_one_false_alarm_a_minute() -> None:
    def recording(name: str, alarms: dict[float, int]) -> list[Outcome]:
        return [outcome(name, {}, alarms, "untouched"), outcome(name, {5.0: 1, 7.0: 2, 9.0: 4}, {}, "brows")]

    outcomes = recording("a.mp4", {9.0: 2}) + recording("b.mp4", {7.0: 3, 9.0: 5})
    found = choice_figures(outcomes)
    assert found["portraits"] is None
    one, other = (found["recordings"]["by_identity"][name] for name in ("a.mp4", "b.mp4"))
    assert (one["position"], other["position"]) == (5.0, 7.0)
    assert other["chosen"]["false_alarms_per_minute"] == 3.0
    assert other["chosen"]["recall"] == 0.5
    assert best_position([outcome("0", {}, dict.fromkeys(POSITIONS, 9), "untouched")]) == 1.0


def test_one_face_leaves_nobody_to_choose_on() -> None:
    found = choice_figures([outcome("0", EAGER, {})])
    assert found == {"portraits": None, "recordings": None}
    assert render_choice(found) == render_choice(None) == []


def test_the_bench_chooses_when_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def played(take: Take) -> Outcome:
        return outcome(str(take.identity), EAGER if take.identity == 1 else QUIET, {}, take.condition)

    monkeypatch.setattr(spotting, "play_any", played)
    usual = spotting.run(quick=True, pairs=False, processes=1)
    asked = spotting.run(quick=True, pairs=False, choose=True, processes=1)
    assert usual["choice"] is None
    assert asked["choice"]["portraits"]["by_identity"]["6"]["position"] == 7.0
    assert "leaving one out" not in spotting.render(usual)
    table = spotting.render(asked)
    assert "portraits, leaving one out" in table
    assert "1.000 / 1.00 / 0.00" in table
    assert spot_at_positions([], "nothing") == {position: [] for position in POSITIONS}
