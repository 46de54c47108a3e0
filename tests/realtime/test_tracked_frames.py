from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from realtime.clock import MonotonicClock
from realtime.faces.tracker import FaceTracker
from realtime.frames import Frame
from realtime.telemetry import Telemetry
from realtime.tracked_frames import TrackedFrames


@pytest.fixture(scope="module")
def tracker() -> Iterator[FaceTracker]:
    with FaceTracker() as opened:
        yield opened


def frames(count: int, fault: Exception | None = None) -> Iterator[Frame]:
    for index in range(count):
        image = np.full((48, 64, 3), index, np.uint8)
        yield Frame(index=index, time_ns=index * 20_000_000, captured_ns=0, image=image)
    if fault is not None:
        raise fault


def test_frames_come_in_order_with_their_faces(tracker: FaceTracker) -> None:
    with closing(TrackedFrames(frames(30), tracker, Telemetry(MonotonicClock()))) as tracked:
        taken = [(frame.index, faces) for frame, faces in tracked]
    assert taken == [(index, []) for index in range(30)]


def test_a_fault_comes_after_the_frames_before_it(tracker: FaceTracker) -> None:
    taken: list[int] = []
    tracked = TrackedFrames(frames(5, OSError("the disk broke")), tracker, Telemetry(MonotonicClock()))
    with closing(tracked), pytest.raises(OSError, match="the disk broke"):
        taken.extend(frame.index for frame, _ in tracked)
    assert taken == list(range(5))


def test_close_ends_the_thread_though_frames_are_left(tracker: FaceTracker) -> None:
    tracked = TrackedFrames(frames(10_000), tracker, Telemetry(MonotonicClock()))
    assert next(iter(tracked))[0].index == 0
    tracked.close()
    tracked.close()
