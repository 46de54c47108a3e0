"""The capture thread: nothing lost from a file, honest counts from a camera, faults in the caller's hands."""

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.errors import BadInput
from realtime.capture import Capture
from realtime.frames import Frame
from realtime.sources import ScriptedSource, Source, SourceLost, SourceStalled, VideoFile
from tests.realtime.test_sources_camera import HandClock
from tests.videos import number_of, write_numbered

PERIOD_NS = 5_000_000


def images(count: int) -> Iterator[tuple[int, np.ndarray]]:
    for index in range(count):
        yield index * PERIOD_NS, np.full((8, 8, 3), index % 256, np.uint8)


class GatedSource(ScriptedSource):
    """Gives a frame each time that the test opens the gate; can fail, or block until it is let go."""

    def __init__(self, count: int, *, live: bool = True, fault: Exception | None = None) -> None:
        super().__init__(images(count), live=False, clock=HandClock(), name="gated")
        self.live = live
        self.gate = threading.Semaphore(0)
        self.reads = 0
        self.raised = fault
        self.closed = 0

    def read(self) -> Frame | None:
        self.gate.acquire()
        self.reads += 1
        frame = super().read()
        if frame is None and self.raised is not None:
            raise self.raised
        return frame

    def close(self) -> None:
        super().close()
        self.closed += 1


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the capture thread did not come so far"
        time.sleep(0.001)


def test_a_file_is_never_dropped_however_slow_the_reader(tmp_path: Path) -> None:
    source = VideoFile(write_numbered(tmp_path / "clip.mp4", 90))
    with Capture(source, queue_frames=2) as capture:
        assert number_of((capture.get() or pytest.fail("no frame")).image) == 0
        wait_until(lambda: capture.waiting == 2)
        time.sleep(0.05)
        assert capture.waiting == 2, "the thread waits instead of reading on"
        rest = [number_of(frame.image) for frame in capture]
        assert capture.get() is None, "the end stays the end"
    assert rest == list(range(1, 90))
    assert (capture.dropped, capture.frames_read) == (0, 90)


def test_a_live_source_drops_the_oldest_and_counts() -> None:
    source = GatedSource(50)
    with Capture(source, queue_frames=4) as capture:
        source.gate.release(20)
        wait_until(lambda: capture.frames_read == 20)
        taken = [capture.get(), capture.get()]
        source.gate.release(31)
        taken += list(capture)
    indices = [frame.index for frame in taken if frame is not None]
    assert indices[:2] == [16, 17]
    assert indices[-1] == 49
    gaps = sum(later - index - 1 for index, later in pairwise([-1, *indices]))
    assert gaps == capture.dropped
    assert len(indices) + capture.dropped == 50


def test_bytes_bound_the_queue_too() -> None:
    source = GatedSource(10)
    with Capture(source, queue_bytes=3 * 8 * 8 * 3) as capture:
        source.gate.release(11)
        wait_until(lambda: capture.frames_read == 10)
        assert capture.waiting == 3
        assert capture.dropped == 7


def test_a_fault_comes_after_the_frames_before_it() -> None:
    source = GatedSource(3, fault=SourceLost("gated: cut off"))
    with Capture(source) as capture:
        source.gate.release(4)
        frames = [capture.get() for _ in range(3)]
        assert [frame.index for frame in frames if frame is not None] == [0, 1, 2]
        for _ in range(2):
            with pytest.raises(SourceLost, match="cut off"):
                capture.get()
    assert source.closed == 1


def test_an_unforeseen_fault_reaches_the_caller_too() -> None:
    source = GatedSource(0, fault=ZeroDivisionError("a bug"))
    with Capture(source) as capture:
        source.gate.release()
        with pytest.raises(ZeroDivisionError, match="a bug"):
            capture.get()


def test_faults_of_opening_come_at_once_and_leave_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    capture = Capture(VideoFile(tmp_path / "gone.mp4"))
    with pytest.raises(BadInput, match="there is no such file"):
        capture.open()
    assert threading.active_count() == before
    capture.close()


def test_a_stall_is_reported_while_the_read_still_blocks_and_may_end() -> None:
    clock = HandClock()
    source = GatedSource(3)
    with Capture(source, clock=clock, stall_s=1.5, start_s=5.0) as capture:
        clock.time_ns += 4_900_000_000
        with pytest.raises(TimeoutError):
            capture.get(timeout_s=0.03)
        source.gate.release()
        assert capture.get() is not None
        clock.time_ns += 1_400_000_000
        with pytest.raises(TimeoutError):
            capture.get(timeout_s=0.03)
        clock.time_ns += 200_000_000
        began = time.monotonic()
        with pytest.raises(SourceStalled, match=r"gated: no frame for 1\.6 s after frame 0"):
            capture.get()
        assert time.monotonic() - began < 0.5
        source.gate.release()  # it wakes up again
        wait_until(lambda: capture.frames_read == 2)
        assert (capture.get() or pytest.fail("no frame")).index == 1
        source.gate.release(2)
        assert len(list(capture)) == 1


def test_a_source_that_never_starts_is_reported() -> None:
    clock = HandClock()
    source = GatedSource(3)
    with Capture(source, clock=clock, start_s=5.0) as capture:
        clock.time_ns += 5_000_000_000
        with pytest.raises(SourceStalled, match=r"no frame for 5\.0 s since it was opened"):
            capture.get()
        source.gate.release(4)


def test_closing_early_ends_the_thread_and_closes_the_source(tmp_path: Path) -> None:
    source = VideoFile(write_numbered(tmp_path / "clip.mp4", 60))
    capture = Capture(source, queue_frames=1)
    capture.open()
    capture.get()
    capture.close()
    capture.close()
    assert capture.get() is None
    assert not [thread for thread in threading.enumerate() if thread.name == "onset-capture"]
    assert source.read() is None


def test_a_read_that_never_returns_does_not_hold_up_closing(caplog: pytest.LogCaptureFixture) -> None:
    source = GatedSource(3)
    capture = Capture(source, join_s=0.05)
    capture.open()
    capture.close()
    assert "has not returned" in caplog.text
    assert source.closed == 0
    source.gate.release()  # the driver comes back after all
    wait_until(lambda: source.closed == 1)


def test_a_scripted_live_source_keeps_its_cadence() -> None:
    clock = HandClock()
    source: Source = ScriptedSource(images(20), live=True, clock=clock)
    started_ns = clock.now_ns()
    with Capture(source, clock=clock) as capture:
        frames = list(capture)
    assert [frame.time_ns for frame in frames] == [index * PERIOD_NS for index in range(20)]
    assert [frame.captured_ns - started_ns for frame in frames] == [frame.time_ns for frame in frames]
