"""One card an event: its pictures, its curve, what moved and where to, and how sure the label is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Int64

from realtime.events import RegionalMovement
from realtime.json_lines import Record
from realtime.movement_words import SURE, listed, said, together
from realtime.report import curves
from realtime.report.embedding import Clip, Embedder
from realtime.report.wording import clock_time, milliseconds, short_time
from realtime.session_reader import Session
from realtime.signals import Signals

AROUND_S = 0.6
"""What a card's curve shows before the onset and after the offset, seconds."""
NAMED_REGIONS = 4
CLIP_MARGIN_S = 0.2
"""What a clip shows before the onset and after the offset, seconds."""
REST_S = 0.12
"""What comes this long before the onset is the rest that movement is told from."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture with what stands under it."""

    name: str
    caption: str
    alternative: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Movement of the event's regions around it."""

    path: str
    threshold: float
    """Percent of the height, from the top."""
    band: tuple[float, float]
    """Left edge and width of the event, percent."""
    apex: float
    """Percent of the width."""
    start: str
    end: str
    top_px: float


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that the card of one event shows."""

    number: int
    face_id: int
    label: str
    look: str
    """CSS class: the label, or "unlabelled"."""
    kind: str
    certainty: str
    time: str
    length: str
    frames: str
    strength: str
    threshold: str
    ratio: str
    latency: str
    probabilities: Sequence[tuple[str, float]]
    moved: Sequence[str]
    suggested: Sequence[str] | None
    """Action units that the movement suggests, in words; None where the session was recorded without them."""
    moments: Sequence[Picture]
    maps: Sequence[Picture]
    clip: Clip | None
    slower: str
    """How much slower than life the clip runs."""
    folder: str
    has_media: bool
    curve: Curve | None


def build_cards(session: Session, signals: Signals | None, embedder: Embedder) -> list[Card]:
    """Cards of all events, in order of time."""
    ordered = sorted(session.events, key=lambda event: event["onset_s"])
    rows_of_face = {} if signals is None else _rows_by_face(signals)
    return [_card(session, event, signals, rows_of_face, embedder) for event in ordered]


def _card(
    session: Session,
    event: Record,
    signals: Signals | None,
    rows_of_face: dict[int, Int64[np.ndarray, " rows"]],
    embedder: Embedder,
) -> Card:
    number, label = int(event["event_id"]), event.get("label")
    probabilities = {name: float(value or 0.0) for name, value in (event.get("probabilities") or {}).items()}
    folder = session.media(number)
    rows = rows_of_face.get(int(event["face_id"]), np.array([], np.int64))
    clip = embedder.clip(folder / "clip.mp4")
    return Card(
        number=number,
        face_id=int(event["face_id"]),
        label=str(label or "unlabelled"),
        look=str(label) if label in ("negative", "positive", "surprise") else "unlabelled",
        kind=str(event["kind"]),
        certainty=f"{probabilities[label]:.0%}" if label in probabilities else "",
        time=clock_time(event["onset_s"]),
        length=short_time(event["offset_s"] - event["onset_s"]),
        frames=f"{event['onset_index']} – {event['apex_index']} – {event['offset_index']}",
        strength=f"{event['strength']:.2f} px",
        threshold=f"{event['threshold']:.2f} px",
        ratio=f"{event['strength'] / max(event['threshold'], 1e-6):.1f}",
        latency=milliseconds(event.get("latency_ms")),
        probabilities=sorted(probabilities.items(), key=lambda item: -item[1]),
        moved=_moved(event),
        suggested=[_suggested(unit) for unit in event["action_units"]] if "action_units" in event else None,
        moments=_moments(event, folder, embedder),
        maps=_maps(event, folder, embedder),
        clip=clip,
        slower=_slower(event, clip),
        folder=f"events/{number:04d}",
        has_media=folder.is_dir(),
        curve=_curve(event, signals, rows),
    )


def _moments(event: Record, folder: Path, embedder: Embedder) -> list[Picture]:
    pictures = []
    for name in ("onset", "apex", "offset"):
        address = embedder.picture(folder / f"{name}.png")
        if address:
            time = clock_time(event[f"{name}_s"])
            words = f"The face at the {name} of event {event['event_id']}, {time}"
            pictures.append(Picture(name=name.capitalize(), caption=time, alternative=words, address=address))
    return pictures


def _maps(event: Record, folder: Path, embedder: Embedder) -> list[Picture]:
    wanted = (
        ("flow", "Movement", "", "Optical flow from onset to apex, colour by direction"),
        ("strain", "Strain", "", "Optical strain from onset to apex, bright where skin stretched"),
    )
    pictures = []
    for file, name, caption, words in wanted:
        address = embedder.picture(folder / f"{file}.png")
        if address:
            alternative = f"{words}, event {event['event_id']}"
            pictures.append(Picture(name=name, caption=caption, alternative=alternative, address=address))
    return pictures


def _slower(event: Record, clip: Clip | None) -> str:
    if clip is None:
        return ""
    times = clip.length_s / (event["offset_s"] - event["onset_s"] + 2 * CLIP_MARGIN_S)
    return f"{round(times)} times slower than life" if times > 1.4 else "about as fast as life"


def _rows_by_face(signals: Signals) -> dict[int, Int64[np.ndarray, " rows"]]:
    return {int(face): np.flatnonzero(signals.face_id == face) for face in np.unique(signals.face_id)}


def _course(
    event: Record, signals: Signals, rows: Int64[np.ndarray, " rows"], start_s: float, end_s: float
) -> tuple[Float64[np.ndarray, " part"], Float32[np.ndarray, "part regions 2"]]:
    """Time and movement of the event's regions, against their rest just before it."""
    columns = [signals.regions.index(name) for name in event["regions"] if name in signals.regions]
    onset_s = event["onset_s"]
    edges = (start_s, end_s, onset_s - AROUND_S, onset_s - REST_S)
    first, last, rest_first, rest_last = np.searchsorted(signals.time_s[rows], edges)
    rest = signals.displacement[rows[rest_first:rest_last]][:, columns]
    movement = signals.displacement[rows[first:last]][:, columns] - _median(rest)
    return signals.time_s[rows[first:last]], movement


def _median(rest: Float32[np.ndarray, "part regions 2"]) -> Float32[np.ndarray, "regions 2"]:
    """Median of what could be read; the neutral look, 0, where nothing could: the face came with the event."""
    middle = np.zeros(rest.shape[1:], np.float32)
    seen = np.isfinite(rest).any(axis=0)
    if len(rest):
        middle[seen] = np.nanmedian(rest[:, seen], axis=0)
    return middle


def _moved(event: Record) -> list[str]:
    """What moved, strongest first, in words: "right lip corner up and out, 1.7 px"."""
    movements = [
        RegionalMovement(region=one["region"], right_px=one["right_px"], down_px=one["down_px"])
        for one in event.get("movements") or ()
    ]
    words = list(said(movements))
    if not words:
        return together([str(name) for name in event["regions"]])
    named, rest = words[:NAMED_REGIONS], words[NAMED_REGIONS:]
    return [*map(str, named), *([f"also {listed(one.name for one in rest)}"] if rest else [])]


def _suggested(unit: Record) -> str:
    """An action unit in words: "AU12, lip corner puller, left side only (perhaps)"."""
    side = "" if unit["side"] == "both" else f", {unit['side']} side only"
    return f"AU{unit['unit']}, {unit['name']}{side}" + (" (perhaps)" if unit["score"] < SURE else "")


def _curve(event: Record, signals: Signals | None, rows: Int64[np.ndarray, " rows"]) -> Curve | None:
    if signals is None or len(rows) < 2:
        return None
    span = curves.Span(event["onset_s"] - AROUND_S, event["offset_s"] + AROUND_S)
    time_s, course = _course(event, signals, rows, span.start_s, span.end_s)
    if len(time_s) < 2 or not course.shape[1]:
        return None
    lengths = np.hypot(course[..., 0], course[..., 1]).astype(np.float64)
    strongest = np.where(np.isfinite(lengths).any(axis=1), np.fmax.reduce(lengths, axis=1), np.nan)
    tallest = float(np.max(strongest, where=np.isfinite(strongest), initial=0.0))
    top_px = 1.12 * max(tallest, 1.2 * float(event["threshold"]))
    left = span.percent(event["onset_s"])
    return Curve(
        path=curves.path(time_s, strongest, span, top_px, buckets=200),
        threshold=round(100 * (1 - float(event["threshold"]) / top_px), 2),
        band=(left, round(span.percent(event["offset_s"]) - left, 3)),
        apex=span.percent(event["apex_s"]),
        start=clock_time(span.start_s),
        end=clock_time(span.end_s),
        top_px=top_px,
    )
