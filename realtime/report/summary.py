"""A session in a few numbers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from realtime.json_lines import Record
from realtime.report.wording import counted, length
from realtime.session_reader import Session
from realtime.signals import NO_FACE, Signals

LABELS = ("negative", "positive", "surprise")


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many events have one label."""

    label: str
    look: str
    count: int
    percent: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the page says first."""

    headline: str
    micro: int
    macro: int
    rejected: int
    duration_s: float
    per_minute: str
    frames: int
    with_face: int
    face_percent: str
    shares: Sequence[Share]

    @property
    def events(self) -> int:
        """Micro and macro together."""
        return self.micro + self.macro


def summarise(session: Session, signals: Signals | None) -> Summary:
    """Count what a session holds; a run that was cut off is counted from its signals."""
    kinds = Counter(event["kind"] for event in session.events)
    duration_s, frames, with_face = _extent(session, signals)
    per_minute = 60 * kinds["micro"] / duration_s if duration_s > 0 else 0.0
    return Summary(
        headline=_headline(kinds["micro"], kinds["macro"], duration_s),
        micro=kinds["micro"],
        macro=kinds["macro"],
        rejected=len(session.rejected),
        duration_s=duration_s,
        per_minute=f"{per_minute:.1f}",
        frames=frames,
        with_face=with_face,
        face_percent=_percent(with_face, frames),
        shares=_shares(session.events),
    )


def _extent(session: Session, signals: Signals | None) -> tuple[float, int, int]:
    record = session.record
    frames = record.get("frames") or {}
    duration_s, read = float(record.get("duration_s") or 0.0), int(frames.get("read") or 0)
    if read or signals is None or not len(signals):
        return duration_s, read, int(frames.get("with_face") or 0)
    seen = np.unique(signals.index[signals.face_id != NO_FACE])
    return float(signals.time_s[-1] - signals.time_s[0]), len(np.unique(signals.index)), len(seen)


def _headline(micro: int, macro: int, duration_s: float) -> str:
    found = [counted(micro, "micro-expression")] if micro or not macro else []
    if macro:
        found.append(counted(macro, "macro-expression"))
    words = f"{' and '.join(found)} in {length(duration_s)}"
    return words[0].upper() + words[1:]


def _shares(events: Sequence[Record]) -> list[Share]:
    counts = Counter(str(event.get("label") or "unlabelled") for event in events)
    names = [*LABELS, *sorted(set(counts) - set(LABELS))] if counts else []
    return [
        Share(
            label=name,
            look=name if name in LABELS else "unlabelled",
            count=counts[name],
            percent=round(100 * counts[name] / len(events), 2),
        )
        for name in names
    ]


def _percent(part: int, whole: int) -> str:
    """Never "100 %" while something is missing, never "0 %" while something is there."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 99 < percent < 100 or 0 < percent < 1:
        return f"{min(percent, 99.9):.1f} %"
    return f"{percent:.0f} %"
