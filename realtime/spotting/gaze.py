"""Tells when both eyes jump to another place: the lids and the shine of the eyes move with them."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from realtime.clock import to_nanoseconds
from realtime.faces import landmarks as named
from realtime.faces.observation import CANTHUS_DISTANCE
from realtime.spotting.gaze_kernel import read_strip, strip_shift

_CORNERS = [named.RIGHT_EYE_OUTER, named.RIGHT_EYE_INNER, named.LEFT_EYE_INNER, named.LEFT_EYE_OUTER]
"""Both ends of either eye, from the crop's left to its right."""
_STRIP_LENGTH, _STRIP_HEIGHT = 48, 9
"""Points along an eye from corner to corner, and rows over which they are averaged."""
_REACH, _MARGIN = 7, 3
"""Farthest jump that is looked for, and what is left out at the corners, which stay where they are: strip points. One
of them is about a canthus-normalised pixel."""

Strips = Float64[np.ndarray, "2 48"]


@dataclass(frozen=True, kw_only=True)
class GazeParameters:
    """When the eyes count as jumping."""

    jump_px: float = 1.2
    """Both eyes have gone farther than this to the same side, canthus-normalised pixels …"""
    within_s: float = 0.08
    """… within this time."""
    tail_s: float = 0.12
    """The lids settle for so long after."""
    likeness: float = 0.4
    """What is left of the difference of the pictures when one is shifted onto the other, at most: a blink changes
    them, a jump only shifts them."""


class SaccadeGate:
    """Tells when both eyes jump sideways. One object a face.

    The gray values along each eye, from corner to corner, are shifted onto those of a moment before. Jumps straight
    up or down are not seen: the lids go with them, as in a blink. Nor is any jump at under 13 frames a second.
    """

    def __init__(self, parameters: GazeParameters | None = None) -> None:
        """Start without a past.

        Args:
            parameters: when the eyes count as jumping.
        """
        self._parameters = parameters or GazeParameters()
        self._past: deque[tuple[int, Strips]] = deque()
        self._until_ns = -1

    def push(
        self, picture: Float32[np.ndarray, "304 256"], landmarks: Float32[np.ndarray, "468 2"], time_ns: int
    ) -> bool:
        """Whether the eyes count as jumping in the next frame.

        Args:
            picture: the crop in gray.
            landmarks: in crop pixels.
            time_ns: time of the frame.
        """
        corners = landmarks[_CORNERS].astype(np.float64).reshape(2, 2, 2)
        now = np.empty((2, _STRIP_LENGTH))
        for strip, (start, end) in zip(now, corners, strict=True):
            read_strip(picture, start, end, _STRIP_HEIGHT, strip)
        while self._past and time_ns - self._past[0][0] > to_nanoseconds(self._parameters.within_s):
            self._past.popleft()
        if self._past and self._jumped(self._past[0][1], now, corners):
            self._until_ns = time_ns + to_nanoseconds(self._parameters.tail_s)
        self._past.append((time_ns, now))
        return time_ns <= self._until_ns

    def _jumped(self, before: Strips, now: Strips, corners: Float64[np.ndarray, "2 2 2"]) -> bool:
        unit = CANTHUS_DISTANCE / max(math.dist(corners[0, 1], corners[1, 0]), 1e-6)
        jumps_px = []
        for earlier, later, (start, end) in zip(before, now, corners, strict=True):
            points, left_over = strip_shift(earlier, later, _REACH, _MARGIN)
            if left_over > self._parameters.likeness:
                return False
            jumps_px.append(points * math.dist(start, end) / (_STRIP_LENGTH - 1) * unit)
        return min(jumps_px) > self._parameters.jump_px or max(jumps_px) < -self._parameters.jump_px
