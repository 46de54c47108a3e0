"""Why a frame may be misread: blinks, head turns, jumps of light, a face that was just found again."""

import math
from dataclasses import dataclass

from realtime.clock import NANOSECONDS
from realtime.faces.landmarks import (
    GATE_BLINK,
    GATE_BLINK_LEFT,
    GATE_BLINK_RIGHT,
    GATE_HEAD_TURN,
    GATE_LIGHT,
    GATE_RESTART,
)
from realtime.faces.observation import FaceQuality


@dataclass(frozen=True, kw_only=True)
class GateParameters:
    """When a frame counts as one that may be misread."""

    lid_drop: float = 0.72
    """An eye is blinking while its opening is below this share of its usual opening."""
    lid_usual_s: float = 3.0
    """How slowly the usual opening gives way to a narrower one."""
    lid_fall_px: float = 3.0
    """So is one whose upper lid has come down by more than this, canthus-normalised pixels: landmarks miss quick
    blinks, the picture does not. A micro-expression moves a lid by less."""
    lid_rest_s: float = 0.8
    """How slowly the rest of the upper lid follows it, and how long a lid can be unreadable because of a blink."""
    blink_tail_s: float = 0.12
    """A blink counts on for this long after the lids have parted."""
    turn_rate_deg_s: float = 40.0
    """Turning, nodding or leaning faster than this is a head turn."""
    shift_rate_px_s: float = 200.0
    """So is moving across the picture faster than this, canthus-normalised pixels a second."""
    rate_s: float = 0.08
    """Time over which rates are averaged."""
    light_jump: float = 0.12
    """A relative change of brightness by this much within `light_s` is a jump of light."""
    light_s: float = 0.15
    restart_s: float = 0.3
    """A face that was found again is doubtful for this long."""


class LidGate:
    """Tells when one eye blinks."""

    def __init__(self, parameters: GateParameters) -> None:
        self._parameters = parameters
        self._usual: float | None = None
        self._rest_px = 0.0
        self._read_ns = -1
        self._until_ns = -1

    def push(self, opening: float, lid_px: float, gap_s: float, time_ns: int) -> bool:
        """Whether the eye counts as blinking in the next frame.

        Args:
            opening: lid distance over eye width, by the landmarks.
            lid_px: height of the upper lid against the reference, down is positive; NaN when unreadable.
            gap_s: time since the frame before.
            time_ns: time of the frame.
        """
        if self._usual is None:
            self._usual = opening
        shut = opening < self._parameters.lid_drop * self._usual
        lag_s = 0.25 if opening > self._usual else self._parameters.lid_usual_s
        self._usual += (1.0 - math.exp(-gap_s / lag_s)) * (opening - self._usual)
        shut = self._fallen(lid_px, gap_s, time_ns) or shut
        if shut:
            self._until_ns = time_ns + round(self._parameters.blink_tail_s * NANOSECONDS)
        return time_ns <= self._until_ns

    def _fallen(self, lid_px: float, gap_s: float, time_ns: int) -> bool:
        rest_s = self._parameters.lid_rest_s
        if math.isnan(lid_px):
            return self._read_ns >= 0 and time_ns - self._read_ns < rest_s * NANOSECONDS
        self._read_ns = time_ns
        fallen = lid_px - self._rest_px > self._parameters.lid_fall_px
        self._rest_px += (1.0 - math.exp(-gap_s / rest_s)) * (lid_px - self._rest_px)
        return fallen


class Gates:
    """Reads one face's quality frame by frame. One object a face."""

    def __init__(self, parameters: GateParameters | None = None, found_again_ns: int | None = None) -> None:
        """Start without a past.

        Args:
            parameters: when a frame may be misread.
            found_again_ns: when the face was found again; None for one that was not seen before. The start of a
                face needs no gate: the spotter learns the face's rest then, and settles nothing before.
        """
        self._parameters = parameters or GateParameters()
        self._lids = (LidGate(self._parameters), LidGate(self._parameters))
        self._slow: tuple[float, ...] | None = None
        self._light: float | None = None
        self._light_until_ns = -1
        self._found_again_ns = found_again_ns

    def push(
        self, quality: FaceQuality, lids_px: tuple[float, float], place: tuple[float, float], gap_s: float, time_ns: int
    ) -> tuple[str, ...]:
        """Names of the gates that hold in the next frame.

        Args:
            quality: readings of the face.
            lids_px: height of the upper lids against the reference, the eye on the image's left first; down is
                positive, NaN when unreadable.
            place: where the face is in the source, canthus-normalised pixels.
            gap_s: time since the frame before.
            time_ns: time of the frame.
        """
        names = self._blinks(quality, lids_px, gap_s, time_ns)
        if self._turning(quality, place, gap_s):
            names += (GATE_HEAD_TURN,)
        if self._flashing(quality.brightness, gap_s, time_ns):
            names += (GATE_LIGHT,)
        if self._starting_again(time_ns):
            names += (GATE_RESTART,)
        return names

    def _blinks(
        self, quality: FaceQuality, lids_px: tuple[float, float], gap_s: float, time_ns: int
    ) -> tuple[str, ...]:
        # The eye on the image's left is the subject's right one.
        right, left = (
            lid.push(opening, lid_px, gap_s, time_ns)
            for lid, opening, lid_px in zip(self._lids, quality.eye_opening, lids_px, strict=True)
        )
        if right and left:
            return (GATE_BLINK,)
        if right or left:
            return (GATE_BLINK_RIGHT if right else GATE_BLINK_LEFT,)
        return ()

    def _starting_again(self, time_ns: int) -> bool:
        if self._found_again_ns is None:
            return False
        return time_ns - self._found_again_ns < self._parameters.restart_s * NANOSECONDS

    def _turning(self, quality: FaceQuality, place: tuple[float, float], gap_s: float) -> bool:
        """Rate = distance to a lagging copy of the pose divided by the lag."""
        now = (quality.yaw_deg, quality.pitch_deg, quality.roll_deg, *place)
        if self._slow is None:
            self._slow = now
        share = 1.0 - math.exp(-gap_s / self._parameters.rate_s)
        self._slow = tuple(slow + share * (value - slow) for slow, value in zip(self._slow, now, strict=True))
        rates = [abs(value - slow) / self._parameters.rate_s for slow, value in zip(self._slow, now, strict=True)]
        return (
            max(rates[:3]) > self._parameters.turn_rate_deg_s
            or math.hypot(*rates[3:]) > self._parameters.shift_rate_px_s
        )

    def _flashing(self, brightness: float, gap_s: float, time_ns: int) -> bool:
        if self._light is None:
            self._light = brightness
        if abs(brightness - self._light) > self._parameters.light_jump * max(self._light, 1.0):
            self._light_until_ns = time_ns + round(self._parameters.light_s * NANOSECONDS)
        self._light += (1.0 - math.exp(-gap_s / self._parameters.light_s)) * (brightness - self._light)
        return time_ns <= self._light_until_ns
