"""What every format is made of: a session as it was recorded, with what people said about it beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from realtime.json_lines import Record
from realtime.session_reader import Session, read_session
from realtime.session_remarks import Remark, Target, newest_remarks, read_remarks
from realtime.session_shelf import is_still_recording, read_title

Progress = Callable[[float], None]
"""Told how much is done, 0 to 1; ends the export by raising."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """One session, read once for all formats."""

    name: str
    """Of the session's folder; files are named after it."""
    session: Session
    remarks: tuple[Remark, ...]
    """All of them, in the order in which they were made."""
    standing: Mapping[Target, Remark]
    """The newest about each thing."""
    title: str
    made_at: str
    """When the session was read for the export, ISO 8601."""
    notes: tuple[str, ...]
    """What a reader of the export has to know: it was still being recorded, a line was cut off."""
    recordings: tuple[Path, ...] = ()
    """Folders where the video of the session may lie, besides where the session says."""

    def on_event(self, event: Record) -> Remark | None:
        """The remark that stands about an event."""
        return self.standing.get(("event", float(event["event_id"])))

    def on_rejected(self, number: int) -> Remark | None:
        """The remark that stands about a rejected movement.

        Args:
            number: 1-based, in the order of `rejected.jsonl`.
        """
        return self.standing.get(("rejected", float(number)))

    def on_moments(self) -> list[Remark]:
        """The remarks that stand about moments, in order of time."""
        found = [remark for (about, _), remark in self.standing.items() if about == "time"]
        return sorted(found, key=lambda remark: remark.time_s or 0.0)


def read_material(folder: Path, recordings: tuple[Path, ...] = ()) -> Material:
    """Read a session for export, also one that is still being recorded: what is there by now.

    Args:
        folder: of the session.
        recordings: folders where its video may lie, besides where the session says.

    Raises:
        BadInput: if the folder is no session or is damaged.
    """
    session = read_session(folder)
    remarks = read_remarks(folder)
    return Material(
        name=folder.resolve().name,
        session=session,
        remarks=remarks,
        standing=newest_remarks(remarks),
        title=read_title(folder),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        notes=(*_unfinished(session), *session.notes),
        recordings=recordings,
    )


def _unfinished(session: Session) -> tuple[str, ...]:
    if is_still_recording(session.folder, session.record):
        return ("the session was still being recorded: this is what there was by then",)
    if session.state == "interrupted":
        return ("the run was cut off before it could finish: this is everything that it reported",)
    return ()
