"""From a session folder to `report.html`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Any

import jinja2
from markupsafe import Markup

from engines.errors import BadInput
from realtime.json_lines import without_password, write_atomically
from realtime.report import curves
from realtime.report.cards import build_cards
from realtime.report.conditions import face_conditions
from realtime.report.embedding import Embedder
from realtime.report.findings import RejectedGroup, Speed, advice, pace, rejected_groups, speeds, strongest_rejected
from realtime.report.remarks import remark_rows
from realtime.report.summary import Summary, summarise
from realtime.report.timeline import build_timeline
from realtime.report.wording import STATES, clock_time, counted, date, length
from realtime.session_reader import Session, read_session
from realtime.signals import Signals

REPORT_NAME = "report.html"
OPEN_CARDS = 30
"""Cards after these are folded, so that a long session stays quick to scroll."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What was watched, with what, and how the run ended."""

    name: str
    state: str
    state_look: str
    state_words: str
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str]


def write_report(session_folder: Path) -> Path:
    """Draw the report of a session: one page that needs nothing but itself.

    Args:
        session_folder: finished, stopped, failed or cut off.

    Returns:
        The page, `report.html` in the folder.

    Raises:
        BadInput: if the folder is no session, or the page cannot be written.
    """
    session = read_session(Path(session_folder))
    page = session.folder / REPORT_NAME
    try:
        write_atomically(page, render(session).encode())
    except OSError as error:
        raise BadInput(f"{page}: cannot be written ({error.strerror}); free some space") from error
    return page


def render(session: Session, embedder: Embedder | None = None) -> str:
    """The page as text.

    Args:
        session: as it was read.
        embedder: what to embed, up to which size.
    """
    signals, trouble = _signals(session)
    remarks, unread = remark_rows(session)
    rejected: list[RejectedGroup] = rejected_groups(session.rejected)
    speed: list[Speed] = speeds(session.record)
    summary: Summary = summarise(session, signals)
    return _template().render(
        header=_header(session, (*trouble, *unread)),
        summary=summary,
        advice=advice(session, summary),
        conditions=face_conditions(session),
        timeline=build_timeline(session, signals),
        cards=build_cards(session, signals, embedder or Embedder()),
        open_cards=OPEN_CARDS,
        rejected=rejected,
        remarks=remarks,
        strongest=strongest_rejected(session.rejected),
        speed=speed,
        pace=pace(session.record),
        versions=_pairs(session.record.get("versions")),
        width=curves.WIDTH,
        height=curves.HEIGHT,
        style=_asset("report.css") + _asset("conditions.css"),
        script=_asset("report.js"),
    )


def _signals(session: Session) -> tuple[Signals | None, tuple[str, ...]]:
    try:
        return session.signals(), ()
    except BadInput as error:
        return None, (str(error),)


def _header(session: Session, trouble: Sequence[str]) -> Header:
    record, frames = session.record, session.record.get("frames") or {}
    source = without_password(str(record.get("source") or "unknown source"))
    state, words = STATES.get(session.state, (session.state.capitalize(), ""))
    if record.get("reason"):
        words = f"{record['reason']}. {words}" if words else str(record["reason"])
    rate = record.get("frame_rate_hz")
    picture_format = _format(record.get("source_format"))
    read, dropped = int(frames.get("read") or 0), int(frames.get("dropped") or 0)
    return Header(
        # A path tells where somebody keeps their files: the page, which may be passed on, has the name alone.
        name=source if "://" in source else PurePath(source).name or source,
        state=state,
        state_look=session.state if session.state in STATES else "stopped",
        state_words=words,
        facts=[
            ("Recorded", date(record.get("started_at"))),
            ("Length", length(float(record.get("duration_s") or 0.0))),
            ("Frame rate", f"{rate:.1f} Hz" if rate else "not measured"),
            ("Frames", f"{read:,} read, {counted(dropped, 'dropped', 'dropped')}"),
            *([("Format", picture_format)] if picture_format else []),
            ("Checkpoint", str(record.get("checkpoint") or "none")),
            ("Backend", str(record.get("backend") or "none")),
            *([("Flow engine", str(record["flow_engine"]))] if record.get("flow_engine") else []),
        ],
        notes=[*session.notes, *trouble],
    )


def _format(described: object) -> str:
    """What the source said of itself, as far as it means something to a reader."""
    if not isinstance(described, Mapping):
        return str(described or "")
    size = f"{described['width']} × {described['height']}" if described.get("width") else ""
    return ", ".join(str(part) for part in (size, described.get("codec") or described.get("kind")) if part)


def _pairs(mapping: object) -> list[tuple[str, str]]:
    return [(str(key), str(value)) for key, value in mapping.items()] if isinstance(mapping, Mapping) else []


def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("realtime.report", "assets")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    filters: dict[str, Any] = {"clock": clock_time, "counted": counted}
    environment.filters.update(filters)
    return environment.get_template("report.html.j2")


def _asset(name: str) -> Markup:
    """A style sheet or script of ours, put into the page as it is."""
    return Markup((files("realtime.report") / "assets" / name).read_text(encoding="utf-8"))
