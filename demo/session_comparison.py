"""Two or more sessions side by side; of the same recording, which events met which."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from engines.errors import BadInput
from realtime.conditions import REGION_GROUPS
from realtime.export.material import Material, read_material
from realtime.json_lines import Record, without_password
from realtime.report.wording import without_numbers
from trainers.metrics.interval_matching import MINIMUM_IOU, match_intervals

MOST = 8
"""Sessions that can be compared at once: more cannot be told apart."""
_SAME_LENGTH = 0.02
"""Two runs over one recording agree on its length to this share."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One session in the figures that can be compared."""

    name: str
    title: str
    source: str
    state: str
    started_at: str | None
    duration_s: float
    frame_rate_hz: float | None
    checkpoint: str | None
    sensitivity: float | None
    micro: int
    macro: int
    rejected: int
    micro_a_minute: float | None
    macro_a_minute: float | None
    rejected_a_minute: float | None
    labels: dict[str, int]
    """As they were spotted."""
    corrected: int
    """Events that a person called otherwise."""
    parts: dict[str, int]
    """Events in which brows, lids, nose, cheeks, mouth moved."""
    reasons: list[dict[str, Any]]
    """Why movements were rejected, the most frequent first: `reason`, as one of them has it, and `count`."""
    quality: int | None
    quality_word: str | None
    smallest_movement_px: float | None
    with_face: float | None
    """Share of the frames that showed a face."""
    events: list[dict[str, Any]]
    """For the timeline: `event_id`, `onset_s`, `apex_s`, `offset_s`, `kind`, `label`, `corrected_label`."""


def compare(folders: Sequence[Path]) -> dict[str, Any]:
    """Compare sessions.

    Args:
        folders: of the sessions; the first is what the others are held against.

    Returns:
        `sessions`, the `Figures` of each, and `pairings`, one for each further session that watched the same recording
        as the first: `with`, `met` (pairs of event numbers with their IoU and differences in ms), `only_first`,
        `only_other`, `agreement` (F1 of one against the other), `same_kind` and `same_label` (shares of what met).

    Raises:
        BadInput: if there are fewer than two or too many, one is named twice, or one cannot be read.
    """
    if not 2 <= len(folders) <= MOST:
        raise BadInput(f"compare: {len(folders)} sessions; choose 2 to {MOST}")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise BadInput("compare: a session was chosen twice; choose different ones")
    materials = [read_material(folder) for folder in folders]
    first, *others = materials
    return {
        "sessions": [vars(_figures(material)) for material in materials],
        "pairings": [
            _pairing(first, other) for other in others if same_recording(first.session.record, other.session.record)
        ],
        "minimum_iou": MINIMUM_IOU,
    }


def same_recording(first: Record, other: Record) -> bool:
    """Whether two sessions watched one recording: a file of the same name and length. Cameras never see a thing twice.

    Args:
        first: `session.json` of one.
        other: `session.json` of the other.
    """
    names = [_source_name(record) for record in (first, other)]
    kinds = [(record.get("source_format") or {}).get("kind", "video file") for record in (first, other)]
    if names[0] != names[1] or not names[0] or any(kind not in ("video file", "image folder") for kind in kinds):
        return False
    lengths_s = [float(record.get("duration_s") or 0.0) for record in (first, other)]
    if not all(lengths_s):  # one was cut off before it could say
        return True
    return abs(lengths_s[0] - lengths_s[1]) <= _SAME_LENGTH * max(lengths_s) + 0.1


def _source_name(record: Record) -> str:
    source = without_password(str(record.get("source") or ""))
    return source if "://" in source else PurePath(source).name


def _figures(material: Material) -> Figures:
    session, record = material.session, material.session.record
    conditions, frames = record.get("conditions") or {}, record.get("frames") or {}
    kinds = Counter(str(event["kind"]) for event in session.events)
    ends = [float(event["offset_s"]) for event in (*session.events, *session.rejected)]
    duration_s = float(record.get("duration_s") or max(ends, default=0.0))
    read = int(frames.get("read") or 0)
    return Figures(
        name=material.name,
        title=material.title,
        source=_source_name(record),
        state=session.state,
        started_at=record.get("started_at"),
        duration_s=duration_s,
        frame_rate_hz=record.get("frame_rate_hz"),
        checkpoint=record.get("checkpoint"),
        sensitivity=record.get("sensitivity"),
        micro=kinds["micro"],
        macro=kinds["macro"],
        rejected=len(session.rejected),
        micro_a_minute=_a_minute(kinds["micro"], duration_s),
        macro_a_minute=_a_minute(kinds["macro"], duration_s),
        rejected_a_minute=_a_minute(len(session.rejected), duration_s),
        labels=dict(Counter(str(event["label"]) for event in session.events if event.get("label")).most_common()),
        corrected=sum(1 for event in session.events if _corrected(material, event)),
        parts=_parts(session.events),
        reasons=_reasons(session.rejected),
        quality=conditions.get("quality"),
        quality_word=conditions.get("word"),
        smallest_movement_px=conditions.get("smallest_movement_px"),
        with_face=int(frames.get("with_face") or 0) / read if read else None,
        events=[_mark(material, event) for event in sorted(session.events, key=lambda one: float(one["onset_s"]))],
    )


def _a_minute(number: int, duration_s: float) -> float | None:
    return round(60 * number / duration_s, 2) if duration_s > 0 else None


def _parts(events: Sequence[Record]) -> dict[str, int]:
    return {
        part: sum(1 for event in events if not names.isdisjoint(event["regions"]))
        for part, names in REGION_GROUPS.items()
    }


def _reasons(rejected: Sequence[Record]) -> list[dict[str, Any]]:
    """Of several reasons for one movement the first counts; reasons that differ in their numbers alone are one."""
    by_kind: dict[str, list[str]] = {}
    for movement in rejected:
        reason = str(movement["reason"]).split("; ")[0]
        by_kind.setdefault(without_numbers(reason), []).append(reason)
    ordered = sorted(by_kind.values(), key=len, reverse=True)
    return [{"reason": reasons[0], "count": len(reasons)} for reasons in ordered]


def _corrected(material: Material, event: Record) -> str | None:
    remark = material.on_event(event)
    return remark.label if remark is not None else None


def _mark(material: Material, event: Record) -> dict[str, Any]:
    names = ("event_id", "face_id", "onset_s", "apex_s", "offset_s", "kind")
    told = {name: event[name] for name in names}
    return {**told, "label": event.get("label"), "corrected_label": _corrected(material, event)}


def _pairing(first: Material, other: Material) -> dict[str, Any]:
    ours, theirs = first.session.events, other.session.events
    matches = match_intervals([_span(event) for event in ours], [_span(event) for event in theirs])
    met = [_meeting(ours[one.truth], theirs[one.event], one.iou) for one in matches]
    found, used = {one.truth for one in matches}, {one.event for one in matches}
    return {
        "with": other.name,
        "met": sorted(met, key=lambda one: float(one["onset_s"])),
        "only_first": [event["event_id"] for place, event in enumerate(ours) if place not in found],
        "only_other": [event["event_id"] for place, event in enumerate(theirs) if place not in used],
        "agreement": round(2 * len(met) / (len(ours) + len(theirs)), 4) if ours or theirs else None,
        "same_kind": _share([one["same_kind"] for one in met]),
        "same_label": _share([one["same_label"] for one in met]),
    }


def _span(event: Record) -> tuple[float, float]:
    return float(event["onset_s"]), float(event["offset_s"])


def _meeting(ours: Record, theirs: Record, iou: float) -> dict[str, Any]:
    differences = {
        f"{moment}_difference_ms": round(1000 * (theirs[f"{moment}_s"] - ours[f"{moment}_s"]), 1)
        for moment in ("onset", "apex", "offset")
    }
    return {
        "first": ours["event_id"],
        "other": theirs["event_id"],
        "onset_s": ours["onset_s"],
        "iou": round(iou, 4),
        **differences,
        "kinds": [ours["kind"], theirs["kind"]],
        "labels": [ours.get("label"), theirs.get("label")],
        "same_kind": ours["kind"] == theirs["kind"],
        "same_label": ours.get("label") == theirs.get("label"),
    }


def _share(facts: Sequence[bool]) -> float | None:
    return round(sum(facts) / len(facts), 4) if facts else None
