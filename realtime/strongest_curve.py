"""The curve of a session: the movement that the spotter weighed, at each moment of the face that moved most."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Float64

from realtime.report.curves import Span, thinned
from realtime.signal_batches import open_signals
from realtime.signals import NO_FACE

_COLUMNS = ("time_s", "face_id", "strength", "threshold")


@dataclass(frozen=True, kw_only=True)
class StrongestCurve:
    """One row a frame that showed a face."""

    time_s: Float64[np.ndarray, " rows"]
    strength: Float32[np.ndarray, " rows"]
    """Canthus-normalised pixels; NaN where it could not be measured."""
    threshold: Float32[np.ndarray, " rows"]
    """Same unit; NaN while there was none yet."""

    def thinned(self, points: int) -> "StrongestCurve":
        """The lowest and the highest of every stretch of time: at most so many rows that look like all of them.

        Args:
            points: at most; 2 or more.
        """
        if len(self.time_s) <= points:
            return self
        span = Span(float(self.time_s[0]), float(self.time_s[-1]))
        rows = thinned(self.time_s, self.strength.astype(np.float64), span, points // 2)
        return StrongestCurve(time_s=self.time_s[rows], strength=self.strength[rows], threshold=self.threshold[rows])


def read_curve(folder: Path) -> StrongestCurve:
    """Read the curve of a session, finished or not; 20 bytes of memory a row.

    Args:
        folder: of the session.

    Raises:
        BadInput: if it has no signals that can be read.
    """
    with open_signals(folder, _COLUMNS) as signals:
        table = pa.Table.from_batches(list(signals.batches), signals.schema)
    time_s, face_id, strength, threshold = (table[name].to_numpy() for name in _COLUMNS)
    seen = face_id != NO_FACE
    # By time, and at one time by strength: the last of each time is the strongest.
    order = np.lexsort((np.nan_to_num(strength[seen], nan=-1.0), time_s[seen]))
    time_s, strength, threshold = (values[seen][order] for values in (time_s, strength, threshold))
    strongest = np.append(np.diff(time_s) > 0, True)[: len(time_s)]
    return StrongestCurve(
        time_s=time_s[strongest].astype(np.float64),
        strength=strength[strongest].astype(np.float32),
        threshold=threshold[strongest].astype(np.float32),
    )
