"""What the engine view is told: checkpoints with their cards, engines beside them, and what this machine can run."""

import importlib.metadata
import math
from collections.abc import Callable, Sequence
from typing import Any

from engines.checkpoint import DEFAULT, Checkpoint
from engines.checkpoint_shelf import ShelvedCheckpoint
from engines.doctor import Finding, examine_engines
from engines.errors import OnsetError, in_one_line
from engines.graphics_card import GraphicsCard, NoCard, find_card
from engines.sessions.choose import PREFERENCE
from engines.tensorrt.flavour import Flavour, installed_flavours, unusable_flavours
from engines.tensorrt.store import StoredEngine, find_engines, fitting_engine, unreadable_manifests

FAMILIES = {
    "7.5": "RTX 20, GTX 16, T4",
    "8.0": "A100",
    "8.6": "RTX 30, A10, A40",
    "8.7": "Jetson Orin",
    "8.9": "RTX 40, L4, L40",
    "9.0": "H100, H200",
    "10.0": "B200",
    "12.0": "RTX 50, RTX PRO",
    "12.1": "DGX Spark",
}
"""Cards of each compute capability, as they are sold."""

DEEPEST = 8
"""Levels of a card; scores need four."""

FindCard = Callable[[], GraphicsCard | NoCard]
FindFlavours = Callable[[], list[Flavour]]
Examine = Callable[[], Sequence[Finding]]


class Machine:
    """What this machine can build and run, asked anew each time.

    Args:
        card: asks for the graphics card.
        flavours: says which TensorRT is installed.
        examine: the quick looks at the inference engines.
    """

    def __init__(
        self,
        card: FindCard = find_card,
        flavours: FindFlavours = installed_flavours,
        examine: Examine = examine_engines,
    ) -> None:
        self.card, self.flavours, self.examine = card, flavours, examine

    def record(self) -> dict[str, Any]:
        """Card, findings, and what engines can be built for."""
        card = self.card()
        here = card.capability if isinstance(card, GraphicsCard) else None
        return {
            "card": {"name": card.name, "capability": here} if isinstance(card, GraphicsCard) else None,
            "no_card": card.detail if isinstance(card, NoCard) else "",
            "findings": [finding.as_record() for finding in self.examine()],
            "builders": [_builder(flavour) for flavour in self.flavours()],
            "unusable": unusable_flavours(),
        }

    def checkpoint(self, shelved: ShelvedCheckpoint) -> dict[str, Any]:
        """A checkpoint with its card and engines, or with what is wrong with it."""
        if shelved.checkpoint is None:
            return {"name": shelved.name, "fault": shelved.fault, "card": None, "engines": [], "unreadable": []}
        loaded = shelved.checkpoint
        obstacles = self._obstacles(loaded)
        return {
            "name": shelved.name,
            "fault": "",
            "card": showable(loaded.card.as_record()),
            "licence": _licence(shelved),
            "bytes": sum(path.stat().st_size for path in (loaded.model_path, loaded.weights_path) if path.exists()),
            "engines": [_engine(one) for one in find_engines(loaded, card=self.card, flavours=self.flavours())],
            "unreadable": unreadable_manifests(loaded),
            "obstacles": obstacles,
            "auto": next((name for name in PREFERENCE if not obstacles[name]), None),
        }

    def _obstacles(self, loaded: Checkpoint) -> dict[str, str]:
        """Why each backend cannot run a checkpoint here, as far as can be told without trying; empty where it can."""
        findings = {finding.name: finding for finding in self.examine()}
        obstacles = {name: _against(findings.get(name)) for name in PREFERENCE}
        card = self.card()
        if not obstacles["tensorrt"] and isinstance(card, GraphicsCard):
            try:
                fitting_engine(loaded, card, self.flavours())
            except OnsetError as fault:
                obstacles["tensorrt"] = in_one_line(fault)
        return obstacles


def showable(value: Any, depth: int = DEEPEST) -> Any:
    """A JSON value as the browser can take it: a card from elsewhere may hold numbers that JSON lacks, or be endless.

    Args:
        value: what a card holds.
        depth: levels of lists and objects that are kept.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict | list | tuple) and depth == 0:
        return "…"
    if isinstance(value, dict):
        return {str(name): showable(one, depth - 1) for name, one in value.items()}
    return [showable(one, depth - 1) for one in value] if isinstance(value, list | tuple) else value


def _against(finding: Finding | None) -> str:
    if finding is None or finding.state == "ok":
        return ""
    return f"{finding.detail}; {finding.remedy}" if finding.remedy else finding.detail


def _builder(flavour: Flavour) -> dict[str, Any]:
    return {
        "name": flavour.name,
        "title": flavour.title,
        "needs_card": not flavour.builds_without_card,
        "capabilities": [{"capability": one, "cards": FAMILIES.get(one, "")} for one in flavour.capabilities],
    }


def _engine(stored: StoredEngine) -> dict[str, Any]:
    manifest = stored.manifest
    return {
        "name": stored.name,
        "precision": manifest.key.precision,
        "capabilities": list(manifest.key.capabilities),
        "flavour": manifest.key.flavour,
        "version": manifest.key.version,
        "largest_batch": manifest.key.profile[2],
        "bytes": manifest.engine_bytes,
        "seconds": manifest.build_seconds,
        "created": manifest.created,
        "obstacle": stored.obstacle,
        "remedy": stored.remedy,
    }


def _licence(shelved: ShelvedCheckpoint) -> str:
    """That of this package for what ships with it; a card has no field for one."""
    if shelved.name != DEFAULT:
        return ""
    try:
        return importlib.metadata.metadata("onset-live")["License-Expression"] or ""
    except (importlib.metadata.PackageNotFoundError, KeyError):
        return ""
