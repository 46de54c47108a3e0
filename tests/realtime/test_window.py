"""The sliding window: grid, low-pass, rolling statistics, and that a frame's cost does not grow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.faces.landmarks import REGION_NAMES
from realtime.spotting.order_kernel import at_rank, enter
from realtime.spotting.parameters import TICK_S, SpottingParameters
from realtime.spotting.sample import MotionSample
from realtime.spotting.window import MotionWindow
from tests.realtime.displacements import Pulse, Series, regular_times, samples

PARAMETERS = SpottingParameters()
REGIONS = len(REGION_NAMES)


def still(time_s: float, index: int, x_px: float = 0.0) -> MotionSample:
    displacement = np.zeros((REGIONS, 2), np.float32)
    displacement[:, 0] = x_px
    return MotionSample(index=index, time_ns=round(time_s * 1e9), captured_ns=0, face_id=1, displacement=displacement)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(values=st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=170), length=st.integers(1, 60))
def test_a_rolling_window_is_always_in_order(values: list[float], length: int) -> None:
    recent, ordered = np.zeros(length, np.float32), np.zeros(length, np.float32)
    for number, value in enumerate(np.array(values, np.float32)):
        enter(recent, ordered, number, length, value)
        latest = values[max(0, number + 1 - length) : number + 1]
        assert ordered[: len(latest)].tolist() == np.sort(np.array(latest, np.float32)).tolist()


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    values=st.lists(st.floats(0.0, 2.0**100, width=32), min_size=1, max_size=170),
    share=st.floats(0.0, 0.99),
    least=st.floats(0.0, 10.0, width=32),
)
def test_an_order_statistic_is_found_without_sorting(values: list[float], share: float, least: float) -> None:
    rank = int(share * len(values))
    found = at_rank(np.array(values, np.float32), rank, least)
    assert found == max(sorted(values)[rank], least)


@pytest.mark.parametrize("rate_hz", [30.0, 100.0, 200.0])
def test_the_low_pass_keeps_lines_and_damps_what_is_quick(rate_hz: float) -> None:
    window = MotionWindow(REGIONS, PARAMETERS)
    for index, time_s in enumerate(regular_times(2.0, rate_hz)):
        window.push(still(float(time_s), index, x_px=0.3 * float(time_s)))
    ticks = np.arange(100, 300)
    smooth = window.smoothed(100, 299)[:, 0, 0]
    assert np.abs(smooth - 0.3 * ticks * TICK_S).max() < 1e-4
    quick = MotionWindow(REGIONS, PARAMETERS)
    for index, time_s in enumerate(regular_times(2.0, 200.0)):
        quick.push(still(float(time_s), index, x_px=float(np.sin(2 * np.pi * 25 * time_s))))
    assert np.abs(quick.smoothed(100, 299)[:, 0, 0]).max() < 0.02


def test_the_low_passed_movement_lags_by_the_stated_delay() -> None:
    window = MotionWindow(REGIONS, PARAMETERS)
    for index, time_s in enumerate(regular_times(1.0, 200.0)):
        window.push(still(float(time_s), index))
        lag_s = float(time_s) - window.settled * TICK_S
        assert lag_s <= window.delay_s or index < 20


def test_the_limit_follows_the_noise_of_each_direction_and_has_a_floor() -> None:
    window = MotionWindow(REGIONS, PARAMETERS)
    for sample in samples(Series(duration_s=6.0, noise_px=0.6), regular_times(6.0, 100.0)):
        sample.displacement[:, 1] *= 0.05
        window.push(sample)
    limits = window.limits(range(REGIONS))
    assert limits[:, 0].min() > 2 * PARAMETERS.quick_floor_px
    assert limits[:, 0].max() < 10 * PARAMETERS.quick_floor_px
    assert limits[:, 1] == pytest.approx(PARAMETERS.quick_floor_px)


def test_slow_drift_does_not_raise_the_limit() -> None:
    window = MotionWindow(REGIONS, PARAMETERS)
    for sample in samples(Series(duration_s=6.0, noise_px=0.03, drift_px_s=0.5), regular_times(6.0, 100.0)):
        window.push(sample)
    assert window.limits(range(REGIONS)) == pytest.approx(PARAMETERS.quick_floor_px)


def test_noise_of_a_region_that_never_rests_becomes_known() -> None:
    window = MotionWindow(REGIONS, PARAMETERS)
    restless = Series(duration_s=8.0, common=lambda t: 2.0 * np.sin(2 * np.pi * 2.5 * t))
    for sample in samples(restless, regular_times(8.0, 100.0)):
        window.push(sample)
    assert window.limits(range(REGIONS))[:, 1].min() > 4 * PARAMETERS.quick_floor_px


def test_events_hardly_raise_the_limit() -> None:
    train = [Pulse(start_s=1.5 + 1.6 * number, amplitude_px=3.0) for number in range(6)]
    window = MotionWindow(REGIONS, PARAMETERS)
    for sample in samples(Series(duration_s=12.0, pulses=train), regular_times(12.0, 100.0)):
        window.push(sample)
    assert window.limits([REGION_NAMES.index("left lip corner")]).max() < 0.6


def test_a_sample_is_found_by_its_time() -> None:
    window, times_s = MotionWindow(REGIONS, PARAMETERS), regular_times(60.0, 200.0)
    for index, time_s in enumerate(times_s):
        window.push(still(float(time_s), 2 * index))
    for target_s in (59.9, 50.0, 30.0021, 30.0029):
        stamp = window.nearest(round(target_s * 1e9))
        assert stamp.index == 2 * int(np.abs(times_s - target_s).argmin())
    assert window.first_from(50_000_000_000).index == 2 * 10_000
    assert window.last_until(51_000_000_000).index == 2 * 10_200


@pytest.mark.parametrize(("asked_s", "first", "last"), [(10.0, 300, 300), (10.01, 301, 300), (10.032, 301, 301)])
def test_the_first_and_the_last_frame_of_a_movement_lie_inside_it(asked_s: float, first: int, last: int) -> None:
    window = MotionWindow(REGIONS, PARAMETERS)
    for index, time_s in enumerate(regular_times(12.0, 30.0)):
        window.push(still(float(time_s), index))
    assert window.first_from(round(asked_s * 1e9)).index == first
    assert window.last_until(round(asked_s * 1e9)).index == last


def test_state_and_cost_do_not_grow() -> None:
    window = MotionWindow(REGIONS, PARAMETERS)
    sizes = [array.nbytes for array in window.state]
    for sample in samples(Series(duration_s=40.0), regular_times(40.0, 60.0)):
        assert window.push(sample) == []
    assert sizes == [array.nbytes for array in window.state]
    assert sum(sizes) < 2 * 2**20
