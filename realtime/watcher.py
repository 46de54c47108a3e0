"""Who looks on while a run goes on, and what is shown to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from realtime.clock import NANOSECONDS
from realtime.events import ExpressionEvent, RejectedMovement
from realtime.faces.observation import AlignedFace, FaceObservation
from realtime.frames import Frame
from realtime.sink import Sink
from realtime.spotting.sample import MotionSample


@dataclass(kw_only=True)
class FrameCounts:
    """What a run has read so far."""

    read: int = 0
    dropped: int = 0
    with_face: int = 0
    first_ns: int | None = None
    last_ns: int = 0

    @property
    def duration_s(self) -> float:
        """Time of the last frame after the first, seconds."""
        return 0.0 if self.first_ns is None else (self.last_ns - self.first_ns) / NANOSECONDS

    @property
    def frame_rate_hz(self) -> float | None:
        """Measured over the run, dropped frames counted as filmed; None under two frames."""
        intervals = self.read + self.dropped - 1
        return intervals / self.duration_s if intervals > 0 and self.duration_s > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFace:
    """One face of a frame, as the run sees it; canthus-normalised pixels."""

    observation: FaceObservation
    sample: MotionSample
    rest_px: Float32[np.ndarray, "regions 2"]
    """Where each region rests: its movement is what the sample departs from it."""
    limits_px: Float32[np.ndarray, " regions"]
    """How far each region must move to be noticed; NaN while unknown."""
    strength: float
    """Movement that the spotter weighed; NaN before a rest is known."""
    threshold: float
    """What it has to exceed."""

    @property
    def movement_px(self) -> Float32[np.ndarray, "regions 2"]:
        """Where each region is against its rest; NaN where it cannot be read."""
        return np.asarray(self.sample.displacement - self.rest_px, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One frame after it was measured."""

    frame: Frame
    faces: tuple[SeenFace, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Who looks on while a run goes on; called in the run's own threads, so it must be quick and never raise."""

    on_opening: Callable[[], None] = lambda: None
    """When everything is ready but the source, which is about to be opened."""
    on_frame: Callable[[FrameCounts, int], None] = lambda _counts, _faces: None
    """After each frame, with the counts so far and the number of faces in it: a progress bar."""
    on_notice: Callable[[str], None] = lambda _text: None
    """With one line when something happens that a person should know, such as a stalled camera."""
    on_look: Callable[[Look], None] | None = None
    """After each frame, with what was measured in it: a preview, a recording."""
    on_stall: Callable[[str | None], None] = lambda _text: None
    """With one line when a live source gives nothing any more, with None when it does again."""
    on_event: Callable[[ExpressionEvent], None] = lambda _event: None
    """With each event as soon as its line is on disk."""
    on_media: Callable[[ExpressionEvent], None] = lambda _event: None
    """With each event once its pictures are on disk."""
    on_rejected: Callable[[RejectedMovement], None] = lambda _rejected: None
    """With each movement that was not reported, once it is noted."""


def together(watchers: Sequence[Watcher]) -> Watcher:
    """Several who look on, as one; each is told in turn."""
    looking = [one.on_look for one in watchers if one.on_look is not None]

    def all_of(name: str) -> Callable[..., None]:
        told: list[Callable[..., None]] = [getattr(one, name) for one in watchers]

        def tell(*what: Any) -> None:
            for one in told:
                one(*what)

        return tell

    def look(seen: Look) -> None:
        for one in looking:
            one(seen)

    return Watcher(
        on_opening=all_of("on_opening"),
        on_frame=all_of("on_frame"),
        on_notice=all_of("on_notice"),
        on_look=look if looking else None,
        on_stall=all_of("on_stall"),
        on_event=all_of("on_event"),
        on_media=all_of("on_media"),
        on_rejected=all_of("on_rejected"),
    )


class WatchedSink:
    """A sink that tells who looks on what it has kept.

    Args:
        sink: keeps the results.
        watcher: is told afterwards.
    """

    def __init__(self, sink: Sink, watcher: Watcher) -> None:
        self._sink = sink
        self._watcher = watcher

    def add_event(self, event: ExpressionEvent) -> ExpressionEvent:
        """Keep an event; give it back with its number and latency."""
        kept = self._sink.add_event(event)
        self._watcher.on_event(kept)
        return kept

    def add_rejected(self, rejected: RejectedMovement) -> None:
        """Keep a movement that was not reported."""
        self._sink.add_rejected(rejected)
        self._watcher.on_rejected(rejected)

    def add_sample(self, sample: MotionSample, *, strength: float, threshold: float) -> None:
        """Keep what one frame said of one face."""
        self._sink.add_sample(sample, strength=strength, threshold=threshold)

    def add_empty_frame(self, index: int, time_ns: int, gates: Sequence[str] = ("no-face",)) -> None:
        """Keep that a frame held no face."""
        self._sink.add_empty_frame(index, time_ns, gates)

    def add_media(
        self,
        event: ExpressionEvent,
        crops: Sequence[AlignedFace],
        flow: Float32[np.ndarray, "2 h w"] | None,
        strain: Float32[np.ndarray, "h w"] | None,
    ) -> Path | None:
        """Keep the pictures and the clip of an event."""
        folder = self._sink.add_media(event, crops, flow, strain)
        self._watcher.on_media(event)
        return folder
