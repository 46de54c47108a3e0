"""Events, samples and clocks for the tests of the session folder and the report."""

from typing import Any

import numpy as np

from realtime.clock import to_nanoseconds
from realtime.events import ExpressionEvent, RejectedMovement
from realtime.spotting.sample import MotionSample

REGIONS = ("left inner brow", "right lip corner", "chin")


class HandClock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time_ns = 0

    def now_ns(self) -> int:
        return self.time_ns

    def sleep_until(self, time_ns: int) -> None:
        self.time_ns = max(self.time_ns, time_ns)


def an_event(onset_s: float = 1.0, **changes: Any) -> ExpressionEvent:
    values: dict[str, Any] = {
        "face_id": 1,
        "onset_index": round(onset_s * 100),
        "apex_index": round(onset_s * 100) + 10,
        "offset_index": round(onset_s * 100) + 25,
        "onset_ns": to_nanoseconds(onset_s),
        "apex_ns": to_nanoseconds(onset_s + 0.10),
        "offset_ns": to_nanoseconds(onset_s + 0.25),
        "kind": "micro",
        "regions": ("right lip corner",),
        "strength": 1.75,
        "threshold": 0.8,
        "settled_index": round(onset_s * 100) + 50,
        "settled_captured_ns": to_nanoseconds(onset_s + 0.5),
        "label": "positive",
        "probabilities": {"negative": 0.1, "positive": 0.85, "surprise": 0.05},
        "checkpoint": "default",
    }
    return ExpressionEvent(**{**values, **changes})


def a_rejected(onset_s: float = 2.0, reason: str = "blink", strength: float = 1.1) -> RejectedMovement:
    return RejectedMovement(
        face_id=1,
        onset_index=round(onset_s * 100),
        apex_index=round(onset_s * 100) + 5,
        offset_index=round(onset_s * 100) + 15,
        onset_ns=to_nanoseconds(onset_s),
        apex_ns=to_nanoseconds(onset_s + 0.05),
        offset_ns=to_nanoseconds(onset_s + 0.15),
        regions=("left inner brow",),
        strength=strength,
        threshold=0.8,
        reason=reason,
    )


def a_sample(index: int, gates: tuple[str, ...] = (), regions: int = len(REGIONS)) -> MotionSample:
    displacement = (
        np.full((regions, 2), index, np.float32) + np.arange(2 * regions, dtype=np.float32).reshape(-1, 2) / 10
    )
    return MotionSample(
        index=index,
        time_ns=index * 10_000_000,
        captured_ns=0,
        face_id=1,
        displacement=displacement,
        gates=gates,
    )
