"""The thread that reads a source, and the queue from which the pipeline takes its frames."""

import logging
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from realtime.clock import Clock, MonotonicClock, to_nanoseconds, to_seconds
from realtime.frames import Frame
from realtime.ring import Ring
from realtime.sources.base import Source, SourceStalled

_LOG = logging.getLogger(__name__)
_POLL_S = 0.02


class Capture:
    """Reads a source in a thread of its own and hands out its frames in order.

    A file waits for the reader and never drops. From a live source the oldest frames go when the queue is
    full; they are counted, and their indices are missing from what `get` gives. Frames that were read before
    a fault are given before the fault is raised.

    Args:
        source: closed; opened by `open` in the caller's thread, so that its faults come at once.
        clock: for telling a stall; the one that stamps the frames.
        queue_frames: most frames waiting; None takes 4 for a file (each holds back memory and adds latency)
            and 256 for a live source.
        queue_bytes: most bytes waiting.
        stall_s: a live source without a frame for this long is reported by `get`, even while its read still
            blocks.
        start_s: the same for its first frame; cameras wake up slowly.
        join_s: how long `close` waits for a read that does not return; a stream's returns within 5 s.
    """

    def __init__(
        self,
        source: Source,
        *,
        clock: Clock | None = None,
        queue_frames: int | None = None,
        queue_bytes: int = 256 * 2**20,
        stall_s: float = 1.5,
        start_s: float = 5.0,
        join_s: float = 6.0,
    ) -> None:
        self.source = source
        self._clock = clock or MonotonicClock()
        self._ring: Ring[Frame] = Ring(queue_frames or (256 if source.live else 4), queue_bytes)
        self._stall_ns, self._start_ns = to_nanoseconds(stall_s), to_nanoseconds(start_s)
        self._join_s = join_s
        self._changed = threading.Condition()
        self._closing = False
        self._ended = False
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._frames_read = 0
        self._last_index = -1
        self._heard_ns = 0

    @property
    def frames_read(self) -> int:
        """Frames that the source gave so far."""
        return self._frames_read

    @property
    def dropped(self) -> int:
        """Frames of a live source that had to go because nobody took them in time, here or before they were read."""
        return self._ring.dropped + self.source.dropped

    @property
    def waiting(self) -> int:
        """Frames in the queue now."""
        return len(self._ring)

    def open(self) -> None:
        """Open the source and begin to read it.

        Raises:
            BadInput: from the source.
        """
        self.source.open()
        self._heard_ns = self._clock.now_ns()
        # A daemon: a driver that never returns from a read must not keep the program alive.
        self._thread = threading.Thread(target=self._run, name="onset-capture", daemon=True)
        self._thread.start()

    def get(self, timeout_s: float | None = None) -> Frame | None:
        """The oldest waiting frame; waits for one. None when the source has ended.

        Args:
            timeout_s: longest wait, on the wall; None waits until something is known.

        Raises:
            TimeoutError: if nothing came within `timeout_s`; the source may be well.
            SourceStalled: if a live source gave nothing for `stall_s`; it may come back, `get` may be called
                again.
            Exception: what the source raised, after the frames that it gave before.
        """
        left_s = float("inf") if timeout_s is None else timeout_s
        with self._changed:
            while True:
                frame = self._ring.take()
                if frame is not None:
                    self._changed.notify_all()
                    return frame
                if self._error is not None:
                    raise self._error
                if self._ended or self._closing:
                    return None
                self._raise_if_stalled()
                if left_s <= 0:
                    raise TimeoutError(f"{self.source.name}: no frame within {timeout_s:g} s")
                self._changed.wait(min(_POLL_S, left_s))
                left_s -= _POLL_S

    def close(self) -> None:
        """End the thread and close the source; frames still waiting are let go. Safe to call twice.

        The source is closed by the thread that reads it. If its read does not return within `join_s` the
        thread is left behind, says a warning in the log, and closes the source whenever the read returns.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is None:
            return
        self.source.interrupt()
        self._thread.join(self._join_s)
        if self._thread.is_alive():
            _LOG.warning("%s: a read has not returned for %g s; its thread is left", self.source.name, self._join_s)
        self._thread = None
        self._ring.clear()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self.get()) is not None:
            yield frame

    def _run(self) -> None:
        try:
            while not self._closing and (frame := self.source.read()) is not None:
                self._accept(frame)
        except BaseException as error:  # kept for the caller, whatever it is
            self._error = error
        finally:
            self._close_source()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _close_source(self) -> None:
        try:
            self.source.close()
        except Exception as error:
            self._error = self._error or error

    def _accept(self, frame: Frame) -> None:
        with self._changed:
            if not self.source.live:
                while self._ring.would_drop(frame.image.nbytes) and not self._closing:
                    self._changed.wait()
            if self._closing:
                return
            self._ring.push(frame.index, frame, frame.image.nbytes)
            self._frames_read += 1
            self._last_index = frame.index
            self._heard_ns = self._clock.now_ns()
            self._changed.notify_all()

    def _raise_if_stalled(self) -> None:
        if not self.source.live:
            return
        silent_ns = self._clock.now_ns() - self._heard_ns
        if silent_ns >= (self._stall_ns if self._frames_read else self._start_ns):
            after = f"after frame {self._last_index}" if self._frames_read else "since it was opened"
            raise SourceStalled(
                f"{self.source.name}: no frame for {to_seconds(silent_ns):.1f} s {after}; "
                "check the cable, the light and other programs that use it"
            )
