"""Optical strain of movements whose strain is known."""

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float32

from engines.errors import BadInput
from engines.strain import flow_magnitude, optical_strain

SLOPES = st.floats(-0.2, 0.2)


def linear_flow(u_x: float, u_y: float, v_x: float, v_y: float) -> Float32[np.ndarray, "2 20 30"]:
    y, x = np.mgrid[:20, :30].astype(np.float32)
    return np.asarray(np.stack([u_x * x + u_y * y, v_x * x + v_y * y]), np.float32)


@given(SLOPES, SLOPES, SLOPES, SLOPES)
def test_linear_flow_has_the_strain_of_the_formula(u_x: float, u_y: float, v_x: float, v_y: float) -> None:
    expected = np.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2)
    np.testing.assert_allclose(optical_strain(linear_flow(u_x, u_y, v_x, v_y)), expected, atol=1e-5)


@given(st.floats(-20, 20, width=32), st.floats(-20, 20, width=32))
def test_translation_has_none(u: float, v: float) -> None:
    flow = np.broadcast_to(np.array([u, v], np.float32)[:, None, None], (2, 12, 9)).copy()
    assert not optical_strain(flow).any()


@given(st.floats(-5, 5))
def test_rigid_rotation_has_next_to_none(degrees: float) -> None:
    angle = np.radians(degrees)
    turn = linear_flow(np.cos(angle) - 1, -np.sin(angle), np.sin(angle), np.cos(angle) - 1)
    assert optical_strain(turn).max() <= angle**2 + 1e-5


@given(st.integers(0, 99), st.floats(0.1, 4))
def test_strain_grows_with_the_movement(seed: int, factor: float) -> None:
    flow = np.random.default_rng(seed).standard_normal((2, 8, 8)).astype(np.float32)
    np.testing.assert_allclose(
        optical_strain((flow * factor).astype(np.float32)), factor * optical_strain(flow), rtol=1e-4, atol=1e-5
    )


def test_magnitude_is_length() -> None:
    assert (flow_magnitude(np.full((2, 3, 3), [[[3.0]], [[-4.0]]], np.float32)) == 5).all()


@pytest.mark.parametrize("flow", [np.zeros((2, 1, 5), np.float32), np.zeros((2, 4, 4)), np.zeros((4, 4, 2)), "flow"])
def test_other_arrays_are_refused(flow: Any) -> None:
    # Unwrapped: the shape check of the test run would answer before our own.
    for function in (optical_strain, flow_magnitude):
        with pytest.raises(BadInput, match=r"float32.*\(2, H, W\)"):
            inspect.unwrap(function)(flow)
