"""How good the conditions are under which one face is watched: one figure, what limits it, and what can be seen.

Seven aspects, each scored from 0 to 1, take their share off 100: light, distance, frame rate, motion, readability,
noise and calm. The figure only ever falls when one of them gets worse.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from realtime.condition_aspects import Aspect, Measures
from realtime.faces import landmarks as named
from realtime.spotting.baseline import Baseline

Word = Literal["good", "fair", "poor"]
GOOD_FROM, FAIR_FROM = 75, 45
"""The figure from which conditions are good, and from which they are fair."""
REGION_GROUPS: Mapping[str, frozenset[str]] = {
    "brows": named.BROW_REGIONS,
    "lids": named.LID_REGIONS,
    "nose": named.NOSE_REGIONS,
    "cheeks": named.CHEEK_REGIONS,
    "mouth": named.MOUTH_REGIONS,
}
_GROUP_ROWS = {
    group: [row for row, name in enumerate(named.REGION_NAMES) if name in names]
    for group, names in REGION_GROUPS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The conditions under which one face was watched, up to one moment."""

    face_id: int
    seen_s: float
    """How long the face was in view."""
    measures: Measures
    aspects: tuple[Aspect, ...]
    limits_px: Float32[np.ndarray, " regions"]
    """How far each region has to move to be noticed, the median over time, canthus-normalised pixels; NaN while
    unknown."""
    baseline_known_s: float | None
    """When the baseline was first known, seconds after the face was first seen."""
    baseline_first: Baseline | None
    """As it was then: of the first quiet seconds."""
    baseline_now: Baseline | None
    """As it stands."""

    @property
    def quality(self) -> int:
        """The one figure, 0–100: 100 times the product of all scores."""
        return round(100 * float(np.prod([aspect.score for aspect in self.aspects])))

    @property
    def word(self) -> Word:
        """The figure in a word."""
        return "good" if self.quality >= GOOD_FROM else "fair" if self.quality >= FAIR_FROM else "poor"

    @property
    def advice(self) -> tuple[str, ...]:
        """What to improve, what costs most first."""
        ordered = sorted(self.aspects, key=lambda aspect: aspect.score)
        return tuple(aspect.advice for aspect in ordered if aspect.advice)

    @property
    def smallest_px(self) -> float | None:
        """The smallest movement that can be seen, canthus-normalised pixels: the median of all regions' limits.

        It is what a region moves in a movement that is found half of the time. In 22 kinds of synthesised films
        (dark, noisy, moving, small, 15 to 100 Hz) that half lay at 0.9 to 1.13 times the limit, 1.06 at most of them;
        of the movements 0.8 to 1 times the limit 4 % were found, of those of 1 to 1.2 times 91 %. It fails for faces
        with canthi 16 px apart: the picture swallows much larger movements there.
        """
        return _median(self.limits_px)

    def smallest_by_group_px(self) -> dict[str, float | None]:
        """The same for brows, lids, nose, cheeks and mouth."""
        return {group: _median(self.limits_px[rows]) for group, rows in _GROUP_ROWS.items()}

    def in_words(self) -> str:
        """One line for a person: the figure, the smallest movement, and what to improve first."""
        words = f"conditions {self.word}, {self.quality} of 100"
        if self.smallest_px is not None:
            words += f"; movements from {self.smallest_px:.1f} px can be seen"
        return f"{words}. {self.advice[0]}" if self.advice else words

    def as_record(self) -> dict[str, Any]:
        """What `session.json` says of it, without a value that JSON does not know."""
        return {
            "face_id": self.face_id,
            "seen_s": round(self.seen_s, 3),
            "quality": self.quality,
            "word": self.word,
            "advice": list(self.advice),
            "aspects": {aspect.name: round(aspect.score, 3) for aspect in self.aspects},
            "measures": {name: _rounded(getattr(self.measures, name)) for name in Measures.__dataclass_fields__},
            "smallest_movement_px": {
                "overall": _rounded(self.smallest_px),
                **{group: _rounded(smallest) for group, smallest in self.smallest_by_group_px().items()},
            },
            "baseline": self._baseline_record(),
        }

    def _baseline_record(self) -> dict[str, Any]:
        first, now = _regions_record(self.baseline_first), _regions_record(self.baseline_now)
        return {
            "known_after_s": _rounded(self.baseline_known_s),
            "regions": {
                name: {"first": then, "now": at_last}
                for name, then, at_last in zip(named.REGION_NAMES, first, now, strict=True)
            },
        }


def _regions_record(baseline: Baseline | None) -> list[dict[str, Any] | None]:
    if baseline is None:
        return [None] * len(named.REGION_NAMES)
    rows = zip(baseline.noise_px.tolist(), baseline.neutral_px.tolist(), strict=True)
    return [{"noise_px": _rounded(noise), "neutral_px": [_rounded(x), _rounded(y)]} for noise, (x, y) in rows]


def session_record(faces: Sequence[Conditions]) -> dict[str, Any] | None:
    """The field "conditions" of `session.json`: the figures of the face that was seen longest, and all faces.

    Args:
        faces: the one seen longest first.

    Returns:
        The record; None without a face.
    """
    if not faces:
        return None
    return {
        "quality": faces[0].quality,
        "word": faces[0].word,
        "smallest_movement_px": _rounded(faces[0].smallest_px),
        "advice": list(faces[0].advice),
        "faces": [face.as_record() for face in faces],
    }


def _median(values: Float32[np.ndarray, " any"]) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else None


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), 4)
