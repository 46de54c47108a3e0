import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from engines.flow import Tvl1Parameters, tvl1
from engines.inputs.head_movement import head_movement, without_head_movement
from engines.inputs.steady_flow import area_resized, steady_flow

HEIGHT, WIDTH = 152, 128
QUICK = Tvl1Parameters.quick()


def texture(seed: int, height: int = 304, width: int = 256) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    fine, coarse = cv2.GaussianBlur(noise, (0, 0), 2.5), cv2.GaussianBlur(noise, (0, 0), 8)
    image = fine / fine.std() + coarse / coarse.std()
    scaled: np.ndarray = np.clip(128 + 35 * image, 0, 255).astype(np.float32)
    return scaled


def at(flow: np.ndarray, x: int, y: int) -> np.ndarray:
    """Mean over a few pixels of a field round a place in the 256×304 crop."""
    row, column = round(y * flow.shape[1] / 304), round(x * flow.shape[2] / 256)
    mean: np.ndarray = flow[:, row - 1 : row + 2, column - 1 : column + 2].mean(axis=(1, 2))
    return mean


def grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return y - (HEIGHT - 1) / 2, x - (WIDTH - 1) / 2


def head(turn: float, growth: float, shift_x: float, shift_y: float) -> np.ndarray:
    y, x = grid()
    field: np.ndarray = np.stack([growth * x - turn * y + shift_x, turn * x + growth * y + shift_y]).astype(np.float32)
    return field


def smile() -> np.ndarray:
    y, x = grid()
    bumps = sum(side * np.exp(-((x - side * 25) ** 2 + (y - 30) ** 2) / (2 * 12**2)) for side in (-1, 1))
    field: np.ndarray = np.stack([1.2 * bumps, -0.8 * np.abs(bumps)]).astype(np.float32)
    return field


@pytest.mark.parametrize(
    "movement",
    [(0.0, 0.0, 0.0, 0.0), (0.01, 0.0, 0.0, 0.0), (0.0, 0.008, 0.0, 0.0), (-0.006, 0.004, 0.7, -0.4)],
)
def test_the_head_is_told_from_the_expression(movement: tuple[float, float, float, float]) -> None:
    noise = np.random.default_rng(1).normal(0, 0.03, (2, HEIGHT, WIDTH)).astype(np.float32)
    fit = head_movement(smile() + head(*movement) + noise)
    np.testing.assert_allclose((fit.turn, fit.growth), movement[:2], atol=5e-4)
    np.testing.assert_allclose((fit.shift_x_px, fit.shift_y_px), movement[2:], atol=0.05)
    place = fit.matrix(HEIGHT, WIDTH) @ (20, 30, 1)
    np.testing.assert_allclose(place - (20, 30), fit.field(HEIGHT, WIDTH)[:, 30, 20], atol=1e-5)
    still = without_head_movement(smile() + head(*movement) + noise)
    assert np.abs(still - smile() - noise).max() < 0.12


def test_a_field_without_expression_is_emptied() -> None:
    still = without_head_movement(head(0.02, -0.01, 3.0, -2.0))
    assert np.abs(still).max() < 1e-4
    assert np.all(without_head_movement(np.zeros((2, HEIGHT, WIDTH), np.float32)) == 0)


def test_brows_that_rise_do_not_push_the_head_down() -> None:
    y, x = grid()
    brows = np.stack([np.zeros_like(x), -1.5 * np.exp(-((x / 45) ** 2 + ((y + 60) / 14) ** 2) / 2)])
    still = without_head_movement(brows.astype(np.float32))
    assert np.abs(still[:, 70:, :]).max() < 0.08
    assert still[1].min() < -1.35


def test_flow_of_a_crop_is_in_its_own_pixels_and_without_the_head() -> None:
    y, x = np.mgrid[0:304, 0:256].astype(np.float32)
    bump = np.exp(-((x - 170) ** 2 + (y - 210) ** 2) / (2 * 22**2))
    before = texture(4)
    # Sampling backwards at x − movement moves the picture forwards by it, nearly, as the movement is smooth.
    after = cv2.remap(before, x - 2 * bump - 1.5, y + 1 * bump + 0.75, cv2.INTER_CUBIC)
    flow = steady_flow(before, after, QUICK)
    assert flow.shape == (2, 133, 112)
    assert flow.dtype == np.float32
    # TV-L1 rounds the peak of a bump off, by up to a third.
    peak = at(flow, 171, 210)
    assert 1.3 < peak[0] < 2.1
    assert -1.05 < peak[1] < -0.65
    assert np.abs(flow[:, :60]).mean() < 0.08
    moved = tvl1(area_resized(before, 152, 128), area_resized(after, 152, 128), QUICK) * 2
    np.testing.assert_allclose(moved[:, 10:70, 10:118].mean(axis=(1, 2)), (1.5, -0.75), atol=0.1)


def test_bytes_and_floats_give_the_same_flow() -> None:
    before = np.rint(texture(5)).astype(np.uint8)
    after = np.roll(before, 1, axis=1)
    np.testing.assert_array_equal(
        steady_flow(before, after, QUICK),
        steady_flow(before.astype(np.float32), after.astype(np.float32), QUICK),
    )


def test_small_images_are_not_enlarged() -> None:
    small = texture(6, 76, 64)
    assert steady_flow(small, small, QUICK).shape == (2, 76, 64)


def test_images_of_two_sizes_are_refused() -> None:
    with pytest.raises(BadInput, match="one size"):
        steady_flow(np.zeros((30, 30), np.uint8), np.zeros((30, 31), np.uint8))


def test_area_averaging_keeps_the_mean_and_counts_part_pixels() -> None:
    plane = np.random.default_rng(2).normal(size=(152, 128)).astype(np.float32)
    assert area_resized(plane, 28, 28).mean() == pytest.approx(plane.mean(), abs=1e-4)
    np.testing.assert_allclose(area_resized(np.array([[0, 3, 6]], np.float32), 1, 2), [[1, 5]], atol=1e-5)
    assert area_resized(np.zeros((8, 8, 3), np.uint8), 4, 4).shape == (4, 4, 3)
