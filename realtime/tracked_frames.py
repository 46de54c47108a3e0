"""Frames with the faces in them, tracked a step ahead of the stages that measure them."""

import queue
import threading
from collections.abc import Iterable, Iterator

from realtime.faces.observation import FaceObservation
from realtime.faces.tracker import FaceTracker
from realtime.frames import Frame
from realtime.telemetry import Telemetry

Tracked = tuple[Frame, list[FaceObservation]]

_AHEAD = 2
"""Frames that may be tracked before they are taken: enough to keep two cores busy, too few to add latency."""


class TrackedFrames:
    """Runs the tracker in a thread of its own: half of the work of a frame, on the other core.

    The order and the results are those of tracking in the caller's thread. What the frames or the tracker raise is
    raised to the caller, after the frames before it.

    Args:
        frames: in time order; iterated in the thread.
        tracker: used by the thread alone until `close`.
        telemetry: where the time of tracking is counted.
    """

    def __init__(self, frames: Iterable[Frame], tracker: FaceTracker, telemetry: Telemetry) -> None:
        self._frames = frames
        self._tracker = tracker
        self._telemetry = telemetry
        self._queue: queue.Queue[Tracked | None] = queue.Queue(maxsize=_AHEAD)
        self._fault: BaseException | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="onset-tracking", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Tracked]:
        """The frames with their faces, until the last.

        Raises:
            Exception: what the source or the tracker raised.
        """
        while (tracked := self._queue.get()) is not None:
            yield tracked
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """End the thread; frames that were not taken are let go. Returns once the frames' iterator has returned."""
        self._closing = True
        while self._thread.is_alive():
            self._let_go()
            self._thread.join(timeout=0.01)

    def _run(self) -> None:
        try:
            for frame in self._frames:
                with self._telemetry.timed("track"):
                    faces = self._tracker.push(frame)
                if self._closing:
                    return
                self._queue.put((frame, faces))
        except BaseException as fault:  # kept, and raised to the caller
            self._fault = fault
        finally:
            self._queue.put(None)

    def _let_go(self) -> None:
        try:
            while True:
                self._queue.get_nowait()
        except queue.Empty:
            return
