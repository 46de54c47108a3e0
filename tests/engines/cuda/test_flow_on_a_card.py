"""TV-L1 on a real card: the result of the CPU engine, how long one pair takes, and how many a second."""

import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

from engines.flow import Tvl1Parameters, open_flow, tvl1
from engines.flow.cuda import CudaTvl1
from tests.engines.flow_pairs import end_point_error, smooth_pair

pytestmark = pytest.mark.gpu
BATCH = 256


@pytest.fixture(scope="module")
def engine() -> Any:
    with CudaTvl1() as opened:
        yield opened


@pytest.mark.parametrize("shape", [(112, 112), (224, 224), (96, 131), (33, 47), (3, 40), (480, 640)])
@pytest.mark.parametrize(
    "parameters", [Tvl1Parameters(), Tvl1Parameters.quick(), Tvl1Parameters(median_filtering=3, warps=1)]
)
def test_flow_is_that_of_the_cpu(engine: CudaTvl1, shape: tuple[int, int], parameters: Tvl1Parameters) -> None:
    distances = []
    for seed in range(3):
        previous, following, _ = smooth_pair(*shape, 1.5, seed)
        wanted = tvl1(previous, following, parameters)
        distances.append(end_point_error(engine(previous, following, parameters), wanted))
    print(f"{shape}: mean end-point difference {np.mean(distances):.2g} px")
    assert np.mean(distances) < 0.01


@pytest.mark.parametrize("side", [112, 224])
def test_batch_is_its_pairs(engine: CudaTvl1, side: int) -> None:
    pairs = [smooth_pair(side, side, 0.3 + 0.2 * k, seed=k) for k in range(8)]
    previous, following = (np.stack([pairs[k % 8][i] for k in range(BATCH)]) for i in (0, 1))
    flows = engine(previous, following)
    for k in (0, 3, 7, 8, 250):
        np.testing.assert_array_equal(flows[k], engine(previous[k], following[k]))
        np.testing.assert_array_equal(flows[k], engine(previous[k : k + 3], following[k : k + 3])[0])
    wanted = tvl1(previous[:8], following[:8])
    assert np.mean([end_point_error(flows[k], wanted[k]) for k in range(8)]) < 0.01


def test_open_flow_takes_the_card() -> None:
    assert open_flow("auto").name == "cuda"


@pytest.mark.parametrize(("side", "pairs"), [(112, 1), (224, 1), (112, 2), (112, 8), (112, BATCH), (224, BATCH)])
def test_times(engine: CudaTvl1, side: int, pairs: int) -> None:
    """Prints what a call takes, the images on the card already and not; `pytest -m gpu -s` shows it."""
    from numba import cuda

    previous, following, _ = smooth_pair(side, side, 1.0, seed=1)
    first, second = (np.stack([image] * pairs) for image in (previous, following))
    on_card = [cuda.to_device(images.astype(np.float32)) for images in (first, second)]
    result = engine.solve_on_card(*on_card)
    cuda.synchronize()
    there, around = [], []
    for _ in range(20 if pairs == 1 else 5):
        start = time.perf_counter()
        result = engine.solve_on_card(*on_card)
        cuda.synchronize()
        middle = time.perf_counter()
        flows = engine(first, second)
        there.append(middle - start)
        around.append(time.perf_counter() - middle)
    np.testing.assert_array_equal(result.copy_to_host(), flows)
    print(
        f"{pairs} × {side}²: {1e3 * np.median(there):.2f} ms on the card ({pairs / np.median(there):,.0f} pairs/s), "
        f"{1e3 * np.median(around):.2f} ms from host to host"
    )
