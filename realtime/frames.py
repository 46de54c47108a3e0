"""One picture of a source, with its number and its times."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture as the source gave it; never changed after it is made."""

    index: int
    """0-based number in the source. A dropped frame leaves a gap."""
    time_ns: int
    """Time since the first frame: presentation time of a file or stream, monotonic capture time of a camera."""
    captured_ns: int
    """Monotonic clock right after the picture was grabbed or decoded; latency is measured from here."""
    image: UInt8[np.ndarray, "H W 3"]
    """RGB, 0–255."""
