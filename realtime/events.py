"""A spotted expression, a rejected movement, and the arithmetic of their intervals."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from realtime.clock import NANOSECONDS, to_seconds

Kind = Literal["micro", "macro"]
Side = Literal["both", "left", "right"]
"""Of the face, the subject's."""


def intersection_over_union(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Overlap of two closed intervals divided by their union, 0 to 1; any one unit of time.

    Intervals of zero length overlap fully when equal and not at all otherwise.
    """
    overlap = min(first[1], second[1]) - max(first[0], second[0])
    union = max(first[1], second[1]) - min(first[0], second[0])
    if union <= 0:
        return 1.0
    return max(0.0, overlap) / union


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionalMovement:
    """Where one facial region went, from its rest before the onset to the apex."""

    region: str
    """Plain words, the subject's left and right."""
    right_px: float
    """Towards the image's right, canthus-normalised pixels."""
    down_px: float
    """Down, same unit."""

    @property
    def amplitude_px(self) -> float:
        """Length of the way, same unit."""
        return math.hypot(self.right_px, self.down_px)

    def as_record(self) -> dict[str, Any]:
        """The movement as it stands in a line of `events.jsonl`."""
        return {**asdict(self), "amplitude_px": self.amplitude_px}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedUnit:
    """An action unit that a movement looks like."""

    unit: int
    """Number in the Facial Action Coding System."""
    name: str
    side: Side
    score: float
    """How much speaks for the unit among all the sets of units that were tried, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionEvent:
    """A facial movement with its onset, apex and offset; label and probabilities are filled in by recognition."""

    face_id: int
    onset_index: int
    apex_index: int
    offset_index: int
    onset_ns: int
    apex_ns: int
    offset_ns: int
    kind: Kind
    regions: tuple[str, ...]
    """Names of the facial regions that moved, strongest first."""
    strength: float
    """Peak movement over the regions that moved, canthus-normalised pixels (inner canthi 64 px apart)."""
    threshold: float
    """What `strength` had to exceed, same unit."""
    settled_index: int
    """Frame at which the event became certain."""
    settled_captured_ns: int
    """Monotonic clock at the capture of that frame."""
    movements: tuple[RegionalMovement, ...] = ()
    """Where each of `regions` went, strongest first; one that could not be read at the apex is left out."""
    action_units: tuple[SuggestedUnit, ...] = ()
    """What the movement of the whole face suggests, lowest number first; none where no few units account for it."""
    description: str = ""
    """Movements and action units in words: "left lip corner up and out, 1.6 px: AU12, one-sided"."""
    event_id: int = 0
    """1-based number in the session, in the order of settling; 0 until the session gives it."""
    label: str | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    checkpoint: str | None = None
    latency_ms: float | None = None
    """From the capture of the settling frame to the event's line on disk."""

    def __post_init__(self) -> None:
        """Hold the order of the three frames."""
        if not self.onset_ns <= self.apex_ns <= self.offset_ns:
            raise ValueError(f"onset {self.onset_ns}, apex {self.apex_ns}, offset {self.offset_ns}: out of order")

    @property
    def duration_s(self) -> float:
        """Onset to offset, seconds."""
        return (self.offset_ns - self.onset_ns) / NANOSECONDS

    def as_record(self) -> dict[str, Any]:
        """The event as a line of `events.jsonl`."""
        return {
            "event_id": self.event_id,
            **_movement_record(self),
            "kind": self.kind,
            "movements": [movement.as_record() for movement in self.movements],
            "action_units": [asdict(unit) for unit in self.action_units],
            "description": self.description,
            "label": self.label,
            "probabilities": dict(self.probabilities),
            "latency_ms": self.latency_ms,
            "checkpoint": self.checkpoint,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedMovement:
    """A candidate movement that was not reported, with the reason in words."""

    face_id: int
    onset_index: int
    apex_index: int
    offset_index: int
    onset_ns: int
    apex_ns: int
    offset_ns: int
    regions: tuple[str, ...]
    strength: float
    threshold: float
    reason: str

    def as_record(self) -> dict[str, Any]:
        """The movement as a line of `rejected.jsonl`."""
        return {**_movement_record(self), "reason": self.reason}


def _movement_record(movement: ExpressionEvent | RejectedMovement) -> dict[str, Any]:
    """What events and rejected movements have in common, for JSON."""
    return {
        "face_id": movement.face_id,
        "onset_index": movement.onset_index,
        "apex_index": movement.apex_index,
        "offset_index": movement.offset_index,
        "onset_s": to_seconds(movement.onset_ns),
        "apex_s": to_seconds(movement.apex_ns),
        "offset_s": to_seconds(movement.offset_ns),
        "regions": list(movement.regions),
        "strength": movement.strength,
        "threshold": movement.threshold,
    }
