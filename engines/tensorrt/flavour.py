"""The two flavours of TensorRT behind one seam: every difference between them is in this file.

TensorRT for RTX (`tensorrt_rtx`) serves GeForce and RTX cards, needs no card to build, and can serve several compute
capabilities with one engine. Datacenter TensorRT (`tensorrt`, releases 10 and 11) measures kernels while it builds, so
it needs the very card that it builds for. Networks are strongly typed in both: releases 10 must be asked for it,
release 11 knows nothing else.
"""

import importlib
import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Any, Literal

from engines.errors import BackendUnavailable, BadInput, first_line
from engines.graphics_card import GraphicsCard, NoCard, find_card

FlavourName = Literal["rtx", "datacenter"]

MODULES: Mapping[FlavourName, str] = MappingProxyType({"rtx": "tensorrt_rtx", "datacenter": "tensorrt"})
"""Python package of each flavour, in the order of preference."""
TITLES: Mapping[str, str] = MappingProxyType({"rtx": "TensorRT for RTX", "datacenter": "datacenter TensorRT"})
EXTRAS: Mapping[str, str] = MappingProxyType({"rtx": "tensorrt", "datacenter": "tensorrt-datacenter"})
"""Extra of this package that installs each flavour."""
FIRST_DATACENTER_RELEASE = 10
"""Older releases lack strongly typed networks and named tensors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """A TensorRT that is installed and loads."""

    name: FlavourName
    module: ModuleType = field(repr=False, compare=False)
    """The loaded package."""
    version: str
    builds_without_card: bool
    capabilities: tuple[str, ...]
    """Compute capabilities that it can build for here, such as "8.9", ascending; empty where it needs a card and
    there is none."""

    @property
    def title(self) -> str:
        """Name and version in words."""
        return f"{TITLES[self.name]} {self.version}"

    def new_network(self, builder: Any) -> Any:
        """An empty, strongly typed network: each tensor keeps the type that the ONNX graph gives it."""
        flags = getattr(self.module, "NetworkDefinitionCreationFlag", None)
        strongly_typed = getattr(flags, "STRONGLY_TYPED", None)
        return builder.create_network(0 if strongly_typed is None else 1 << int(strongly_typed))

    def keep_full_float32(self, config: Any) -> None:
        """Keep TensorRT from rounding float32 products to the 10 bits of TF32, where it can be told."""
        tf32 = getattr(self.module.BuilderFlag, "TF32", None)
        if tf32 is not None:
            config.clear_flag(tf32)

    def target(self, config: Any, capabilities: tuple[str, ...]) -> None:
        """Tell the builder which compute capabilities the engine is for; datacenter TensorRT takes the card's own.

        Raises:
            BadInput: if the builder refuses one.
        """
        if self.name != "rtx":
            return
        config.num_compute_capabilities = len(capabilities)
        for index, capability in enumerate(capabilities):
            member = getattr(self.module.ComputeCapability, f"SM{capability.replace('.', '')}")
            if not config.set_compute_capability(member, index):
                raise BadInput(f"compute capability {capability}: {self.title} refuses it; leave it out")


def flavour_of(
    name: FlavourName, module: ModuleType, *, card: Callable[[], GraphicsCard | NoCard] = find_card
) -> Flavour:
    """Describe a loaded TensorRT package.

    Args:
        name: which flavour it is.
        module: the package.
        card: asks for this machine's card, which datacenter TensorRT builds for.
    """
    if name == "rtx":
        capabilities = _named_capabilities(module)
    else:
        found = card()
        capabilities = (found.capability,) if isinstance(found, GraphicsCard) else ()
    return Flavour(
        name=name,
        module=module,
        version=str(module.__version__),
        builds_without_card=name == "rtx",
        capabilities=capabilities,
    )


def installed_flavours() -> list[Flavour]:
    """Flavours that are installed and load, TensorRT for RTX first. Looks only, never raises."""
    return [found for found in _examined().values() if isinstance(found, Flavour)]


def unusable_flavours() -> list[str]:
    """One line for each flavour that is installed but does not load: which and why. Never raises."""
    return [found for found in _examined().values() if isinstance(found, str)]


def chosen_flavour(name: str | None = None, flavours: list[Flavour] | None = None) -> Flavour:
    """The flavour that is named, or the first that is installed.

    Args:
        name: "rtx", "datacenter", or None for the first.
        flavours: those to choose from; the installed ones by default.

    Raises:
        BadInput: if there is no flavour of that name.
        BackendUnavailable: if it, or any, is not installed; says which extra installs it.
    """
    if name is not None and name not in MODULES:
        raise BadInput(f"TensorRT flavour {name!r} is unknown: use one of {', '.join(MODULES)}")
    installed = installed_flavours() if flavours is None else flavours
    for flavour in installed:
        if name in (None, flavour.name):
            return flavour
    wanted = name or "rtx"
    broken = "" if flavours is not None else "".join(f" ({line})" for line in unusable_flavours())
    raise BackendUnavailable(
        f"{TITLES[wanted] if name else 'TensorRT'} is not installed{broken}: pip install 'onset-live[{EXTRAS[wanted]}]'"
    )


@cache
def _examined() -> Mapping[str, Flavour | str]:
    """Each installed flavour, or why it does not load."""
    found: dict[str, Flavour | str] = {}
    for name, module_name in MODULES.items():
        try:
            if importlib.util.find_spec(module_name) is None:
                continue
            flavour = flavour_of(name, importlib.import_module(module_name))
        except Exception as fault:  # a broken installation fails in ways of its own
            found[name] = f"{TITLES[name]} is installed but does not load: {first_line(fault)}"
            continue
        found[name] = _outdated(flavour) or flavour
    return found


def _outdated(flavour: Flavour) -> str:
    release = re.match(r"\d+", flavour.version)
    if flavour.name == "rtx" or release is None or int(release.group()) >= FIRST_DATACENTER_RELEASE:
        return ""
    return f"{flavour.title} is too old: install release {FIRST_DATACENTER_RELEASE} or newer"


def _named_capabilities(module: ModuleType) -> tuple[str, ...]:
    """Read off the enumeration, so that a new release brings its new cards along: SM86 is 8.6, SM120 is 12.0."""
    numbers = [
        int(match.group(1)) for name in dir(module.ComputeCapability) if (match := re.fullmatch(r"SM(\d{2,3})", name))
    ]
    return tuple(f"{number // 10}.{number % 10}" for number in sorted(numbers))
