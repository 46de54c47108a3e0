"""The whole course of a session, frame by frame: what a timeline draws."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from realtime.report.curves import intervals
from realtime.report.timeline import lane_regions, movement_px
from realtime.signals import NO_FACE, Signals

_LOST = frozenset({"no-face", "face-lost"})
_GAP_S = 0.1
"""A gate that is off for less than this is drawn through."""

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Course:
    """One value a frame: of several faces the one that moves most."""

    index: Int64[np.ndarray, " frames"]
    time_s: Float64[np.ndarray, " frames"]
    strength: Float32[np.ndarray, " frames"]
    """Movement that the spotter weighed, canthus-normalised pixels; NaN where there was no face."""
    threshold: Float32[np.ndarray, " frames"]
    """What it had to exceed, same unit; NaN while there was none yet."""
    lanes: dict[str, Float32[np.ndarray, " frames"]]
    """Movement of each part of the face, brows to chin, same unit."""
    gates: dict[str, list[Interval]]
    """When a frame may have been misread, and why; seconds."""
    unseen: list[Interval]
    """When there was no face, seconds."""
    faces: int
    """How many faces were met."""

    def as_bytes(self) -> bytes:
        """For the browser: length of a JSON header (4 bytes, big-endian), header, padding to 8 bytes, the columns.

        The columns are little-endian, each whole: time (float64), index (int32), strength, threshold and the lanes
        in the header's order (float32).
        """
        header = {
            "frames": len(self.index), "lanes": list(self.lanes), "gates": self.gates, "unseen": self.unseen,
            "faces": self.faces,
        }  # fmt: skip
        text = json.dumps(header, ensure_ascii=False, allow_nan=False).encode()
        padding = b" " * (-(4 + len(text)) % 8)
        columns: list[Any] = [self.time_s.astype("<f8"), self.index.astype("<i4")]
        columns += [values.astype("<f4") for values in (self.strength, self.threshold, *self.lanes.values())]
        return b"".join(
            (len(text + padding).to_bytes(4, "big"), text, padding, *(column.tobytes() for column in columns))
        )


def session_course(signals: Signals) -> Course:
    """The course of the signals of a session; an empty session has an empty one."""
    if not len(signals):
        return _empty(signals)
    starts = np.flatnonzero(np.diff(signals.index, prepend=signals.index[0] - 1))

    def strongest(values: np.ndarray) -> Float32[np.ndarray, " frames"]:
        return np.fmax.reduceat(values, starts).astype(np.float32)

    seen = np.maximum.reduceat((signals.face_id != NO_FACE).astype(np.int8), starts) > 0
    time_s = signals.time_s[starts]
    return Course(
        index=signals.index[starts],
        time_s=time_s,
        strength=strongest(signals.strength),
        threshold=strongest(signals.threshold),
        lanes={
            name: strongest(movement_px(signals, members)) for name, members in lane_regions(signals.regions).items()
        },
        gates=_gates(signals),
        unseen=intervals(time_s, ~seen, _GAP_S),
        faces=len(set(signals.face_id.tolist()) - {NO_FACE}),
    )


def _gates(signals: Signals) -> dict[str, list[Interval]]:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, names in enumerate(signals.gates):
        for name in names:
            if name not in _LOST:
                places[name].append(place)
    found = {}
    for name, rows in sorted(places.items()):
        on = np.zeros(len(signals), bool)
        on[rows] = True
        found[name] = intervals(signals.time_s, on, _GAP_S)
    return found


def _empty(signals: Signals) -> Course:
    nothing = np.zeros(0, np.float32)
    return Course(
        index=signals.index,
        time_s=signals.time_s,
        strength=nothing,
        threshold=nothing,
        lanes=dict.fromkeys(lane_regions(signals.regions), nothing),
        gates={},
        unseen=[],
        faces=0,
    )
