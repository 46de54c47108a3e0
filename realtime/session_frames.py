"""The pictures behind a session: which frames it read, where its recording lies now, and each frame by its number."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from engines.errors import BadInput
from realtime.clock import to_nanoseconds
from realtime.session_reader import Session, read_session
from realtime.sources.frame_access import FrameAccess, ImageFolderFrames, VideoFrames

_RECORDING_SLACK_NS = 1_000_000
"""Matroska keeps times in milliseconds."""


@dataclass(frozen=True, kw_only=True)
class FrameTable:
    """Every frame that a session read, in order."""

    index: Int64[np.ndarray, " frames"]
    time_s: Float64[np.ndarray, " frames"]

    def time_ns(self, index: int) -> int:
        """Time of a frame.

        Raises:
            BadInput: if the session did not read a frame of that number.
        """
        place = int(np.searchsorted(self.index, index))
        if place >= len(self.index) or self.index[place] != index:
            raise BadInput(f"frame {index}: was not read in this session; it was dropped, damaged or never there")
        return to_nanoseconds(float(self.time_s[place]))


@dataclass(frozen=True, kw_only=True)
class Footage:
    """Where the pictures of a session can be had."""

    path: Path | None
    """The video or folder of images; None where there is none any more."""
    recorded: bool = False
    """Whether the run filmed it itself, because its source was live."""
    missing: str | None = None
    """Why there are no pictures, in one line."""
    live: bool = False
    """Whether there were never any: it was watched live and not recorded."""


def frame_table(session: Session) -> FrameTable:
    """The frames that a session read, from its signals.

    Raises:
        BadInput: if they are missing.
    """
    signals = session.signals()
    index, first = np.unique(signals.index, return_index=True)
    return FrameTable(index=index, time_s=signals.time_s[first])


def find_footage(session: Session, folders: Sequence[Path] = ()) -> Footage:
    """Look for the pictures of a session: its own recording, its source, or a file of that name elsewhere.

    Args:
        session: as it was read.
        folders: where a source that is not in its old place may lie now.
    """
    own = recording_name(session.record)
    if own is not None and (session.folder / own).is_file():
        return Footage(path=session.folder / own, recorded=True)
    kind = str((session.record.get("source_format") or {}).get("kind", ""))
    source = str(session.record.get("source") or "")
    if kind not in ("", "video file", "image folder") or "://" in source:
        missing = f"{source}: was watched live and not recorded; only the events have pictures"
        return Footage(path=None, missing=missing, live=True)
    old = Path(source)
    for path in (old, *(folder / old.name for folder in (*folders, session.folder))):
        if old.name and path.exists() and path.is_dir() == (kind == "image folder"):
            return Footage(path=path)
    return Footage(path=None, missing=f"{old.name}: is not where it was; put it back at {source}")


def recording_name(record: dict[str, Any]) -> str | None:
    """File in the session folder to which a live run wrote its frames; None where it wrote none."""
    name = record.get("recording")
    if isinstance(name, dict):
        name = name.get("file")
    return name if isinstance(name, str) and Path(name).name == name else None


class SessionFrames:
    """Frames of one session by their number. A context manager; one thread at a time.

    Args:
        folder: the session.
        folders: where a source that is not in its old place may lie now.
    """

    def __init__(self, folder: Path, folders: Sequence[Path] = ()) -> None:
        self._folders = folders
        self.session = read_session(folder)
        self.footage = find_footage(self.session, folders)
        self.table = frame_table(self.session)
        self._access: FrameAccess | None = None

    def picture(self, index: int) -> UInt8[np.ndarray, "H W 3"]:
        """The frame of that number, just as the session read it.

        Raises:
            BadInput: if the session did not read it, or its recording is gone.
        """
        time_ns = self.table.time_ns(index)
        if self._access is None:
            self._access = self._open()
        return self._access.at(time_ns)

    @property
    def last_index(self) -> int:
        """Number of the last frame that was read; -1 if none was."""
        return int(self.table.index[-1]) if len(self.table.index) else -1

    def again(self) -> "SessionFrames":
        """The same session opened anew, for another thread."""
        return SessionFrames(self.session.folder, self._folders)

    def close(self) -> None:
        """Let go of the file; the next picture opens it again."""
        access, self._access = self._access, None
        if access is not None:
            access.close()

    def __enter__(self) -> "SessionFrames":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> FrameAccess:
        path = self.footage.path
        if path is None:
            raise BadInput(self.footage.missing or f"{self.session.folder.name}: has no pictures")
        if path.is_dir():
            rate = (self.session.record.get("source_format") or {}).get("frame_rate_hz")
            if not rate:
                raise BadInput(f"{path}: the session does not say at which rate its images were taken")
            return ImageFolderFrames(path, frame_rate_hz=float(rate))
        if self.footage.recorded:
            return VideoFrames(path, starts_ns=self._recording_starts_ns(), slack_ns=_RECORDING_SLACK_NS)
        return VideoFrames(path)

    def _recording_starts_ns(self) -> int:
        """Time of the first frame that went into the session's own recording."""
        recording = self.session.record.get("recording")
        starts_s = recording.get("starts_s") if isinstance(recording, dict) else None
        return to_nanoseconds(float(starts_s or 0.0))
