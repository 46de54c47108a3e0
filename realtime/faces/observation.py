"""What the tracker says of one face in one frame, and the face cut out and set upright."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8

CROP_WIDTH = 256
"""Width of the canonical crop, pixels."""
CROP_HEIGHT = 304
"""Height of the canonical crop, pixels."""
PUPIL_DISTANCE = 0.54 * CROP_WIDTH
"""Distance of the eye centres in the canonical crop, pixels: half of it is 0.27 of the width."""
PUPIL_HEIGHT = 0.25
"""Height of the eye line in the canonical crop, fraction of its height from the top."""
CANTHUS_DISTANCE = 64.0
"""Inner-canthus distance to which movements are normalised, pixels (a 256-pixel crop four times as wide)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceQuality:
    """How well a face can be read in one frame."""

    eye_opening: tuple[float, float]
    """Lid distance divided by eye width, the eye on the image's left first; about 0.3 open, under 0.12 shut."""
    yaw_deg: float
    """Head turned to the image's right is positive, degrees."""
    pitch_deg: float
    """Head raised is positive, degrees."""
    roll_deg: float
    """Head leaning clockwise in the image is positive, degrees."""
    mouth_opening: float
    """Inner-lip distance divided by mouth width."""
    brightness: float
    """Mean gray value of the face, 0–255."""
    width_px: float
    """Inner-canthus distance in the source, pixels: how much picture there is to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceObservation:
    """One face in one frame, in the pixels of the source."""

    face_id: int
    """1-based, kept while the same face is followed through short losses."""
    landmarks: Float32[np.ndarray, "468 2"]
    """MediaPipe FaceMesh points, x and y in source pixels."""
    measured: bool
    """False where the landmarks are carried from an earlier frame between two runs of the tracker."""
    quality: FaceQuality


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedFace:
    """One face set upright in the canonical crop: what spotting measures and recognition reads."""

    index: int
    time_ns: int
    captured_ns: int
    face_id: int
    image: UInt8[np.ndarray, "304 256 3"]
    """RGB."""
    landmarks: Float32[np.ndarray, "468 2"]
    """In crop pixels, low-passed."""
    to_crop: Float64[np.ndarray, "2 3"]
    """Similarity from source pixels to crop pixels."""
    quality: FaceQuality
    source_size: tuple[int, int] | None = None
    """Width and height of the source picture, pixels; None for a crop that was not cut out of one."""
