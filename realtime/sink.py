"""Where a run's results go: a session folder, or nowhere but the caller."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from realtime.clock import Clock
from realtime.events import ExpressionEvent, RejectedMovement
from realtime.faces.observation import AlignedFace
from realtime.spotting.sample import MotionSample


@runtime_checkable
class Sink(Protocol):
    """Takes what a run finds, from several threads; `SessionWriter` is the one that keeps it."""

    def add_event(self, event: ExpressionEvent) -> ExpressionEvent:
        """Keep an event; give it back with its number and latency."""

    def add_rejected(self, rejected: RejectedMovement) -> None:
        """Keep a movement that was not reported."""

    def add_sample(self, sample: MotionSample, *, strength: float, threshold: float) -> None:
        """Keep what one frame said of one face."""

    def add_empty_frame(self, index: int, time_ns: int, gates: Sequence[str] = ("no-face",)) -> None:
        """Keep that a frame held no face."""

    def add_media(
        self,
        event: ExpressionEvent,
        crops: Sequence[AlignedFace],
        flow: Float32[np.ndarray, "2 h w"] | None,
        strain: Float32[np.ndarray, "h w"] | None,
    ) -> Path | None:
        """Keep the pictures and the clip of an event."""


class CountingSink:
    """Numbers the events and keeps nothing.

    Args:
        clock: the clock that stamped the frames.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events = 0

    def add_event(self, event: ExpressionEvent) -> ExpressionEvent:
        """Number the event and measure its latency."""
        self._events += 1
        latency_ms = (self._clock.now_ns() - event.settled_captured_ns) / 1e6
        return replace(event, event_id=self._events, latency_ms=latency_ms)

    def add_rejected(self, rejected: RejectedMovement) -> None:
        """Let it go."""

    def add_sample(self, sample: MotionSample, *, strength: float, threshold: float) -> None:
        """Let it go."""

    def add_empty_frame(self, index: int, time_ns: int, gates: Sequence[str] = ("no-face",)) -> None:
        """Let it go."""

    def add_media(
        self,
        event: ExpressionEvent,
        crops: Sequence[AlignedFace],
        flow: Float32[np.ndarray, "2 h w"] | None,
        strain: Float32[np.ndarray, "h w"] | None,
    ) -> Path | None:
        """Let it go."""
        return None
