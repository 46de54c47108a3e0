"""The preview: what is in a message, who gets one, and that the run never waits for it."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from demo.dashboard.live_overlay import FACE_OVAL
from demo.dashboard.live_preview import LivePreview, encode
from demo.dashboard.live_viewer import LiveViewer
from realtime.faces.landmarks import REGION_NAMES
from realtime.faces.observation import FaceObservation, FaceQuality
from realtime.frames import Frame
from realtime.spotting.sample import MotionSample
from realtime.watcher import FrameCounts, Look, SeenFace
from tests.demo.dashboard.live_cameras import wait_until
from tests.realtime.session_fixtures import HandClock

PERIOD_NS = 33_333_333
REGIONS = len(REGION_NAMES)


def seen_face(face_id: int, index: int, *, roll_deg: float = 0.0, movement: float = 0.0) -> SeenFace:
    """A face 64 px between the canthi, whose first region moves to the right."""
    quality = FaceQuality(
        eye_opening=(0.3, 0.3), yaw_deg=0.0, pitch_deg=0.0, roll_deg=roll_deg, mouth_opening=0.0, brightness=100.0,
        width_px=128.0,
    )  # fmt: skip
    points = np.random.default_rng(3).uniform(50, 200, (468, 2)).astype(np.float32)
    displacement = np.zeros((REGIONS, 2), np.float32)
    displacement[0] = (0.5 + movement, 0.0)
    displacement[1] = np.nan
    rest = np.zeros((REGIONS, 2), np.float32)
    rest[0] = (0.5, 0.0)
    sample = MotionSample(
        index=index, time_ns=index * PERIOD_NS, captured_ns=0, face_id=face_id, displacement=displacement,
        gates=("blink",),
    )  # fmt: skip
    return SeenFace(
        observation=FaceObservation(face_id=face_id, landmarks=points, measured=True, quality=quality),
        sample=sample,
        rest_px=rest,
        limits_px=np.full(REGIONS, 0.8, np.float32),
        strength=float("nan"),
        threshold=0.8,
    )


def look(index: int, *faces: SeenFace, width: int = 64) -> Look:
    image = np.full((48, width, 3), 120, np.uint8)
    return Look(frame=Frame(index=index, time_ns=index * PERIOD_NS, captured_ns=0, image=image), faces=faces)


class Screen:
    """A viewer that takes every frame at once, and may say that it drew it."""

    def __init__(self) -> None:
        self.viewer = LiveViewer(self._take)
        self.headers: list[dict[str, Any]] = []
        self.pictures: list[bytes] = []
        self.draws = True

    def _take(self) -> None:
        message = self.viewer.take_picture()
        if message is not None:
            length = int.from_bytes(message[:4], "big")
            self.headers.append(json.loads(message[4 : 4 + length]))
            self.pictures.append(message[4 + length :])


class Stage:
    """A preview with its clock and its viewers."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.clock.time_ns = 10_000_000_000
        self.screens: list[Screen] = []
        self.seconds = threading.Semaphore(0)
        self.preview = LivePreview(
            lambda: tuple(screen.viewer for screen in self.screens), self.clock, self.seconds.release
        )

    def screen(self) -> Screen:
        screen = Screen()
        screen.viewer.when_wanting(self.preview.poke)
        self.screens.append(screen)
        return screen

    def give(self, seen: Look) -> None:
        self.clock.time_ns += PERIOD_NS
        self.preview.watcher.on_frame(FrameCounts(read=seen.frame.index + 1, dropped=2, with_face=1), 1)
        assert self.preview.watcher.on_look is not None
        self.preview.watcher.on_look(seen)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.preview.close()


def test_a_message_says_all_that_is_drawn(stage: Stage) -> None:
    screen = stage.screen()
    stage.give(look(0, seen_face(1, 0, movement=0.9)))
    wait_until(lambda: screen.headers)
    header = screen.headers[0]
    assert (header["type"], header["index"], header["width"], header["height"]) == ("frame", 0, 64, 48)
    assert header["counts"] == {"read": 1, "dropped": 2, "with_face": 1}
    assert header["captured_age_ms"] == pytest.approx(stage.clock.time_ns / 1e6, abs=0.1)
    face = header["faces"][0]
    assert len(face["outline"]) == len(FACE_OVAL)
    assert [region["name"] for region in face["regions"]] == list(REGION_NAMES)
    assert face["regions"][0]["movement"] == [0.9, 0.0]
    assert [region["over"] for region in face["regions"][:3]] == [True, False, False]
    assert face["regions"][1]["movement"] is None
    assert all(len(region["points"]) >= 3 for region in face["regions"])
    assert (face["gates"], face["strength"], face["threshold"], face["scale"]) == (["blink"], None, 0.8, 2.0)
    samples = header["samples"]
    assert samples["regions"][0][:3] == [0.9, None, 0.0]
    assert samples["gates"] == [["blink"]]
    picture = cv2.imdecode(np.frombuffer(screen.pictures[0], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (48, 64, 3)


def test_movement_is_shown_along_the_picture_when_the_head_leans(stage: Stage) -> None:
    screen = stage.screen()
    stage.give(look(0, seen_face(1, 0, roll_deg=90.0, movement=1.0)))
    wait_until(lambda: screen.headers)
    # Leaning clockwise by a quarter: what is to the face's right in the upright crop is down in the picture.
    assert screen.headers[0]["faces"][0]["regions"][0]["movement"] == [0.0, 1.0]


def test_samples_between_two_frames_are_not_lost(stage: Stage) -> None:
    screen = stage.screen()

    def shown() -> list[float]:
        return [time_s for header in screen.headers for time_s in header["samples"]["time_s"]]

    for index in range(40):
        stage.give(look(index, seen_face(1, index)))
        if index % 4 == 3:
            screen.viewer.seen(index)
    wait_until(lambda: len(shown()) == 40)
    assert len(screen.headers) < 40
    assert shown() == [pytest.approx(index * PERIOD_NS / 1e9) for index in range(40)]


def test_who_comes_later_gets_the_last_ten_seconds_with_the_first_frame(stage: Stage) -> None:
    for index in range(400):
        stage.give(look(index, seen_face(1, index)))
    late = stage.screen()
    stage.preview.poke()
    wait_until(lambda: late.headers)
    times = late.headers[0]["samples"]["time_s"]
    assert times[-1] == pytest.approx(399 * PERIOD_NS / 1e9)
    assert times[-1] - times[0] == pytest.approx(10.0, abs=0.05)


def test_curves_are_of_the_face_that_was_seen_longest(stage: Stage) -> None:
    screen = stage.screen()
    for index in range(5):
        stage.give(look(index, seen_face(4, index, movement=0.2)))
    wait_until(lambda: screen.headers)
    before = len(screen.headers)
    screen.viewer.seen(99)
    stage.give(look(5, seen_face(5, 5, movement=3.0), seen_face(4, 5, movement=0.2)))
    wait_until(lambda: len(screen.headers) > before and screen.headers[-1]["index"] == 5)
    assert [face["face_id"] for face in screen.headers[-1]["faces"]] == [5, 4]
    assert screen.headers[-1]["samples"]["regions"][-1][0] == pytest.approx(0.2)


def test_a_viewer_that_draws_nothing_gets_two_frames_and_holds_up_nobody(stage: Stage) -> None:
    slow, quick = stage.screen(), stage.screen()
    for index in range(30):
        stage.give(look(index))
        wait_until(lambda: quick.headers and quick.headers[-1]["index"] == index)  # noqa: B023
        quick.viewer.seen(index)
    assert len(quick.headers) == 30
    assert len(slow.headers) == 2


def test_no_more_than_thirty_a_second_are_sent(stage: Stage) -> None:
    screen = stage.screen()
    for index in range(60):
        stage.clock.time_ns -= PERIOD_NS // 2  # a camera at 60 Hz
        stage.give(look(index))
        wait_until(lambda: stage.preview._newest is None)
        screen.viewer.seen(index)
    assert 28 <= len(screen.headers) <= 32


def test_nothing_is_encoded_while_nobody_looks(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []

    def counted(image: np.ndarray) -> bytes:
        encoded.append(1)
        return encode(image)

    monkeypatch.setattr("demo.dashboard.live_preview.encode", counted)
    for index in range(10):
        stage.give(look(index, seen_face(1, index)))
    assert encoded == []
    screen = stage.screen()
    stage.preview.poke()
    wait_until(lambda: screen.headers)
    assert encoded == [1]


def test_wide_pictures_are_made_smaller(stage: Stage) -> None:
    picture = cv2.imdecode(np.frombuffer(encode(np.zeros((1080, 1920, 3), np.uint8)), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (540, 960, 3)
    assert stage.preview.latency_ms() is None


def test_rate_and_latency_are_those_of_lately(stage: Stage) -> None:
    for index in range(50):
        stage.give(look(index))
    assert stage.preview.frame_rate_hz == pytest.approx(30.0, abs=0.01)
    latency_ms = stage.preview.latency_ms()
    assert latency_ms is not None
    assert latency_ms["p50"] <= latency_ms["p95"]
