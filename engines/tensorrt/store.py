"""Engines beside their checkpoint, in `CHECKPOINT/engines/`: written whole or not at all, read only if unaltered."""

import hashlib
import os
import shlex
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engines.checkpoint import DEFAULT, MODEL_FILE, SHIPPED_FOLDER, Checkpoint
from engines.errors import BackendUnavailable, BadCheckpoint, BadInput
from engines.graphics_card import GraphicsCard, NoCard, find_card
from engines.tensorrt.flavour import EXTRAS, TITLES, Flavour, installed_flavours
from engines.tensorrt.key import PRECISIONS, EngineKey, Precision
from engines.tensorrt.manifest import EngineManifest

ENGINES_FOLDER = "engines"
ENGINE_SUFFIX, MANIFEST_SUFFIX = ".engine", ".json"
_MISSING = "is missing, only its manifest is there"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEngine:
    """An engine beside a checkpoint, and whether it fits this machine."""

    path: Path
    """The engine file."""
    manifest: EngineManifest
    obstacle: str = ""
    """Why it cannot run here, in words; empty where it fits."""
    remedy: str = ""
    """What to do about the obstacle."""

    @property
    def fits(self) -> bool:
        """Whether it can run here, as far as can be told without running it."""
        return not self.obstacle

    @property
    def name(self) -> str:
        """File stem."""
        return self.path.stem


def find_engines(
    checkpoint: Checkpoint,
    *,
    card: Callable[[], GraphicsCard | NoCard] = find_card,
    flavours: Sequence[Flavour] | None = None,
) -> list[StoredEngine]:
    """Every engine beside a checkpoint that has a readable manifest, each with whether it fits and why not.

    Args:
        checkpoint: the checkpoint.
        card: asks for this machine's card.
        flavours: what is installed; looked up by default.

    Returns:
        Engines in the order of their names. Their bytes are read and compared with the manifest. Never raises.
    """
    installed = installed_flavours() if flavours is None else flavours
    return [_judged(checkpoint, stored, card(), installed) for stored in _stored(checkpoint)]


def unreadable_manifests(checkpoint: Checkpoint) -> list[str]:
    """One line for each manifest beside a checkpoint that cannot be used."""
    lines = []
    for path in _manifests(checkpoint):
        try:
            EngineManifest.read(path)
        except BadCheckpoint as fault:
            lines.append(str(fault))
    return lines


def fitting_engine(
    checkpoint: Checkpoint,
    card: GraphicsCard,
    flavours: Sequence[Flavour],
    precision: Precision | None = None,
) -> StoredEngine:
    """The engine to run on a card.

    Args:
        checkpoint: the checkpoint.
        card: the card that is to run it.
        flavours: installed flavours in the order of preference.
        precision: the one wanted; fp32 before fp16 by default.

    Raises:
        BackendUnavailable: if none fits; one line with the reason and the command that builds one.
    """
    if not flavours:
        raise BackendUnavailable(f"TensorRT is not installed: {_installing('rtx')}")
    wanted = PRECISIONS if precision is None else (precision,)
    judged = [
        _judged(checkpoint, stored, card, flavours)
        for stored in _stored(checkpoint)
        if stored.manifest.key.precision in wanted
    ]
    fitting = [stored for stored in judged if stored.fits]
    if not fitting:
        raise BackendUnavailable(_nothing_fits(checkpoint, card, flavours, precision, judged))
    order = [flavour.name for flavour in flavours]
    return min(
        fitting,
        key=lambda stored: (
            wanted.index(stored.manifest.key.precision),
            order.index(stored.manifest.key.flavour),
            len(stored.manifest.key.capabilities),
            -stored.manifest.key.profile[2],
            stored.name,
        ),
    )


def read_engine(stored: StoredEngine) -> bytes:
    """The bytes of an engine, which match its manifest's SHA-256 sum.

    Raises:
        BadCheckpoint: if the file is missing, cannot be read or was altered.
    """
    content, fault = _content(stored)
    if fault:
        raise BadCheckpoint(f"engine {stored.path} {fault}: build it again with `onset build`")
    return content


def kept_engine(checkpoint: Checkpoint, key: EngineKey) -> StoredEngine | None:
    """The engine of a key, where one is stored whole; a damaged one counts as none."""
    for stored in _stored(checkpoint):
        if stored.manifest.key == key and not _content(stored)[1]:
            return stored
    return None


def open_folder(checkpoint: Checkpoint) -> Path:
    """The folder for a checkpoint's engines, made where it is missing and known to take files.

    Raises:
        BadInput: if it cannot be written to.
    """
    folder = checkpoint.folder / ENGINES_FOLDER
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as fault:
        raise BadInput(
            f"{folder} cannot be written to ({fault.strerror}): copy the checkpoint folder to a place that you can "
            "write to, and build there"
        ) from None
    return folder


def write_engine(checkpoint: Checkpoint, content: bytes, manifest: EngineManifest) -> StoredEngine:
    """Place an engine and its manifest beside the checkpoint.

    The manifest comes last and goes first: an engine without one is no engine, so an interruption leaves nothing
    that could be taken for whole.

    Raises:
        BadInput: if the folder cannot be written to, or the disk is full.
    """
    folder = open_folder(checkpoint)
    path = folder / f"{manifest.key.name}{ENGINE_SUFFIX}"
    try:
        path.with_suffix(MANIFEST_SUFFIX).unlink(missing_ok=True)
        _place(path, content)
        _place(path.with_suffix(MANIFEST_SUFFIX), manifest.as_json().encode())
    except OSError as fault:
        raise BadInput(
            f"engine {path} cannot be written ({fault.strerror}): make room, or copy the checkpoint"
        ) from None
    return StoredEngine(path=path, manifest=manifest)


def checkpoint_word(checkpoint: Checkpoint) -> str:
    """A checkpoint as a user types it: "default", or its folder."""
    return DEFAULT if checkpoint.folder == SHIPPED_FOLDER / DEFAULT else shlex.quote(str(checkpoint.folder))


def build_command(checkpoint: Checkpoint, *flags: str) -> str:
    """The command that builds an engine of this checkpoint, as a user types it."""
    return " ".join(("onset build", checkpoint_word(checkpoint), *flags))


def _place(path: Path, content: bytes) -> None:
    handle, staged = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner may read; a checkpoint is often shared.
        Path(staged).chmod(0o644)
        Path(staged).replace(path)
    except BaseException:
        Path(staged).unlink(missing_ok=True)
        raise


def _manifests(checkpoint: Checkpoint) -> list[Path]:
    return sorted((checkpoint.folder / ENGINES_FOLDER).glob(f"[!.]*{MANIFEST_SUFFIX}"))


def _stored(checkpoint: Checkpoint) -> list[StoredEngine]:
    found = []
    for path in _manifests(checkpoint):
        try:
            found.append(StoredEngine(path=path.with_suffix(ENGINE_SUFFIX), manifest=EngineManifest.read(path)))
        except BadCheckpoint:
            continue  # `unreadable_manifests` tells of it
    return found


def _content(stored: StoredEngine) -> tuple[bytes, str]:
    """An engine's bytes, and what is wrong with them."""
    try:
        content = stored.path.read_bytes()
    except FileNotFoundError:
        return b"", _MISSING
    except OSError as fault:
        return b"", f"cannot be read ({fault.strerror})"
    if hashlib.sha256(content).hexdigest() != stored.manifest.engine_sha256:
        return b"", "differs from the SHA-256 sum in its manifest"
    return content, ""


def _judged(
    checkpoint: Checkpoint,
    stored: StoredEngine,
    card: GraphicsCard | NoCard,
    flavours: Sequence[Flavour],
) -> StoredEngine:
    """The engine with what stands against it on this machine."""
    key = stored.manifest.key
    again = build_command(checkpoint, *_flags(key))
    damage = _content(stored)[1]
    if damage:
        cards = ["--compute-capability", *key.capabilities] if key.flavour == "rtx" else []
        return replace(stored, obstacle=damage, remedy=" ".join((again, *cards)))
    if key.model_sha256 != checkpoint.card.files[MODEL_FILE]:
        return replace(stored, obstacle=f"was built from another {MODEL_FILE} than the checkpoint's", remedy=again)
    flavour = next((flavour for flavour in flavours if flavour.name == key.flavour), None)
    if flavour is None:
        obstacle = f"needs {TITLES[key.flavour]}, which is not installed"
        return replace(stored, obstacle=obstacle, remedy=_installing(key.flavour))
    if flavour.version != key.version:
        obstacle = f"was built by {TITLES[key.flavour]} {key.version}; {flavour.version} is installed"
        return replace(stored, obstacle=obstacle, remedy=again)
    if isinstance(card, NoCard):
        return replace(stored, obstacle=card.detail, remedy=card.remedy)
    if card.capability not in key.capabilities:
        obstacle = f"was built for compute capability {key.cards}; {card.name} has {card.capability}"
        return replace(stored, obstacle=obstacle, remedy=again)
    return stored


def _flags(key: EngineKey) -> list[str]:
    precision = [] if key.precision == PRECISIONS[0] else ["--precision", key.precision]
    return [*precision, *([] if key.flavour == "rtx" else ["--flavour", key.flavour])]


def _nothing_fits(
    checkpoint: Checkpoint,
    card: GraphicsCard,
    flavours: Sequence[Flavour],
    precision: Precision | None,
    judged: Sequence[StoredEngine],
) -> str:
    """Why no engine can be taken, and what to do: one line."""
    serving = [flavour for flavour in flavours if card.capability in flavour.capabilities]
    if not serving:
        titles = " and ".join(flavour.title for flavour in flavours)
        others = [name for name in EXTRAS if name not in {flavour.name for flavour in flavours}]
        remedy = _installing(others[0]) if others else "use onnxruntime"
        return f"{titles} cannot build for {card.name} (compute capability {card.capability}): {remedy}"
    command = build_command(checkpoint, *([] if precision in (None, PRECISIONS[0]) else ["--precision", precision]))
    kind = f"{precision} TensorRT engine" if precision else "TensorRT engine"
    if not judged:
        return f"checkpoint {checkpoint.name} has no {kind} yet; run: {command}"
    reasons = "; ".join(dict.fromkeys(f"{stored.name} {stored.obstacle}" for stored in judged))
    return f"checkpoint {checkpoint.name} has no {kind} that fits ({reasons}); run: {command}"


def _installing(flavour: str) -> str:
    return f"pip install 'onset-live[{EXTRAS[flavour]}]'"
