"""What runs models: ONNX Runtime, and TensorRT where there is a card for it."""

import importlib
from collections.abc import Sequence

from engines.doctor.finding import REINSTALL, Finding
from engines.doctor.graphics import obstacle
from engines.errors import first_line
from engines.graphics_card import GraphicsCard, NoCard
from engines.tensorrt.flavour import EXTRAS, Flavour

_PROVIDER = "ExecutionProvider"


def onnxruntime() -> Finding:
    """ONNX Runtime, which every replay needs: version and providers."""
    try:
        runtime = importlib.import_module("onnxruntime")
    except ModuleNotFoundError:
        return Finding(name="onnxruntime", state="missing", detail="not installed", remedy=REINSTALL)
    except ImportError as fault:
        return Finding(name="onnxruntime", state="unusable", detail=first_line(fault), remedy=REINSTALL)
    providers = [name.removesuffix(_PROVIDER) for name in runtime.get_available_providers()]
    if "CPU" not in providers:
        return Finding(name="onnxruntime", state="unusable", detail="it has no CPU provider", remedy=REINSTALL)
    # A session is opened on the CPU provider alone, whatever else this build of ONNX Runtime offers.
    others = [name for name in providers if name != "CPU"]
    unused = f" (also built in, not used: {', '.join(others)})" if others else ""
    return Finding(name="onnxruntime", state="ok", detail=f"{runtime.__version__}, provider CPU{unused}")


def tensorrt(card: GraphicsCard | NoCard, flavours: Sequence[Flavour], unusable: Sequence[str] = ()) -> Finding:
    """Whether TensorRT can run engines here: a flavour that serves the card, and nothing against the card.

    Args:
        card: what the driver says.
        flavours: what is installed.
        unusable: one line for each flavour that is installed but does not load.
    """
    broken = "; ".join(unusable)
    if not flavours:
        remedy = f"pip install 'onset-live[{EXTRAS['rtx']}]'"
        return Finding(
            name="tensorrt",
            state="unusable" if broken else "missing",
            detail=broken or "TensorRT is not installed",
            remedy=remedy
            if obstacle(card) is None
            else "use onnxruntime; TensorRT needs a machine with an NVIDIA card",
            required=False,
        )
    titles = " and ".join(flavour.title for flavour in flavours)
    detail = f"{titles}{f' ({broken})' if broken else ''}"
    against = obstacle(card)
    if against is not None:
        builds = any(flavour.builds_without_card for flavour in flavours)
        able = "can build engines here, but not run them" if builds else "cannot run engines"
        return Finding(
            name="tensorrt",
            state="unusable",
            detail=f"{detail} {able}: {against.detail}",
            remedy=against.remedy,
            required=False,
        )
    capability = card.capability if isinstance(card, GraphicsCard) else ""
    if not any(capability in flavour.capabilities for flavour in flavours):
        return Finding(
            name="tensorrt",
            state="unusable",
            detail=f"{detail} does not serve compute capability {capability}",
            remedy=_other_flavour(flavours),
            required=False,
        )
    return Finding(name="tensorrt", state="ok", detail=detail, required=False)


def _other_flavour(flavours: Sequence[Flavour]) -> str:
    others = [extra for name, extra in EXTRAS.items() if name not in {flavour.name for flavour in flavours}]
    return f"pip install 'onset-live[{others[0]}]'" if others else "use onnxruntime"
