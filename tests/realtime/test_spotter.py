"""The spotter on displacement series with known movements."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from realtime.events import ExpressionEvent, RejectedMovement
from realtime.faces.landmarks import (
    GATE_BLINK,
    GATE_LIGHT,
    GATE_OUT_BELOW,
    GATE_SACCADE,
    GATE_SPEECH,
    REGION_NAMES,
)
from realtime.spotting.spotter import Spotter, SpottingParameters
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

RATES = (24.0, 30.0, 60.0, 100.0, 200.0, 240.0)
LIDS = ("right upper lid", "left upper lid", "right lower lid", "left lower lid")
QUICKLY = settings(
    deadline=None,
    max_examples=12,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # shrinking a series of a thousand samples takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)

pulses = st.builds(
    Pulse,
    start_s=st.floats(1.0, 2.5),
    rise_s=st.floats(0.07, 0.28),
    hold_s=st.floats(0.0, 0.05),
    fall_s=st.floats(0.1, 0.3),
    # Ways in which no action unit moves the face must go farther to be taken for an expression: from 1.2 px.
    amplitude_px=st.floats(1.2, 3.0),
    regions=st.sampled_from([CORNERS, BROWS, ("chin",), ("left cheek", "left lip corner")]),
    direction=st.sampled_from([(0.0, 1.0), (0.8, -0.6), (1.0, 0.0)]),
)


def interval_s(event: ExpressionEvent) -> np.ndarray:
    return np.array([event.onset_ns, event.apex_ns, event.offset_ns]) / 1e9


@QUICKLY
@given(pulse=pulses, rate_hz=st.sampled_from(RATES), seed=st.integers(0, 10_000))
def test_a_single_pulse_is_one_event_at_its_place(pulse: Pulse, rate_hz: float, seed: int) -> None:
    outcome = spot_series(Series(duration_s=4.5, pulses=[pulse], noise_px=0.03, seed=seed), rate_hz)
    assert len(outcome.events) == 1
    (event,) = outcome.events
    assert overlap(event, pulse) > 0.6
    assert abs(event.apex_ns / 1e9 - pulse.truth[1]) < 0.025 + 0.5 / rate_hz
    assert set(event.regions) <= set(pulse.regions)
    assert event.strength > event.threshold
    assert event.strength == pytest.approx(pulse.amplitude_px, rel=0.35)


@QUICKLY
@given(
    # A region that moves every second is restless: what it does next must then stand out of that.
    starts=st.lists(st.floats(1.8, 2.6), min_size=3, max_size=5),
    base=pulses,
    noise_px=st.floats(0.0, 0.06),
    drift_px_s=st.floats(-0.15, 0.15),
    rate_hz=st.sampled_from(RATES),
    seed=st.integers(0, 10_000),
)
def test_events_are_ordered_disjoint_and_made_of_real_frames(
    starts: list[float], base: Pulse, noise_px: float, drift_px_s: float, rate_hz: float, seed: int
) -> None:
    train = [replace(base, start_s=float(at)) for at in np.cumsum(starts)]
    series = Series(
        duration_s=float(np.sum(starts)) + 1.5,
        pulses=train,
        noise_px=noise_px,
        drift_px_s=drift_px_s,
        seed=seed,
    )
    times_s = regular_times(series.duration_s, rate_hz)
    numbers = list(range(5, 5 + 3 * len(times_s), 3))
    stream = samples(series, times_s, indices=numbers)
    outcome = spot(stream)
    time_of = {sample.index: sample.time_ns for sample in stream}
    assert len(outcome.events) == len(train)
    everything: list[ExpressionEvent | RejectedMovement] = [*outcome.events, *outcome.rejected]
    for found in everything:
        assert found.onset_ns <= found.apex_ns <= found.offset_ns
        for which in ("onset", "apex", "offset"):
            assert time_of[getattr(found, f"{which}_index")] == getattr(found, f"{which}_ns")
    for event in outcome.events:
        assert event.kind == ("micro" if event.duration_s <= 0.5 + 1 / rate_hz else "macro")
        assert event.settled_captured_ns == time_of[event.settled_index] + 7
        assert event.settled_index >= event.offset_index
    for kind in ("micro", "macro"):
        alike = sorted((e for e in outcome.events if e.kind == kind), key=lambda e: e.onset_ns)
        assert all(first.offset_ns <= second.onset_ns for first, second in pairwise(alike))


@QUICKLY
@given(pulse=pulses, shift_ns=st.integers(-(10**12), 10**15), rate_hz=st.sampled_from(RATES))
def test_shifting_all_times_shifts_all_events(pulse: Pulse, shift_ns: int, rate_hz: float) -> None:
    series = Series(duration_s=4.0, pulses=[pulse], seed=3)
    times_s = regular_times(series.duration_s, rate_hz)
    plain, shifted = spot(samples(series, times_s)), spot(samples(series, times_s, shift_ns=shift_ns))
    assert len(plain.events) == len(shifted.events) == 1
    for one, other in zip(plain.events, shifted.events, strict=True):
        moved = replace(
            one,
            onset_ns=one.onset_ns + shift_ns,
            apex_ns=one.apex_ns + shift_ns,
            offset_ns=one.offset_ns + shift_ns,
        )
        assert moved == other


@QUICKLY
@given(pulse=pulses, seed=st.integers(0, 10_000))
def test_the_same_movement_filmed_at_any_rate_gives_the_same_interval(pulse: Pulse, seed: int) -> None:
    series = Series(duration_s=4.5, pulses=[pulse], noise_px=0.03, seed=seed)
    slow, fast = (spot_series(series, rate_hz).events for rate_hz in (30.0, 200.0))
    assert len(slow) == len(fast) == 1
    assert np.abs(interval_s(slow[0]) - interval_s(fast[0])).max() <= 1 / 30 + 0.005


@QUICKLY
@given(pulse=pulses, seed=st.integers(0, 10_000), jitter=st.floats(0.0, 0.45), lost=st.floats(0.0, 0.15))
def test_variable_rate_and_lost_frames_move_the_interval_little(
    pulse: Pulse, seed: int, jitter: float, lost: float
) -> None:
    rng = np.random.default_rng(seed)
    times_s = regular_times(4.5, 60.0)
    times_s = times_s + rng.uniform(-jitter, jitter, len(times_s)) / 60.0 + 0.01
    times_s = times_s[rng.random(len(times_s)) >= lost]
    outcome = spot(samples(Series(pulses=[pulse], noise_px=0.03, seed=seed), times_s))
    assert len(outcome.events) == 1
    assert overlap(outcome.events[0], pulse) > 0.5


@QUICKLY
@given(pulse=pulses, rate_hz=st.sampled_from(RATES), seed=st.integers(0, 10_000), slow=st.booleans())
def test_no_event_waits_longer_than_the_stated_latency(pulse: Pulse, rate_hz: float, seed: int, slow: bool) -> None:
    if slow:
        pulse = replace(pulse, rise_s=0.8, hold_s=0.5, fall_s=1.2, amplitude_px=4.0)
    outcome = spot_series(Series(duration_s=6.5, pulses=[pulse], seed=seed), rate_hz)
    assert len(outcome.waits_s) == 1
    # The offset is rounded to a frame, and the next frame is what settles.
    assert outcome.waits_s[0] <= Spotter().latency_s + 1.5 / rate_hz
    assert Spotter().latency_s < 0.5


@pytest.mark.parametrize("rate_hz", [30.0, 200.0])
@pytest.mark.parametrize("noise_px", [0.0, 0.05, 0.1])
def test_a_still_face_gives_nothing_with_room_to_spare(rate_hz: float, noise_px: float) -> None:
    quiet = Series(duration_s=12.0, noise_px=noise_px, drift_px_s=0.1, seed=5)
    outcome = spot_series(quiet, rate_hz)
    assert not outcome.events
    assert not outcome.rejected
    # Margin: nothing either when everything is half as large again.
    louder = replace(quiet, noise_px=1.5 * noise_px, drift_px_s=0.15)
    assert not spot_series(louder, rate_hz).events


@pytest.mark.parametrize("rate_hz", [30.0, 100.0, 200.0])
def test_micro_and_macro_are_told_apart_by_duration(rate_hz: float) -> None:
    micro = Pulse(start_s=1.5, rise_s=0.25, fall_s=0.3)
    macro = Pulse(start_s=4.0, rise_s=0.6, hold_s=1.0, fall_s=0.8, amplitude_px=3.0)
    outcome = spot_series(Series(duration_s=9.0, pulses=[micro, macro]), rate_hz)
    assert [event.kind for event in outcome.events] == ["micro", "macro"]
    assert all(overlap(e, p) > 0.85 for e, p in zip(outcome.events, [micro, macro], strict=True))


def test_two_expressions_in_different_regions_stay_two() -> None:
    smile = Pulse(start_s=1.5, rise_s=0.5, hold_s=1.0, fall_s=0.8, amplitude_px=2.0)
    brows = Pulse(start_s=2.4, regions=BROWS, direction=(0.0, -1.0))
    outcome = spot_series(Series(pulses=[smile, brows]))
    found = {event.kind: event for event in outcome.events}
    assert set(found) == {"micro", "macro"}
    assert set(found["micro"].regions) == set(BROWS)
    assert set(found["macro"].regions) == set(CORNERS)


def test_regions_that_move_together_are_one_event_strongest_first() -> None:
    corners = Pulse(start_s=1.5, amplitude_px=2.0)
    cheek = Pulse(start_s=1.53, amplitude_px=0.9, regions=("left cheek",))
    outcome = spot_series(Series(pulses=[corners, cheek]))
    assert len(outcome.events) == 1
    assert set(outcome.events[0].regions[:2]) == set(CORNERS)
    assert outcome.events[0].regions[2] == "left cheek"


def test_a_movement_too_weak_for_each_region_is_found_in_all_of_them_together() -> None:
    weak = Pulse(start_s=1.5, amplitude_px=0.33, regions=REGION_NAMES[10:19], direction=(0.6, 0.8))
    outcome = spot_series(Series(pulses=[weak], noise_px=0.02))
    assert len(outcome.events) == 1
    assert overlap(outcome.events[0], weak) > 0.6
    assert not spot_series(Series(pulses=[replace(weak, regions=CORNERS)], noise_px=0.02)).events


def test_two_quick_expressions_in_a_row_are_two() -> None:
    # At the mouth the second would count as speech.
    first, second = Pulse(start_s=1.5, regions=BROWS), Pulse(start_s=2.2, amplitude_px=1.2, regions=BROWS)
    for rate_hz in RATES:
        outcome = spot_series(Series(pulses=[first, second]), rate_hz)
        assert len(outcome.events) == 2
        assert all(overlap(e, p) > 0.6 for e, p in zip(outcome.events, [first, second], strict=True))


def test_a_micro_expression_on_a_held_posture_is_found() -> None:
    series = Series(
        duration_s=8.0,
        steps=[(1.5, "left lip corner", 1.5), (1.5, "right lip corner", 1.5)],
        pulses=[Pulse(start_s=3.5, amplitude_px=1.5)],
    )
    outcome = spot_series(series)
    assert [event.kind for event in outcome.events] == ["micro"]
    assert overlap(outcome.events[0], series.pulses[0]) > 0.6
    assert "did not come back within 4.3 s" in reasons(outcome)


def test_a_blink_is_rejected_with_its_time() -> None:
    lids = Pulse(start_s=1.5, rise_s=0.08, hold_s=0.03, fall_s=0.14, amplitude_px=2.5, regions=LIDS)
    gate = (1.53, 1.70, GATE_BLINK)
    outcome = spot_series(Series(pulses=[lids], gates=[gate]))
    assert not outcome.events
    assert "the eyes blinked from 1.52 s to 1.70 s" in reasons(outcome)
    assert len(spot_series(Series(pulses=[lids])).events) == 1


def test_a_movement_too_large_for_a_micro_expression_is_rejected() -> None:
    outcome = spot_series(Series(pulses=[Pulse(start_s=1.5, amplitude_px=7.0)]))
    assert not outcome.events
    assert "more than the 4.0 px of a micro-expression" in reasons(outcome)


def test_a_blink_that_no_gate_saw_is_known_by_its_size() -> None:
    lids = Pulse(start_s=1.5, rise_s=0.08, hold_s=0.03, fall_s=0.14, amplitude_px=7.0, regions=LIDS)
    outcome = spot_series(Series(pulses=[lids]))
    assert not outcome.events
    assert "over 3.0 px: a blink" in reasons(outcome)


def test_a_blink_hides_the_lids_alone() -> None:
    lids = Pulse(start_s=1.5, rise_s=0.08, hold_s=0.03, fall_s=0.14, amplitude_px=4.0, regions=LIDS)
    smile = Pulse(start_s=1.45, rise_s=0.15, fall_s=0.2)
    outcome = spot_series(Series(pulses=[lids, smile], gates=[(1.53, 1.70, GATE_BLINK)]))
    assert len(outcome.events) == 1
    assert set(outcome.events[0].regions) == set(CORNERS)
    assert overlap(outcome.events[0], smile) > 0.6


def test_a_gate_over_the_whole_face_rejects() -> None:
    series = Series(pulses=[Pulse(start_s=1.5), Pulse(start_s=3.5)], gates=[(1.6, 1.7, GATE_LIGHT)])
    outcome = spot_series(series)
    assert len(outcome.events) == 1
    assert overlap(outcome.events[0], series.pulses[1]) > 0.6
    assert "the light jumped" in reasons(outcome)


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (GATE_OUT_BELOW, "the chin reached beyond the picture from 1.59 s"),
        (GATE_SPEECH, "the mouth was speaking or chewing from 1.59 s"),
    ],
)
def test_a_gate_over_the_lower_face_leaves_the_brows(gate: str, words: str) -> None:
    smile, raised = Pulse(start_s=1.5), Pulse(start_s=1.5, regions=BROWS, direction=(0.0, -1.0))
    spans = [(1.6, 1.75, gate)]
    masked = spot_series(Series(pulses=[smile], gates=spans))
    assert not masked.events
    assert words in reasons(masked)
    (event,) = spot_series(Series(pulses=[raised], gates=spans)).events
    assert set(event.regions) == set(BROWS)
    assert len(spot_series(Series(pulses=[smile])).events) == 1


def test_a_jump_of_the_eyes_hides_the_lids_alone() -> None:
    lids, raised = Pulse(start_s=1.5, regions=LIDS), Pulse(start_s=1.5, regions=BROWS, direction=(0.0, -1.0))
    spans = [(1.6, 1.75, GATE_SACCADE)]
    masked = spot_series(Series(pulses=[lids], gates=spans))
    assert not masked.events
    assert "the eyes jumped from 1.59 s to 1.75 s" in reasons(masked)
    assert len(spot_series(Series(pulses=[raised], gates=spans)).events) == 1
    assert len(spot_series(Series(pulses=[lids])).events) == 1


def test_a_movement_of_the_whole_face_is_the_head() -> None:
    nod = Pulse(start_s=1.5, rise_s=0.15, fall_s=0.2)
    outcome = spot_series(Series(common=lambda t: 1.2 * nod.course(t)))
    assert not outcome.events
    assert "the whole face moved together by 1." in reasons(outcome)


def test_a_pause_voids_what_is_open_and_says_so() -> None:
    series = Series(pulses=[Pulse(start_s=1.5), Pulse(start_s=3.5)])
    times_s = regular_times(series.duration_s, 100.0)
    outcome = spot(samples(series, times_s[(times_s < 1.6) | (times_s > 1.9)]))
    assert len(outcome.events) == 1
    assert overlap(outcome.events[0], series.pulses[1]) > 0.6
    assert "no picture for 0.32 s in the middle of it" in reasons(outcome)


def test_a_movement_before_a_pause_is_kept() -> None:
    series = Series(pulses=[Pulse(start_s=1.5)])
    times_s = regular_times(series.duration_s, 100.0)
    outcome = spot(samples(series, times_s[(times_s < 1.95) | (times_s > 2.9)]))
    assert len(outcome.events) == 1
    assert overlap(outcome.events[0], series.pulses[0]) > 0.6


def test_a_region_that_cannot_be_read_is_said_so_and_a_short_hole_is_bridged() -> None:
    series = Series(pulses=[Pulse(start_s=1.5, regions=("left lip corner",))])
    lost = spot_series(replace(series, holes=[(1.65, 1.95, "left lip corner")]))
    assert not lost.events
    assert "unreadable for more than 0.15 s" in reasons(lost)
    short = spot_series(replace(series, holes=[(1.60, 1.64, "left lip corner")]))
    assert len(short.events) == 1
    assert overlap(short.events[0], series.pulses[0]) > 0.6


def test_a_face_never_read_gives_nothing() -> None:
    outcome = spot_series(Series(duration_s=2.0, holes=[(0.0, 2.0, "")]))
    assert not outcome.events
    assert not outcome.rejected


def test_one_misread_frame_is_no_expression() -> None:
    stream = samples(Series(duration_s=4.0), regular_times(4.0, 30.0))
    stream[60].displacement[14:16] += 2.5
    outcome = spot(stream)
    assert not outcome.events
    assert "single frame" in reasons(outcome)


def test_the_end_of_the_stream_settles_what_came_back_and_rejects_what_did_not() -> None:
    series = Series(pulses=[Pulse(start_s=1.5)])
    outcome = spot(samples(series, regular_times(1.9, 100.0)))
    assert len(outcome.events) == 1
    cut = spot(samples(series, regular_times(1.7, 100.0)))
    assert not cut.events
    assert "the recording ended before it came back" in reasons(cut)
    spotter = Spotter()
    assert not list(spotter.flush())


def test_flush_ends_a_run_and_the_stream_may_go_on() -> None:
    series = Series(pulses=[Pulse(start_s=1.0), Pulse(start_s=3.0)])
    stream, spotter = samples(series, regular_times(series.duration_s, 100.0)), Spotter()
    found = [settled for sample in stream[:200] for settled in spotter.push(sample)]
    found += list(spotter.flush())
    assert not list(spotter.flush())
    found += [settled for sample in stream[200:] for settled in spotter.push(sample)]
    assert [isinstance(settled, ExpressionEvent) for settled in found] == [True, True]


def test_time_must_go_forward() -> None:
    stream, spotter = samples(Series(duration_s=1.0), regular_times(1.0, 30.0)), Spotter()
    list(spotter.push(stream[1]))
    with pytest.raises(ValueError, match="is not after"):
        spotter.push(stream[1])


def test_strength_and_threshold_show_the_region_nearest_to_firing() -> None:
    pulse = Pulse(start_s=1.5, amplitude_px=2.0)
    spotter, strength, threshold = Spotter(), [], []
    stream = samples(Series(duration_s=4.0, pulses=[pulse]), regular_times(4.0, 100.0))
    for sample in stream:
        list(spotter.push(sample))
        strength.append(spotter.strength)
        threshold.append(spotter.threshold)
    peak = int(np.nanargmax(strength))
    assert stream[peak].time_ns / 1e9 == pytest.approx(pulse.truth[1], abs=0.05)
    assert strength[peak] == pytest.approx(2.0, rel=0.15)
    assert max(strength[200:]) < 0.5 * min(threshold)
    assert min(threshold) >= SpottingParameters().quick_floor_px * 0.999


def test_the_same_samples_give_the_same_events() -> None:
    series = Series(duration_s=12.0, pulses=[Pulse(start_s=s) for s in (1.5, 4.0, 7.0, 9.5)], noise_px=0.06)
    stream = samples(series, regular_times(series.duration_s, 100.0))
    first, second = spot(stream), spot(stream)
    assert first.events == second.events
    assert first.rejected == second.rejected
