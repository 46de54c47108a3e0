"""The camera against a scripted device and against OpenCV itself."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from realtime.clock import to_nanoseconds
from realtime.sources import Camera, CameraFormat, SourceLost
from tests.videos import number_of, write_numbered

PERIOD_NS = 10_000_000


class HandClock:
    """Moves only when told to, or when somebody sleeps on it."""

    def __init__(self) -> None:
        self.time_ns = 5_000_000_000

    def now_ns(self) -> int:
        return self.time_ns

    def sleep_until(self, time_ns: int) -> None:
        self.time_ns = max(self.time_ns, time_ns)


class ScriptedDevice:
    """A camera whose driver offers some rates per coding and whose frames come in a set cadence."""

    def __init__(
        self,
        clock: HandClock,
        *,
        rates_hz: Mapping[str, float] | None = None,
        opens: bool = True,
        failures: frozenset[int] = frozenset(),
        broken: frozenset[int] = frozenset(),
        frames: int = 1000,
    ) -> None:
        self.clock = clock
        self.rates_hz = {"YUYV": 30.0, "MJPG": 30.0} if rates_hz is None else dict(rates_hz)
        self.opens, self.failures, self.broken, self.frames = opens, failures, broken, frames
        self.coding, self.width, self.height, self.wanted_hz = "YUYV", 640.0, 480.0, 30.0
        self.grabs = 0
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opens

    def grab(self) -> bool:
        self.grabs += 1
        if self.grabs - 1 in self.failures or self.grabs > self.frames:
            return False
        self.clock.time_ns += PERIOD_NS
        return True

    def retrieve(self) -> tuple[bool, Any]:
        self.clock.time_ns += 3_000_000  # decoding takes time that must not be in the stamp
        image = np.zeros((int(self.height), int(self.width), 3), np.uint8)
        image[..., 0] = 200  # blue in OpenCV's order
        return self.grabs - 1 not in self.broken, image

    def get(self, propId: int) -> float:
        return {
            cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*self.coding)),
            cv2.CAP_PROP_FPS: min(self.wanted_hz, self.rates_hz[self.coding]),
            cv2.CAP_PROP_FRAME_WIDTH: self.width,
            cv2.CAP_PROP_FRAME_HEIGHT: self.height,
        }[propId]

    def set(self, propId: int, value: float) -> bool:
        if propId == cv2.CAP_PROP_FOURCC:
            letters = "".join(chr(int(value) >> shift & 0xFF) for shift in (0, 8, 16, 24))
            if letters not in self.rates_hz:
                return False
            self.coding = letters
        elif propId == cv2.CAP_PROP_FPS:
            self.wanted_hz = value
        elif propId == cv2.CAP_PROP_FRAME_WIDTH:
            self.width = min(value, 1280)
        elif propId == cv2.CAP_PROP_FRAME_HEIGHT:
            self.height = min(value, 720)
        return True

    def release(self) -> None:
        self.released = True


def factory(device: ScriptedDevice) -> Callable[[int | str], ScriptedDevice]:
    return lambda _: device


def test_frames_are_rgb_and_stamped_at_the_grab() -> None:
    clock = HandClock()
    started_ns = clock.now_ns()
    device = ScriptedDevice(clock)
    with Camera(0, clock=clock, capture_factory=factory(device)) as camera:
        frames = [frame for _, frame in zip(range(3), camera, strict=False)]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [frame.captured_ns for frame in frames] == [
        started_ns + number * PERIOD_NS + (number - 1) * 3_000_000 for number in (1, 2, 3)
    ]
    assert [frame.time_ns for frame in frames] == [frame.captured_ns - frames[0].captured_ns for frame in frames]
    assert frames[0].image[0, 0].tolist() == [0, 0, 200]
    assert camera.live
    assert device.released


@pytest.mark.parametrize(
    ("rates_hz", "wanted_hz", "coding", "rate_hz"),
    [
        ({"YUYV": 30.0, "MJPG": 120.0}, 120.0, "MJPG", 120.0),
        ({"YUYV": 30.0, "MJPG": 120.0}, 30.0, "YUYV", 30.0),
        ({"YUYV": 30.0, "MJPG": 30.0}, 120.0, "YUYV", 30.0),
        ({"YUYV": 60.0}, 120.0, "YUYV", 60.0),
    ],
)
def test_motion_jpeg_is_taken_only_where_it_raises_the_rate(
    rates_hz: dict[str, float], wanted_hz: float, coding: str, rate_hz: float
) -> None:
    clock = HandClock()
    wanted = CameraFormat(width=1920, height=480, frame_rate_hz=wanted_hz)
    camera = Camera(0, requested=wanted, clock=clock, capture_factory=factory(ScriptedDevice(clock, rates_hz=rates_hz)))
    with camera:
        described = camera.description
    assert described["requested"] == {"width": 1920, "height": 480, "frame_rate_hz": wanted_hz, "coding": None}
    assert described["format"] == {"width": 1280, "height": 480, "frame_rate_hz": rate_hz, "coding": coding}
    assert (camera.width, camera.height, camera.frame_rate_hz) == (1280, 480, rate_hz)
    json.dumps(described)


def test_a_coding_that_is_asked_for_is_kept() -> None:
    clock = HandClock()
    device = ScriptedDevice(clock, rates_hz={"YUYV": 60.0, "MJPG": 30.0})
    wanted = CameraFormat(frame_rate_hz=60, coding="MJPG")
    with Camera(0, requested=wanted, clock=clock, capture_factory=factory(device)) as camera:
        assert camera.description["format"]["coding"] == "MJPG"


def test_a_missed_grab_is_tried_again() -> None:
    clock = HandClock()
    device = ScriptedDevice(clock, failures=frozenset({1, 2}), broken=frozenset({4}))
    with Camera(0, clock=clock, capture_factory=factory(device)) as camera:
        frames = [frame for _, frame in zip(range(3), camera, strict=False)]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert device.grabs == 6


def test_an_unplugged_camera_is_lost_with_numbers() -> None:
    clock = HandClock()
    with Camera(2, clock=clock, capture_factory=factory(ScriptedDevice(clock, frames=4))) as camera:
        for _ in range(4):
            camera.read()
        before_ns = clock.now_ns()
        with pytest.raises(SourceLost, match=r"camera 2: gave no frame for 0\.5 s after frame 3"):
            camera.read()
    assert clock.now_ns() - before_ns < to_nanoseconds(0.6)


def test_a_camera_that_does_not_open_is_named_and_let_go() -> None:
    clock = HandClock()
    device = ScriptedDevice(clock, opens=False)
    with pytest.raises(BadInput, match="camera 7: ") as caught:
        Camera(7, clock=clock, capture_factory=factory(device)).open()
    assert "\n" not in str(caught.value)
    assert device.released


def test_a_camera_that_is_not_there_is_named_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadInput, match=r"camera 93: there is no such camera \(found: .*\); plug it in"):
        Camera(93).open()
    assert capfd.readouterr().err == ""


def test_opencv_itself_serves_as_the_device(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "device.mp4", 12, width=320, height=240)
    camera = Camera(str(path), patience_s=0.05)
    with camera:
        assert camera.description["format"]["width"] == 320
        numbers = [number_of(frame.image) for _, frame in zip(range(12), camera, strict=False)]
        with pytest.raises(SourceLost):
            camera.read()
    assert numbers == list(range(12))
    assert camera.read() is None
