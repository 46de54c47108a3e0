"""The flow engines give what the plain reference gives, within the table: CPU, card, and the card simulated."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engines.flow import Tvl1Parameters, tvl1, tvl1_reference
from tests.engines.flow_pairs import smooth_pair
from tests.parity.tolerances import TOLERANCES, assert_flows_agree

CPU, CARD = TOLERANCES["fp32 cpu"], TOLERANCES["fp32 card"]
SHORT = Tvl1Parameters(epsilon=0, warps=2, outer_iterations=2, inner_iterations=10)
TINY = Tvl1Parameters(epsilon=0, scales=2, warps=2, outer_iterations=2, inner_iterations=3)
"""Short enough for the simulator, where each thread of the card is a thread of Python."""


@pytest.mark.parametrize("shape", [(3, 3), (3, 40), (17, 16), (33, 47), (64, 41)])
@pytest.mark.parametrize(
    "parameters",
    [
        SHORT,
        Tvl1Parameters(epsilon=0, warps=1, outer_iterations=1),
        Tvl1Parameters(epsilon=0, warps=3, outer_iterations=2, inner_iterations=5, median_filtering=3),
        Tvl1Parameters(epsilon=0, warps=3, outer_iterations=1, inner_iterations=12, median_filtering=1),
        Tvl1Parameters(epsilon=0, warps=2, outer_iterations=2, scale_step=0.5, lambda_=0.3, theta=0.2, tau=0.2),
        Tvl1Parameters.quick(),
    ],
)
def test_cpu_follows_the_reference(shape: tuple[int, int], parameters: Tvl1Parameters) -> None:
    previous, following, _ = smooth_pair(*shape, 2.0, seed=1)
    given, oracle = tvl1(previous, following, parameters), tvl1_reference(previous, following, parameters)
    assert_flows_agree(given, oracle, CPU.fixed_flow_px)


def test_cpu_follows_the_reference_with_the_defaults() -> None:
    pairs = [smooth_pair(64, 72, 1.5, seed) for seed in range(4)]
    previous, following = (np.stack([pair[k] for pair in pairs]) for k in (0, 1))
    assert_flows_agree(tvl1(previous, following), tvl1_reference(previous, following), CPU.flow_px)


@pytest.fixture(scope="module")
def card_flow() -> Iterator[Any]:
    """The card's engine: on a card where there is one, else in Numba's simulator."""
    pytest.importorskip("numba_cuda", reason="numba-cuda comes with the [cuda] extra")
    from engines.flow.cuda import CudaTvl1

    with CudaTvl1() as engine:
        yield engine


@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        ((17, 16), TINY),
        ((13, 21), Tvl1Parameters(epsilon=0, scales=2, warps=1, outer_iterations=1, inner_iterations=6)),
        ((16, 16), Tvl1Parameters(scales=1, warps=2, outer_iterations=1, inner_iterations=8, median_filtering=3)),
    ],
)
def test_card_follows_the_reference_and_the_cpu(
    shape: tuple[int, int], parameters: Tvl1Parameters, card_flow: Any
) -> None:
    previous, following, _ = smooth_pair(*shape, 1.0, seed=3)
    given = card_flow(previous, following, parameters)
    limit_px = CARD.flow_px if parameters.epsilon else CARD.fixed_flow_px
    assert_flows_agree(given, tvl1_reference(previous, following, parameters), limit_px)
    assert_flows_agree(given, tvl1(previous, following, parameters), limit_px)
    assert float(np.hypot(*given).mean()) > 10 * limit_px, "there is a movement to find"


@pytest.mark.gpu
@pytest.mark.parametrize("parameters", [Tvl1Parameters(), Tvl1Parameters.quick()], ids=["default", "quick"])
@pytest.mark.parametrize("shape", [(112, 112), (133, 112), (224, 224), (97, 301)])
def test_card_follows_the_cpu_on_real_sizes(shape: tuple[int, int], parameters: Tvl1Parameters, card_flow: Any) -> None:
    pairs = [smooth_pair(*shape, largest_px, seed) for seed, largest_px in enumerate((0.3, 1.0, 1.5, 3.0))]
    previous, following = (np.stack([pair[k] for pair in pairs]) for k in (0, 1))
    given = card_flow(previous, following, parameters)
    assert_flows_agree(given, tvl1(previous, following, parameters), CARD.flow_px)
    for first, second, flow in zip(previous, following, given, strict=True):
        np.testing.assert_array_equal(card_flow(first, second, parameters), flow, "alone and in a stack")


@pytest.mark.gpu
def test_card_follows_the_cpu_in_a_full_batch(card_flow: Any) -> None:
    pairs = [smooth_pair(112, 112, 0.3 + 0.01 * seed, seed) for seed in range(256)]
    previous, following = (np.stack([pair[k] for pair in pairs]) for k in (0, 1))
    assert_flows_agree(card_flow(previous, following), tvl1(previous, following), CARD.flow_px)


def test_a_difference_beyond_the_table_is_seen() -> None:
    """The comparison itself."""
    flow = np.zeros((4, 2, 8, 8), np.float32)
    moved = flow.copy()
    moved[:, 0] += np.float32(0.02)
    with pytest.raises(AssertionError, match="px apart on average, allowed"):
        assert_flows_agree(moved, flow, CPU.flow_px)
    one = flow.repeat(50, axis=0)
    one[7, 1] += np.float32(0.06)
    with pytest.raises(AssertionError, match="one pair is"):
        assert_flows_agree(one, np.zeros_like(one), CPU.flow_px)
    with pytest.raises(AssertionError):
        assert_flows_agree(flow * np.float32(np.nan), flow, CPU.flow_px)
