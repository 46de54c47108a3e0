"""Each kernel of the card's chain, in the simulator where there is no card, against the function of the host."""

from typing import Any

import cv2
import numpy as np
import pytest
from numba import cuda

from engines.card_inputs.card_stream import CardStream
from engines.card_inputs.channel_kernel import make_channels
from engines.card_inputs.probability_kernel import average_views
from engines.card_inputs.resampling import resampling_tables
from engines.card_inputs.steps import BLOCK, FaceMover, FramedFlow, HeadFit, blocks_of, tables_on_card
from engines.card_inputs.strain_kernel import still_planes
from engines.classification import softmax
from engines.inputs import mirrored, normalise
from engines.inputs.event_images import strain_of
from engines.inputs.head_movement import HeadMovement, head_movement, without_head_movement
from engines.inputs.recipes import stretched
from engines.inputs.steady_flow import MARGIN, area_resized
from tests.engines.flow_pairs import texture

THREADS, FEW = 16, 4
SIZES = [((23, 19), (10, 8)), ((23, 19), (23, 19)), ((12, 18), (6, 9)), ((7, 9), (11, 8)), ((31, 17), (13, 16))]


def framed(field: np.ndarray) -> np.ndarray:
    """A flow field (2, h, w) as TV-L1 gives it: with a frame, whose values must not count."""
    return np.pad(field, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)), constant_values=77.0)[np.newaxis]


def noisy_field(seed: int, size: tuple[int, int], movement: HeadMovement) -> np.ndarray:
    """The head's movement, noise, and a corner of the mouth that goes its own way."""
    field: np.ndarray = movement.field(*size) + np.random.default_rng(seed).normal(0, 0.05, (2, *size))
    field[:, size[0] * 2 // 3 :, : size[1] // 3] += 1.5
    return np.ascontiguousarray(field, np.float32)


@pytest.mark.parametrize(("source", "target"), SIZES)
def test_tables_resize_as_opencv_does(source: tuple[int, int], target: tuple[int, int]) -> None:
    image = np.random.default_rng(1).uniform(0, 255, source).astype(np.float32)
    dense = []
    for table, length in zip(resampling_tables(*source, *target), source, strict=True):
        matrix = np.zeros((len(table.first), length + table.weights.shape[1]))
        for k, first in enumerate(table.first):
            matrix[k, first : first + table.weights.shape[1]] = table.weights[k]
        assert not matrix[:, length:].any()
        dense.append(matrix[:, :length])
    np.testing.assert_allclose(dense[0] @ image @ dense[1].T, area_resized(image, *target), rtol=2e-6, atol=1e-4)


@pytest.mark.parametrize(("source", "target"), [SIZES[0], SIZES[3]])
def test_two_images_are_resized_and_framed(source: tuple[int, int], target: tuple[int, int]) -> None:
    bytes_, floats = texture(*source, seed=2), texture(*source, seed=3).astype(np.float32)
    step = FramedFlow(CardStream(), source, target)
    step.frame(cuda.to_device(bytes_), cuda.to_device(floats))
    for plane, image in zip(step.framed.copy_to_host(), (bytes_, floats), strict=True):
        small = area_resized(image.astype(np.float32), *target)
        expected = cv2.copyMakeBorder(small, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REFLECT_101)
        np.testing.assert_allclose(plane, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("turn", "growth", "shift_x", "shift_y"),
    [(0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 1.3, -0.7), (0.02, -0.015, -2.37, 1.9), (-0.05, 0.03, 0.4, 12.6)],
)
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_an_image_is_moved_back_as_opencv_moves_it(
    turn: float, growth: float, shift_x: float, shift_y: float, kind: type
) -> None:
    image: np.ndarray = texture(29, 23, seed=4).astype(kind)
    moved = HeadMovement(turn=turn, growth=growth, shift_x_px=shift_x, shift_y_px=shift_y)
    expected = cv2.warpAffine(
        image.astype(np.float32),
        moved.matrix(29, 23),
        (23, 29),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    np.testing.assert_allclose(move(image, (turn, growth, shift_x, shift_y), still=0), expected, atol=2e-3)


def test_a_head_that_kept_still_is_left() -> None:
    image = texture(11, 13, seed=5)
    np.testing.assert_array_equal(move(image, (0.01, 0.0, 3.0, 1.0), still=1), image)


def move(image: np.ndarray, movement: tuple[float, float, float, float], *, still: int) -> np.ndarray:
    held = cuda.device_array(image.shape, np.float32)
    done = (cuda.to_device(np.array(movement, np.float32)), cuda.to_device(np.array([still], np.int32)))
    FaceMover(CardStream(), (image.shape[0], image.shape[1])).move(cuda.to_device(image), done, held)
    given: np.ndarray = held.copy_to_host()
    return given


@pytest.mark.parametrize(("size", "threads"), [((17, 13), 8), ((9, 61), 4), ((5, 3), 32)])
def test_the_movement_of_the_head_is_fitted(size: tuple[int, int], threads: int) -> None:
    field = noisy_field(threads, size, HeadMovement(turn=0.011, growth=-0.007, shift_x_px=0.6, shift_y_px=-0.9))
    movement = cuda.device_array(4, np.float32)
    HeadFit(CardStream(), size, threads).measure(cuda.to_device(framed(field)), movement)
    expected = head_movement(field)
    np.testing.assert_allclose(movement.copy_to_host(), parts_of(expected), rtol=1e-4, atol=1e-5)


def test_a_field_without_movement_has_none() -> None:
    movement = cuda.to_device(np.ones(4, np.float32))
    HeadFit(CardStream(), (12, 10), FEW).measure(cuda.to_device(framed(np.zeros((2, 12, 10), np.float32))), movement)
    np.testing.assert_array_equal(movement.copy_to_host(), np.zeros(4))


def parts_of(movement: HeadMovement) -> list[float]:
    return [movement.turn, movement.growth, movement.shift_x_px, movement.shift_y_px]


def test_the_head_is_held_over_the_rounds_and_found_still_once_for_all() -> None:
    size, images, pixels = (9, 8), (36, 32), 4.0
    fit = HeadFit(CardStream(), size, FEW)
    movement, still = cuda.to_device(np.full(4, 9, np.float32)), cuda.to_device(np.ones(1, np.int32))

    def hold(field: np.ndarray, *, first: bool) -> tuple[Any, int]:
        on_card = cuda.to_device(framed(field))
        fit.hold(on_card, first=first, images=images, pixels=pixels, held=(movement, still))
        return movement.copy_to_host().tolist(), int(still.copy_to_host()[0])

    one = noisy_field(6, size, HeadMovement(turn=0.01, shift_x_px=0.5))
    two = noisy_field(7, size, HeadMovement(growth=0.004, shift_y_px=0.1))
    together = HeadMovement().plus(head_movement(one), pixels=pixels).plus(head_movement(two), pixels=pixels)
    hold(one, first=True)
    parts, found_still = hold(two, first=False)
    np.testing.assert_allclose(parts, parts_of(together), rtol=1e-4, atol=1e-4)
    assert found_still == 0
    # Just under a quarter of a pixel of the image, then just over it, the further corner deciding.
    assert hold(HeadMovement(shift_x_px=0.06).field(*size), first=True)[1] == 1
    assert hold(one, first=False) == (pytest.approx([0, 0, 0.24, 0], abs=1e-4), 1)
    assert hold(HeadMovement(shift_x_px=-0.064).field(*size), first=True)[1] == 0
    assert hold(HeadMovement(shift_x_px=0.04, growth=0.007).field(*size), first=True)[1] == 0


@pytest.mark.parametrize(("size", "width"), [((13, 11), 22), ((2, 5), 5)])
def test_planes_are_flow_without_the_head_and_its_strain(size: tuple[int, int], width: int) -> None:
    field = noisy_field(8, size, HeadMovement(turn=0.01, shift_x_px=1.0))
    still = without_head_movement(field)
    movement = cuda.to_device(np.array(parts_of(head_movement(field)), np.float32))
    planes = cuda.device_array((4, *size), np.float32)
    pixels = np.float32(width / size[1])
    still_planes[blocks_of(size), BLOCK](cuda.to_device(framed(field)), movement, pixels, planes)
    magnitude, u, v, strain = planes.copy_to_host()
    np.testing.assert_allclose([u, v], still * pixels, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(magnitude, np.hypot(*(still * pixels)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(strain, strain_of(still * pixels, width), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("size", "target"), [((13, 11), (7, 5)), ((12, 10), (6, 5)), ((5, 6), (9, 8))])
def test_channels_are_those_of_the_recipe(seed: int, size: tuple[int, int], target: tuple[int, int]) -> None:
    planes = np.random.default_rng(seed).normal(0, 1, (4, *size)).astype(np.float32)
    planes[3] = np.abs(planes[3])
    features, tensor = channels_of(planes, (1, 2, 3), target)
    expected = np.stack([stretched(area_resized(planes[plane], *target)) for plane in (1, 2, 3)], axis=-1)
    # A value half-way between two whole numbers may round either way.
    assert np.abs(features.astype(int) - expected).max() <= 1
    assert (features != expected).mean() < 0.02
    views = np.concatenate([features[np.newaxis], mirrored(features[np.newaxis], "flow-strain")])
    np.testing.assert_allclose(tensor, normalise(views, "centred-flow-log-strain"), rtol=1e-5, atol=2e-6)


def test_flat_channels_are_zero() -> None:
    planes = np.full((4, 8, 8), 0.3, np.float32)
    features, tensor = channels_of(planes, (1, 2, 3), (4, 4))
    assert not features.any()
    np.testing.assert_allclose(tensor, normalise(np.zeros((2, 4, 4, 3), np.uint8), "centred-flow-log-strain"))


@pytest.mark.filterwarnings("ignore:(invalid value|overflow|divide by zero) encountered:RuntimeWarning")
@pytest.mark.parametrize("odd", [np.nan, np.inf, 1e-38])
def test_no_value_counts_beside_the_histogram(odd: float) -> None:
    planes = np.zeros((4, 8, 8), np.float32)
    planes[1:, 2:4, 2:4] = odd
    features, _ = channels_of(planes, (1, 2, 3), (4, 4))
    assert np.isin(features, (0, 255)).all()


def channels_of(
    planes: np.ndarray, plane_of: tuple[int, ...], target: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    channels = len(plane_of)
    features = cuda.device_array((*target, channels), np.float32)
    tensor = cuda.device_array((2, channels, *target), np.float32)
    make_channels[channels, THREADS](
        cuda.to_device(planes),
        cuda.to_device(np.array(plane_of, np.int32)),
        cuda.to_device(np.array([k % 3 == 2 for k in range(channels)], np.int32)),
        cuda.to_device(np.array([-1.0 if k % 3 == 0 else 1.0 for k in range(channels)], np.float32)),
        *tables_on_card(CardStream(), resampling_tables(planes.shape[1], planes.shape[2], *target)),
        cuda.device_array((channels, *target), np.float32),
        features,
        tensor,
    )
    return features.copy_to_host().astype(np.uint8), tensor.copy_to_host()


@pytest.mark.parametrize("views", [1, 2])
def test_views_are_averaged(views: int) -> None:
    logits = np.random.default_rng(9).normal(0, 8, (views, 5)).astype(np.float32)
    probabilities = cuda.device_array(5, np.float32)
    average_views[1, 1](cuda.to_device(logits), 1, probabilities)
    np.testing.assert_allclose(probabilities.copy_to_host(), softmax(logits).mean(axis=0), rtol=1e-5, atol=1e-7)
    average_views[1, 1](cuda.to_device(softmax(logits)), 0, probabilities)
    np.testing.assert_allclose(probabilities.copy_to_host(), softmax(logits).mean(axis=0), rtol=1e-5, atol=1e-7)
