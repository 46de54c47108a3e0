"""A camera that is unplugged and comes back: one source for whoever reads it, with a gap."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from engines.errors import BadInput
from realtime.capture import Capture
from realtime.frames import Frame
from realtime.sources.base import Source, SourceLost, SourceStalled
from realtime.sources.persistent import PersistentSource
from tests.realtime.test_sources_camera import HandClock

SECOND_NS = 1_000_000_000
PERIOD_NS = 100_000_000


class Plugged(Source):
    """A camera at 10 Hz that is there for some frames, or not at all."""

    live = True
    name = "camera 7"
    frame_rate_hz = 10.0

    def __init__(self, clock: HandClock, frames: int, size: tuple[int, int] = (6, 8)) -> None:
        self.clock, self.frames, self.size = clock, frames, size
        self.index = self.first_ns = 0
        self.closed = False

    @property
    def description(self) -> dict[str, Any]:
        return {"kind": "camera"}

    def open(self) -> None:
        if not self.frames:
            raise BadInput("camera 7: there is no such camera")

    def read(self) -> Frame | None:
        if self.index == self.frames:
            self.clock.time_ns += SECOND_NS // 2
            raise SourceLost("camera 7: gave no frame for 0.5 s; check its cable")
        self.clock.time_ns += PERIOD_NS
        self.first_ns = self.first_ns or self.clock.time_ns
        index, self.index = self.index, self.index + 1
        time_ns = self.clock.time_ns - self.first_ns
        image = np.full((*self.size, 3), index, np.uint8)
        return Frame(index=index, time_ns=time_ns, captured_ns=self.clock.time_ns, image=image)

    def close(self) -> None:
        self.closed = True


def persistent(clock: HandClock, cameras: Sequence[Plugged], give_up_s: float = 600.0) -> PersistentSource:
    left = iter(cameras)
    return PersistentSource(lambda: next(left), give_up_s=give_up_s, clock=clock)


def test_indices_and_times_go_on_after_a_gap() -> None:
    clock = HandClock()
    cameras = [Plugged(clock, 5), Plugged(clock, 0), Plugged(clock, 0), Plugged(clock, 4)]
    with persistent(clock, cameras) as source:
        frames = [source.read() for _ in range(9)]
    got = [frame for frame in frames if frame is not None]
    assert len(got) == 9
    began_ns = got[0].captured_ns
    assert [frame.time_ns for frame in got] == [frame.captured_ns - began_ns for frame in got]
    assert [frame.index for frame in got[:5]] == [0, 1, 2, 3, 4]
    # Half a second until it was noticed, three attempts a second apart, and the frame itself.
    gap_s = (got[5].time_ns - got[4].time_ns) / SECOND_NS
    assert gap_s == pytest.approx(3.6)
    assert [frame.index for frame in got[5:]] == [40, 41, 42, 43]
    assert source.dropped == 35
    assert source.returns == 1
    assert all(camera.closed for camera in (cameras[0], cameras[3]))


def test_a_camera_that_stays_away_is_lost_with_the_reason() -> None:
    clock = HandClock()
    cameras = [Plugged(clock, 2), *(Plugged(clock, 0) for _ in range(60))]
    with persistent(clock, cameras, give_up_s=30.0) as source:
        source.read()
        source.read()
        with pytest.raises(SourceLost, match="stayed away for 31 s: camera 7: there is no such camera"):
            source.read()


def test_one_that_is_not_there_at_first_is_bad_input_at_once() -> None:
    clock = HandClock()
    with pytest.raises(BadInput, match="no such camera"):
        persistent(clock, [Plugged(clock, 0)]).open()


def test_pictures_of_another_size_end_it() -> None:
    clock = HandClock()
    with persistent(clock, [Plugged(clock, 1), Plugged(clock, 3, (12, 16))]) as source:
        source.read()
        with pytest.raises(SourceLost, match="came back with 16×12 pixels, it had 8×6"):
            source.read()


class ForeverAway(Plugged):
    """Comes back never; counts the attempts."""

    attempts = 0

    def open(self) -> None:
        ForeverAway.attempts += 1
        raise BadInput("camera 7: there is no such camera")


def test_while_it_is_away_readers_see_a_stall_and_closing_waits_for_nothing() -> None:
    clock = HandClock()
    cameras = iter([Plugged(clock, 3)])
    source = PersistentSource(lambda: next(cameras, ForeverAway(clock, 1)), give_up_s=1e9, clock=clock)
    with Capture(source, clock=clock) as capture:
        seen = [capture.get(timeout_s=5.0) for _ in range(3)]
        assert [frame.index for frame in seen if frame is not None] == [0, 1, 2]
        with pytest.raises(SourceStalled, match="no frame for"):
            capture.get(timeout_s=5.0)
    assert ForeverAway.attempts > 0
    assert source.read() is None
