"""Cameras for tests of the live run: driven by the test, without faces unless it wants some."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from engines.errors import BadInput
from realtime.clock import MonotonicClock
from realtime.frames import Frame
from realtime.sources.base import Source, SourceLost

PERIOD_NS = 33_333_333
STEP_S = 0.005


class TurnedCamera(Source):
    """Gives a frame each time that the test turns its crank; can be unplugged, plugged in again, or break.

    Args:
        size: height and width of its pictures.
        pictures: what it shows, again and again; gray otherwise.
    """

    live = True
    name = "camera 0"
    frame_rate_hz = 30.0

    def __init__(self, size: tuple[int, int] = (72, 96), pictures: list[np.ndarray] | None = None) -> None:
        self.pictures = pictures or [np.full((*size, 3), 90, np.uint8)]
        self.turns = threading.Semaphore(0)
        self.plugged = True
        self.breaks: Exception | None = None
        self.opened = self.index = 0
        self.closing = threading.Event()

    @property
    def description(self) -> dict[str, Any]:
        return {"kind": "turned"}

    def open(self) -> None:
        if not self.plugged:
            raise BadInput("camera 0: there is no such camera; plug it in")
        self.opened += 1
        self.index = 0

    def read(self) -> Frame | None:
        while not self.turns.acquire(timeout=STEP_S):
            if self.closing.is_set():
                return None
            if self.breaks is not None:
                raise self.breaks
            if not self.plugged:
                raise SourceLost("camera 0: gave no frame for 0.5 s; check its cable")
        index, self.index = self.index, self.index + 1
        captured_ns = MonotonicClock().now_ns()
        image = self.pictures[index % len(self.pictures)]
        return Frame(index=index, time_ns=index * PERIOD_NS, captured_ns=captured_ns, image=image)

    def close(self) -> None:
        pass

    def interrupt(self) -> None:
        self.closing.set()

    def turn(self, frames: int) -> None:
        """Give some frames."""
        self.turns.release(frames)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Give frames at about its rate while the block lasts."""
        enough = threading.Event()

        def go_on() -> None:
            while not enough.wait(PERIOD_NS / 1e9):
                self.turn(1)

        crank = threading.Thread(target=go_on, name="test-crank")
        crank.start()
        try:
            yield
        finally:
            enough.set()
            crank.join()


def wait_until(condition: Callable[[], Any], limit_s: float = 60.0) -> None:
    """Return when a condition holds; busy machines take their time."""
    deadline_ns = MonotonicClock().now_ns() + round(limit_s * 1e9)
    pause = threading.Event()
    while not condition():
        assert MonotonicClock().now_ns() < deadline_ns, "it did not come so far"
        pause.wait(0.01)


def of_kind(messages: list[dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    """The messages of one type."""
    return (message for message in messages if message["type"] == kind)
