"""The parts of the flow kernels, each against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float32

from engines.flow.descent_kernel import padded
from engines.flow.median_kernel import bordered_shape, median_filter
from engines.flow.pyramid_kernel import linearise, resize, with_gradient
from engines.flow.reference import central_differences, resize_bilinear, warp_bicubic
from engines.flow.reference import median_filter as plain_median
from tests.engines.flow_pairs import texture


def as_padded(fields: Float32[np.ndarray, "K H W"]) -> Float32[np.ndarray, "K H1 S"]:
    count, height, width = fields.shape
    array: Float32[np.ndarray, "K H1 S"] = padded(count, height, width)
    array[:, 1:, 1 : width + 1] = fields
    return array


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([3, 5]), st.integers(1, 20), st.integers(1, 70), st.integers(0, 999), st.booleans())
def test_median_is_the_middle_of_the_sorted_window(side: int, height: int, width: int, seed: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    field = random.standard_normal((1, height, width)).astype(np.float32)
    field = np.rint(field) if ties else field
    array = as_padded(field)
    median_filter(array[0], height, width, side, np.empty(bordered_shape(height, width), np.float32))
    np.testing.assert_array_equal(array[0, 1:, 1 : width + 1], plain_median(np.repeat(field, 2, 0), side)[0])


def test_plain_median_sorts() -> None:
    field = np.random.default_rng(0).standard_normal((2, 9, 9)).astype(np.float32)
    assert plain_median(field, 5)[1, 4, 3] == np.median(field[1, 2:7, 1:6])


@pytest.mark.parametrize("largest_px", [0.3, 4.0, 500.0])
def test_linearisation_reads_where_the_flow_points(largest_px: float) -> None:
    previous, following = (texture(37, 45, seed).astype(np.float32) for seed in (1, 2))
    flow = np.random.default_rng(3).uniform(-largest_px, largest_px, (2, 37, 45)).astype(np.float32)
    data = padded(4, 37, 45)
    linearise(previous, with_gradient(following), as_padded(flow), data, np.float32(1e-7))
    gradient_y, gradient_x = central_differences(following)
    value, along_x, along_y = warp_bicubic(np.stack([following, gradient_x, gradient_y]), flow)
    residual = value - along_x * flow[0] - along_y * flow[1] - previous
    got = data[:, 1:, 1:46]
    np.testing.assert_allclose(got[0], along_x, atol=2e-3)
    np.testing.assert_allclose(got[1], along_y, atol=2e-3)
    np.testing.assert_allclose(1 / got[2], np.maximum(along_x**2 + along_y**2, 1e-7), rtol=1e-3, atol=0.1)
    np.testing.assert_allclose(got[3], residual, atol=0.02 * max(1.0, largest_px / 10))


@pytest.mark.parametrize("shape", [(36, 29), (45, 36), (58, 46)])
def test_resize_interpolates_linearly(shape: tuple[int, int]) -> None:
    image = texture(45, 36, seed=4).astype(np.float32)
    ratios = (45 / shape[0], 36 / shape[1])
    result = np.empty(shape, np.float32)
    resize(image, result, *ratios, np.float32(1.25))
    np.testing.assert_allclose(result, 1.25 * resize_bilinear(image, shape, *ratios), atol=1e-3)
