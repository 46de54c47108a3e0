import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import BadInput
from engines.inputs import NORMALISATIONS, normalise


def stretched(maps: np.ndarray) -> np.ndarray:
    low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
    whole: np.ndarray = np.rint((maps - low) / (high - low) * 255).astype(np.uint8)
    return whole


def smooth_maps(count: int = 6) -> np.ndarray:
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:28, 0:28].astype(np.float32)
    maps = np.zeros((count, 28, 28, 3), np.float32)
    for index in range(count):
        for channel in range(3):
            cx, cy = rng.uniform(5, 23, 2)
            maps[index, ..., channel] = rng.uniform(0.2, 1.5) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 30)
        maps[index, ..., :2] += rng.normal(0, 0.02, (28, 28, 2)) - 0.3
        maps[index, ..., 2] += 0.01
    return maps


def test_stretched_maps_and_raw_flow_give_the_same_tensor() -> None:
    raw = smooth_maps()
    difference = normalise(raw, "centred-flow-log-strain") - normalise(stretched(raw), "centred-flow-log-strain")
    assert np.abs(difference).max() < 0.05
    assert np.abs(difference).mean() < 0.01


def test_flow_is_centred_and_halved_and_strain_is_logarithmic() -> None:
    raw = smooth_maps(1)
    tensor = normalise(raw, "centred-flow-log-strain")
    u, strain = raw[0, ..., 0], raw[0, ..., 2] - raw[0, ..., 2].min()
    expected_u = np.clip((u - np.median(u)) / u.std(), -5, 5) / 2
    np.testing.assert_allclose(tensor[0, 0], expected_u, atol=1e-5)
    np.testing.assert_allclose(tensor[0, 2], np.log1p(np.minimum(strain / strain.mean(), 12)) - 0.6, atol=1e-5)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous


@pytest.mark.parametrize("level", [0.0, 3.5, -200.0])
def test_flat_channels_give_a_calm_tensor(level: float) -> None:
    tensor = normalise(np.full((2, 28, 28, 3), level, np.float32), "centred-flow-log-strain")
    assert np.all(tensor[:, :2] == 0)
    np.testing.assert_allclose(tensor[:, 2], -0.6, atol=1e-6)


def test_mirroring_commutes_with_normalising() -> None:
    raw = smooth_maps(2)
    mirrored = raw[:, :, ::-1] * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(
        normalise(mirrored, "centred-flow-log-strain"),
        normalise(raw, "centred-flow-log-strain")[..., ::-1] * np.array([-1, 1, 1], np.float32)[:, None, None],
        atol=1e-5,
    )


def test_image_normalisations_reach_their_ranges() -> None:
    images = np.zeros((1, 4, 5, 3), np.uint8)
    images[0, 0] = 255
    assert normalise(images, "unit-interval").shape == (1, 3, 4, 5)
    assert (normalise(images, "unit-interval").min(), normalise(images, "unit-interval").max()) == (0, 1)
    assert (normalise(images, "symmetric").min(), normalise(images, "symmetric").max()) == (-1, 1)
    np.testing.assert_allclose(
        normalise(images, "imagenet")[0, :, 0, 0],
        (1 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225],
        rtol=1e-5,
    )


def test_wrong_features_are_named() -> None:
    with pytest.raises(BadInput, match=r"unknown: use one of .*centred-flow-log-strain"):
        normalise(np.zeros((1, 4, 4, 3), np.uint8), "whitened")
    with pytest.raises(BadInput, match="not 2 channels"):
        normalise(np.zeros((1, 4, 4, 2), np.uint8), "centred-flow-log-strain")
    assert sorted(NORMALISATIONS) == list(NORMALISATIONS)


@given(
    scale=st.floats(0.01, 100), shift=st.floats(-50, 50), strain_scale=st.floats(0.01, 100), seed=st.integers(0, 1000)
)
def test_scale_and_zero_of_a_channel_do_not_count(scale: float, shift: float, strain_scale: float, seed: int) -> None:
    maps = np.random.default_rng(seed).normal(size=(1, 12, 10, 3)).astype(np.float32)
    moved = maps * np.array([scale, scale, strain_scale], np.float32) + np.float32(shift)
    difference = normalise(moved, "centred-flow-log-strain") - normalise(maps, "centred-flow-log-strain")
    # A large shift of a small channel costs float32 digits.
    assert np.abs(difference).max() < 1e-3 + 1e-5 * (abs(shift) + 1) / min(scale, strain_scale)
