"""What people said about a session as the page shows it: beside what was spotted, never instead of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from engines.errors import BadInput
from realtime.report.wording import clock_time, date
from realtime.session_reader import Session
from realtime.session_remarks import Remark, newest_remarks, read_remarks


@dataclass(frozen=True, kw_only=True)
class RemarkRow:
    """One remark that stands."""

    about: str
    target: str
    """Where a click leads; empty where there is no such place on the page."""
    time: str
    spotted: str
    corrected: str
    note: str
    made: str


def remark_rows(session: Session) -> tuple[list[RemarkRow], tuple[str, ...]]:
    """The newest remark about each thing, in order of time.

    Returns:
        The rows, and what could not be read, in words.
    """
    try:
        standing = newest_remarks(read_remarks(session.folder)).values()
    except BadInput as fault:
        return [], (str(fault),)
    rows = [_row(session, remark) for remark in standing]
    return [row for _, row in sorted(rows, key=lambda row: row[0])], ()


def _row(session: Session, remark: Remark) -> tuple[float, RemarkRow]:
    """The row, with its time to sort by."""
    about, target, spotted, time_s = "Moment", "", "", remark.time_s or 0.0
    if remark.event_id is not None:
        about, target = f"Event {remark.event_id}", f"event-{remark.event_id}"
        found = next((one for one in session.events if one["event_id"] == remark.event_id), None)
        spotted, time_s = str((found or {}).get("label") or "unlabelled"), float((found or {}).get("onset_s") or 0.0)
    elif remark.rejected_number is not None:
        about, spotted = f"Held back, number {remark.rejected_number}", "not reported"
        time_s = _onset_s(session.rejected, remark.rejected_number)
    return time_s, RemarkRow(
        about=about,
        target=target,
        time=clock_time(time_s),
        spotted=spotted,
        corrected=remark.label or "",
        note=remark.note,
        made=date(remark.made_at),
    )


def _onset_s(rejected: Sequence[dict[str, object]], number: int) -> float:
    return float(str(rejected[number - 1]["onset_s"])) if 1 <= number <= len(rejected) else 0.0
