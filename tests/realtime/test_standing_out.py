"""How far a movement must stand out of what the face does anyway: the dial, departures, speech, turns of the head."""

from dataclasses import replace

import pytest

from engines.errors import BadInput
from realtime.faces.landmarks import GATE_HEAD_TURN
from realtime.spotting.spotter import SpottingParameters
from tests.realtime.displacements import (
    BROWS,
    CORNERS,
    Pulse,
    Series,
    overlap,
    reasons,
    regular_times,
    samples,
    spot,
    spot_series,
)

UP = (0.0, -1.0)


def test_a_chain_of_mouth_movements_is_speech_but_not_at_the_brows() -> None:
    chain = [Pulse(start_s=1.2 + 0.5 * number, rise_s=0.1, fall_s=0.12) for number in range(3)]
    outcome = spot_series(Series(pulses=chain))
    assert len(outcome.events) == 1
    assert "the lower face moved 2 times in the 1.5 s before: speech" in reasons(outcome)
    assert "px just before it: speech" in reasons(outcome)
    brows = spot_series(Series(pulses=[replace(pulse, regions=BROWS) for pulse in chain]))
    assert len(brows.events) == len(chain)


def test_where_a_mouth_moves_on_it_speaks_and_the_brows_are_still_read() -> None:
    syllables = [Pulse(start_s=2.0 + 0.27 * number, rise_s=0.1, fall_s=0.12) for number in range(5)]
    brows = Pulse(start_s=2.3, regions=BROWS, direction=UP)
    outcome = spot_series(Series(pulses=[*syllables, brows]))
    assert [set(event.regions) <= set(BROWS) for event in outcome.events] == [True]
    assert "it: speech" in reasons(outcome)
    assert len(spot_series(Series(pulses=syllables[:1])).events) == 1


def test_the_first_syllable_is_known_by_the_next() -> None:
    syllables = [Pulse(start_s=start_s, rise_s=0.08, fall_s=0.1) for start_s in (2.0, 2.26)]
    outcome = spot_series(Series(pulses=syllables))
    assert not outcome.events
    assert "px just after it: speech" in reasons(outcome)


def test_while_the_head_turns_a_movement_must_stand_out_farther() -> None:
    weak, strong = Pulse(start_s=1.5, amplitude_px=0.5), Pulse(start_s=3.5, amplitude_px=2.0)
    still = spot_series(Series(pulses=[weak, strong]))
    assert len(still.events) == 2
    turning = spot_series(Series(pulses=[weak, strong], gates=[(1.6, 1.7, GATE_HEAD_TURN), (3.6, 3.7, GATE_HEAD_TURN)]))
    assert len(turning.events) == 1
    assert overlap(turning.events[0], strong) > 0.6
    assert "needed while the head turns" in reasons(turning)


def test_one_dial_says_how_far_a_movement_must_stand_out() -> None:
    """From its least sensitive end to its most, the dial never loses an expression, and finds far more at the end."""
    heights = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
    pulses = [Pulse(start_s=1.5 + 1.5 * place, amplitude_px=height) for place, height in enumerate(heights)]
    stream = samples(Series(duration_s=12.0, pulses=pulses, noise_px=0.02), regular_times(12.0, 100.0))
    counts = [
        len(spot(stream, SpottingParameters(sensitivity=position)).events) for position in (1.0, 3.0, 5.0, 7.0, 9.0)
    ]
    assert counts == sorted(counts)
    assert counts[0] <= 4 < counts[-1]


def test_each_part_of_the_face_can_be_made_harder_to_please() -> None:
    stream = samples(
        Series(pulses=[Pulse(start_s=1.5, regions=CORNERS), Pulse(start_s=3.5, regions=BROWS)]),
        regular_times(6.0, 100.0),
    )
    assert len(spot(stream).events) == 2
    (brows,) = spot(stream, SpottingParameters(lower_face_factor=10.0)).events
    assert set(brows.regions) <= set(BROWS)
    (corners,) = spot(stream, SpottingParameters(brow_factor=10.0)).events
    assert set(corners.regions) <= set(CORNERS)


@pytest.mark.parametrize("position", [0.9, 9.5])
def test_a_position_beyond_the_dial_is_refused(position: float) -> None:
    with pytest.raises(BadInput, match="choose from 1"):
        SpottingParameters(sensitivity=position)


def test_what_a_face_did_when_its_memory_last_came_round_says_nothing() -> None:
    """The window is a ring of 10.24 s: a wide movement so long ago must not stand beside a small one now."""
    wide = Pulse(start_s=1.5, amplitude_px=9.0)
    small = Pulse(start_s=wide.start_s + 10.24 + 0.02, rise_s=0.08, fall_s=0.1)
    outcome = spot_series(Series(duration_s=13.5, pulses=[wide, small]))
    assert len(outcome.events) == 1
    assert overlap(outcome.events[0], small) > 0.6


def test_a_movement_of_an_earlier_run_is_not_found_again_after_a_pause() -> None:
    series = Series(duration_s=14.0, pulses=[Pulse(start_s=1.5, amplitude_px=2.5)], noise_px=0.01)
    times_s = regular_times(series.duration_s, 100.0)
    outcome = spot(samples(series, times_s[(times_s < 11.0) | (times_s > 11.8)]))
    assert len(outcome.events) == 1
    assert all(movement.onset_ns < 3e9 for movement in outcome.rejected)


def test_a_mouth_whose_chin_cannot_be_read_speaks_all_the_same() -> None:
    syllables = [Pulse(start_s=start_s, rise_s=0.08, fall_s=0.1) for start_s in (2.0, 2.26)]
    outcome = spot_series(Series(pulses=syllables, holes=[(0.0, 9.0, "chin")]))
    assert not outcome.events
    assert "it: speech" in reasons(outcome)


@pytest.mark.parametrize("left_s", [0.2, 0.3, 0.45])
def test_a_departure_just_before_the_end_is_found(left_s: float) -> None:
    slow = Pulse(start_s=2.0, rise_s=2.5, hold_s=9.0, amplitude_px=3.0, regions=BROWS, direction=UP)
    pulse = Pulse(start_s=3.0, rise_s=0.1, fall_s=0.1, amplitude_px=1.8, regions=BROWS, direction=UP)
    outcome = spot_series(Series(duration_s=3.12 + left_s, pulses=[slow, pulse], noise_px=0.02))
    assert [event.kind for event in outcome.events] == ["micro"]


def test_a_micro_expression_on_top_of_a_longer_movement_is_found() -> None:
    """The brows rise slowly by twice as much and stay up: the candidates of the window see one movement."""
    slow = Pulse(start_s=2.0, rise_s=2.5, hold_s=9.0, amplitude_px=3.0, regions=BROWS, direction=UP)
    pulse = Pulse(start_s=3.0, amplitude_px=1.5, regions=BROWS, direction=UP)
    outcome = spot_series(Series(duration_s=7.0, pulses=[slow, pulse], noise_px=0.02))
    micro = [event for event in outcome.events if event.kind == "micro"]
    assert len(micro) == 1
    assert overlap(micro[0], pulse) > 0.5


@pytest.mark.parametrize("rise_s", [0.3, 0.6, 1.0])
def test_the_corner_of_a_longer_movement_is_no_micro_expression(rise_s: float) -> None:
    slow = Pulse(start_s=2.0, rise_s=rise_s, hold_s=9.0, amplitude_px=3.0, regions=BROWS, direction=UP)
    outcome = spot_series(Series(duration_s=7.0, pulses=[slow], noise_px=0.02))
    assert not [event for event in outcome.events if event.kind == "micro"]


def test_a_mouth_that_drifts_with_the_head_does_not_speak() -> None:
    drift = Pulse(start_s=0.5, rise_s=3.0, fall_s=3.0, amplitude_px=4.5, regions=("chin", "lower lip"))
    corner = Pulse(start_s=2.4, amplitude_px=1.0)
    outcome = spot_series(Series(pulses=[drift, corner], duration_s=8.0))
    assert [overlap(event, corner) > 0.6 for event in outcome.events if event.kind == "micro"] == [True]
    assert "speech" not in reasons(outcome)


def test_a_brief_movement_is_no_part_of_a_slow_one_beside_it() -> None:
    turned = Pulse(start_s=1.0, rise_s=1.5, fall_s=1.5, amplitude_px=5.0, regions=("left nose wing",))
    corner = Pulse(start_s=2.3, amplitude_px=1.2)
    outcome = spot_series(Series(pulses=[turned, corner], duration_s=8.0))
    assert any(overlap(event, corner) > 0.6 for event in outcome.events if event.kind == "micro")
    assert "part of a larger" not in reasons(outcome)


@pytest.mark.parametrize(("fall_s", "kind"), [(0.34, "micro"), (0.38, "micro"), (0.55, "macro")])
def test_a_micro_expression_may_be_measured_a_little_too_long(fall_s: float, kind: str) -> None:
    pulse = Pulse(start_s=2.0, rise_s=0.25, fall_s=fall_s)
    assert [event.kind for event in spot_series(Series(pulses=[pulse])).events] == [kind]
    assert (pulse.duration_s > 0.5) == (fall_s > 0.35)
