"""A live source that is opened again when it goes away: a cable that was pulled, a stream that was cut off."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engines.errors import BadInput
from realtime.clock import NANOSECONDS, Clock, MonotonicClock, to_nanoseconds, to_seconds
from realtime.frames import Frame
from realtime.sources.base import Source, SourceLost

RETRY_S = 1.0
"""How often a source that is away is tried again."""


class PersistentSource(Source):
    """Goes on with the same camera or stream when it comes back.

    Indices and times go on as if it had never been away: the pause is a gap in both, and as many indices are left
    out as frames would have come. Who waits for a frame meanwhile sees a source that has stalled.

    Args:
        opened_anew: gives the source, closed; called for each attempt.
        give_up_s: a source that stays away for longer is lost.
        clock: the one that stamps the frames.
    """

    live = True

    def __init__(
        self, opened_anew: Callable[[], Source], *, give_up_s: float = 600.0, clock: Clock | None = None
    ) -> None:
        self._opened_anew = opened_anew
        self._give_up_ns = to_nanoseconds(give_up_s)
        self._clock = clock or MonotonicClock()
        self._source = opened_anew()
        self._closed = True
        self._last: Frame | None = None
        self._first_ns = 0
        self._index_offset = self._time_offset_ns = 0
        self._away = False
        self.name = self._source.name
        self._missed = 0
        self.returns = 0
        """How often it was away and came back."""

    @property
    def description(self) -> dict[str, Any]:
        """That of the source itself."""
        return self._source.description

    @property
    def dropped(self) -> int:
        """Frames that would have come while it was away, and those that the source itself lost."""
        return self._missed + self._source.dropped

    def open(self) -> None:
        """Open the source for the first time.

        Raises:
            BadInput: if it cannot be opened.
        """
        self._source.open()
        self._closed = False
        self._take_over()

    def read(self) -> Frame | None:
        """The next frame; waits for the source to come back.

        Raises:
            SourceLost: if it stayed away for `give_up_s`, or came back with pictures of another size.
        """
        while not self._closed:
            try:
                frame = self._source.read()
            except SourceLost as loss:
                self._come_back(loss)
                continue
            if frame is None:
                return None
            return self._continued(frame)
        return None

    def interrupt(self) -> None:
        """Give up waiting for the source to come back."""
        self._closed = True
        self._source.interrupt()

    def close(self) -> None:
        """Close the source, and give up waiting for it."""
        self._closed = True
        self._source.close()

    def _take_over(self) -> None:
        self.frame_rate_hz = self._source.frame_rate_hz or self.frame_rate_hz
        self.width, self.height = self._source.width or self.width, self._source.height or self.height

    def _come_back(self, loss: SourceLost) -> None:
        """Open the source again, once a second, until it works."""
        lost_ns = self._clock.now_ns()
        self._source.close()
        while not self._closed:
            self._clock.sleep_until(self._clock.now_ns() + to_nanoseconds(RETRY_S))
            away_ns = self._clock.now_ns() - lost_ns
            try:
                self._source = self._opened_anew()
                self._source.open()
            except BadInput as fault:
                if away_ns > self._give_up_ns:
                    raise SourceLost(f"{loss}; it stayed away for {to_seconds(away_ns):.0f} s: {fault}") from None
                continue
            self._away = True
            self._take_over()
            return

    def _continued(self, frame: Frame) -> Frame:
        """The frame on the index and the time of the first opening."""
        last = self._last
        if last is None:
            self._first_ns = frame.captured_ns - frame.time_ns
        elif self._away:
            self._join(frame, last)
        self._away = False
        self.height, self.width = frame.image.shape[:2]
        self._last = replace(
            frame, index=frame.index + self._index_offset, time_ns=frame.time_ns + self._time_offset_ns
        )
        return self._last

    def _join(self, frame: Frame, last: Frame) -> None:
        """Say where the frames of the source that came back begin."""
        height, width = frame.image.shape[:2]
        if last.image.shape != frame.image.shape:
            raise SourceLost(
                f"{self.name}: came back with {width}×{height} pixels, it had {self.width}×{self.height}; start again"
            )
        time_ns = max(frame.captured_ns - self._first_ns, last.time_ns + 1)
        self._time_offset_ns = time_ns - frame.time_ns
        missed = round((time_ns - last.time_ns) / NANOSECONDS * (self.frame_rate_hz or 0.0)) - 1
        self._missed += max(0, missed)
        self._index_offset = last.index + 1 + max(0, missed) - frame.index
        self.returns += 1
