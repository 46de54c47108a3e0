"""The quality figure falls with whatever makes a face harder to read, and the smallest movement is the one found."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.condition_aspects import Aspect, Measures, judge
from realtime.conditions import REGION_GROUPS, Conditions, session_record
from realtime.conditions_meter import ConditionsMeter
from realtime.events import ExpressionEvent
from realtime.faces.landmarks import GATE_HEAD_TURN, REGION_NAMES
from realtime.faces.observation import FaceObservation, FaceQuality
from realtime.spotting.spotter import Spotter
from tests.realtime.displacements import Pulse, Series, regular_times, samples

FROWN = ("right inner brow", "right middle brow", "left inner brow")
QUALITY = FaceQuality(
    eye_opening=(0.3, 0.3),
    yaw_deg=0.0,
    pitch_deg=0.0,
    roll_deg=0.0,
    mouth_opening=0.0,
    brightness=130.0,
    width_px=60.0,
)
IDEAL = Measures(
    brightness=130.0,
    unsteadiness=0.0,
    width_px=64.0,
    frame_rate_hz=100.0,
    turn_rate_deg_s=0.0,
    shift_rate_px_s=0.0,
    head_turn_share=0.0,
    unreadable_share=0.0,
    lost_share=0.0,
    jitter_px=0.0,
    noise_px=0.0,
)
WORSE_UPWARDS = {
    "unsteadiness": 0.4,
    "turn_rate_deg_s": 60.0,
    "shift_rate_px_s": 300.0,
    "head_turn_share": 1.0,
    "unreadable_share": 1.0,
    "lost_share": 1.0,
    "noise_px": 1.0,
    "jitter_px": 1.0,
}
WORSE_DOWNWARDS = {"brightness": 130.0, "width_px": 64.0, "frame_rate_hz": 100.0}


def seen(quality: FaceQuality, place: tuple[float, float] = (0.0, 0.0)) -> FaceObservation:
    landmarks = np.tile(np.array(place, np.float32), (468, 1))
    return FaceObservation(face_id=1, landmarks=landmarks, measured=True, quality=quality)


class Watched:
    """A meter and a spotter that watch one face of known movement."""

    def __init__(self) -> None:
        self.meter, self.spotter = ConditionsMeter(1), Spotter()
        self.events: list[ExpressionEvent] = []

    def watch(self, series: Series, rate_hz: float = 100.0, start_s: float = 0.0, **quality: float) -> "Watched":
        observation = seen(replace(QUALITY, **quality))  # type: ignore[arg-type]  # numbers only
        times_s = regular_times(series.duration_s, rate_hz)
        for sample in samples(series, times_s, shift_ns=round(start_s * 1e9)):
            settled = self.spotter.push(sample)
            self.events += [one for one in settled if isinstance(one, ExpressionEvent)]
            self.meter.push(observation, sample, self.spotter)
        return self

    @property
    def conditions(self) -> Conditions:
        conditions = self.meter.conditions(self.spotter)
        assert conditions is not None
        return conditions


def figure(measures: Measures) -> float:
    return float(np.prod([aspect.score for aspect in judge(measures)]))


@given(
    name=st.sampled_from((*WORSE_UPWARDS, *WORSE_DOWNWARDS)),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    other=st.floats(0, 0.2),
)
def test_the_figure_never_rises_when_something_gets_worse(name: str, shares: tuple[float, float], other: float) -> None:
    less, more = sorted(shares)
    elsewhere = replace(IDEAL, unreadable_share=other)
    if name in WORSE_UPWARDS:
        better, worse = (replace(elsewhere, **{name: share * WORSE_UPWARDS[name]}) for share in (less, more))
    else:
        better, worse = (replace(elsewhere, **{name: (1 - share) * WORSE_DOWNWARDS[name]}) for share in (less, more))
    assert figure(worse) <= figure(better) + 1e-12


@pytest.mark.parametrize("name", [*WORSE_UPWARDS, *WORSE_DOWNWARDS])
def test_each_measure_alone_can_spoil_the_conditions(name: str) -> None:
    spoiled = replace(IDEAL, **{name: WORSE_UPWARDS.get(name, 0.0)})
    assert figure(IDEAL) == pytest.approx(1.0)
    assert figure(spoiled) < 0.45
    said = [aspect.advice for aspect in judge(spoiled) if aspect.advice]
    assert len(said) == 1


def test_a_face_can_also_be_too_bright() -> None:
    light = judge(replace(IDEAL, brightness=245.0))[0]
    assert light.score < 0.5
    assert "over-exposed" in light.advice


def test_what_costs_most_is_said_first() -> None:
    conditions = Watched().watch(Series(noise_px=0.02), rate_hz=14.0, brightness=50.0, width_px=18.0).conditions
    assert [words.split()[0:4] for words in conditions.advice] == [
        ["At", "14", "frames", "a"],
        ["The", "face", "is", "small"],
        ["The", "face", "is", "dark"],
    ]
    assert conditions.word == "poor"


def test_an_ideal_face_is_good_and_gets_no_advice() -> None:
    conditions = Watched().watch(Series(noise_px=0.01)).conditions
    assert conditions.quality >= 95
    assert (conditions.word, conditions.advice) == ("good", ())
    assert conditions.in_words() == f"conditions good, {conditions.quality} of 100; movements from 0.4 px can be seen"


def test_light_that_flickers_and_a_head_that_moves_are_measured() -> None:
    meter, spotter = ConditionsMeter(1), Spotter()
    series = Series(duration_s=4.0, gates=((2.0, 3.0, GATE_HEAD_TURN),))
    for sample in samples(series, regular_times(4.0, 100.0)):
        time_s = sample.time_ns / 1e9
        bright = 100.0 * (1 + 0.05 * np.sin(2 * np.pi * 4.0 * time_s))
        yaw_deg = 2.0 * time_s
        observation = seen(replace(QUALITY, brightness=bright, yaw_deg=yaw_deg), (0.0, 15.0 * time_s))
        list(spotter.push(sample))
        meter.push(observation, sample, spotter)
    conditions = meter.conditions(spotter)
    assert conditions is not None
    measures = conditions.measures
    assert measures.unsteadiness == pytest.approx(0.05 / np.sqrt(2), rel=0.1)
    assert measures.turn_rate_deg_s == pytest.approx(2.0, rel=0.15)
    assert measures.shift_rate_px_s == pytest.approx(15.0 * 64.0 / 60.0, rel=0.15)
    assert measures.head_turn_share == pytest.approx(0.25, abs=0.02)
    assert measures.frame_rate_hz == pytest.approx(100.0, rel=0.01)


def test_a_face_that_was_lost_and_regions_that_were_hidden_are_counted() -> None:
    hidden = Watched().watch(Series(duration_s=4.0, holes=((1.0, 2.99, "chin"), (1.0, 2.99, "upper lip"))))
    assert hidden.conditions.measures.unreadable_share == pytest.approx(0.5 * 2 / len(REGION_NAMES), rel=0.05)
    lost = Watched().watch(Series(duration_s=3.0)).watch(Series(duration_s=3.0), start_s=5.0)
    assert lost.conditions.measures.lost_share == pytest.approx(2.0 / 8.0, abs=0.01)
    assert lost.conditions.seen_s == pytest.approx(6.0, abs=0.05)
    assert "lost for 25%" in lost.conditions.advice[0]


@pytest.mark.parametrize("noise_px", [0.02, 0.1])
def test_the_smallest_movement_is_where_movements_begin_to_be_found(noise_px: float) -> None:
    """A fifth under it hardly any is found; two thirds over it nearly all are."""
    quiet = Watched().watch(Series(noise_px=noise_px, duration_s=8.0))
    brows = quiet.conditions.smallest_by_group_px()["brows"]
    assert brows is not None
    found = {}
    for factor in (0.8, 1.7):
        pulses = [
            Pulse(start_s=3.0 + second, amplitude_px=factor * brows, regions=FROWN, direction=(0.0, -1.0))
            for second in range(0, 20, 2)
        ]
        watched = Watched().watch(Series(noise_px=noise_px, duration_s=24.0, pulses=pulses))
        found[factor] = sum(
            any(one.onset_ns / 1e9 < pulse.truth[1] < one.offset_ns / 1e9 for one in watched.events) for pulse in pulses
        )
    assert found[0.8] <= 2
    assert found[1.7] >= 8


def test_a_restless_face_is_told_from_a_noisy_picture() -> None:
    def talk(times_s: np.ndarray) -> np.ndarray:
        return np.asarray(0.35 * np.sin(2 * np.pi * 2.5 * times_s))

    noisy = Watched().watch(Series(noise_px=0.4, duration_s=8.0)).conditions
    talking = Watched().watch(Series(noise_px=0.02, duration_s=8.0, common=talk)).conditions
    assert noisy.measures.jitter_px == pytest.approx(0.4, rel=0.15)
    assert "from frame to frame" in noisy.advice[0]
    assert not any("hardly rests" in words for words in noisy.advice)
    assert talking.measures.jitter_px == pytest.approx(0.02, abs=0.01)
    assert [words.split(",")[0] for words in talking.advice] == ["The face hardly rests"]


def test_more_noise_needs_larger_movements_and_lowers_the_figure() -> None:
    quiet, loud, louder = (Watched().watch(Series(noise_px=noise)).conditions for noise in (0.02, 0.2, 0.5))
    assert quiet.quality > loud.quality > louder.quality
    assert quiet.smallest_px is not None
    assert loud.smallest_px is not None
    assert louder.smallest_px is not None
    assert quiet.smallest_px < loud.smallest_px < louder.smallest_px
    assert set(quiet.smallest_by_group_px()) == set(REGION_GROUPS)


def test_the_baseline_is_learnt_in_the_first_quiet_seconds_and_followed() -> None:
    watched = Watched().watch(Series(duration_s=2.0, noise_px=0.05))
    assert watched.conditions.baseline_first is None
    drift = Series(duration_s=20.0, noise_px=0.05, drift_px_s=0.05)
    conditions = Watched().watch(drift).conditions
    first, now = conditions.baseline_first, conditions.baseline_now
    assert first is not None
    assert now is not None
    assert conditions.baseline_known_s is not None
    assert 2.0 <= conditions.baseline_known_s <= 3.5
    assert np.median(now.neutral_px[:, 1] - first.neutral_px[:, 1]) == pytest.approx(0.05 * 17, abs=0.1)
    # The low-pass has taken white noise down; what is left is the same then and now.
    assert 0.01 < np.median(first.noise_px) < 0.05
    assert np.median(now.noise_px) == pytest.approx(np.median(first.noise_px), rel=0.3)


def test_recent_conditions_forget_what_was_put_right() -> None:
    watched = Watched().watch(Series(duration_s=20.0), brightness=30.0)
    watched.watch(Series(duration_s=40.0), start_s=20.0, brightness=130.0)
    recent = watched.meter.conditions(watched.spotter, "recent")
    assert recent is not None
    assert recent.quality > watched.conditions.quality + 5
    assert recent.measures.brightness == pytest.approx(130.0, abs=4.0)
    assert watched.conditions.measures.brightness == pytest.approx((30 + 2 * 130) / 3, abs=2.0)


def test_memory_stays_constant() -> None:
    watched = Watched().watch(Series(duration_s=5.0))
    before = len(pickle.dumps(watched.meter))
    watched.watch(Series(duration_s=20.0), start_s=5.0)
    assert len(pickle.dumps(watched.meter)) <= before + 64


def test_a_face_seen_in_one_frame_has_no_conditions() -> None:
    watched = Watched().watch(Series(duration_s=0.01))
    assert watched.meter.conditions(watched.spotter) is None
    assert session_record([]) is None


@pytest.mark.parametrize("duration_s", [0.1, 6.0])
def test_the_record_is_plain_json_even_while_little_is_known(duration_s: float) -> None:
    record = session_record([Watched().watch(Series(duration_s=duration_s)).conditions])
    assert record is not None
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    face = record["faces"][0]
    assert set(face["baseline"]["regions"]) == set(REGION_NAMES)
    assert (face["smallest_movement_px"]["overall"] is None) == (duration_s < 1)


def test_an_aspect_that_limits_nothing_is_silent() -> None:
    assert all(isinstance(aspect, Aspect) and aspect.advice == "" for aspect in judge(IDEAL))
