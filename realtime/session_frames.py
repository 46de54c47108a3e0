"""The pictures behind a session: which frames it read, where its recording lies now, and each frame by its number."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float64, Int64, UInt8

from engines.errors import BadInput
from realtime.clock import to_nanoseconds
from realtime.session_reader import Session, read_session
from realtime.sources.frame_access import FrameAccess, ImageFolderFrames, VideoFrames

_RECORDING_SLACK_NS = 2_000
"""A run's own recordings keep times to the microsecond."""


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
class Recording:
    """A video that the run filmed itself."""

    path: Path
    starts_ns: int
    """Time of its first frame in the session."""


@dataclass(frozen=True, kw_only=True)
class Footage:
    """Where the pictures of a session can be had."""

    path: Path | None
    """The video or folder of images; None where there is none any more."""
    recordings: tuple[Recording, ...] = ()
    """What the run filmed itself because its source was live, in order of time."""
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
    """Look for the pictures of a session: its own recordings, its source, or a file of that name elsewhere.

    Args:
        session: as it was read.
        folders: where a source that is not in its old place may lie now.
    """
    if recordings := _recordings(session):
        return Footage(path=recordings[0].path, recordings=recordings)
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


def _recordings(session: Session) -> tuple[Recording, ...]:
    """What the run filmed itself, from `session.json`; a run that was killed left it in the files alone."""
    listed = session.record.get("recordings") or []
    named = [(str(one.get("name")), one.get("first_s")) for one in listed if isinstance(one, dict)]
    if not named and session.state == "interrupted":
        named = [(path.name, _first_s(path)) for path in session.folder.glob("recording*.mp4")]
    found = [
        Recording(path=session.folder / name, starts_ns=to_nanoseconds(float(first_s)))
        for name, first_s in named
        if first_s is not None and Path(name).name == name and (session.folder / name).is_file()
    ]
    return tuple(sorted(found, key=lambda recording: recording.starts_ns))


def _first_s(path: Path) -> float | None:
    """Time of a recording's first frame in the session, as the file itself says."""
    try:
        with av.open(str(path)) as container:
            return float(json.loads(container.metadata["comment"])["first_s"])
    except (av.FFmpegError, OSError, KeyError, TypeError, ValueError):
        return None


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
        self._open: dict[Path, FrameAccess] = {}

    def picture(self, index: int) -> UInt8[np.ndarray, "H W 3"]:
        """The frame of that number, just as the session read it.

        Raises:
            BadInput: if the session did not read it, or its recording is gone.
        """
        time_ns = self.table.time_ns(index)
        return self._access_at(index, time_ns).at(time_ns)

    @property
    def last_index(self) -> int:
        """Number of the last frame that was read; -1 if none was."""
        return int(self.table.index[-1]) if len(self.table.index) else -1

    def again(self) -> "SessionFrames":
        """The same session opened anew, for another thread."""
        return SessionFrames(self.session.folder, self._folders)

    def close(self) -> None:
        """Let go of the files; the next picture opens them again."""
        for access in self._open.values():
            access.close()
        self._open.clear()

    def __enter__(self) -> "SessionFrames":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _access_at(self, index: int, time_ns: int) -> FrameAccess:
        """What holds the picture of that time."""
        path = self.footage.path
        if path is None:
            raise BadInput(self.footage.missing or f"{self.session.folder.name}: has no pictures")
        recording = None
        if self.footage.recordings:
            begun = [one for one in self.footage.recordings if one.starts_ns <= time_ns + _RECORDING_SLACK_NS]
            if not begun:
                raise BadInput(f"frame {index}: was watched before the recording was switched on; it has no picture")
            recording = begun[-1]
            path = recording.path
        if path not in self._open:
            self._open[path] = self._opened(path, recording)
        return self._open[path]

    def _opened(self, path: Path, recording: Recording | None) -> FrameAccess:
        if recording is not None:
            return VideoFrames(path, starts_ns=recording.starts_ns, slack_ns=_RECORDING_SLACK_NS)
        if not path.is_dir():
            return VideoFrames(path)
        rate = (self.session.record.get("source_format") or {}).get("frame_rate_hz")
        if not rate:
            raise BadInput(f"{path}: the session does not say at which rate its images were taken")
        return ImageFolderFrames(path, frame_rate_hz=float(rate))
