"""Tells when someone speaks or chews: the mouth moves back and forth."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from realtime.clock import to_nanoseconds
from realtime.faces.landmarks import REGION_NAMES

_UPPER_LIP, _LOWER_LIP, _CHIN = (REGION_NAMES.index(name) for name in ("upper lip", "lower lip", "chin"))


@dataclass(frozen=True, kw_only=True)
class SpeechParameters:
    """When the mouth counts as speaking."""

    swing_px: float = 1.2
    """The jaw or the lips have turned back when they have come this far from their last extreme, canthus-normalised
    pixels."""
    reversals: int = 3
    """So many turns are speech; an expression comes and goes, which is one turn, two if it starts on the way back."""
    within_s: float = 1.2
    """Time within which they must come."""
    tail_s: float = 0.5
    """Speech lasts for so long after its last turn."""
    apart_s: float = 0.05
    """Turns closer together are one: a mouth takes its time, a misread frame does not."""
    smoothing_s: float = 0.02
    """Time constant of the low-pass against noise."""


class Alternation:
    """Finds the turns of one course, each by more than a swing."""

    def __init__(self, parameters: SpeechParameters) -> None:
        self._parameters = parameters
        self._smooth = math.nan
        self._lowest = self._highest = 0.0
        self._heading = 0
        self._turned_ns: int | None = None

    def push(self, value: float, gap_s: float, time_ns: int) -> bool:
        """Whether the course is seen to have turned in the next frame.

        Args:
            value: pixels; NaN when unreadable, which changes nothing.
            gap_s: time since the frame before.
            time_ns: time of the frame.
        """
        if math.isnan(value):
            return False
        if math.isnan(self._smooth):
            self._smooth = self._lowest = self._highest = value
        self._smooth += (1.0 - math.exp(-gap_s / self._parameters.smoothing_s)) * (value - self._smooth)
        return self._turns(time_ns)

    def _turns(self, time_ns: int) -> bool:
        """Follow the last extreme; the first way that the course takes is no turn."""
        before = self._heading
        self._lowest, self._highest = min(self._lowest, self._smooth), max(self._highest, self._smooth)
        if before >= 0 and self._smooth < self._highest - self._parameters.swing_px:
            self._heading, self._lowest = -1, self._smooth
        elif before <= 0 and self._smooth > self._lowest + self._parameters.swing_px:
            self._heading, self._highest = 1, self._smooth
        if before == 0 or self._heading == before:
            return False
        apart = self._turned_ns is None or time_ns - self._turned_ns >= to_nanoseconds(self._parameters.apart_s)
        self._turned_ns = time_ns
        return apart


class SpeechGate:
    """Tells when one face speaks, from the movement of its lips and chin. One object a face.

    The opening of the lips, the lower lip and the chin are followed alone, since one of them is often unreadable (a
    beard, a hand, the edge of the picture); any of them that alternates is enough.
    """

    def __init__(self, parameters: SpeechParameters | None = None) -> None:
        """Start with a mouth at rest.

        Args:
            parameters: when the mouth counts as speaking.
        """
        self._parameters = parameters or SpeechParameters()
        self._courses = tuple(Alternation(self._parameters) for _ in range(3))
        self._turns: tuple[deque[int], ...] = tuple(deque(maxlen=self._parameters.reversals) for _ in range(3))
        self._until_ns = -1

    def push(self, displacement: Float64[np.ndarray, "regions 2"], gap_s: float, time_ns: int) -> bool:
        """Whether the face counts as speaking in the next frame.

        Args:
            displacement: movement of the regions, canthus-normalised pixels; NaN where unreadable.
            gap_s: time since the frame before.
            time_ns: time of the frame.
        """
        upper, lower, chin = (float(displacement[region, 1]) for region in (_UPPER_LIP, _LOWER_LIP, _CHIN))
        for value, course, turns in zip((lower - upper, lower, chin), self._courses, self._turns, strict=True):
            if course.push(value, gap_s, time_ns):
                turns.append(time_ns)
                if self._many(turns):
                    self._until_ns = time_ns + to_nanoseconds(self._parameters.tail_s)
        return time_ns <= self._until_ns

    def _many(self, turns: deque[int]) -> bool:
        within_ns = to_nanoseconds(self._parameters.within_s)
        return len(turns) == self._parameters.reversals and turns[-1] - turns[0] <= within_ns
