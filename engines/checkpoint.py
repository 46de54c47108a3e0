"""A checkpoint folder: `model.onnx`, `weights.safetensors`, `card.json`. Nothing is ever unpickled."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from engines.card import ModelCard
from engines.errors import BadCheckpoint, BadInput
from engines.weights import safetensors_bytes

DEFAULT = "default"
"""Name of the checkpoint that ships with the package, wherever a checkpoint is asked for."""
MODEL_FILE = "model.onnx"
WEIGHTS_FILE = "weights.safetensors"
CARD_FILE = "card.json"
SHIPPED_FOLDER = Path(__file__).resolve().parent / "checkpoints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint folder whose files were found complete and unaltered."""

    name: str
    """What the user called it: "default" or the folder's name."""
    folder: Path
    card: ModelCard

    @property
    def model_path(self) -> Path:
        """The network in ONNX."""
        return self.folder / MODEL_FILE

    @property
    def weights_path(self) -> Path:
        """The weights alone, for training to go on from."""
        return self.folder / WEIGHTS_FILE


def load_checkpoint(checkpoint: str | Path | Checkpoint = DEFAULT) -> Checkpoint:
    """Read the card of a checkpoint folder and verify the other files against it.

    Args:
        checkpoint: a folder, or "default" for the one that ships with the package.

    Raises:
        BadCheckpoint: if the folder is incomplete, altered, or not readable by this version.
    """
    if isinstance(checkpoint, Checkpoint):
        return checkpoint
    name, folder = _located(checkpoint)
    try:
        card = ModelCard.from_record(_parsed(folder / CARD_FILE))
        for file in (MODEL_FILE, WEIGHTS_FILE):
            _verify(folder / file, card.files.get(file))
    except BadCheckpoint as fault:
        raise BadCheckpoint(f"checkpoint {folder}: {fault}") from None
    return Checkpoint(name=name, folder=folder, card=card)


def write_checkpoint(
    folder: str | Path,
    *,
    model: bytes | Path,
    weights: Mapping[str, np.ndarray] | bytes,
    card: ModelCard,
    replace_existing: bool = False,
) -> Checkpoint:
    """Write a checkpoint folder so that it is there whole or not at all.

    Args:
        folder: where it goes; its parent folders are made.
        model: the ONNX model, or the file that holds it (one file, no external data).
        weights: arrays by parameter name, or the content of a safetensors file.
        card: the card; `files`, `onset_version` and an empty `created` are filled in.
        replace_existing: take the place of a checkpoint that is there already.

    Returns:
        The checkpoint as read back from disk.

    Raises:
        BadInput: if the folder exists and `replace_existing` is not set.
    """
    target = Path(folder)
    if target.exists() and not replace_existing:
        raise BadInput(f"checkpoint folder {target} exists already: choose another or remove it")
    if target.exists() and not (target / CARD_FILE).is_file():
        raise BadInput(f"{target} is no checkpoint folder and will not be replaced: choose another")
    contents = {
        MODEL_FILE: model if isinstance(model, bytes) else model.read_bytes(),
        WEIGHTS_FILE: weights if isinstance(weights, bytes) else safetensors_bytes(weights),
    }
    finished = replace(
        card,
        files={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        onset_version=_version(),
        created=card.created or datetime.now(UTC).isoformat(timespec="seconds"),
    )
    contents[CARD_FILE] = (json.dumps(finished.as_record(), indent=2, ensure_ascii=False) + "\n").encode()
    _place(target, contents)
    return load_checkpoint(target)


def _place(target: Path, contents: Mapping[str, bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name, content in contents.items():
            with (staging / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        staging.chmod(0o755)
        # Renamed, then removed: a stop in the middle of removing would leave a folder that is no checkpoint any more.
        replaced = staging.with_name(f"{staging.name}-replaced")
        if target.exists():
            target.rename(replaced)
        staging.rename(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    shutil.rmtree(replaced, ignore_errors=True)


def _located(checkpoint: str | Path) -> tuple[str, Path]:
    if checkpoint == DEFAULT:
        folder = SHIPPED_FOLDER / DEFAULT
        if not folder.is_dir():
            raise BadCheckpoint("the default checkpoint is missing from this installation: reinstall onset-live")
        return DEFAULT, folder
    folder = Path(checkpoint)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "not there"
        raise BadCheckpoint(f"checkpoint {folder} is {found}: give a checkpoint's folder, or {DEFAULT!r}")
    return folder.resolve().name, folder


def _parsed(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadCheckpoint(f"{path.name} is missing") from None
    except (OSError, ValueError) as fault:
        raise BadCheckpoint(f"{path.name} cannot be read ({fault}): copy the folder again") from None


def _verify(path: Path, expected: str | None) -> None:
    if expected is None:
        raise BadCheckpoint(f"{CARD_FILE} gives no SHA-256 sum of {path.name}")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadCheckpoint(f"{path.name} is missing: copy the folder again") from None
    except OSError as fault:
        raise BadCheckpoint(f"{path.name} cannot be read ({fault})") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise BadCheckpoint(f"{path.name} differs from the SHA-256 sum in {CARD_FILE}: copy the folder again")


def _version() -> str:
    try:
        return metadata.version("onset-live")
    except metadata.PackageNotFoundError:
        return "unknown"
