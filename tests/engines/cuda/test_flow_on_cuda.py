"""TV-L1 for the card against the reference, in the simulator: alone, in batches, with one block and with several."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

from numba import cuda

from engines.card_compilation import SIMULATED
from engines.errors import BackendUnavailable, BadInput
from engines.flow import FlowEngine, Tvl1Parameters, tvl1, tvl1_reference
from engines.flow.cuda import CudaTvl1
from tests.engines.cuda.work_space import solve_at_once
from tests.engines.flow_pairs import end_point_error, smooth_pair

pytestmark = pytest.mark.skipif(not SIMULATED, reason="the tiles of the simulator are too small for a card")
GRAY = np.zeros((20, 20), np.uint8)
TOLERANCE_PX = 0.01
SHORT = Tvl1Parameters(scales=2, warps=2, outer_iterations=2, inner_iterations=4)


@pytest.mark.parametrize(
    ("shape", "largest_px", "parameters"),
    [
        ((21, 20), 1.5, SHORT),
        ((3, 17), 0.5, Tvl1Parameters(warps=2, outer_iterations=2, inner_iterations=7, epsilon=0)),
        ((17, 19), 1.0, Tvl1Parameters(warps=1, outer_iterations=2, inner_iterations=5, median_filtering=3)),
        ((20, 23), 1.0, Tvl1Parameters(warps=2, outer_iterations=1, inner_iterations=7, median_filtering=1)),
        ((17, 18), 0.3, Tvl1Parameters(warps=3, outer_iterations=3, inner_iterations=5, epsilon=0.03)),
        (
            (18, 16),
            1.0,
            Tvl1Parameters(warps=2, inner_iterations=2, outer_iterations=3, lambda_=0.3, tau=0.2, theta=0.2),
        ),
        ((17, 17), 4.0, Tvl1Parameters(warps=3, outer_iterations=1, inner_iterations=3, epsilon=1000.0)),
    ],
)
def test_flow_is_that_of_the_reference(shape: tuple[int, int], largest_px: float, parameters: Tvl1Parameters) -> None:
    previous, following, _ = smooth_pair(*shape, largest_px, seed=1)
    wanted = tvl1_reference(previous, following, parameters)
    flow = solve_at_once(previous[None], following[None], parameters, teams=1, blocks=1)[0]
    assert end_point_error(flow, wanted) < TOLERANCE_PX / 10
    assert end_point_error(flow, tvl1(previous, following, parameters)) < TOLERANCE_PX / 10


def test_same_bits_whatever_the_team() -> None:
    brief = Tvl1Parameters(scales=2, warps=2, outer_iterations=2, inner_iterations=2)
    pairs = [smooth_pair(21, 20, 1.5, seed) for seed in range(2)]
    previous, following = (np.stack([pair[k] for pair in pairs]) for k in (0, 1))
    together = solve_at_once(previous, following, brief, teams=1, blocks=1)
    np.testing.assert_array_equal(solve_at_once(previous, following, brief, teams=2, blocks=1), together)
    alone = solve_at_once(previous[1:], following[1:], brief, teams=1, blocks=3)
    np.testing.assert_array_equal(alone[0], together[1])


@pytest.mark.slow
def test_flow_is_that_of_the_reference_with_the_defaults() -> None:
    """Five warps on two levels, each as long as it takes."""
    previous, following, _ = smooth_pair(20, 24, 1.0, seed=1)
    flow = solve_at_once(previous[None], following[None], Tvl1Parameters(), teams=1, blocks=1)[0]
    assert end_point_error(flow, tvl1_reference(previous, following)) < TOLERANCE_PX


def test_engine_in_the_simulator() -> None:
    """The whole way: arrays to the card, launch, and back; a stack is its pairs; images that are there already."""
    brief = Tvl1Parameters(scales=1, warps=1, outer_iterations=1, inner_iterations=3)
    pairs = [smooth_pair(17, 19, 1.0, seed) for seed in range(2)]
    previous, following = (np.stack([pair[k] for pair in pairs]) for k in (0, 1))
    with CudaTvl1("cuda: in a test") as engine:
        assert isinstance(engine, FlowEngine)
        assert (engine.name, engine.choice) == ("cuda", "cuda: in a test")
        flows = engine(previous, following, brief)
        for k in range(2):
            wanted = tvl1_reference(previous[k], following[k], brief)
            assert end_point_error(flows[k], wanted) < TOLERANCE_PX
        np.testing.assert_array_equal(engine(previous[0], following[0].astype(np.float32), brief), flows[0])
        first, second = (cuda.to_device(images.astype(np.float32)) for images in (previous, following))
        result = engine.solve_on_card(first, second, brief)
        np.testing.assert_array_equal(result.copy_to_host(), flows)
    assert flows.dtype == np.float32


def test_no_movement_no_flow() -> None:
    image = smooth_pair(17, 18, 1.0, seed=3)[0]
    assert not solve_at_once(image[None], image[None], SHORT, 1, 1).any()


def test_batch_larger_than_one_launch_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One team does one pair a launch: three launches."""
    monkeypatch.setattr("engines.flow.cuda.ROUNDS", 1)
    brief = Tvl1Parameters(scales=1, warps=1, outer_iterations=1, inner_iterations=2)
    pairs = [smooth_pair(17, 16, 1.0, seed) for seed in range(3)]
    previous, following = (np.stack([pair[k] for pair in pairs]) for k in (0, 1))
    with CudaTvl1() as engine:
        assert end_point_error(*(flow(previous, following, brief)[2] for flow in (engine, tvl1))) < TOLERANCE_PX


def test_short_memory_is_taken_once_and_not_nibbled_at(monkeypatch: pytest.MonkeyPatch) -> None:
    total_bytes = 4_000_000
    with CudaTvl1() as engine:

        def free_bytes() -> int:
            return total_bytes - (0 if engine._work is None else 4 * engine._work.size)

        monkeypatch.setattr("engines.flow.cuda._free_bytes", free_bytes)
        rooms = [engine._room_for(5000, 1000) for _ in range(6)]
        assert rooms == [500] * 6
        assert 4 * engine._work.size <= total_bytes / 2


def test_card_without_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.flow.cuda._free_bytes", lambda: 10_000)
    with CudaTvl1() as engine, pytest.raises(BackendUnavailable, match="no memory for flow of this size") as refusal:
        engine(GRAY, GRAY)
    assert "\n" not in str(refusal.value)


def test_faults_of_the_driver_become_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.cuda.cudadrv.driver import CudaAPIError

    def fail(shape: tuple[int, ...]) -> None:
        raise CudaAPIError(f"Call to cuMemAlloc\nresults in CUDA_ERROR_OUT_OF_MEMORY for {len(shape)} axes")

    monkeypatch.setattr("engines.flow.cuda._empty", fail)
    with (
        CudaTvl1() as engine,
        pytest.raises(BackendUnavailable, match=r"CudaAPIError: Call .*choose the CPU") as refusal,
    ):
        engine(GRAY, GRAY)
    assert "\n" not in str(refusal.value)


def test_empty_stack_needs_no_launch() -> None:
    empty = np.zeros((0, 20, 24), np.uint8)
    with CudaTvl1() as engine:
        assert engine(empty, empty).shape == (0, 2, 20, 24)
        on_card = cuda.to_device(empty.astype(np.float32))
        assert tuple(engine.solve_on_card(on_card, on_card).shape) == (0, 2, 20, 24)


@pytest.mark.parametrize(
    ("previous", "following"),
    [
        (GRAY, GRAY[:10]),
        (GRAY.astype(np.float64), GRAY),
        (GRAY, np.full((20, 20), np.nan, np.float32)),
        (GRAY[:2], GRAY[:2]),
        (GRAY[None, None], GRAY[None, None]),
    ],
)
def test_bad_images_get_the_line_of_the_cpu_engine(previous: Any, following: Any) -> None:
    with pytest.raises(BadInput) as of_cpu:
        tvl1(previous, following)
    with CudaTvl1() as engine, pytest.raises(BadInput) as of_card:
        engine(previous, following)
    assert str(of_card.value) == str(of_cpu.value)


STACK = np.zeros((2, 20, 20), np.float32)


@pytest.mark.parametrize(
    ("previous", "following", "complaint"),
    [
        (STACK, STACK[:1], "differ in shape"),
        (STACK.astype(np.float64), STACK, "'previous' is float64"),
        (STACK, STACK[0], "'following' is float32 .20, 20. on the card"),
        (STACK[:, :2], STACK[:, :2], "contiguous"),
        (STACK[:, :2].copy(), STACK[:, :2].copy(), "at least 3 × 3"),
    ],
)
def test_bad_arrays_on_the_card_are_refused(previous: Any, following: Any, complaint: str) -> None:
    def on_card(images: np.ndarray) -> Any:
        whole = cuda.to_device(STACK.astype(images.dtype))
        return whole[:, :2] if images.base is STACK and images.shape[1] == 2 else cuda.to_device(images)

    with CudaTvl1() as engine, pytest.raises(BadInput, match=complaint) as refusal:
        engine.solve_on_card(on_card(previous), on_card(following))
    assert "\n" not in str(refusal.value)


def test_array_on_the_host_is_not_taken_for_one_on_the_card() -> None:
    with CudaTvl1() as engine, pytest.raises(BadInput, match="give an array that is on the card"):
        engine.solve_on_card(STACK, STACK)
