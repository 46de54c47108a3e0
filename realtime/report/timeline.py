"""The timeline: how each part of the face moved, what was reported and what was not, and where nothing was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from realtime.json_lines import Record
from realtime.report import curves
from realtime.report.wording import GATES, clock_time, short_time
from realtime.session_reader import Session
from realtime.signals import NO_FACE, Signals

LANES: Mapping[str, tuple[str, ...]] = {
    "Brows": ("brow",),
    "Eyelids": ("lid",),
    "Nose": ("nose",),
    "Cheeks": ("cheek",),
    "Mouth": ("lip", "mouth"),
    "Chin": ("chin", "jaw"),
}
"""Lanes from forehead to chin, and the words in a region's name that put it there."""
READ_OUT_BUCKETS = 1000
_LONGEST_MARKS = 2000


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One curve of the timeline."""

    name: str
    path: str
    threshold: str
    values: list[float | None]
    """For the read-out: the highest in each of `READ_OUT_BUCKETS`."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A stretch of the timeline that means something."""

    left: float
    """Percent of the width."""
    width: float
    """Percent of the width."""
    look: str
    """CSS class."""
    title: str
    target: str = ""
    """Where a click leads."""
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """All that the timeline shows."""

    span: curves.Span
    top_px: float
    """Movement at the upper edge of a lane, canthus-normalised pixels."""
    cut: bool
    """Whether some movement is higher than that."""
    lanes: Sequence[Lane]
    events: Sequence[Mark]
    rejected: Sequence[Mark]
    unseen: Sequence[Mark]
    gates: Sequence[Mark]
    ticks: Sequence[tuple[float, str]]
    faces: int

    def read_out(self) -> dict[str, Any]:
        """What the page's script needs to read values off the curves."""
        return {
            "start": round(self.span.start_s, 3),
            "length": round(self.span.length_s, 3),
            "lanes": [lane.values for lane in self.lanes],
        }


def build_timeline(session: Session, signals: Signals | None) -> Timeline:
    """Draw the timeline of a session; without signals it has events only."""
    span = _span(session, signals)
    threshold = np.array([]) if signals is None else signals.threshold.astype(np.float64)
    top_px = _top(session.events, signals, threshold)
    lanes, tallest = _lanes(signals, span, top_px)
    ordered = sorted(session.events, key=lambda event: event["onset_s"])
    return Timeline(
        span=span,
        top_px=top_px,
        cut=tallest > 1.02 * top_px,
        lanes=lanes,
        events=[_event_mark(event, span) for event in ordered],
        rejected=[_rejected_mark(movement, span) for movement in session.rejected[:_LONGEST_MARKS]],
        unseen=[] if signals is None else _unseen(signals, span),
        gates=[] if signals is None else _gates(signals, span),
        ticks=_ticks(span),
        faces=0 if signals is None else len(set(signals.face_id.tolist()) - {NO_FACE}),
    )


def movement_px(signals: Signals, regions: Sequence[str]) -> Float64[np.ndarray, " rows"]:
    """Movement of the region that moves most, row by row; NaN where none can be read."""
    columns = [place for place, name in enumerate(signals.regions) if name in regions]
    chosen = signals.displacement[:, columns].astype(np.float64)
    lengths = np.hypot(chosen[..., 0], chosen[..., 1])
    seen = np.isfinite(lengths)
    return np.where(seen.any(axis=1), np.where(seen, lengths, -1.0).max(axis=1, initial=-1.0), np.nan)


def lane_regions(regions: Sequence[str]) -> dict[str, list[str]]:
    """Which regions each lane shows; a region of an unknown part gets the lane "Elsewhere"."""
    found: dict[str, list[str]] = {}
    for name, words in LANES.items():
        found[name] = [region for region in regions if any(word in region for word in words)]
    known = {region for members in found.values() for region in members}
    found["Elsewhere"] = [region for region in regions if region not in known]
    return {name: members for name, members in found.items() if members}


def _span(session: Session, signals: Signals | None) -> curves.Span:
    ends = [float(session.record.get("duration_s") or 0.0)]
    ends += [record["offset_s"] for record in (*session.events, *session.rejected)]
    start = 0.0
    if signals is not None and len(signals):
        start, last = float(signals.time_s[0]), float(signals.time_s[-1])
        ends.append(last)
    return curves.Span(start, max(*ends, start + 0.1))


def _top(events: Sequence[Record], signals: Signals | None, threshold: Float64[np.ndarray, " rows"]) -> float:
    """A micro-expression fills a lane; a macro-expression may be cut, or it would flatten all the others."""
    micro = [event["strength"] for event in events if event["kind"] == "micro"]
    tallest = max(micro or [event["strength"] for event in events], default=0.0)
    usual = float(np.nanmedian(threshold)) if np.isfinite(threshold).any() else 0.8
    if not tallest and signals is not None and np.isfinite(signals.strength).any():
        tallest = float(np.nanpercentile(signals.strength, 99.9))
    return max(1.8 * usual, 1.15 * min(tallest, 20.0 * usual))


def _lanes(signals: Signals | None, span: curves.Span, top_px: float) -> tuple[list[Lane], float]:
    if signals is None or not len(signals):
        return [], 0.0
    shown = {"Strength": signals.strength.astype(np.float64)}
    shown |= {name: movement_px(signals, members) for name, members in lane_regions(signals.regions).items()}
    threshold = signals.threshold.astype(np.float64)
    time_s, threshold = _strongest_face(signals, threshold)
    lanes, tallest = [], 0.0
    for name, values in shown.items():
        time_s, values = _strongest_face(signals, values)
        tallest = max(tallest, float(np.max(values, where=np.isfinite(values), initial=0.0)))
        limit = curves.path(time_s, threshold, span, top_px, buckets=400, filled=False)
        lanes.append(
            Lane(
                name=name,
                path=curves.path(time_s, values, span, top_px),
                threshold=limit if name == "Strength" else "",
                values=curves.highest(time_s, values, span, READ_OUT_BUCKETS),
            )
        )
    return lanes, tallest


def _strongest_face(
    signals: Signals, values: Float64[np.ndarray, " rows"]
) -> tuple[Float64[np.ndarray, " frames"], Float64[np.ndarray, " frames"]]:
    """One value a frame: the highest of all faces in it."""
    starts = np.flatnonzero(np.diff(signals.index, prepend=signals.index[0] - 1))
    return signals.time_s[starts], np.fmax.reduceat(values, starts)


def _event_mark(event: Record, span: curves.Span) -> Mark:
    label = event.get("label") or "unlabelled"
    kind = str(event["kind"])
    title = (
        f"Event {event['event_id']}: {label}, {kind}-expression at {clock_time(event['onset_s'])}, "
        f"{short_time(event['offset_s'] - event['onset_s'])}"
    )
    return _mark(
        event["onset_s"],
        event["offset_s"],
        span,
        look="macro" if kind == "macro" else str(label),
        title=title,
        target=f"event-{event['event_id']}",
        number=int(event["event_id"]),
    )


def _rejected_mark(movement: Record, span: curves.Span) -> Mark:
    title = f"Not reported, {clock_time(movement['onset_s'])}: {movement['reason']}"
    return _mark(movement["onset_s"], movement["offset_s"], span, look="rejected", title=title)


def _unseen(signals: Signals, span: curves.Span) -> list[Mark]:
    """Frames without a face, and stretches without a frame at all."""
    gap_s = max(0.3, span.length_s / 2000)
    lost = curves.intervals(signals.time_s, signals.face_id == NO_FACE, gap_s)
    marks = [
        _mark(start, end, span, look="unseen", title=f"No face from {clock_time(start)} to {clock_time(end)}")
        for start, end in lost
    ]
    jumps = np.flatnonzero(np.diff(signals.time_s) > gap_s)
    for before, after in zip(signals.time_s[jumps], signals.time_s[jumps + 1], strict=True):
        title = f"No picture from {clock_time(before)} to {clock_time(after)}"
        marks.append(_mark(before, after, span, look="unseen", title=title))
    return marks


def _gates(signals: Signals, span: curves.Span) -> list[Mark]:
    names = {gate for row in signals.gates for gate in row} - {"no-face"}
    marks = []
    for name in sorted(names):
        on = np.array([name in row for row in signals.gates], bool)
        for start, end in curves.intervals(signals.time_s, on, max(0.1, span.length_s / 1000)):
            title = f"{GATES.get(name, name)}, {clock_time(start)} to {clock_time(end)}"
            marks.append(_mark(start, end, span, look=name, title=title))
    return marks[:_LONGEST_MARKS]


def _ticks(span: curves.Span) -> list[tuple[float, str]]:
    times = curves.ticks(span)
    decimals = 0 if all(float(time).is_integer() for time in times) else 2
    return [(span.percent(time), clock_time(time, decimals=decimals)) for time in times]


def _mark(
    start_s: float, end_s: float, span: curves.Span, *, look: str, title: str, target: str = "", number: int = 0
) -> Mark:
    left = span.percent(start_s)
    width = round(span.percent(end_s) - left, 3)
    return Mark(left=left, width=width, look=look, title=title, target=target, number=number)
