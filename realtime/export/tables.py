"""Comma-separated tables: events, rejected movements, remarks and signals, and one that explains every column.

UTF-8 with a byte order mark: without it Excel takes the text for another encoding; pandas and R's readr pass over it,
and in Python `encoding="utf-8-sig"` does. Values within a cell are separated by "; ".
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from realtime.export import columns
from realtime.export.material import Material, Progress
from realtime.json_lines import Record
from realtime.session_remarks import Remark
from realtime.signal_batches import open_signals
from realtime.signals import PARQUET_NAME, STREAM_NAME

ENCODING = "utf-8-sig"
_MARK = "\ufeff".encode()
_BETWEEN = "; "

Row = Mapping[str, Any]


def write(material: Material, folder: Path, progress: Progress) -> list[Path]:
    """Write `events.csv`, `rejected.csv`, `remarks.csv`, `signals.csv` where there are signals, and `columns.csv`.

    Args:
        material: the session.
        folder: where to.
        progress: told how much is done.

    Raises:
        BadInput: if the signals are damaged.
    """
    session = material.session
    classes = _classes(session.events)
    events = [_event_row(event, material.on_event(event), classes) for event in session.events]
    rejected = [
        _rejected_row(number, movement, material.on_rejected(number))
        for number, movement in enumerate(session.rejected, start=1)
    ]
    standing = set(material.standing.values())
    remarks = [{**remark.as_record(), "stands": "yes" if remark in standing else "no"} for remark in material.remarks]
    written = [
        _write_rows(folder / "events.csv", columns.event_columns(classes), events),
        _write_rows(folder / "rejected.csv", list(columns.REJECTED), rejected),
        _write_rows(folder / "remarks.csv", list(columns.REMARKS), remarks),
    ]
    progress(0.1)
    if any((session.folder / name).exists() for name in (PARQUET_NAME, STREAM_NAME)):
        written.append(_write_signals(folder / "signals.csv", session.folder, progress))
    legend = columns.legend(classes, [str(region) for region in session.record.get("regions") or ()])
    written.append(_write_rows(folder / "columns.csv", list(legend[0]), legend))
    progress(1.0)
    return written


def _write_rows(path: Path, names: Sequence[str], rows: Sequence[Row]) -> Path:
    with path.open("w", encoding=ENCODING, newline="") as file:
        table = csv.DictWriter(file, names, extrasaction="raise")
        table.writeheader()
        table.writerows(rows)
    return path


def _classes(events: Sequence[Record]) -> list[str]:
    """Every label that some event was given a probability of, in order of appearance."""
    return list(dict.fromkeys(str(label) for event in events for label in event.get("probabilities") or {}))


def _movement(movement: Record) -> dict[str, Any]:
    """What events and rejected movements have in common."""
    return {
        "face_id": movement["face_id"],
        **{f"{moment}_{unit}": movement[f"{moment}_{unit}"] for unit in ("s", "index") for moment in columns.MOMENTS},
        "duration_ms": round(1000 * (movement["offset_s"] - movement["onset_s"]), 3),
        "regions": _BETWEEN.join(movement["regions"]),
        "strength_px": movement["strength"],
        "threshold_px": movement["threshold"],
    }


def _event_row(event: Record, remark: Remark | None, classes: Sequence[str]) -> Row:
    probabilities = event.get("probabilities") or {}
    return {
        "event_id": event["event_id"],
        "kind": event["kind"],
        "label": event.get("label"),
        **_said(remark),
        **_movement(event),
        "description": event.get("description"),
        "action_units": _BETWEEN.join(_unit(unit) for unit in event.get("action_units") or ()),
        **{columns.probability(label): probabilities.get(label) for label in classes},
        "latency_ms": event.get("latency_ms"),
        "checkpoint": event.get("checkpoint"),
    }


def _rejected_row(number: int, movement: Record, remark: Remark | None) -> Row:
    return {"rejected_number": number, "reason": movement["reason"], **_said(remark), **_movement(movement)}


def _said(remark: Remark | None) -> dict[str, Any]:
    return {"corrected_label": remark and remark.label, "note": remark and remark.note}


def _unit(unit: Record) -> str:
    side = "" if unit["side"] == "both" else f" {unit['side']}"
    return f"AU{unit['unit']}{side} {unit['score']:.2f}"


def _write_signals(path: Path, folder: Path, progress: Progress) -> Path:
    with open_signals(folder) as signals, path.open("wb") as file:
        file.write(_MARK)
        flat = pa.schema([_flat_field(field) for field in signals.schema])
        done = 0
        options = pa_csv.WriteOptions(quoting_style="needed")
        with pa_csv.CSVWriter(file, flat, write_options=options) as table:
            for batch in signals.batches:
                table.write_batch(pa.record_batch([_flat(column) for column in batch.columns], schema=flat))
                done += batch.num_rows
                progress(0.1 + 0.85 * done / signals.rows if signals.rows else 0.5)
    return path


def _flat_field(field: pa.Field) -> pa.Field:
    return pa.field(field.name, pa.string()) if pa.types.is_list(field.type) else field


def _flat(column: pa.Array) -> pa.Array:
    """Lists as one text, and an empty cell where nothing could be measured."""
    if pa.types.is_list(column.type):
        return pc.binary_join(column, _BETWEEN)
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return column
