"""The checkpoints that are there to choose from: the shipped one and every folder beside it, damaged ones too."""

from dataclasses import dataclass
from pathlib import Path

from engines.checkpoint import (
    CARD_FILE,
    DEFAULT,
    MODEL_FILE,
    SHIPPED_FOLDER,
    WEIGHTS_FILE,
    Checkpoint,
    load_checkpoint,
)
from engines.errors import BadCheckpoint

Signature = tuple[tuple[int, int] | None, ...]
_SAME_NAME = f"has the name of the shipped checkpoint, {DEFAULT!r}: rename the folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelvedCheckpoint:
    """A folder of the shelf: a whole checkpoint, or what is wrong with it."""

    name: str
    folder: Path
    checkpoint: Checkpoint | None
    """None where it cannot be used."""
    fault: str = ""
    """Why it cannot, and what to do; empty where it can."""


class CheckpointShelf:
    """Lists checkpoints; one whose files have not changed since is not read again. Safe from any thread.

    Args:
        folder: holds a folder for each checkpoint besides the shipped one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, tuple[Signature, ShelvedCheckpoint]] = {}

    def all(self) -> list[ShelvedCheckpoint]:
        """The shipped checkpoint, then the others by name; folders whose name begins with a dot are passed over."""
        folders = [SHIPPED_FOLDER / DEFAULT, *_folders(self._folder)]
        listed = [self._shelved(folder) for folder in folders]
        self._known = {folder: known for folder, known in self._known.items() if folder in folders}
        return listed

    def _shelved(self, folder: Path) -> ShelvedCheckpoint:
        name, signature = folder.name, _signature(folder)
        shipped = folder == SHIPPED_FOLDER / DEFAULT
        if name == DEFAULT and not shipped:
            return ShelvedCheckpoint(name=name, folder=folder, checkpoint=None, fault=_SAME_NAME)
        known = self._known.get(folder)
        if known is not None and known[0] == signature:
            return known[1]
        try:
            loaded = load_checkpoint(DEFAULT if shipped else folder)
            found = ShelvedCheckpoint(name=name, folder=folder, checkpoint=loaded)
        except BadCheckpoint as fault:
            found = ShelvedCheckpoint(name=name, folder=folder, checkpoint=None, fault=_own_words(fault, folder))
        self._known[folder] = (signature, found)
        return found


def _folders(shelf: Path) -> list[Path]:
    try:
        return sorted(path for path in shelf.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []  # a folder that went away has no checkpoints


def _signature(folder: Path) -> Signature:
    """Changes whenever a file of the checkpoint does: when it was written last, and its size."""
    stamps: list[tuple[int, int] | None] = []
    for name in (CARD_FILE, MODEL_FILE, WEIGHTS_FILE):
        try:
            status = (folder / name).stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((status.st_mtime_ns, status.st_size))
    return tuple(stamps)


def _own_words(fault: BadCheckpoint, folder: Path) -> str:
    """The fault without the folder's path, which a list shows already."""
    return str(fault).removeprefix(f"checkpoint {folder}: ")
