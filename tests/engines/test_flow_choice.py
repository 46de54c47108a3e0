"""Which flow engine is taken, and what is said where the card cannot be had."""

from collections.abc import Callable

import numpy as np
import pytest

from engines.errors import BackendUnavailable, BadInput
from engines.flow import FlowEngine, Tvl1Parameters, open_flow, tvl1
from engines.graphics_card import GraphicsCard, NoCard
from tests.engines.flow_pairs import smooth_pair
from tests.made_up_card import CARD

NONE = NoCard(detail="the NVIDIA driver sees no card", remedy="check that the card is visible to this process")


class StandIn:
    """An engine for a card that is not there: the CPU's flow, moved by so many pixels."""

    name = "cuda"

    def __init__(self, choice: str, off_px: float = 0.0) -> None:
        self.choice, self.off_px = choice, off_px

    def __call__(
        self, previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
    ) -> np.ndarray:
        return tvl1(previous, following, parameters) + np.float32(self.off_px)


def unavailable(choice: str) -> FlowEngine:
    raise BackendUnavailable(f"flow on the card failed (LinkerError: no room for {choice[:4]}): choose the CPU")


def test_cpu_is_the_cpu_engine() -> None:
    engine = open_flow("cpu", card=lambda: CARD)
    assert isinstance(engine, FlowEngine)
    assert (engine.name, engine.choice) == ("cpu", "cpu: asked for")
    previous, following, _ = smooth_pair(20, 24, 0.5, seed=1)
    np.testing.assert_array_equal(engine(previous, following), tvl1(previous, following))


@pytest.mark.parametrize("asked", ["auto", "cuda"])
def test_card_is_taken_where_it_agrees(asked: str) -> None:
    engine = open_flow(asked, card=lambda: CARD, make=StandIn)
    assert engine.name == "cuda"
    assert "Card of the tests (8.9)" in engine.choice
    assert ("asked for" in engine.choice) == (asked == "cuda")


@pytest.mark.parametrize(
    ("card", "make", "reason"),
    [
        (NONE, StandIn, "the NVIDIA driver sees no card: check that the card is visible"),
        (CARD, unavailable, "no room"),
        (CARD, lambda choice: StandIn(choice, 0.02), "differs from the CPU's by 0.0283 px on average"),
        (CARD, lambda choice: StandIn(choice, float("nan")), "differs from the CPU's by nan px"),
    ],
)
def test_reason_is_raised_for_cuda_and_told_for_auto(
    card: GraphicsCard | NoCard, make: Callable[[str], FlowEngine], reason: str
) -> None:
    with pytest.raises(BackendUnavailable, match=reason) as refusal:
        open_flow("cuda", card=lambda: card, make=make)
    assert "\n" not in str(refusal.value)
    engine = open_flow("auto", card=lambda: card, make=make)
    assert engine.name == "cpu"
    assert engine.choice == f"cpu: {refusal.value}"


def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    with pytest.raises(BackendUnavailable, match=r"pip install 'onset-live\[cuda\]'"):
        open_flow("cuda", card=lambda: CARD)
    assert "numba-cuda is not installed" in open_flow("auto", card=lambda: CARD).choice


def test_package_that_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError(f"libnvvm is missing for {name}")

    monkeypatch.setattr("importlib.util.find_spec", str)
    monkeypatch.setattr("importlib.import_module", refuse)
    assert (
        "numba-cuda does not load (libnvvm is missing for engines.flow.cuda)"
        in open_flow("auto", card=lambda: CARD).choice
    )


def test_unknown_engine_is_refused() -> None:
    with pytest.raises(BadInput, match="choose one of auto, cpu, cuda"):
        open_flow("opencl")
