"""One JSON document a session: the record, every event and rejected movement with the remarks about it."""

from pathlib import Path, PurePath
from typing import Any

from realtime.export.material import Material, Progress
from realtime.json_lines import Record, as_json, without_password, write_atomically
from realtime.session_remarks import Remark

FORMAT = "onset-export/1"


def write(material: Material, folder: Path, progress: Progress) -> list[Path]:
    """Write `NAME.json`; spotted labels stay as they are, corrected ones stand beside them under `remark`.

    Args:
        material: the session.
        folder: where to.
        progress: told how much is done.
    """
    path = folder / f"{material.name}.json"
    write_atomically(path, as_json(as_document(material)))
    progress(1.0)
    return [path]


def as_document(material: Material) -> dict[str, Any]:
    """The document as JSON values."""
    session = material.session
    return {
        "format": FORMAT,
        "name": material.name,
        "title": material.title or None,
        "made_at": material.made_at,
        "notes": list(material.notes),
        "state": session.state,
        "session": _without_paths(session.record),
        "events": [{**event, "remark": _said(material.on_event(event))} for event in session.events],
        "rejected": [
            {"rejected_number": number, **movement, "remark": _said(material.on_rejected(number))}
            for number, movement in enumerate(session.rejected, start=1)
        ],
        "remarks": [remark.as_record() for remark in material.remarks],
    }


def _without_paths(record: Record) -> Record:
    """The record with names alone: where somebody keeps their files is no business of who gets the document."""
    source = without_password(str(record.get("source") or ""))
    name = source if "://" in source else PurePath(source).name
    described = record.get("source_format")
    told = {**described, "name": name} if isinstance(described, dict) and "name" in described else described
    return {**record, "source": name, **({} if described is None else {"source_format": told})}


def _said(remark: Remark | None) -> dict[str, Any] | None:
    return None if remark is None else {"label": remark.label, "note": remark.note, "made_at": remark.made_at}
