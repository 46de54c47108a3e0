"""The sessions of one folder: listed, titled and removed; thousands of them, damaged ones too."""

import json
import os
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from engines.errors import BadInput
from realtime.json_lines import Record, read_lines, without_password, write_atomically
from realtime.session_reader import EVENTS_NAME, MEDIA_NAME, REJECTED_NAME, SESSION_NAME
from realtime.signals import STREAM_NAME
from realtime.written_words import refuse_unseen

TITLE_NAME = "title.txt"
"""What a person calls the session; beside `session.json`, which stays as it was recorded."""
LONGEST_TITLE = 200
STILL_WRITING_S = 15.0
"""A run that has not ended and wrote something this lately is still going on."""
_LEAVING = ".leaving-"
"""How the folder of a removed session is called until all of it is gone."""

_Stamp = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class ShelvedSession:
    """What a list says about one session."""

    name: str
    """Of its folder."""
    title: str = ""
    state: str
    """"complete", "stopped", "failed", "recording", "interrupted", or "damaged"."""
    fault: str | None = None
    """What is wrong with a damaged one, and what can be done."""
    source: str = ""
    started_at: str | None = None
    """ISO 8601."""
    duration_s: float | None = None
    """None while nobody has written it down."""
    frame_rate_hz: float | None = None
    micro: int = 0
    macro: int = 0
    rejected: int = 0
    labels: Mapping[str, int] = field(default_factory=dict)
    quality: int | None = None
    """Of the conditions, 0 to 100."""
    quality_word: str | None = None
    checkpoint: str | None = None
    size_bytes: int = 0
    """On disk, all files together."""

    def as_record(self) -> dict[str, Any]:
        """The entry as JSON values."""
        return {**asdict(self), "labels": dict(self.labels)}


class SessionShelf:
    """The sessions that lie side by side in one folder. Safe from any thread.

    Args:
        folder: parent of the session folders.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, tuple[_Stamp, ShelvedSession]] = {}
        self._lock = threading.Lock()

    def sessions(self, running: Collection[str] = ()) -> list[ShelvedSession]:
        """Every session, the newest first; what has not changed since the last call is not read again.

        Args:
            running: names of sessions that are known to be going on.
        """
        with self._lock:
            found = [self._entry(folder, running) for folder in self._folders()]
            self._known = {name: known for name, known in self._known.items() if (self.folder / name).exists()}
        return sorted(found, key=lambda entry: (entry.started_at or "", entry.name), reverse=True)

    def session(self, name: str, running: Collection[str] = ()) -> ShelvedSession:
        """One session as the list has it.

        Raises:
            BadInput: if there is none of that name.
        """
        with self._lock:
            return self._entry(self._place(name), running)

    def entitle(self, name: str, title: str) -> None:
        """Give a session a title; an empty one takes it away.

        Raises:
            BadInput: if there is no such session, or the title is too long, holds control characters or cannot be
                written.
        """
        words, path = " ".join(title.split()), self._place(name) / TITLE_NAME
        if len(words) > LONGEST_TITLE:
            raise BadInput(f"{name}: the title has {len(words)} characters; use at most {LONGEST_TITLE}")
        refuse_unseen(words, what=f"{name}: the title")
        try:
            if words:
                write_atomically(path, f"{words}\n".encode())
            else:
                path.unlink(missing_ok=True)
        except OSError as fault:
            raise BadInput(f"{path}: cannot be written ({fault.strerror}); free some space") from fault

    def remove(self, name: str, running: Collection[str] = ()) -> None:
        """Delete a session with all its files, at once and for good: there is no bin to take it out of again.

        The folder is renamed first, so that no reader ever meets half a session. What a disk keeps of deleted files
        is beyond a program: an encrypted disk answers that.

        Raises:
            BadInput: if there is no such session, it is still being recorded, or it cannot be deleted.
        """
        folder = self._place(name)
        if self._entry(folder, running).state == "recording":
            raise BadInput(f"{name}: is still being recorded; stop it before you delete it")
        leaving = folder.with_name(f"{_LEAVING}{secrets.token_hex(6)}")
        try:
            folder.rename(leaving)
            shutil.rmtree(leaving)
        except OSError as fault:
            raise BadInput(f"{name}: not all of it could be deleted ({fault.strerror}); close what uses it") from fault
        finally:
            self._known.pop(name, None)

    def sweep(self) -> None:
        """Finish deletions that a crash or a file in use cut short."""
        for folder in self.folder.glob(f"{_LEAVING}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        entries = [entry for entry in os.scandir(self.folder) if not entry.name.startswith(".")]
        folders = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        return [folder for folder in folders if _looks_like_session(folder)]

    def _place(self, name: str) -> Path:
        """The folder of that very name, no path and no link."""
        folder = self.folder / name
        plain = name and not name.startswith(".") and "\0" not in name and Path(name).name == name
        if not plain or folder.is_symlink() or not folder.is_dir() or not _looks_like_session(folder):
            raise BadInput(f"{name!r}: there is no such session in {self.folder.name}; choose one of the list")
        return folder

    def _entry(self, folder: Path, running: Collection[str]) -> ShelvedSession:
        stamp = _stamp(folder)
        known = self._known.get(folder.name)
        if known is not None and known[0] == stamp:
            return _as_recording(known[1]) if folder.name in running else known[1]
        entry = _read(folder)
        if entry.state != "recording":  # such a one changes by the clock alone
            self._known[folder.name] = stamp, entry
        return _as_recording(entry) if folder.name in running else entry


def is_still_recording(folder: Path, record: Mapping[str, Any]) -> bool:
    """Whether the run of a session seems to be going on: it has not ended, and it wrote something just now.

    Args:
        folder: of the session.
        record: its `session.json`.
    """
    if record.get("state") != "recording":
        return False
    written = [_modified(folder / name)[0] for name in (SESSION_NAME, EVENTS_NAME, REJECTED_NAME, STREAM_NAME)]
    return time.time() - max(written) / 1e9 < STILL_WRITING_S


def read_title(folder: Path) -> str:
    """What a person calls the session; empty where nobody has given it a title."""
    try:
        return (folder / TITLE_NAME).read_text(encoding="utf-8").strip()[:LONGEST_TITLE]
    except (OSError, ValueError):
        return ""


def _as_recording(entry: ShelvedSession) -> ShelvedSession:
    return replace(entry, state="recording") if entry.state in ("interrupted", "recording") else entry


def _looks_like_session(folder: Path) -> bool:
    return (folder / SESSION_NAME).exists() or (folder / EVENTS_NAME).exists()


def _stamp(folder: Path) -> _Stamp:
    """What changes when anything that a list tells changes."""
    names = (SESSION_NAME, EVENTS_NAME, REJECTED_NAME, MEDIA_NAME, TITLE_NAME)
    return (_modified(folder), *(_modified(folder / name) for name in names))


def _modified(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _read(folder: Path) -> ShelvedSession:
    plain = ShelvedSession(name=folder.name, title=read_title(folder), state="damaged", size_bytes=_size(folder))
    try:
        record = json.loads((folder / SESSION_NAME).read_bytes())
        if not isinstance(record, dict) or "state" not in record:
            raise ValueError("it has no state")
        return _described(plain, folder, record)
    except (OSError, ValueError, TypeError, AttributeError, BadInput) as fault:
        reason = str(fault) if isinstance(fault, BadInput) else f"{SESSION_NAME} cannot be read ({fault})"
        return replace(plain, fault=f"{reason}; its other files may still be good")


def _described(plain: ShelvedSession, folder: Path, record: Record) -> ShelvedSession:
    state = str(record["state"])
    if state == "recording":
        state = "recording" if is_still_recording(folder, record) else "interrupted"
        record = {**record, "counts": _counted(folder), "duration_s": record.get("duration_s") or None}
    counts, conditions = record.get("counts") or {}, record.get("conditions") or {}
    return replace(
        plain,
        state=state,
        source=without_password(str(record.get("source") or "")),
        started_at=record.get("started_at"),
        duration_s=record.get("duration_s"),
        frame_rate_hz=record.get("frame_rate_hz"),
        micro=int(counts.get("micro") or 0),
        macro=int(counts.get("macro") or 0),
        rejected=int(counts.get("rejected") or 0),
        labels={str(label): int(number) for label, number in (counts.get("labels") or {}).items()},
        quality=conditions.get("quality"),
        quality_word=conditions.get("word"),
        checkpoint=record.get("checkpoint"),
    )


def _counted(folder: Path) -> dict[str, Any]:
    """Counts of a run that could not write its own."""
    events = read_lines(folder / EVENTS_NAME)[0] if (folder / EVENTS_NAME).exists() else ()
    rejected = read_lines(folder / REJECTED_NAME)[0] if (folder / REJECTED_NAME).exists() else ()
    labels = Counter(str(event["label"]) for event in events if event.get("label"))
    return {**Counter(str(event.get("kind")) for event in events), "rejected": len(rejected), "labels": labels}


def _size(folder: Path) -> int:
    """Bytes of all files; what vanishes meanwhile counts nothing."""
    total, waiting = 0, [str(folder)]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            else:
                total += _modified(Path(entry.path))[1]
    return total
