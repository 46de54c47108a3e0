"""Where the dashboard keeps things, and the only place where a name from the browser becomes a path."""

import re
import threading
from collections.abc import Collection
from datetime import datetime
from itertools import count
from pathlib import Path

from engines.errors import BadInput

DEFAULT_CHECKPOINT = "default"
_LONGEST_NAME = 255
"""Bytes of a name in the file systems there are."""
_UNPLAIN = re.compile(r"[^\w\-+()\[\]. ]+", re.UNICODE)


class DataFolder:
    """Sessions, recordings and checkpoints of one dashboard, side by side in one folder.

    Args:
        root: made if it is not there.

    Raises:
        BadInput: if it cannot be made or written.
    """

    def __init__(self, root: Path) -> None:
        self._given: set[str] = set()
        self._giving = threading.Lock()
        try:
            root.expanduser().mkdir(parents=True, exist_ok=True)
            self.root = root.expanduser().resolve(strict=True)
            self.sessions = self._made("sessions")
            """Session folders."""
            self.recordings = self._made("recordings")
            """Videos that were handed in."""
            self.checkpoints = self._made("checkpoints")
            """Checkpoint folders beside the one that ships."""
            self.temporary = self._made("temporary")
            """Uploads under way and archives to fetch; nothing in it is needed after a restart."""
        except OSError as fault:
            reason = f"cannot be used as data folder ({fault.strerror})"
            raise BadInput(f"{root}: {reason}; choose another with --data") from None

    def _made(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        return folder

    def session(self, name: str) -> Path:
        """The folder of a session.

        Raises:
            BadInput: if there is none of that name.
        """
        return _inside(self.sessions, name, "session")

    def new_session(self, source: str) -> Path:
        """A folder for a session that begins now, not made yet; named by the time and the source.

        No two calls give the same one, though both sessions begin in one second.

        Args:
            source: what is watched, in any words.
        """
        moment = datetime.now().astimezone().strftime("%Y-%m-%d_%H-%M-%S")
        with self._giving:
            folder = _unused(self.sessions, f"{moment}_{plain_name(source, 'session')}", "", self._given)
            self._given.add(folder.name)
        return folder

    def recording(self, name: str) -> Path:
        """A video that was handed in.

        Raises:
            BadInput: if there is none of that name.
        """
        return _inside(self.recordings, name, "recording")

    def new_recording(self, name: str) -> Path:
        """A path for a video that is handed in, not made yet; nothing of that name is there.

        Args:
            name: as the browser gave it; only its last part is used.
        """
        wanted = Path(name.replace("\\", "/")).name
        return _unused(self.recordings, plain_name(Path(wanted).stem, "recording"), Path(wanted).suffix.lower())

    def checkpoint(self, name: str) -> Path | str:
        """What `load_checkpoint` takes for the name of a checkpoint.

        Raises:
            BadInput: if there is none of that name.
        """
        return DEFAULT_CHECKPOINT if name == DEFAULT_CHECKPOINT else _inside(self.checkpoints, name, "checkpoint")


def plain_name(text: str, otherwise: str) -> str:
    """The text as a name that is safe in every file system and address; `otherwise` where nothing is left of it."""
    plain = re.sub(r"[-\s]+", "-", _UNPLAIN.sub("-", text)).strip("-. ")[:80]
    return plain or otherwise


def _inside(folder: Path, name: str, what: str) -> Path:
    """The entry of that very name, which is what it seems: no path, no link that leads elsewhere."""
    path = folder / name if _is_one_name(name) else None
    if path is None or not path.exists() or path.resolve().parent != folder.resolve():
        raise BadInput(f"{name!r}: there is no such {what}; choose one of the list")
    return path


def _is_one_name(name: str) -> bool:
    """Whether it can be the name of an entry that is not hidden: one part of a path, in letters that can be shown."""
    plain = name != "" and name.isprintable() and not name.startswith(".") and not {"/", "\\"} & set(name)
    return plain and len(name.encode()) <= _LONGEST_NAME


def _unused(folder: Path, stem: str, suffix: str, given: Collection[str] = ()) -> Path:
    numbered = (f"{stem}{'' if number == 1 else f'-{number}'}{suffix}" for number in count(1))
    return next(path for name in numbered if name not in given and not (path := folder / name).exists())
