"""A checkpoint that comes as a zip archive: only its three files are taken, checked, and placed whole or not at all."""

import shutil
import stat
import tempfile
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath

from engines.checkpoint import CARD_FILE, MODEL_FILE, WEIGHTS_FILE, Checkpoint, load_checkpoint
from engines.errors import BadInput, OnsetError, first_line

LARGEST_BYTES = 1 << 30
"""Of the files of one checkpoint together; the largest published network takes a fifth of it."""
MOST_ENTRIES = 10_000
"""A checkpoint has three files; folders that were packed with reports and engines have some dozens."""
_CHUNK_BYTES = 1 << 20
_REPACK = "pack the checkpoint's folder as a plain zip"


def unpack_checkpoint(
    archive: Path, target: Path, *, called: str | None = None, largest_bytes: int = LARGEST_BYTES
) -> Checkpoint:
    """Make a checkpoint folder from a zip archive of one.

    The archive holds `card.json`, `model.onnx` and `weights.safetensors`, bare or in one folder. Whatever else is in
    it is left out, engines above all: TensorRT runs what they hold, and builds them anew in seconds. The three files
    are written under names of ours, so that no name in the archive becomes a path.

    Args:
        archive: the zip file.
        target: the folder to make; it must not be there yet, its parent must.
        called: what messages call the archive; the name of its file by default.
        largest_bytes: most bytes that the three files may unpack to.

    Returns:
        The checkpoint, whose sums agree with its card and whose model runs in ONNX Runtime.

    Raises:
        BadInput: if it is no archive of a checkpoint, unsafe, too large, or cannot be written; one line.
    """
    name = called or archive.name
    if target.exists():
        raise BadInput(f"checkpoint folder {target.name} exists already: choose another name")
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _entries(opened, name, largest_bytes)
            return _placed(opened, entries, name, target)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise BadInput(f"{name} is no zip archive, or a damaged one: {_REPACK}") from None
    except (NotImplementedError, RuntimeError) as fault:  # a way of packing, or a lock, that Python cannot open
        raise BadInput(f"{name} cannot be unpacked ({first_line(fault)}): {_REPACK}") from None
    except OSError as fault:
        raise BadInput(f"{name} cannot be unpacked ({fault.strerror or fault}): make room, try again") from None


def _entries(opened: zipfile.ZipFile, name: str, largest_bytes: int) -> dict[str, zipfile.ZipInfo]:
    """The archive's entry of each file of a checkpoint."""
    listed = opened.infolist()
    if len(listed) > MOST_ENTRIES:
        raise BadInput(f"{name} holds {len(listed)} files: {_REPACK} without anything else")
    for entry in listed:
        if _unsafe(entry.orig_filename):
            raise BadInput(f"{name} holds {entry.orig_filename!r}, a path that leads out of its folder: {_REPACK}")
    folder = _checkpoint_folder(listed, name)
    found = {PurePosixPath(entry.filename): entry for entry in listed if not entry.is_dir()}
    entries: dict[str, zipfile.ZipInfo] = {}
    for file in (CARD_FILE, MODEL_FILE, WEIGHTS_FILE):
        if folder / file not in found:
            raise BadInput(f"{name} holds a checkpoint without {file}: {_REPACK}")
        entries[file] = found[folder / file]
        if stat.S_IFMT(entries[file].external_attr >> 16) not in (0, stat.S_IFREG):
            raise BadInput(f"{name}: {file} is a link or a device, not a file: {_REPACK}")
    size = sum(entry.file_size for entry in entries.values())
    if size > largest_bytes:
        raise BadInput(
            f"{name} unpacks to {size / 1e6:.0f} MB, more than the {largest_bytes / 1e6:.0f} MB that a checkpoint may "
            "have: copy the folder to the data folder's checkpoints by hand"
        )
    return entries


def _checkpoint_folder(listed: list[zipfile.ZipInfo], name: str) -> PurePosixPath:
    """The one folder of the archive that holds a card."""
    cards = {PurePosixPath(entry.filename) for entry in listed if PurePosixPath(entry.filename).name == CARD_FILE}
    # A Mac adds a shadow of each file.
    folders = sorted(card.parent for card in cards if "__MACOSX" not in card.parts)
    if not folders:
        raise BadInput(f"{name} holds no {CARD_FILE}, so it is no checkpoint: pack the folder that `onset train` wrote")
    if len(folders) > 1:
        listed_words = ", ".join(str(folder) for folder in folders[:3])
        raise BadInput(f"{name} holds {len(folders)} checkpoints ({listed_words} …): pack one at a time")
    return folders[0]


def _unsafe(name: str) -> bool:
    """Whether a name in an archive is anything but a path below its own folder."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or any(sign in name for sign in ("\\", "\0", ":"))


def _placed(opened: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], name: str, target: Path) -> Checkpoint:
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for file, entry in entries.items():
            _copy(opened, entry, staging / file)
        _check(staging, name)
        staging.chmod(0o755)
        staging.rename(target)
    finally:
        with suppress(OSError):
            shutil.rmtree(staging, ignore_errors=True)
    return load_checkpoint(target)


def _copy(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Write one entry, never more of it than the archive's list promised."""
    left = entry.file_size
    with opened.open(entry) as source, path.open("xb") as file:
        while left > 0 and (content := source.read(min(_CHUNK_BYTES, left))):
            file.write(content)
            left -= len(content)


def _check(folder: Path, name: str) -> None:
    """Verify a checkpoint that is not in its place yet, and run its model once."""
    from engines.sessions.onnxruntime import OnnxRuntimeSession  # loaded only when used: ONNX Runtime is large

    try:
        OnnxRuntimeSession(load_checkpoint(folder)).close()
    except OnsetError as fault:
        raise BadInput(f"{name}: {str(fault).removeprefix(f'checkpoint {folder}: ')}") from None
