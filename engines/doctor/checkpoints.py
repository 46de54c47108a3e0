"""Checkpoints, and the TensorRT engines that lie beside them: which are whole, and which fit this machine."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from engines.checkpoint import DEFAULT, Checkpoint, load_checkpoint
from engines.doctor.finding import REINSTALL, Finding
from engines.errors import BackendUnavailable, OnsetError, first_line
from engines.graphics_card import GraphicsCard, NoCard
from engines.tensorrt.flavour import Flavour
from engines.tensorrt.store import StoredEngine, find_engines, fitting_engine, unreadable_manifests

FindCard = Callable[[], GraphicsCard | NoCard]
FindFlavours = Callable[[], list[Flavour]]


def checkpoint(place: str | Path, card: FindCard, flavours: FindFlavours, *, runs_engines: bool) -> Iterator[Finding]:
    """One checkpoint, then each engine beside it.

    Args:
        place: a checkpoint's folder, or "default".
        card: asks the driver for its card.
        flavours: says which flavours of TensorRT are installed.
        runs_engines: whether TensorRT works here at all, so that an engine that is missing is worth a word.
    """
    shipped = place == DEFAULT
    try:
        loaded = load_checkpoint(place)
    except OnsetError as fault:
        name = "default checkpoint" if shipped else f"checkpoint {Path(place).name}"
        remedy = REINSTALL if shipped else "name another folder, or copy it again"
        yield Finding(name=name, state="unusable", detail=first_line(fault), remedy=remedy, required=shipped)
        return
    told = loaded.card
    yield Finding(
        name="default checkpoint" if shipped else f"checkpoint {loaded.name}",
        state="ok",
        detail=f"{told.model} on {told.recipe} maps, {', '.join(told.classes)}; files verified",
        required=shipped,
    )
    yield from _engines(loaded, card(), flavours(), runs_engines=runs_engines)


def _engines(
    loaded: Checkpoint, card: GraphicsCard | NoCard, flavours: Sequence[Flavour], *, runs_engines: bool
) -> Iterator[Finding]:
    for stored in find_engines(loaded, card=lambda: card, flavours=flavours):
        yield Finding(
            name=f"engine of {loaded.name}",
            state="ok" if stored.fits else "unusable",
            detail=f"{_in_words(stored)}{'' if stored.fits else f': {stored.obstacle}'}",
            remedy=stored.remedy,
            required=False,
        )
    for fault in unreadable_manifests(loaded):
        remedy = "build it again with `onset build`, or delete it"
        yield Finding(name=f"engine of {loaded.name}", state="unusable", detail=fault, remedy=remedy, required=False)
    if runs_engines and isinstance(card, GraphicsCard):
        yield from _chosen(loaded, card, flavours)


def _in_words(stored: StoredEngine) -> str:
    key = stored.manifest.key
    return f"{key.precision} for compute capability {key.cards}, batches to {key.profile[2]}, {stored.path.name}"


def _chosen(loaded: Checkpoint, card: GraphicsCard, flavours: Sequence[Flavour]) -> Iterator[Finding]:
    """Why `auto` finds no engine to take, where everything else for one is there."""
    try:
        fitting_engine(loaded, card, flavours)
    except BackendUnavailable as fault:
        reason, _, remedy = first_line(fault).rpartition("; run: ")
        yield Finding(
            name=f"engines of {loaded.name}",
            state="missing",
            detail=reason or remedy,
            remedy=f"run: {remedy}" if reason else "use onnxruntime",
            required=False,
        )
