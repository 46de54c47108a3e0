"""The flow benchmark on pictures small enough for a test, with and without a card."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from demo.benchmarks import flow
from demo.benchmarks.card_limits import Step, reached, scaled
from demo.benchmarks.flow_card import CardFlow, card_lines, measure_card
from demo.benchmarks.flow_methods import BASELINE, CARD_METHODS, METHODS
from demo.benchmarks.flow_work import ITERATION_OPERATIONS, MEDIAN_OPERATIONS, WARP_OPERATIONS, steps_of, work_of
from demo.benchmarks.known_pairs import known_pair
from engines.errors import BackendUnavailable
from engines.flow import FlowEngine, Tvl1Parameters, open_flow, tvl1
from engines.graphics_card import GraphicsCard, find_card
from tests.demo.stand_in_card import CARD, NO_CARD
from tests.parity.tolerances import TOLERANCES


class OnHost:
    """Solves on the host what is given on the card, a hundredth of a pixel off."""

    name, choice = "cuda", "cuda: a stand-in"

    def __call__(
        self, previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
    ) -> np.ndarray:
        flow: np.ndarray = tvl1(previous, following, parameters)
        return flow + np.float32(0.01)

    def solve_on_card(
        self, previous: Any, following: Any, parameters: Tvl1Parameters | None = None, *, stream: Any = None
    ) -> Any:
        assert stream is None
        return self(previous.copy_to_host(), following.copy_to_host(), parameters)


def no_card(name: str) -> FlowEngine:
    raise BackendUnavailable(f"flow engine {name} cannot run here: no card; buy one")


def test_flow_benchmark_measures_and_renders() -> None:
    result = json.loads(json.dumps(flow.run(quick=True, sizes_px=(40,), card=lambda: NO_CARD, opener=no_card)))
    rows = {row["method"]: row for row in result["rows"]}
    assert set(rows) == set(METHODS)
    assert rows[BASELINE]["times_faster"] == pytest.approx(1.0)
    assert rows[BASELINE]["energy_ratio"] == pytest.approx(1.0)
    assert rows["onset tv-l1"]["highest_energy_ratio"] <= 1.01
    assert all(
        np.isfinite([value for value in row.values() if not isinstance(value, str)]).all() for row in rows.values()
    )
    assert result["card"]["measured"] == []
    table = flow.render(result)
    assert all(name in table for name in METHODS)
    assert "graphics card: not measured: flow engine cuda cannot run here: no card; buy one" in table


def test_a_card_takes_its_turn_with_the_others() -> None:
    pytest.importorskip("numba_cuda", reason="numba-cuda comes with the [cuda] extra")
    if not _simulated():
        pytest.skip("the stand-in for a card needs Numba's simulator; with a card the bench itself is the test")
    result = flow.run(quick=True, sizes_px=(20,), batch=4, card=lambda: CARD, opener=lambda _: OnHost())
    rows = {row["method"]: row for row in result["rows"]}
    assert set(rows) == set(METHODS) | set(CARD_METHODS)
    (measured,) = json.loads(json.dumps(result["card"]["measured"]))
    off = float(np.hypot(0.01, 0.01))
    assert measured["difference_to_cpu_px"] == pytest.approx({"alone": off, "batch": off}, rel=1e-3)
    assert measured["alone_ms"]["median"] <= measured["alone_ms"]["p95"]
    # What a batch asks for follows from the mean over the pairs, what one pair asks for from that pair.
    assert measured["limits_batch"]["operations"] == pytest.approx(4 * result["work"][0]["operations"])
    assert measured["limits_batch"]["bytes"] == 4 * 20 * 20 * 16
    table = flow.render(result)
    assert "graphics card: cuda: a stand-in" in table
    assert "full-size iterations × 1,600 pixels (4 pairs) × 55 operations" in table
    sweeps = measured["sweeps"]
    # Ten planes read and six written; where several tiles share the picture, what they overlap is read again.
    assert 64 / sweeps["depth"] <= sweeps["bytes_a_pixel"] < (4 * 40 + 24) / sweeps["depth"]
    assert sweeps["bytes_one_at_a_time"] / sweeps["bytes"] == pytest.approx(64 / sweeps["bytes_a_pixel"])
    assert "at a time in shared memory" in table


def test_an_engine_that_keeps_nothing_on_the_card_is_refused() -> None:
    class Elsewhere:
        name, choice = "cuda", "cuda: somewhere else"

        def __call__(
            self, previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
        ) -> np.ndarray:
            flow: np.ndarray = tvl1(previous, following, parameters)
            return flow

    with pytest.raises(TypeError, match="does not run on a card"):
        flow.run(quick=True, sizes_px=(20,), card=lambda: CARD, opener=lambda _: Elsewhere())


@pytest.mark.gpu
@pytest.mark.parametrize("size", [112, 224])
def test_the_card_agrees_and_its_figures_are_told(size: int, capsys: pytest.CaptureFixture[str]) -> None:
    engine = open_flow("cuda")
    card = find_card()
    assert isinstance(engine, CardFlow)
    assert isinstance(card, GraphicsCard)
    measured = measure_card(engine, [known_pair(0, size, 1.5), known_pair(1, size, 3.0)], card, turns=5)
    assert max(measured["difference_to_cpu_px"].values()) < TOLERANCES["fp32 card"].flow_px
    assert 0 < measured["limits_batch"]["arithmetic_share"] < 1
    with capsys.disabled():
        print("\n" + "\n".join(card_lines(measured)))


def test_work_is_counted_on_the_algorithm_as_it_runs() -> None:
    pair = known_pair(0, 40, 1.5)
    exact = Tvl1Parameters(epsilon=0.0, warps=3, outer_iterations=2, inner_iterations=4, scales=1)
    work = work_of(pair.previous, pair.following, exact)
    # No early end: eight iterations a warp, and one more after each warp but the first.
    assert work == {"iterations": 3 * 8 + 2, "medians": 6.0, "warps": 3.0, "all_iterations": 26.0}
    halves = work_of(pair.previous, pair.following, Tvl1Parameters(scales=2, epsilon=0.0, warps=1, scale_step=0.5))
    # One warp of 300 iterations and one more on each of two levels, the coarser with a quarter of the pixels.
    assert halves["iterations"] == pytest.approx(301 * 1.25)
    assert halves["all_iterations"] == 602


def test_work_becomes_steps_of_a_card() -> None:
    work = {"iterations": 10.0, "medians": 2.0, "warps": 1.0, "all_iterations": 12.0}
    steps = steps_of(work, 100, 3)
    expected = 300 * (10 * ITERATION_OPERATIONS + 2 * MEDIAN_OPERATIONS[5] + WARP_OPERATIONS)
    assert sum(step.all_operations for step in steps) == expected
    assert sum(step.all_bytes for step in steps) == 300 * 16
    plain = steps_of(work, 100, 3, Tvl1Parameters(median_filtering=1))
    assert sum(step.all_operations for step in plain) == 300 * (10 * ITERATION_OPERATIONS + WARP_OPERATIONS)


def test_shares_of_the_limits_are_worked_out_in_words() -> None:
    step = Step(name="rounds", times=10, elements=1000, element="pixels", operations=256, bytes=10)
    result = reached([step], 1e-5, CARD)
    assert result["arithmetic_share"] == pytest.approx(0.1)
    assert result["bandwidth_share"] == pytest.approx(0.1)
    words = result["words"]
    assert "10 rounds × 1,000 pixels × 256 operations = 2.56 million" in words
    assert "could do 2.56 trillion a second" in words
    assert "reached 10.0% of its arithmetic" in words
    assert "100 thousand bytes moved at the least" in words
    assert "reached 10.0% of its bandwidth" in words


def test_a_driver_that_keeps_the_bandwidth_to_itself_gives_no_share_of_it() -> None:
    step = Step(elements=1000, element="pixels", operations=256, bytes=10)
    result = reached([step], 1e-5, replace(CARD, bandwidth_bytes_per_s=0.0))
    assert result["bandwidth_share"] is None
    assert "the driver does not tell how fast" in result["words"]


def test_large_numbers_are_told_in_words() -> None:
    assert [scaled(value) for value in (12.0, 1234.0, 5.6e6, 7.891e9, 2e13)] == [
        "12",
        "1.23 thousand",
        "5.6 million",
        "7.89 billion",
        "20 trillion",
    ]


def _simulated() -> bool:
    from engines.card_compilation import SIMULATED

    return SIMULATED
