"""What people say about a session: corrected labels and notes, beside what was spotted and never instead of it."""

import itertools
import os
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from engines.errors import BadInput
from realtime.json_lines import Record, append_line, read_lines
from realtime.session_reader import EVENTS_NAME, REJECTED_NAME, is_session
from realtime.written_words import refuse_unseen

REMARKS_NAME = "remarks.jsonl"
LONGEST_LABEL = 80
LONGEST_NOTE = 4000

_writing = threading.Lock()

Target = tuple[str, float]
"""What a remark is about: ("event", number), ("rejected", number) or ("time", seconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One line of `remarks.jsonl`; of several about the same thing the newest counts."""

    remark_id: int
    """1-based number in the session."""
    made_at: str
    """When, ISO 8601 in UTC."""
    event_id: int | None = None
    """The event that it is about."""
    rejected_number: int | None = None
    """The rejected movement that it is about: the 1-based number of its line in `rejected.jsonl`."""
    time_s: float | None = None
    """The moment that it is about, seconds."""
    label: str | None = None
    """What a person calls the expression; None where the spotted label stands."""
    note: str = ""
    """Anything else, in words."""

    @property
    def target(self) -> Target:
        """What it is about."""
        if self.event_id is not None:
            return "event", float(self.event_id)
        if self.rejected_number is not None:
            return "rejected", float(self.rejected_number)
        return "time", float(self.time_s or 0.0)

    @property
    def empty(self) -> bool:
        """Whether it says nothing any more: what was said before is taken back."""
        return self.label is None and not self.note

    def as_record(self) -> dict[str, Any]:
        """The remark as a line of `remarks.jsonl`."""
        return asdict(self)


def read_remarks(folder: Path) -> tuple[Remark, ...]:
    """Every remark of a session in the order in which they were made; a last line that a crash cut off is left out.

    Raises:
        BadInput: if the file is there but cannot be read, or a line before the last is damaged.
    """
    path = folder / REMARKS_NAME
    if not path.exists():
        return ()
    records, _ = read_lines(path)
    return tuple(_remark(path, number, record) for number, record in enumerate(records, start=1))


def newest_remarks(remarks: Iterable[Remark]) -> dict[Target, Remark]:
    """What counts: the newest remark about each thing, without those that were taken back."""
    newest = {remark.target: remark for remark in remarks}
    return {target: remark for target, remark in newest.items() if not remark.empty}


def add_remark(
    folder: Path,
    *,
    event_id: int | None = None,
    rejected_number: int | None = None,
    time_s: float | None = None,
    label: str | None = None,
    note: str = "",
) -> Remark:
    """Write a remark about an event, a rejected movement or a moment; it is on the disk when this returns.

    Args:
        folder: of the session; nothing else in it is changed.
        event_id: the event, if it is about one.
        rejected_number: 1-based line of `rejected.jsonl`, if it is about a rejected movement.
        time_s: the moment, if it is about one, seconds.
        label: what the expression is called instead of the spotted label; None or "" leaves that as it is.
        note: anything else. Neither label nor note takes back what was said before.

    Returns:
        The remark, numbered and dated.

    Raises:
        BadInput: if the folder is no session, holds no such event, the words are too long or hold control characters,
            or the disk is full.
    """
    said = note.replace("\r\n", "\n").strip()  # some pages break lines so
    called = (label or "").strip() or None
    _check(folder, event_id, rejected_number, time_s)
    _check_words(called, said)
    with _writing:
        try:
            return _append(
                folder,
                event_id=event_id,
                rejected_number=rejected_number,
                time_s=time_s,
                label=called,
                note=said,
            )
        except OSError as fault:
            raise BadInput(
                f"{folder.name}: the remark cannot be written ({fault.strerror}); free some space and save it again"
            ) from fault


def set_remarks_aside(folder: Path) -> Path | None:
    """Keep the remarks on a session that is about to be replaced under another name: its events are others.

    Returns:
        Where they are now; None if there were none.
    """
    path = folder / REMARKS_NAME
    if not path.exists():
        return None
    aside = (folder / f"remarks-{number}.jsonl" for number in itertools.count(1))
    return path.rename(next(name for name in aside if not name.exists()))


def _append(folder: Path, **said: Any) -> Remark:
    path = folder / REMARKS_NAME
    number = len(read_remarks(folder)) + 1
    remark = Remark(remark_id=number, made_at=datetime.now(UTC).isoformat(timespec="milliseconds"), **said)
    with path.open("ab", buffering=0) as file:
        _end_last_line(path, file)
        append_line(file, remark.as_record(), sync=True)
    return remark


def _end_last_line(path: Path, file: BinaryIO) -> None:
    """A last line without its end was either written by hand, and gets one, or cut off by a crash, and goes."""
    content = path.read_bytes()
    if not content or content.endswith(b"\n"):
        return
    _, notes = read_lines(path)
    if notes:
        os.ftruncate(file.fileno(), content.rfind(b"\n") + 1)
    else:
        os.write(file.fileno(), b"\n")


def _check(folder: Path, event_id: int | None, rejected_number: int | None, time_s: float | None) -> None:
    if not is_session(folder):
        raise BadInput(f"{folder.name}: not a session folder; choose a session")
    if sum(one is not None for one in (event_id, rejected_number, time_s)) != 1:
        raise BadInput("remark: it must be about one event, one rejected movement or one moment; name exactly one")
    if event_id is not None and event_id not in {line.get("event_id") for line in _lines(folder / EVENTS_NAME)}:
        raise BadInput(f"{folder.name}: there is no event {event_id}; choose one of the list")
    if rejected_number is not None and not 1 <= rejected_number <= len(_lines(folder / REJECTED_NAME)):
        raise BadInput(f"{folder.name}: there is no rejected movement {rejected_number}; choose one of the list")
    if time_s is not None and not 0 <= time_s < 1e9:
        raise BadInput(f"remark: {time_s:g} s is no time in a recording; give seconds from its start")


def _check_words(label: str | None, note: str) -> None:
    if label is not None and len(label) > LONGEST_LABEL:
        raise BadInput(f"remark: a label of {len(label)} characters; give at most {LONGEST_LABEL}")
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"remark: a note of {len(note)} characters; give at most {LONGEST_NOTE}")
    refuse_unseen(label or "", what="remark: the label")
    refuse_unseen(note, what="remark: the note")


def _lines(path: Path) -> tuple[Record, ...]:
    return read_lines(path)[0] if path.exists() else ()


def _remark(path: Path, number: int, record: Record) -> Remark:
    known = {name: record[name] for name in Remark.__dataclass_fields__ if name in record}
    try:
        return Remark(**{"remark_id": number, "made_at": "", **known})
    except TypeError as fault:
        raise BadInput(f"{path}: line {number} is not a remark ({fault}); repair or remove that line") from fault
