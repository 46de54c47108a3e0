"""A stand-in for a TensorRT package, which notes what is asked of it: for flavours that are not installed here."""

from dataclasses import dataclass, replace
from enum import IntEnum
from types import ModuleType, SimpleNamespace
from typing import Any

from engines.graphics_card import GraphicsCard, NoCard
from engines.tensorrt.flavour import Flavour, FlavourName, flavour_of
from tests.made_up_card import CARD

NO_CARD = NoCard(detail="no NVIDIA driver on this machine", remedy="install NVIDIA's driver")
FLOAT32 = "float32"
CONTENT = b"an engine, as far as anybody here can tell"


def fake_card(capability: tuple[int, int] = (8, 9), name: str = "RTX 4070") -> GraphicsCard:
    return replace(CARD, name=name, compute_capability=capability)


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    asks_for_strong_typing: bool = True
    has_tf32: bool = True
    starts: bool = True
    builds: bool = True
    says: str = ""
    """An error in its log, at the end of a build."""
    refuses: str = ""
    """A compute capability, as its enumeration calls it."""


def fake_flavour(
    name: FlavourName = "rtx",
    version: str = "1.7.1.116",
    *,
    card: GraphicsCard | NoCard = NO_CARD,
    asked: list[Any] | None = None,
    behaviour: Behaviour | None = None,
) -> Flavour:
    module = fake_module(version, asked if asked is not None else [], behaviour)
    return flavour_of(name, module, card=lambda: card)


def fake_module(version: str, asked: list[Any], behaviour: Behaviour | None = None) -> ModuleType:
    """What both flavours have in common; `asked` collects what the builder was told."""
    wanted = behaviour or Behaviour()
    module = ModuleType("fake_tensorrt")
    capabilities = {"NONE": 0, "CURRENT": 1, "SM120": 120, "SM86": 86, "SM89": 89}
    names: dict[str, Any] = {
        "__version__": version,
        "ILogger": type("ILogger", (), {}),
        "IProgressMonitor": type("IProgressMonitor", (), {}),
        "Builder": lambda logger: _Builder(logger, asked, wanted),
        "BuilderFlag": IntEnum("BuilderFlag", {"REFIT": 2, "TF32": 7} if wanted.has_tf32 else {"REFIT": 2}),
        "ComputeCapability": IntEnum("ComputeCapability", capabilities),
        "OnnxParser": lambda _network, _logger: SimpleNamespace(parse=bool, num_errors=0),
        "float32": FLOAT32,
    }
    if wanted.asks_for_strong_typing:
        names["NetworkDefinitionCreationFlag"] = IntEnum("NetworkDefinitionCreationFlag", {"STRONGLY_TYPED": 1})
    for name, value in names.items():
        setattr(module, name, value)
    return module


class _Builder:
    def __init__(self, logger: Any, asked: list[Any], behaviour: Behaviour) -> None:
        if not behaviour.starts:
            raise TypeError("pybind11::init(): factory function returned nullptr")
        self.logger, self.asked, self.behaviour = logger, asked, behaviour

    def create_network(self, flags: int) -> Any:
        self.asked.append(("network", flags))
        given = SimpleNamespace(name="maps", shape=(-1, 3, 28, 28), dtype=FLOAT32)
        result = SimpleNamespace(name="logits", shape=(-1, 3), dtype=FLOAT32)
        return SimpleNamespace(
            num_inputs=1, num_outputs=1, get_input=lambda _index: given, get_output=lambda _index: result
        )

    def create_builder_config(self) -> Any:
        return _Config(self.asked, self.behaviour.refuses)

    def create_optimization_profile(self) -> Any:
        return SimpleNamespace(set_shape=lambda *shapes: self.asked.append(("profile", *shapes)))

    def build_serialized_network(self, _network: Any, config: Any) -> bytes | None:
        monitor = config.progress_monitor
        monitor.phase_start("Building engine", None, 2)
        for step in range(2):
            if not monitor.step_complete("Building engine", step):
                return None
        monitor.phase_finish("Building engine")
        self.logger.log(SimpleNamespace(name="VERBOSE"), "chatter")
        self.logger.log(SimpleNamespace(name="WARNING"), "a remark\n over two lines")
        if self.behaviour.says:
            self.logger.log(SimpleNamespace(name="ERROR"), self.behaviour.says)
        return CONTENT if self.behaviour.builds else None


class _Config:
    """Notes what it is told."""

    def __init__(self, asked: list[Any], refuses: str) -> None:
        self.asked, self.refuses = asked, refuses
        self.num_compute_capabilities = 0
        self.progress_monitor: Any = None

    def clear_flag(self, flag: Any) -> None:
        self.asked.append(("clear", flag.name))

    def set_compute_capability(self, capability: Any, index: int) -> bool:
        self.asked.append(("capability", capability.name, index, self.num_compute_capabilities))
        return bool(capability.name != self.refuses)

    def add_optimization_profile(self, _profile: Any) -> None:
        self.asked.append(("profile added",))
