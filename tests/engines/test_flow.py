"""TV-L1: the kernels against the reference, against OpenCV, and against movements that are known."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import BadInput
from engines.flow import Tvl1Parameters, compile_kernels, tvl1
from engines.flow.parameters import pyramid_shapes
from tests.engines.flow_pairs import Flow, Gray, displaced, end_point_error, energy, smooth_pair, texture

SHORT = Tvl1Parameters(epsilon=0, warps=2, outer_iterations=2, inner_iterations=10)


def opencv_flow(previous: Gray, following: Gray, parameters: Tvl1Parameters) -> Flow:
    solver: Any = cv2.optflow.createOptFlow_DualTVL1()
    solver.setScalesNumber(parameters.scales)
    solver.setWarpingsNumber(parameters.warps)
    solver.setEpsilon(parameters.epsilon)
    solver.setInnerIterations(parameters.inner_iterations)
    solver.setOuterIterations(parameters.outer_iterations)
    solver.setMedianFiltering(parameters.median_filtering)
    return np.ascontiguousarray(solver.calc(previous, following, None).transpose(2, 0, 1))


def test_one_warp_is_opencv_to_the_last_digits() -> None:
    """Both departures from OpenCV concern later warps, so one warp of one level shows the shared algorithm bare."""
    parameters = Tvl1Parameters(scales=1, warps=1, outer_iterations=3)
    previous, following, _ = smooth_pair(60, 70, 0.8, seed=2)
    theirs = opencv_flow(previous, following, parameters)
    at_the_end = tvl1(previous, following, parameters)
    # Ours is the mean of the end of the warp and of one iteration more, which moves by less than epsilon.
    assert end_point_error(at_the_end, theirs) < parameters.epsilon
    assert end_point_error(theirs, np.zeros_like(theirs)) > 20 * parameters.epsilon


def test_no_worse_than_opencv_with_the_defaults() -> None:
    errors, their_errors, energies = [], [], []
    for seed, (size, largest_px) in enumerate([(112, 0.5), (112, 1.5), (112, 3.0), (96, 1.0), (128, 2.0), (224, 1.5)]):
        previous, following, truth = smooth_pair(size, size, largest_px, seed)
        ours, theirs = tvl1(previous, following), opencv_flow(previous, following, Tvl1Parameters())
        assert end_point_error(ours, theirs) < 0.05
        errors.append(end_point_error(ours, truth))
        their_errors.append(end_point_error(theirs, truth))
        energies.append(energy(previous, following, ours) / energy(previous, following, theirs))
    assert max(energies) <= 1.01
    assert np.mean(errors) <= np.mean(their_errors)


@settings(max_examples=15, deadline=None)
@given(st.floats(-2.5, 2.5), st.floats(-2.5, 2.5), st.integers(0, 99))
def test_known_shift_is_recovered(u: float, v: float, seed: int) -> None:
    following = texture(56, 48, seed)
    truth = np.broadcast_to(np.array([u, v], np.float32)[:, None, None], (2, 56, 48)).copy()
    flow = tvl1(displaced(following, truth), following)
    assert end_point_error(flow, truth, border=8) < 0.1


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.integers(20, 48), st.integers(20, 48))
def test_transposed_images_give_the_transposed_flow(seed: int, height: int, width: int) -> None:
    previous, following, _ = smooth_pair(height, width, 1.0, seed)
    upright = tvl1(previous, following, SHORT)
    turned = tvl1(previous.T.copy(), following.T.copy(), SHORT)
    assert np.abs(upright - turned[::-1].transpose(0, 2, 1)).mean() < 1e-3


def test_no_movement_no_flow() -> None:
    image = texture(40, 50, seed=3)
    assert not tvl1(image, image).any()


def test_bytes_and_floats_are_the_same_images() -> None:
    previous, following, _ = smooth_pair(40, 50, 1.0, seed=4)
    flow = tvl1(previous, following)
    np.testing.assert_array_equal(flow, tvl1(previous.astype(np.float32), following))
    spread = np.zeros((40, 100), np.uint8)
    spread[:, ::2] = previous
    np.testing.assert_array_equal(flow, tvl1(spread[:, ::2], following))


def test_stack_is_its_pairs_whatever_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [smooth_pair(48, 37, 1.5, seed) for seed in range(5)]
    previous, following = (np.stack([pair[k] for pair in pairs]) for k in (0, 1))
    alone = np.stack([tvl1(a, b) for a, b in zip(previous, following, strict=True)])
    for cores in (1, 2, 7):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        np.testing.assert_array_equal(tvl1(previous, following), alone)
    assert tvl1(previous[:0], following[:0]).shape == (0, 2, 48, 37)
    np.testing.assert_array_equal(tvl1(previous[:1], following[:1])[0], alone[0])


def test_many_threads_may_ask_at_once() -> None:
    pairs = [smooth_pair(40, 40, 1.5, seed) for seed in range(3)]
    previous, following = (np.stack([pair[k] for pair in pairs]) for k in (0, 1))
    expected = tvl1(previous, following)
    with ThreadPoolExecutor(6) as pool:
        stacks = [pool.submit(tvl1, previous, following) for _ in range(9)]
        singles = [pool.submit(tvl1, previous[k % 3], following[k % 3]) for k in range(18)]
        for stack in stacks:
            np.testing.assert_array_equal(stack.result(), expected)
        for k, single in enumerate(singles):
            np.testing.assert_array_equal(single.result(), expected[k % 3])


def test_flow_stays_finite_where_images_say_nothing() -> None:
    flat, image = np.full((30, 30), 128, np.uint8), texture(30, 30, seed=5)
    for previous, following in [(flat, flat), (flat, image), (image, flat), (image, 255 - image)]:
        assert np.isfinite(tvl1(previous, following)).all()


def test_quick_settings_cost_accuracy_but_not_the_movement() -> None:
    previous, following, truth = smooth_pair(80, 80, 1.5, seed=6)
    assert end_point_error(tvl1(previous, following, Tvl1Parameters.quick()), truth, border=8) < 0.25


def test_pyramid_stops_above_sixteen_pixels() -> None:
    assert pyramid_shapes(112, 112, Tvl1Parameters()) == [(112, 112), (90, 90), (72, 72), (58, 58), (46, 46)]
    assert pyramid_shapes(20, 300, Tvl1Parameters()) == [(20, 300), (16, 240)]
    assert pyramid_shapes(5, 5, Tvl1Parameters()) == [(5, 5)]


def test_kernels_compile_ahead() -> None:
    compile_kernels()


GRAY = np.zeros((20, 20), np.uint8)


@pytest.mark.parametrize(
    ("previous", "following", "complaint"),
    [
        (GRAY, GRAY[:10], "differ in shape"),
        (GRAY.astype(np.float64), GRAY, "'previous' is float64"),
        (GRAY, np.full((20, 20), np.nan, np.float32), "'following' holds NaN"),
        (GRAY[:2], GRAY[:2], "at least 3 × 3"),
        (GRAY[0], GRAY[0], "one gray image"),
        (GRAY[None, None], GRAY[None, None], "a stack"),
    ],
)
def test_bad_images_are_refused_in_one_line(previous: Any, following: Any, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint) as refusal:
        tvl1(previous, following)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tau", 0.0),
        ("tau", 0.3),
        ("lambda_", -1.0),
        ("theta", float("nan")),
        ("scales", 0),
        ("scale_step", 1.0),
        ("warps", 0),
        ("epsilon", -0.1),
        ("inner_iterations", 0),
        ("outer_iterations", 0),
        ("median_filtering", 4),
    ],
)
def test_bad_parameters_are_named(name: str, value: Any) -> None:
    with pytest.raises(BadInput, match=f"parameter {name} is"):
        Tvl1Parameters(**{name: value})
