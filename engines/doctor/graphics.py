"""The graphics card: its driver, what it is, whether kernels compile for it, and which engine computes flow."""

import importlib.metadata
from collections.abc import Callable, Sequence
from pathlib import Path

from engines.doctor.finding import REINSTALL, Finding, State
from engines.doctor.probe import Probed, probe
from engines.graphics_card import GraphicsCard, NoCard

CUDA_NEEDED = (13, 0)
"""What the packages of the `cuda` and `tensorrt` extras are built against."""
DRIVER_NEEDED = "580"
"""The first driver that serves it (CUDA toolkit release notes, table of driver versions)."""
CAPABILITY_NEEDED = (7, 5)
"""The oldest cards that CUDA 13 compiles for: Turing, 2018."""
INSTALL_CUDA = "pip install 'onset-live[cuda]'"
DRIVER_VERSION = Path("/sys/module/nvidia/version")
COMPILE_TIME_LIMIT_S = 30.0
FLOW_TIME_LIMIT_S = 180.0
"""The first run on a card compiles every kernel of the flow."""
COMPILE = """
import sys
from numba import cuda, float32
def double(values):
    place = cuda.grid(1)
    if place < values.size:
        values[place] *= float32(2)
code, _ = cuda.compile_ptx(double, (float32[::1],), cc=tuple(map(int, sys.argv[1].split("."))))
print("compiled" if ".entry" in code else "")
"""
CHOOSE_FLOW = """
from engines.flow import open_flow
print(open_flow("auto").choice)
"""

Probe = Callable[[Sequence[str], float], Probed]


def driver(card: GraphicsCard | NoCard, version_file: Path = DRIVER_VERSION) -> Finding:
    """Whether NVIDIA's driver answers, sees a card and serves the CUDA that we need."""
    if isinstance(card, NoCard):
        state: State = "missing" if "no NVIDIA driver" in card.detail else "unusable"
        return Finding(name="cuda driver", state=state, detail=card.detail, remedy=card.remedy, required=False)
    version = _driver_version(version_file)
    detail = f"{f'{version}, ' if version else ''}serves CUDA up to {_dotted(card.cuda_version)}"
    if card.cuda_version < CUDA_NEEDED:
        return Finding(
            name="cuda driver",
            state="unusable",
            detail=f"{detail}, too old for CUDA {_dotted(CUDA_NEEDED)}",
            remedy=f"update NVIDIA's driver to {DRIVER_NEEDED} or newer",
            required=False,
        )
    return Finding(name="cuda driver", state="ok", detail=detail, required=False)


def graphics_card(card: GraphicsCard | NoCard) -> Finding:
    """Name, compute capability and memory of the card."""
    if isinstance(card, NoCard):
        return Finding(name="card", state="missing", detail="none to be used", remedy=card.remedy, required=False)
    detail = (
        f"{card.name}, compute capability {card.capability}, {card.memory_bytes / 2**30:.0f} GiB, "
        f"{card.multiprocessors} multiprocessors"
    )
    if card.compute_capability < CAPABILITY_NEEDED:
        return Finding(
            name="card",
            state="unusable",
            detail=f"{detail}: too old for CUDA {_dotted(CUDA_NEEDED)}",
            remedy=f"a card of compute capability {_dotted(CAPABILITY_NEEDED)} or newer; everything runs without one",
            required=False,
        )
    return Finding(name="card", state="ok", detail=detail, required=False)


def obstacle(card: GraphicsCard | NoCard) -> Finding | None:
    """The first thing that keeps the card from being used, whatever is installed; None where nothing does."""
    return next((finding for finding in (driver(card), graphics_card(card)) if finding.state != "ok"), None)


def kernels(card: GraphicsCard | NoCard, *, ask: Probe = probe, version: str | None = None) -> Finding:
    """Whether kernels in Python compile for the card, or for some card where there is none.

    Args:
        card: what the driver says.
        ask: runs a look in a process of its own.
        version: of numba-cuda, "" where it is not installed; looked up by default.
    """
    installed = _numba_cuda() if version is None else version
    if not installed:
        return Finding(
            name="cuda kernels",
            state="missing",
            detail="numba-cuda is not installed",
            remedy=INSTALL_CUDA if obstacle(card) is None else f"{INSTALL_CUDA}, on a machine with an NVIDIA card",
            required=False,
        )
    capability = card.capability if isinstance(card, GraphicsCard) else _dotted(CAPABILITY_NEEDED)
    compiled = ask(["-c", COMPILE, capability], COMPILE_TIME_LIMIT_S)
    if compiled.fault or not compiled.output.strip():
        return Finding(
            name="cuda kernels",
            state="unusable",
            detail=f"numba-cuda {installed} does not compile: {compiled.fault or 'no code came of it'}",
            remedy=f"reinstall it, NVVM may be missing: {INSTALL_CUDA}",
            required=False,
        )
    against = obstacle(card)
    if against is not None:
        detail = f"numba-cuda {installed} compiles, but nothing runs them: {against.detail}"
        return Finding(name="cuda kernels", state="unusable", detail=detail, remedy=against.remedy, required=False)
    detail = f"numba-cuda {installed} compiles for compute capability {capability}"
    return Finding(name="cuda kernels", state="ok", detail=detail, required=False)


def flow_engine(*, ask: Probe = probe) -> Finding:
    """Which engine `auto` takes for the optical flow, and why; tried in a process of its own."""
    chosen = ask(["-c", CHOOSE_FLOW], FLOW_TIME_LIMIT_S)
    said = chosen.output.strip().splitlines()
    if chosen.fault or not said:
        detail = f"none opens: {chosen.fault or 'it says nothing'}"
        return Finding(name="flow engine", state="unusable", detail=detail, remedy=REINSTALL)
    return Finding(name="flow engine", state="ok", detail=said[-1])


def _numba_cuda() -> str:
    """Version of numba-cuda; empty where it is not installed."""
    try:
        return importlib.metadata.version("numba-cuda")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _driver_version(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""  # Windows and its Linux do not tell it here


def _dotted(version: tuple[int, int]) -> str:
    return "{}.{}".format(*version)
