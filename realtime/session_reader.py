"""A session folder read back, for the report, for scoring and for whoever scripts against it."""

import json
from dataclasses import dataclass
from pathlib import Path

from engines.errors import BadInput
from realtime.json_lines import Record, read_lines
from realtime.signals import Signals, read_signals

FORMAT = "onset-session/1"
SESSION_NAME = "session.json"
EVENTS_NAME = "events.jsonl"
REJECTED_NAME = "rejected.jsonl"
MEDIA_NAME = "events"
REPORT_NAME = "report.html"


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session folder as it was read."""

    folder: Path
    state: str
    """"complete", "stopped" or "failed"; "interrupted" where the run was killed before it could say."""
    record: Record
    """`session.json`."""
    events: tuple[Record, ...]
    """Lines of `events.jsonl`, in order of settling."""
    rejected: tuple[Record, ...]
    """Lines of `rejected.jsonl`."""
    notes: tuple[str, ...]
    """What could not be read, in words."""

    def signals(self) -> Signals:
        """Read the signals; some 200 bytes of memory a row.

        Raises:
            BadInput: if they are missing.
        """
        return read_signals(self.folder)

    def media(self, event_id: int) -> Path:
        """Where the pictures of an event lie, if they were written."""
        return self.folder / MEDIA_NAME / f"{event_id:04d}"


def read_session(folder: Path) -> Session:
    """Read a session folder, also one whose run was killed or is still going on.

    Raises:
        BadInput: if the folder is no session or a line in its middle is damaged.
    """
    folder = Path(folder)
    try:
        record = json.loads((folder / SESSION_NAME).read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput(f"{folder}: no readable {SESSION_NAME}; expected a session folder") from error
    if not isinstance(record, dict) or "state" not in record:
        raise BadInput(f"{folder / SESSION_NAME}: has no state; expected a session folder")
    events, event_notes = _lines_if_any(folder / EVENTS_NAME)
    rejected, rejected_notes = _lines_if_any(folder / REJECTED_NAME)
    state = str(record["state"])
    return Session(
        folder=folder,
        state="interrupted" if state == "recording" else state,
        record=record,
        events=events,
        rejected=rejected,
        notes=(*event_notes, *rejected_notes),
    )


def _lines_if_any(path: Path) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """A run killed in its first moment may not have come to make the file."""
    return read_lines(path) if path.exists() else ((), ())


def is_session(folder: Path) -> bool:
    """Whether a folder was written by `SessionWriter`."""
    try:
        record = json.loads((folder / SESSION_NAME).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and str(record.get("format", "")).startswith("onset-session/")
