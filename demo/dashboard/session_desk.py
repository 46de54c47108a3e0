"""What the session view asks for and has done: the list, one session, titles, deletion, exports, comparison."""

import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from demo.dashboard.house import House
from demo.dashboard.jobs import ENDED, Job, Progress
from demo.dashboard.live_run import UNDER_WAY
from demo.session_comparison import compare
from engines.errors import BadInput
from realtime.export import FORMATS, export_sessions
from realtime.export.formats import chosen_formats
from realtime.report import write_report
from realtime.report.page import render
from realtime.session_reader import REPORT_NAME, read_session
from realtime.session_remarks import REMARKS_NAME, newest_remarks, read_remarks
from realtime.session_shelf import SessionShelf, ShelvedSession, is_still_recording
from realtime.strongest_curve import read_curve

MOST_POINTS = 10_000
MOST_EXPORTED = 200
"""Sessions in one archive."""
KEPT_S = 3600.0
"""How long an archive can be fetched."""
_PREFIX = "export-"
_LEFTOVERS = (_PREFIX, f".{_PREFIX}", "loop-", "checkpoint-")
"""How temporary files begin that nobody knows any more after a restart: archives, loops, checkpoints handed in."""


@dataclass(frozen=True, slots=True)
class _Archive:
    """An archive that waits to be fetched."""

    path: Path
    name: str
    """What the browser calls it."""
    sessions: tuple[str, ...]
    made_s: float


class SessionDesk:
    """Answers what the session view asks, in threads of the caller; safe from any.

    Args:
        house: whose sessions they are.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._shelf = SessionShelf(house.data.sessions)
        self._archives: dict[str, _Archive] = {}
        self._drawing = threading.Lock()
        self._shelf.sweep()
        for path in house.data.temporary.iterdir():
            if path.name.startswith(_LEFTOVERS):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def overview(self) -> dict[str, Any]:
        """Every session, and the formats that there are."""
        self._forget_old()
        entries = self._shelf.sessions(self._running())
        recordings = {path.name for path in self._house.data.recordings.iterdir()}
        return {
            "sessions": [self._told(entry, recordings) for entry in entries],
            "formats": {name: made.summary for name, made in FORMATS.items()},
        }

    def session(self, name: str) -> dict[str, Any]:
        """One session: its entry in the list, its record, events, rejected movements and remarks.

        Raises:
            BadInput: if there is none of that name.
        """
        folder = self._house.data.session(name)
        entry = self._shelf.session(name, self._running())
        told = self._told(entry, {path.name for path in self._house.data.recordings.iterdir()})
        if entry.state == "damaged":
            return {**told, "record": {}, "events": [], "rejected": [], "remarks": [], "notes": []}
        session, remarks = read_session(folder), read_remarks(folder)
        standing = [remark.remark_id for remark in newest_remarks(remarks).values()]
        return {
            **told,
            "record": session.record,
            "events": list(session.events),
            "rejected": list(session.rejected),
            "remarks": [{**remark.as_record(), "stands": remark.remark_id in standing} for remark in remarks],
            "notes": list(session.notes),
        }

    def curve(self, name: str, points: int) -> dict[str, Any]:
        """The curve of a session for drawing: `time_s`, `strength`, `threshold`, each stretch's lowest and highest.

        Raises:
            BadInput: if there is none of that name, or it has no signals.
        """
        if not 2 <= points <= MOST_POINTS:
            raise BadInput(f"points: {points}; give 2 to {MOST_POINTS}")
        whole = read_curve(self._house.data.session(name))
        thin = whole.thinned(points)
        columns = {"time_s": thin.time_s, "strength": thin.strength, "threshold": thin.threshold}
        return {"rows": len(whole.time_s), **{key: values.round(4) for key, values in columns.items()}}

    def report(self, name: str) -> Path | str:
        """The report of a session, drawn anew if it is missing or older than the remarks; as text while it is recorded.

        Raises:
            BadInput: if there is none of that name, or it is damaged.
        """
        folder = self._house.data.session(name)
        session = read_session(folder)
        if name in self._running() or is_still_recording(folder, session.record):
            return render(session)
        page, remarks = folder / REPORT_NAME, folder / REMARKS_NAME
        with self._drawing:
            if page.exists() and (not remarks.exists() or remarks.stat().st_mtime_ns <= page.stat().st_mtime_ns):
                return page
            return write_report(folder)

    def entitle(self, name: str, title: str) -> dict[str, Any]:
        """Give a session a title.

        Raises:
            BadInput: if there is none of that name, or the title is too long.
        """
        self._house.data.session(name)
        self._shelf.entitle(name, title)
        return self._shelf.session(name, self._running()).as_record()

    def remove(self, name: str, *, recording: bool) -> None:
        """Delete a session for good, with every archive that holds it.

        Args:
            name: the session.
            recording: also the video that was handed in for it.

        Raises:
            BadInput: if there is none of that name, it is being recorded, or its video is not to be deleted here.
        """
        folder = self._house.data.session(name)
        video = self._removable_video(self._shelf.session(name)) if recording else None
        self._shelf.remove(name, self._running())
        for key, archive in list(self._archives.items()):
            if name in archive.sessions:
                self._drop(key)
        for removed in self._house.on_removed:
            removed(folder)
        if video is not None:
            video.unlink(missing_ok=True)

    def compare(self, names: Sequence[str]) -> dict[str, Any]:
        """Sessions side by side.

        Raises:
            BadInput: if one is not there, or there are too few or too many.
        """
        return compare([self._house.data.session(name) for name in names])

    def export(self, names: Sequence[str], formats: Sequence[str]) -> Job:
        """Make an archive in the background; the job's result says where to fetch it.

        Raises:
            BadInput: if a session or a format is not known.
        """
        if not 1 <= len(names) <= MOST_EXPORTED:
            raise BadInput(f"export: {len(names)} sessions; choose 1 to {MOST_EXPORTED}")
        chosen_formats(formats)
        folders = [self._house.data.session(name) for name in dict.fromkeys(names)]
        self._forget_old()
        entry = self._shelf.session(names[0])
        called = entry.title or PurePath(entry.source).name or entry.name
        title = called if len(folders) == 1 else f"{called} + {len(folders) - 1}"
        return self._house.jobs.start("export", title, lambda progress: self._made(folders, list(formats), progress))

    def archive(self, key: str) -> tuple[Path, str]:
        """An archive that was made, and what to call it.

        Raises:
            BadInput: if it is not there any more.
        """
        archive = self._archives.get(key)
        if archive is None or not archive.path.is_file():
            raise BadInput("this archive is not there any more; export again")
        return archive.path, archive.name

    def _made(self, folders: Sequence[Path], formats: Sequence[str], progress: Progress) -> dict[str, Any]:
        key = secrets.token_hex(16)
        path = self._house.data.temporary / f"{_PREFIX}{key}.zip"

        def told(done: float, what: str) -> None:
            progress.raise_if_cancelled()
            progress.report(done, what)

        export = export_sessions(folders, path, formats, recordings=[self._house.data.recordings], report=told)
        size = path.stat().st_size
        name = f"{folders[0].name}.zip" if len(folders) == 1 else f"onset-{len(folders)}-sessions.zip"
        self._archives[key] = _Archive(path, name, tuple(folder.name for folder in folders), time.monotonic())
        # Known first, then looked after: a session deleted from now on takes the archive with it.
        if gone := [folder.name for folder in folders if not folder.is_dir()]:
            self._drop(key)
            raise BadInput(f"{gone[0]}: was deleted while it was exported; export the others again")
        return {
            "address": f"/onset/exports/{key}",
            "name": name,
            "bytes": size,
            "files": list(export.files),
            "notes": list(export.notes),
        }

    def _forget_old(self) -> None:
        """Archives hold faces: they lie about no longer than it takes to fetch them."""
        for key, archive in list(self._archives.items()):
            if time.monotonic() - archive.made_s > KEPT_S:
                self._drop(key)

    def _drop(self, key: str) -> None:
        """Delete an archive; from any thread, and twice is no fault."""
        archive = self._archives.pop(key, None)
        if archive is not None:
            archive.path.unlink(missing_ok=True)

    def _video(self, entry: ShelvedSession) -> Path | None:
        """The video that was handed in for a session; one of the same name elsewhere is another one."""
        path = Path(entry.source)
        if "://" in entry.source or not path.is_absolute() or not path.is_file():
            return None
        return path if path.resolve().parent == self._house.data.recordings else None

    def _removable_video(self, entry: ShelvedSession) -> Path:
        """The video of a session, if it may be deleted with it.

        Raises:
            BadInput: if it was not handed in here, is gone, or is being replayed.
        """
        video = self._video(entry)
        if video is None:
            raise BadInput(f"{entry.name}: no video of it was handed in here; delete the session alone")
        replays = [job for job in self._house.jobs.all() if job.kind == "replay" and job.state not in ENDED]
        if any(job.title == video.name for job in replays):
            raise BadInput(f"{video.name}: is being replayed; wait for its end or cancel it before you delete it")
        return video

    def _running(self) -> list[str]:
        status = self._house.live.status()
        return [str(status["session"])] if status["state"] in UNDER_WAY else []

    def _told(self, entry: ShelvedSession, recordings: set[str]) -> dict[str, Any]:
        """An entry without the path of its source; `recording` where its video was handed in and is still there."""
        source = entry.source if "://" in entry.source else PurePath(entry.source).name
        there = source in recordings and self._video(entry) is not None  # the first is cheap, for lists of thousands
        return {**entry.as_record(), "source": source, "recording": source if there else None}
