"""From a settled movement to a labelled event on disk, off the thread that follows the face."""

import queue
from collections.abc import Iterator
from dataclasses import dataclass

from realtime.events import ExpressionEvent
from realtime.face_channel import EventCrops, SettledEvent
from realtime.recognition import Recogniser, Recognition
from realtime.sink import Sink
from realtime.telemetry import Telemetry
from realtime.worker import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class _MediaJob:
    event: ExpressionEvent
    recognition: Recognition
    crops: EventCrops


class EventRecorder:
    """Classifies events in one thread, in the order of settling, and draws their pictures in another.

    An event's line is on disk before its pictures are begun, and before it is handed to the caller.

    Args:
        recogniser: labels an event from its crops.
        sink: where events and pictures go.
        telemetry: where the time of each stage is counted.
        with_media: write pictures and clip of each event.
    """

    def __init__(self, recogniser: Recogniser, sink: Sink, telemetry: Telemetry, *, with_media: bool = True) -> None:
        self._recogniser = recogniser
        self._sink = sink
        self._telemetry = telemetry
        self._with_media = with_media
        self._done: queue.SimpleQueue[ExpressionEvent] = queue.SimpleQueue()
        self._recognition = Worker("recognition", self._recognise)
        self._media = Worker("media", self._draw)

    def submit(self, settled: SettledEvent) -> None:
        """Queue an event; returns at once."""
        self._recognition.submit(settled)

    def wait_below(self, pending: int) -> None:
        """Hold a caller that need not keep up with a camera until both queues are short."""
        self._recognition.wait_below(pending)
        self._media.wait_below(pending)

    def finished(self) -> Iterator[ExpressionEvent]:
        """The events that were recorded since the last call, in order.

        Raises:
            Exception: what classifying or writing raised.
        """
        self._recognition.raise_fault()
        self._media.raise_fault()
        while not self._done.empty():
            yield self._done.get()

    def close(self) -> None:
        """Finish what is queued and end both threads; raises what either of them raised."""
        try:
            self._recognition.close()
        finally:
            self._media.close()

    def _recognise(self, settled: SettledEvent) -> None:
        crops = settled.crops
        with self._telemetry.timed("recognise"):
            recognition = self._recogniser.recognise(settled.event, crops.onset, crops.apex, crops.offset)
        with self._telemetry.timed("write_event"):
            event = self._sink.add_event(recognition.event)
        if event.latency_ms is not None:
            self._telemetry.add("settled_to_disk", event.latency_ms)
        self._done.put(event)
        if self._with_media:
            self._media.submit(_MediaJob(event=event, recognition=recognition, crops=crops))

    def _draw(self, job: _MediaJob) -> None:
        with self._telemetry.timed("draw_event"):
            self._sink.add_media(job.event, job.crops.clip, job.recognition.flow, job.recognition.strain)
