"""Which engine computes optical flow: the card where it is there and right, else the CPU; always with the reason."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from engines.errors import BackendUnavailable, BadInput
from engines.flow.cpu import tvl1
from engines.flow.parameters import Tvl1Parameters
from engines.graphics_card import GraphicsCard, NoCard, find_card

ENGINES = ("auto", "cpu", "cuda")
AGREEMENT_PX = 0.01
"""Largest mean end-point difference to the CPU engine at which the card is trusted."""
_MISSING = "numba-cuda is not installed"
_REMEDY = "install the cuda extra: pip install 'onset-live[cuda]'"


@runtime_checkable
class FlowEngine(Protocol):
    """Something that computes TV-L1 flow as `engines.flow.tvl1` does."""

    name: str
    """ "cpu" or "cuda"."""
    choice: str
    """Which engine this is and why it was taken, in words."""

    def __call__(
        self, previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
    ) -> Float32[np.ndarray, "2 H W"] | Float32[np.ndarray, "N 2 H W"]:
        """Dense flow from `previous` to `following`; see `engines.flow.tvl1`."""


class CpuTvl1:
    """`engines.flow.tvl1` as a `FlowEngine`.

    Args:
        choice: why it was taken, in words.
    """

    name = "cpu"

    def __init__(self, choice: str = "cpu: asked for") -> None:
        self.choice = choice

    def __call__(
        self, previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
    ) -> Float32[np.ndarray, "2 H W"] | Float32[np.ndarray, "N 2 H W"]:
        """Dense flow from `previous` to `following`; see `engines.flow.tvl1`."""
        return tvl1(previous, following, parameters)


def open_flow(
    engine: str = "auto",
    *,
    card: Callable[[], GraphicsCard | NoCard] = find_card,
    make: Callable[[str], FlowEngine] | None = None,
) -> FlowEngine:
    """Open a flow engine by name.

    The card's is tried out on one small pair before it is trusted. The first time on a machine, that compiles its
    kernel in some seconds; later it comes from Numba's disk cache.

    Args:
        engine: "cpu", "cuda", or "auto" for the card where it can be used and the CPU elsewhere.
        card: says whether there is a card.
        make: makes the card's engine from its `choice`; that of `engines.flow.cuda` if None.

    Returns:
        The engine; its `choice` says which it is and why.

    Raises:
        BadInput: if there is no engine of that name.
        BackendUnavailable: if "cuda" is asked for and cannot be had; the message gives the reason and the remedy.
    """
    if engine not in ENGINES:
        raise BadInput(f"flow engine is {engine!r}: choose one of {', '.join(ENGINES)}")
    if engine == "cpu":
        return CpuTvl1()
    try:
        return _on_card(card(), make or _make_cuda, asked=engine == "cuda")
    except BackendUnavailable as reason:
        if engine == "cuda":
            raise
        return CpuTvl1(f"cpu: {reason}")


def _on_card(found: GraphicsCard | NoCard, make: Callable[[str], FlowEngine], *, asked: bool) -> FlowEngine:
    if isinstance(found, NoCard):
        raise BackendUnavailable(f"no flow on a graphics card, {found.detail}: {found.remedy}")
    why = "asked for" if asked else "a card is there and agrees with the CPU"
    flow = make(f"cuda: {why}, {found.name} ({found.capability})")
    difference = _difference_to_cpu(flow)
    # Written so that not-a-number fails.
    if not difference < AGREEMENT_PX:
        getattr(flow, "close", lambda: None)()
        raise BackendUnavailable(
            f"flow on the card differs from the CPU's by {difference:.3g} px on average: update NVIDIA's driver, "
            "and report this with the output of `onset doctor --json`"
        )
    return flow


def _make_cuda(choice: str) -> FlowEngine:
    # `numba.cuda` exists without numba-cuda too, but it is an empty shell there.
    if importlib.util.find_spec("numba_cuda") is None:
        raise BackendUnavailable(f"no flow on a graphics card, {_MISSING}: {_REMEDY}")
    try:
        module: Any = importlib.import_module("engines.flow.cuda")
    except ImportError as fault:
        reason = f"no flow on a graphics card, numba-cuda does not load ({fault})"
        raise BackendUnavailable(f"{reason}: {_REMEDY}") from fault
    engine: FlowEngine = module.CudaTvl1(choice)
    return engine


def _difference_to_cpu(flow: FlowEngine) -> float:
    """Mean end-point difference on one pair of several tiles, two levels and two warps, pixels."""
    y, x = np.mgrid[:44, :52].astype(np.float32)
    previous, following = (
        np.asarray(128 + 60 * np.sin(0.5 * (x - shift)) * np.cos(0.4 * y), np.float32) for shift in (0.0, 0.6)
    )
    parameters = Tvl1Parameters(warps=2, outer_iterations=2, inner_iterations=8)
    difference = flow(previous, following, parameters) - tvl1(previous, following, parameters)
    return float(np.hypot(difference[0], difference[1]).mean())
