"""What limits the seeing of small movements: light, distance, rate, motion, readability, noise and calm."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

WORTH_SAYING = 0.92
"""Advice is given on aspects that score less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What is measured of the conditions, as means over the time that a face was watched."""

    brightness: float
    """Mean gray value of the face, 0–255."""
    unsteadiness: float
    """Root mean square of the brightness's relative departures from its mean of the last second."""
    width_px: float
    """Inner-canthus distance in the source, pixels."""
    frame_rate_hz: float
    """Frames of this face a second, dropped ones not counted."""
    turn_rate_deg_s: float
    """How fast the head turns, nods and leans."""
    shift_rate_px_s: float
    """How fast it moves across the picture, canthus-normalised pixels."""
    head_turn_share: float
    """Share of time too fast to be read: the gate "head-turn"."""
    unreadable_share: float
    """Share of regions and time that could not be read, or lay under the gate "occluded"."""
    lost_share: float
    """Share of time in which the face was lost, between its first frame and its last."""
    jitter_px: float | None
    """Noise of the measurement in one frame, canthus-normalised pixels; None until it is known."""
    noise_px: float | None
    """What the regions do while nothing is found in them, at the pace of a micro-expression, the median,
    canthus-normalised pixels: noise of the measurement, and restlessness of the face. None until it is known."""

    @property
    def jitter_at_pace_px(self) -> float:
        """What the spotter's low-pass leaves of the jitter: the more frames, the less."""
        return (self.jitter_px or 0.0) * min(0.8, 4.6 / math.sqrt(max(self.frame_rate_hz, 1.0)))

    @property
    def restlessness_px(self) -> float:
        """What the noise of the measurement does not account for: the face itself, as in speech."""
        return math.sqrt(max((self.noise_px or 0.0) ** 2 - self.jitter_at_pace_px**2, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """One thing that limits what can be seen."""

    name: str
    score: float
    """1 where it limits nothing, falling to 0."""
    advice: str
    """What to do about it, in plain words; empty where there is nothing worth doing."""


def judge(measures: Measures) -> tuple[Aspect, ...]:
    """Score every aspect and say what to do about it.

    The curves follow what was found of 32 movements of 0.15 to 0.48 s and 0.3 to 2.6 px in synthesised films of each
    kind (`PRESETS` of `trainers.datasets.synthetic_videos`): figure, give or take 5, then share found of those that
    move a region by 0.8 px or more, and of all.

    ==================================  ========  ======  ============
    film                                  figure  0.8 px           all
    ==================================  ========  ======  ============
    still or gentle, 100 Hz                   95    1.00          0.84
    gentle, 60, 30, 15 Hz             87, 73, 42    1.00  0.84 to 0.78
    noisy, flicker, moving, 30 Hz       64 to 71    1.00  0.84 to 0.81
    dark, 100 and 30 Hz                76 and 57    1.00  0.84, 0.78
    canthi 32 and 24 px apart          74 and 60    1.00  0.84, 0.81
    mean gray 29                              45    1.00          0.72
    canthi 16 px apart                        40    0.56          0.47
    mean gray 14                              15    0.61          0.53
    ==================================  ========  ======  ============

    Rate and distance weigh more than these films show: they hold none of the shortest micro-expressions, of 40 ms.

    Args:
        measures: what was measured.
    """
    return (
        _aspect("light", _light(measures), _light_advice, measures),
        _aspect("distance", _DISTANCE(measures.width_px), _distance_advice, measures),
        _aspect("frame rate", _FRAME_RATE(measures.frame_rate_hz), _frame_rate_advice, measures),
        _aspect("motion", _motion(measures), _motion_advice, measures),
        _aspect("readability", _readability(measures), _readability_advice, measures),
        _aspect("noise", _NOISE(measures.jitter_at_pace_px), _noise_advice, measures),
        _aspect("calm", _CALM(measures.restlessness_px), _calm_advice, measures),
    )


def _aspect(name: str, score: float, advice: Callable[[Measures], str], measures: Measures) -> Aspect:
    return Aspect(name=name, score=score, advice=advice(measures) if score < WORTH_SAYING else "")


def _curve(*points: tuple[float, float]) -> Callable[[float], float]:
    """Straight lines between (value, score) points, level outside."""
    values, scores = zip(*points, strict=True)
    return lambda value: float(np.interp(value, values, scores))


_DARK = _curve((5, 0.05), (14, 0.3), (28, 0.65), (45, 0.85), (70, 0.97), (90, 1.0))
_GLARE = _curve((200, 1.0), (225, 0.7), (250, 0.2))
_UNSTEADY = _curve((0.012, 1.0), (0.03, 0.88), (0.1, 0.6), (0.3, 0.2))
_DISTANCE = _curve((8, 0.05), (16, 0.45), (24, 0.7), (36, 0.9), (48, 0.97), (64, 1.0))
_FRAME_RATE = _curve((8, 0.05), (15, 0.45), (25, 0.7), (30, 0.77), (50, 0.9), (100, 1.0))
_TURN = _curve((0.4, 1.0), (4.0, 0.92), (12.0, 0.7), (40.0, 0.3))
_SHIFT = _curve((1.5, 1.0), (15.0, 0.92), (60.0, 0.7), (200.0, 0.3))
_CALM = _curve((0.04, 1.0), (0.2, 0.85), (0.5, 0.6), (1.0, 0.4))
_NOISE = _curve((0.01, 1.0), (0.05, 0.92), (0.1, 0.7), (0.2, 0.4), (0.5, 0.1))


def _light(measures: Measures) -> float:
    return _DARK(measures.brightness) * _GLARE(measures.brightness) * _UNSTEADY(measures.unsteadiness)


def _motion(measures: Measures) -> float:
    readable = 1.0 - measures.head_turn_share
    return readable * min(_TURN(measures.turn_rate_deg_s), _SHIFT(measures.shift_rate_px_s))


def _readability(measures: Measures) -> float:
    return (1.0 - measures.unreadable_share) * (1.0 - measures.lost_share)


def _light_advice(measures: Measures) -> str:
    gray = f"mean gray {measures.brightness:.0f} of 255"
    worst = min(
        (_DARK(measures.brightness), f"The face is dark ({gray}): put a lamp in front of you, not behind you."),
        (_GLARE(measures.brightness), f"The face is over-exposed ({gray}): lower the exposure or soften the light."),
        (
            _UNSTEADY(measures.unsteadiness),
            f"The light is unsteady (by {measures.unsteadiness:.1%}): use daylight or a lamp that does not flicker, "
            "and fix the camera's exposure.",
        ),
    )
    return worst[1]


def _distance_advice(measures: Measures) -> str:
    return (
        f"The face is small (inner eye corners {measures.width_px:.0f} pixels apart): come closer, zoom in, or film at "
        "a higher resolution; 50 pixels are good."
    )


def _frame_rate_advice(measures: Measures) -> str:
    return (
        f"At {measures.frame_rate_hz:.0f} frames a second the shortest micro-expressions, of 40 ms, "
        f"last {_frames(0.04 * measures.frame_rate_hz)}: a camera of 100 Hz or more, or a lower resolution, sees them."
    )


def _frames(count: float) -> str:
    return "about one frame or none" if count < 1.5 else f"about {count:.0f} frames"


def _motion_advice(measures: Measures) -> str:
    often = (
        f"; {measures.head_turn_share:.0%} of the time it turned too fast to be read"
        if (measures.head_turn_share >= 0.01)
        else ""
    )
    return (
        f"The head moves a lot ({measures.turn_rate_deg_s:.0f}° and {measures.shift_rate_px_s:.0f} pixels a "
        f"second{often}): a chair that does not turn and a support for the head or elbows help."
    )


def _readability_advice(measures: Measures) -> str:
    if measures.lost_share > measures.unreadable_share:
        return f"The face was lost for {measures.lost_share:.0%} of the time: keep it whole in the picture."
    return (
        f"{measures.unreadable_share:.0%} of the face could not be read: keep hands, hair, glare and masks off it, and "
        "face the camera."
    )


def _noise_advice(measures: Measures) -> str:
    return (
        f"Skin seems to jump by {measures.jitter_px or 0.0:.2f} px from frame to frame: more light, a larger face, a "
        "camera on firm ground and less compression make it quieter."
    )


def _calm_advice(measures: Measures) -> str:
    moves = f"it moves by {measures.restlessness_px:.1f} px at the pace of a micro-expression"
    return f"The face hardly rests, as in speech or laughter ({moves}): smaller movements drown in that."
