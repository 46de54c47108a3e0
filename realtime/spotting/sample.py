"""What spotting knows of one face in one frame."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionSample:
    """Regional movement of one face against its neutral reference: the spotter's input, a row of `signals.parquet`."""

    index: int
    time_ns: int
    captured_ns: int
    face_id: int
    displacement: Float32[np.ndarray, "regions 2"]
    """Movement of each region against the neutral frame, head movement removed, canthus-normalised pixels;
    x to the image's right, y down. NaN where a region cannot be read in this frame."""
    gates: tuple[str, ...] = ()
    """Why this frame may be misread: "blink", "head-turn", "face-lost", "light" and the like."""
