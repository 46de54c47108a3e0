"""Cut a face out of the frame and set it upright in the canonical crop."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64

from realtime.clock import NANOSECONDS
from realtime.faces import landmarks as named
from realtime.faces.observation import (
    CROP_HEIGHT,
    CROP_WIDTH,
    PUPIL_DISTANCE,
    PUPIL_HEIGHT,
    AlignedFace,
    FaceObservation,
)
from realtime.faces.similarity import apply_similarity
from realtime.frames import Frame

_EYE_CORNERS = (
    (named.RIGHT_EYE_OUTER, named.RIGHT_EYE_INNER),
    (named.LEFT_EYE_INNER, named.LEFT_EYE_OUTER),
)


@dataclass(frozen=True, kw_only=True)
class AlignmentParameters:
    """Low-pass of the landmarks: strong at rest, giving way to movement (one-euro filter)."""

    rest_cutoff_hz: float = 0.7
    """Cutoff when the face is at rest."""
    speed_gain: float = 8.0
    """Cutoff added for every face width (inner-canthus distance) a second of landmark speed, Hz."""
    speed_cutoff_hz: float = 3.0
    """Cutoff of the speed itself."""
    longest_gap_s: float = 0.25
    """After a longer gap the filter starts afresh."""


class FaceAligner:
    """Observations of one face in, canonical crops out. One aligner a face.

    Reference:
        Casiez, Roussel, Vogel, 1 € filter: a simple speed-based low-pass filter, CHI 2012.
    """

    def __init__(self, parameters: AlignmentParameters | None = None) -> None:
        """Start without a past.

        Args:
            parameters: strength of the low-pass.
        """
        self._parameters = parameters or AlignmentParameters()
        self._smooth: Float64[np.ndarray, "468 2"] | None = None
        self._latest: Float64[np.ndarray, "468 2"] | None = None
        self._speed = np.zeros(2)
        self._time_ns = 0
        self._measured_ns = 0

    def push(self, frame: Frame, observation: FaceObservation) -> AlignedFace:
        """The crop of the next frame, in time order.

        Args:
            frame: the picture.
            observation: this aligner's face in it.

        Returns:
            The face with its eye centres at the places that `observation.py` states.
        """
        smooth = self._low_pass(observation, frame.time_ns)
        to_crop = crop_similarity(smooth)
        image = cv2.warpAffine(frame.image, to_crop, (CROP_WIDTH, CROP_HEIGHT), flags=cv2.INTER_LINEAR)
        return AlignedFace(
            index=frame.index,
            time_ns=frame.time_ns,
            captured_ns=frame.captured_ns,
            face_id=observation.face_id,
            image=np.asarray(image, np.uint8),
            landmarks=apply_similarity(to_crop, smooth).astype(np.float32),
            to_crop=to_crop,
            quality=observation.quality,
            source_size=(frame.image.shape[1], frame.image.shape[0]),
        )

    def _low_pass(self, observation: FaceObservation, time_ns: int) -> Float64[np.ndarray, "468 2"]:
        raw = observation.landmarks.astype(np.float64)
        gap_s = (time_ns - self._time_ns) / NANOSECONDS
        if self._smooth is None or self._latest is None or not 0 < gap_s <= self._parameters.longest_gap_s:
            self._smooth, self._latest = raw, raw
            self._speed = np.zeros(2)
            self._measured_ns = time_ns
        else:
            if observation.measured:
                self._follow_speed(raw, self._latest, (time_ns - self._measured_ns) / NANOSECONDS)
                self._latest, self._measured_ns = raw, time_ns
            width = max(observation.quality.width_px, 1.0)
            speed = float(np.hypot(*self._speed)) / width
            cutoff_hz = self._parameters.rest_cutoff_hz + self._parameters.speed_gain * speed
            self._smooth = self._smooth + _share(cutoff_hz, gap_s) * (self._latest - self._smooth)
        self._time_ns = time_ns
        return self._smooth

    def _follow_speed(
        self, raw: Float64[np.ndarray, "468 2"], earlier: Float64[np.ndarray, "468 2"], gap_s: float
    ) -> None:
        """One speed for the whole face, so that filtering never bends it."""
        velocity = np.median(raw - earlier, axis=0) / gap_s
        self._speed = self._speed + _share(self._parameters.speed_cutoff_hz, gap_s) * (velocity - self._speed)


def crop_similarity(landmarks: Float64[np.ndarray, "468 2"]) -> Float64[np.ndarray, "2 3"]:
    """The similarity that carries the eye centres to their places in the canonical crop.

    Args:
        landmarks: FaceMesh points, source pixels.

    Returns:
        Matrix from source to crop pixels.
    """
    right, left = (landmarks[list(corners)].mean(axis=0) for corners in _EYE_CORNERS)
    across = left - right
    length = max(float(np.hypot(*across)), 1e-6)
    a, b = PUPIL_DISTANCE / length * across / length
    middle = (right + left) / 2
    rotation = np.array(((a, b), (-b, a)))
    goal = np.array((CROP_WIDTH / 2, PUPIL_HEIGHT * CROP_HEIGHT))
    return np.column_stack((rotation, goal - rotation @ middle))


def _share(cutoff_hz: float, gap_s: float) -> float:
    """How far a first-order low-pass goes towards a constant input in a gap."""
    return 1.0 - math.exp(-2.0 * math.pi * cutoff_hz * gap_s)
