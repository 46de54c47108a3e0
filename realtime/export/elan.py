"""Annotations for ELAN: a tier for each kind of expression with what belongs to it under it, rejected ones, notes.

Times are milliseconds of the recording. A tier cannot hold two annotations at once, so that what overlaps goes to a
second tier of the same kind, "micro 2"; a second face has tiers of its own, "micro, face 2".

Reference:
    Wittenburg et al., ELAN: a professional framework for multimodality research, LREC 2006.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from pympi.Elan import Eaf

from realtime.export.annotated_video import MADE_VIDEO
from realtime.export.material import Material, Progress
from realtime.json_lines import Record, without_password
from realtime.session_frames import find_footage
from realtime.session_remarks import Remark
from realtime.written_words import for_xml

_KINDS = ("micro", "macro")
_UNDER = ("label", "corrected label", "note", "regions", "action units", "strength")
"""What stands under each expression, a tier each, symbolically associated with it."""
_APEX = "apex"
_MIME_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
}
_ASSOCIATED, _WITHIN = "associated", "within"


@dataclass(kw_only=True)
class _Annotation:
    """What is said about a stretch of time, and what stands under it."""

    start_ms: int
    end_ms: int
    value: str
    apex_ms: int | None = None
    under: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.value = for_xml(self.value)
        self.under = {name: for_xml(words) for name, words in self.under.items()}


def write(material: Material, folder: Path, progress: Progress) -> list[Path]:
    """Write `NAME.eaf`, linked with the annotated video where that lies beside it, else with the source.

    Args:
        material: the session.
        folder: where to.
        progress: told how much is done.
    """
    path = folder / f"{material.name}.eaf"
    path.unlink(missing_ok=True)  # pympi would keep an older one as .bak
    as_document(material, folder).to_file(str(path))
    progress(1.0)
    return [path]


def as_document(material: Material, folder: Path) -> Eaf:
    """The annotations as a document of pympi.

    Args:
        material: the session.
        folder: where the document is going to lie; the link to the video is relative to it.
    """
    document = Eaf(author="Onset")
    document.add_linguistic_type(_ASSOCIATED, constraints="Symbolic_Association", timealignable=False)
    document.add_linguistic_type(_WITHIN, constraints="Included_In")
    for tier, annotations in _tiers(material).items():
        _add_tier(document, tier, annotations)
    document.remove_tier("default")
    _order_time(document)
    _link(document, material, folder)
    for name, value in _properties(material).items():
        document.add_property(name, value)
    return document


def _tiers(material: Material) -> dict[str, list[_Annotation]]:
    """Tiers by name; the four that always are there come first, also where they are empty."""
    session = material.session
    tiers: dict[str, list[_Annotation]] = {"micro": [], "macro": [], "rejected": [], "notes": []}
    for event in sorted(session.events, key=lambda one: one["onset_s"]):
        kind = str(event["kind"]) if event["kind"] in _KINDS else "macro"
        _put(tiers, _of_face(kind, event), _expression(event, material.on_event(event)))
    numbered = sorted(enumerate(session.rejected, start=1), key=lambda one: float(one[1]["onset_s"]))
    for number, movement in numbered:
        _put(tiers, _of_face("rejected", movement), _rejected(movement, material.on_rejected(number)))
    for remark in material.on_moments():
        start_ms = round(1000 * (remark.time_s or 0.0))
        value = ": ".join(words for words in (remark.label, remark.note) if words)
        _put(tiers, "notes", _Annotation(start_ms=start_ms, end_ms=start_ms + 100, value=value))
    return tiers


def _of_face(tier: str, movement: Record) -> str:
    return tier if int(movement["face_id"]) <= 1 else f"{tier}, face {movement['face_id']}"


def _put(tiers: dict[str, list[_Annotation]], name: str, annotation: _Annotation) -> None:
    """Into the first tier of that name that is free then; annotations come in order of their starts."""
    number = 1
    while True:
        row = tiers.setdefault(name if number == 1 else f"{name} {number}", [])
        if not row or row[-1].end_ms <= annotation.start_ms:
            row.append(annotation)
            return
        number += 1


def _expression(event: Record, remark: Remark | None) -> _Annotation:
    label = event.get("label")
    chance = (event.get("probabilities") or {}).get(label)
    under = {
        "label": "" if label is None else str(label) if chance is None else f"{label} {chance:.0%}",
        "corrected label": (remark and remark.label) or "",
        "note": (remark and remark.note) or "",
        "regions": ", ".join(event["regions"]),
        "action units": ", ".join(f"AU{unit['unit']}" for unit in event.get("action_units") or ()),
        "strength": f"{event['strength']:.2f} px",
    }
    value = f"{event['event_id']} {label or event['kind']}"
    return _annotation(event, value, {name: words for name, words in under.items() if words})


def _rejected(movement: Record, remark: Remark | None) -> _Annotation:
    said = [str(movement["reason"]), *((words for words in (remark.label, remark.note) if words) if remark else ())]
    return _annotation(movement, " | ".join(said), {})


def _annotation(movement: Record, value: str, under: dict[str, str]) -> _Annotation:
    start_ms, apex_ms, end_ms = (round(1000 * movement[f"{moment}_s"]) for moment in ("onset", "apex", "offset"))
    # ELAN knows no moments: what lasts no millisecond is given one.
    end_ms = max(end_ms, start_ms + 1)
    return _Annotation(start_ms=start_ms, end_ms=end_ms, value=value, apex_ms=min(apex_ms, end_ms - 1), under=under)


def _add_tier(document: Eaf, tier: str, annotations: Sequence[_Annotation]) -> None:
    document.add_tier(tier)
    for annotation in annotations:
        document.add_annotation(tier, annotation.start_ms, annotation.end_ms, annotation.value)
    kind = tier.split(",")[0].split(" ")[0]
    if kind not in _KINDS:
        return
    document.add_tier(f"{tier}: {_APEX}", ling=_WITHIN, parent=tier)
    for annotation in annotations:
        if annotation.apex_ms is not None:
            document.add_annotation(f"{tier}: {_APEX}", annotation.apex_ms, annotation.apex_ms + 1, _APEX)
    for name in _UNDER:
        document.add_tier(f"{tier}: {name}", ling=_ASSOCIATED, parent=tier)
        for annotation in annotations:
            if name in annotation.under:
                middle_ms = (annotation.start_ms + annotation.end_ms) // 2
                document.add_ref_annotation(f"{tier}: {name}", tier, middle_ms, annotation.under[name])


def _order_time(document: Eaf) -> None:
    """Number the time slots in order of time, as ELAN itself writes them."""
    ordered = sorted(document.timeslots.items(), key=lambda slot: (slot[1], int(slot[0].removeprefix("ts"))))
    names = {old: f"ts{number}" for number, (old, _) in enumerate(ordered, start=1)}
    document.timeslots = {names[old]: time_ms for old, time_ms in ordered}
    for aligned, *_ in document.tiers.values():
        for number, (start, end, value, drawing) in aligned.items():
            aligned[number] = (names[start], names[end], value, drawing)


def _link(document: Eaf, material: Material, folder: Path) -> None:
    """Link the video by a relative path: where it was recorded is nobody's business, and moves with the export."""
    made = folder / MADE_VIDEO.format(name=material.name)
    if made.exists():
        name = made.name
    else:
        footage = find_footage(material.session, material.recordings)
        source = without_password(str(material.session.record.get("source") or ""))
        name = PurePath(source).name if footage.path is None else footage.path.name
    name = for_xml(name)
    if Path(name).suffix:
        mime_type = _MIME_TYPES.get(Path(name).suffix.lower(), "video/*")
        document.add_linked_file(f"./{name}", relpath=f"./{name}", mimetype=mime_type)


def _properties(material: Material) -> dict[str, str]:
    record = material.session.record
    described = {
        "onset-session": material.name,
        "title": material.title,
        "recorded": str(record.get("started_at") or ""),
        "checkpoint": str(record.get("checkpoint") or ""),
        "exported": material.made_at,
        "remark": "; ".join(material.notes),
    }
    return {name: for_xml(value) for name, value in described.items() if value}
