"""The conditions of a session as the page shows them: the figure, what limits it, what can be seen, the baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realtime.session_reader import Session

_LOOKS = ("good", "fair", "poor")
_SEEN = {
    "brows": "Brows",
    "lids": "Lids",
    "nose": "Nose wings",
    "cheeks": "Cheeks",
    "mouth": "Mouth and chin",
}


@dataclass(frozen=True, kw_only=True)
class RegionRow:
    """The baseline of one region, first and last."""

    name: str
    noise: str
    noise_now: str
    neutral: str
    neutral_now: str


@dataclass(frozen=True, kw_only=True)
class FaceConditions:
    """How well one face could be watched."""

    face_id: int
    quality: int
    word: str
    look: str
    advice: Sequence[str]
    aspects: Sequence[tuple[str, float]]
    """Name and score, percent."""
    smallest: str
    """The smallest movement that can be seen; empty where it is not known."""
    by_group: Sequence[tuple[str, str]]
    known: str
    """When the baseline was known, in words."""
    regions: Sequence[RegionRow]


def face_conditions(session: Session) -> list[FaceConditions]:
    """The conditions of every face, the one seen longest first; none in sessions that say nothing of them."""
    conditions = session.record.get("conditions")
    faces = conditions.get("faces") if isinstance(conditions, Mapping) else None
    return [_face(face) for face in faces or () if isinstance(face, Mapping)]


def _face(face: Mapping[str, Any]) -> FaceConditions:
    word, smallest = str(face.get("word") or ""), face.get("smallest_movement_px") or {}
    baseline = face.get("baseline") or {}
    known_s = baseline.get("known_after_s")
    return FaceConditions(
        face_id=int(face.get("face_id") or 0),
        quality=int(face.get("quality") or 0),
        word=word,
        look=word if word in _LOOKS else "poor",
        advice=[str(words) for words in face.get("advice") or ()],
        aspects=[(str(name), round(100 * float(score), 1)) for name, score in (face.get("aspects") or {}).items()],
        smallest=_px(smallest.get("overall"), ""),
        by_group=[(words, _px(smallest.get(group))) for group, words in _SEEN.items()],
        known=f"{known_s:.1f} s after the face was first seen" if known_s is not None else "",
        regions=[_row(name, row) for name, row in (baseline.get("regions") or {}).items()],
    )


def _row(name: str, row: Mapping[str, Any]) -> RegionRow:
    first, now = row.get("first") or {}, row.get("now") or {}
    return RegionRow(
        name=name,
        noise=_px(first.get("noise_px")),
        noise_now=_px(now.get("noise_px")),
        neutral=_place(first.get("neutral_px")),
        neutral_now=_place(now.get("neutral_px")),
    )


def _px(value: float | None, unknown: str = "–") -> str:
    return unknown if value is None else f"{value:.2f} px"


def _place(place: Sequence[float | None] | None) -> str:
    if place is None or None in place:
        return "–"
    return ", ".join(f"{value:+.2f}" for value in place if value is not None)
