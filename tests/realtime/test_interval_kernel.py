"""Rest, projection and bounds of a movement, against NumPy and against known courses."""

import numpy as np
import pytest

from realtime.spotting.interval_kernel import Heights, flank, measure, median, noise_of, project, rest_before
from realtime.spotting.parameters import TICK_S, SpottingParameters
from tests.realtime.displacements import Pulse

HEIGHTS = Heights(SpottingParameters().bound_fraction, SpottingParameters().tangent_fraction)


def displacement_with_holes() -> np.ndarray:
    """Of four regions: one without holes, one with some, one unreadable at first, one always."""
    moved = np.random.default_rng(0).normal(0.0, 1.0, (60, 4, 2))
    moved[10:14, 1] = moved[30, 1] = moved[55:, 1] = np.nan
    moved[:40, 2] = moved[:, 3] = np.nan
    return moved


def test_rest_is_the_median_of_what_is_readable() -> None:
    moved = displacement_with_holes()
    expected = np.zeros((4, 2))
    expected[:2] = np.nanmedian(moved[8:29, :2], axis=0)
    expected[2] = np.nanmedian(moved[:, 2], axis=0)
    assert rest_before(moved, 28, 20) == pytest.approx(expected)
    assert rest_before(moved[:20], 28, 200)[0] == pytest.approx(np.median(moved[:20, 0], axis=0))


def test_a_projection_bridges_holes() -> None:
    moved, ticks = displacement_with_holes(), np.arange(60)
    rest, direction = np.full((4, 2), 0.3), np.random.default_rng(1).normal(0.0, 1.0, (4, 2))
    expected = np.zeros(60)
    for region, axis in np.ndindex(3, 2):
        readable = ~np.isnan(moved[:, region, axis])
        bridged = np.interp(ticks, ticks[readable], moved[readable, region, axis] - 0.3)
        expected += bridged * direction[region, axis] / np.linalg.norm(direction)
    assert project(moved, rest, direction) == pytest.approx(expected)
    assert not project(moved, rest, np.zeros((4, 2))).any()


def test_noise_is_a_robust_standard_deviation() -> None:
    course = np.random.default_rng(2).normal(5.0, 0.2, 4000)
    course[::50] = 100.0
    assert noise_of(course, 4000) == pytest.approx(0.2, rel=0.05)
    assert noise_of(course, 19) == 0.0
    assert median(course[:31]) == np.median(course[:31])
    assert median(course[:30]) == np.median(course[:30])


def test_bounds_of_a_known_course() -> None:
    pulse = Pulse(start_s=1.0, rise_s=0.3, hold_s=0.0, fall_s=0.4, amplitude_px=2.0)
    ticks = np.arange(0.0, 2.5, TICK_S)
    course = 2.0 * pulse.course(ticks) + 0.05 * ticks
    bounds = measure(course, int(1.1 / TICK_S), int(1.6 / TICK_S), HEIGHTS, 0.0)
    onset_s, apex_s, offset_s = pulse.truth
    assert bounds.onset * TICK_S == pytest.approx(onset_s, abs=0.015)
    assert bounds.apex * TICK_S == pytest.approx(apex_s, abs=0.015)
    assert bounds.offset * TICK_S == pytest.approx(offset_s, abs=0.015)
    assert bounds.prominence == pytest.approx(2.0, abs=0.06)
    assert abs(bounds.residual) < 0.03
    assert bounds.seen_from_start


def test_a_flank_in_noise_is_extrapolated_to_the_same_place() -> None:
    pulse = Pulse(start_s=0.0, rise_s=0.001, hold_s=0.0, fall_s=0.4)
    course = pulse.course(np.arange(0.005, 1.0, TICK_S))
    clear, _ = flank(course, 0, 1, HEIGHTS, 0.0)
    noisy, _ = flank(course, 0, 1, HEIGHTS, 0.08)
    assert abs(noisy - clear) * TICK_S < 0.02


@pytest.mark.parametrize("step_px", [0.3, -0.3])
def test_a_jump_beside_a_movement_is_no_part_of_it(step_px: float) -> None:
    pulse = Pulse(start_s=1.0, rise_s=0.1, hold_s=0.0, fall_s=0.12, amplitude_px=1.0)
    ticks = np.arange(0.0, 2.5, TICK_S)
    course = pulse.course(ticks) + step_px * (ticks > 0.82) - step_px * (ticks > 1.4)
    bounds = measure(course, int(0.95 / TICK_S), int(1.25 / TICK_S), HEIGHTS, 0.0)
    onset_s, _, offset_s = pulse.truth
    assert bounds.onset * TICK_S == pytest.approx(onset_s, abs=0.015)
    assert bounds.offset * TICK_S == pytest.approx(offset_s, abs=0.015)
    assert abs(bounds.residual) < 0.05


def test_a_movement_that_is_held_half_way_has_not_ended() -> None:
    ticks = np.arange(0.0, 3.0, TICK_S)
    first = Pulse(start_s=1.0, rise_s=0.2, hold_s=0.0, fall_s=0.2, amplitude_px=1.0)
    held = Pulse(start_s=1.0, rise_s=0.2, hold_s=0.5, fall_s=0.2, amplitude_px=1.0)
    course = 0.35 * first.course(ticks) + 0.65 * held.course(ticks)
    bounds = measure(course, int(1.1 / TICK_S), int(1.4 / TICK_S), HEIGHTS, 0.0)
    assert bounds.offset * TICK_S == pytest.approx(held.truth[2], abs=0.03)
