"""The WebSocket of the browser's camera, spoken to by hand."""

import json
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession

from demo.dashboard.camera_messages import LARGEST_HEADER_BYTES
from demo.dashboard.camera_routes import IMAGES_AT_ONCE, camera_routes
from engines.errors import BadInput
from realtime.capture import Capture
from realtime.sources.browser_cameras import BrowserCameras
from realtime.sources.pushed import PushedSource
from realtime.sources.pushed_image import LARGEST_IMAGE_BYTES
from realtime.sources.remote_clock import SETTLED
from tests.realtime.pushed_images import HEIGHT, PERIOD_NS, WIDTH, jpeg
from tests.videos import number_of

HELLO = {"type": "hello", "page": "p", "device": "cam", "width": WIDTH, "height": HEIGHT, "frame_rate_hz": 30.0}


@dataclass
class FakeHouse:
    cameras: BrowserCameras = field(default_factory=BrowserCameras)


@pytest.fixture
def house() -> Iterator[FakeHouse]:
    made = FakeHouse()
    yield made
    made.cameras.close()


@pytest.fixture
def client(house: FakeHouse) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=camera_routes(house))) as opened:
        yield opened


class Page:
    """A page with a camera whose clock is an hour behind and began with the page."""

    def __init__(self, socket: WebSocketTestSession) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []

    def now_ms(self) -> float:
        return time.monotonic_ns() / 1e6 - 3_600_000.0

    def say(self, **message: Any) -> None:
        self.socket.send_text(json.dumps(message))

    def answer_clock(self, question: dict[str, Any]) -> None:
        self.say(type="clock", number=question["number"], there_ms=self.now_ms(), back_ms=self.now_ms())

    def hear(self, kind: str) -> dict[str, Any]:
        """The next message of a kind; questions about the clock are answered meanwhile."""
        while True:
            message = self.socket.receive_json()
            if message["type"] == "clock":
                self.answer_clock(message)
            elif message["type"] == kind:
                return dict(message)
            else:
                self.heard.append(message)

    def image(self, index: int, captured_ms: float, content: bytes | None = None, **facts: Any) -> None:
        header = {"index": index, "captured_ms": captured_ms, "coding": "jpeg", "width": WIDTH, "height": HEIGHT}
        packed = json.dumps(header | facts).encode()
        self.socket.send_bytes(struct.pack(">I", len(packed)) + packed + (jpeg(index) if content is None else content))


def until_away(source: PushedSource) -> None:
    deadline_s = time.monotonic() + 10
    while source.state == "connected":
        assert time.monotonic() < deadline_s, "the server did not notice that the page left"
        time.sleep(0.005)


@contextmanager
def page(client: TestClient, ticket: str, **hello: Any) -> Iterator[Page]:
    """A page that is ready to send."""
    with client.websocket_connect(f"/onset/camera?ticket={ticket}") as socket:
        opened = Page(socket)
        opened.say(**(HELLO | {"coding": "jpeg"} | hello))
        yield opened


def test_images_arrive_with_true_capture_times(client: TestClient, house: FakeHouse) -> None:
    ticket, source = house.cameras.offer()
    with page(client, ticket) as camera:
        ready = camera.hear("ready")
        assert (ready["next_index"], ready["credits"]) == (0, IMAGES_AT_ONCE)
        with Capture(source) as capture:
            taken_ns = time.monotonic_ns() - 500_000_000  # half a second on the way
            for index in (0, 1, 4):
                camera.image(index, (taken_ns + index * PERIOD_NS) / 1e6 - 3_600_000.0)
            frames = [capture.get(timeout_s=10) for _ in range(3)]
            assert camera.hear("taken")["index"] in (0, 1, 4)
            camera.say(type="complete", frames=6)
            assert capture.get(timeout_s=10) is None
            assert capture.dropped == 3
            assert camera.hear("ended")["text"] == ""
    indices = [frame.index for frame in frames if frame is not None]
    assert indices == [0, 1, 4]
    assert [number_of(frame.image) for frame in frames if frame is not None] == indices
    for frame in frames:
        assert frame is not None
        # The clocks were compared over a connection within this process: a few milliseconds at worst.
        assert abs(frame.captured_ns - taken_ns - frame.index * PERIOD_NS) < 50_000_000
        assert abs(frame.time_ns - frame.index * PERIOD_NS) < 1_000_000


def test_the_clock_is_compared_before_the_first_image(client: TestClient, house: FakeHouse) -> None:
    ticket, _source = house.cameras.offer()
    with page(client, ticket) as camera:
        questions = [camera.socket.receive_json()]
        for _ in range(SETTLED - 1):
            camera.answer_clock(questions[-1])
            questions.append(camera.socket.receive_json())
        assert [one["type"] for one in questions] == ["clock"] * SETTLED
        assert questions[0]["round_trip_ms"] is None
        assert questions[-1]["round_trip_ms"] >= 0
        camera.answer_clock(questions[-1])
        assert camera.socket.receive_json()["type"] == "ready"


def test_a_page_that_reloads_goes_on_where_it_was(client: TestClient, house: FakeHouse) -> None:
    ticket, source = house.cameras.offer()
    with page(client, ticket) as camera:
        camera.hear("ready")
        with Capture(source) as capture:
            camera.image(0, camera.now_ms())
            camera.image(1, camera.now_ms() + 0.1)
            assert [(capture.get(10) or pytest.fail("no frame")).index for _ in range(2)] == [0, 1]
            camera.socket.close()
            until_away(source)
            with page(client, ticket, page="the same, loaded again") as again:
                assert again.hear("ready")["next_index"] == 2
                again.image(2, again.now_ms())
                assert (capture.get(10) or pytest.fail("no frame")).index == 2
                again.say(type="leave", reason="its camera was unplugged")
                until_away(source)
    assert source.description["connections"] == 2


def test_the_page_hears_that_the_run_was_stopped(client: TestClient, house: FakeHouse) -> None:
    ticket, source = house.cameras.offer()
    with page(client, ticket) as camera:
        camera.hear("ready")
        source.interrupt()
        assert camera.hear("ended") == {"type": "ended", "text": ""}


@pytest.mark.parametrize(
    ("hello", "text"),
    [
        ({"width": 10}, "10×120 pixels: a camera's picture has at least 64 pixels a side"),
        ({"width": "wide"}, "camera page: cannot read what camera it has"),
        ({"coding": "gif"}, "coding 'gif', not i420, nv12, jpeg"),
        ({"type": "good day"}, "camera page: expected its hello; load the page again"),
    ],
)
def test_a_page_that_is_no_camera_is_refused(
    client: TestClient, house: FakeHouse, hello: dict[str, Any], text: str
) -> None:
    ticket, source = house.cameras.offer()
    with page(client, ticket, **hello) as camera:
        refused = camera.hear("refused")
        assert text in refused["text"]
        assert refused["final"] is True
    assert source.state == "waiting", "the run still waits for a page that is right"


def test_an_unknown_ticket_is_refused_for_good(client: TestClient) -> None:
    with page(client, "guessed") as camera:
        assert camera.hear("refused") == {
            "type": "refused",
            "text": "camera ticket: unknown, expired or of a run that has ended; start a new run",
            "final": True,
        }


def test_a_second_page_may_try_again_later(client: TestClient, house: FakeHouse) -> None:
    ticket, _source = house.cameras.offer()
    with page(client, ticket) as camera:
        camera.hear("ready")
        with page(client, ticket, page="another") as other:
            assert other.hear("refused")["final"] is False


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"\x00", "an image without its facts"),
        (struct.pack(">I", 2) + b"{}", "an image without its facts ('captured_ms')"),
        (struct.pack(">I", 2**31) + b"{" * 2000, "an image without its facts"),
        (b"\x00" * (LARGEST_IMAGE_BYTES + LARGEST_HEADER_BYTES + 1), "choose a smaller picture size"),
        ("{}", "unknown message 'None'"),
        ("[]", "a message that is no JSON object"),
        ('{"type": "complete", "frames": -1}', "ended without saying how many images there were"),
        ('{"type": "clock", "number": 1}', "an answer about its clock without times"),
    ],
)
def test_nonsense_is_refused_in_one_line(client: TestClient, house: FakeHouse, message: str | bytes, text: str) -> None:
    ticket, source = house.cameras.offer()
    with page(client, ticket) as camera:
        camera.hear("ready")
        if isinstance(message, bytes):
            camera.socket.send_bytes(message)
        else:
            camera.socket.send_text(message)
        refused = camera.hear("refused")
        assert text in refused["text"]
        assert "\n" not in refused["text"]
    assert source.state == "away"


def test_numbers_that_do_not_rise_end_the_run(client: TestClient, house: FakeHouse) -> None:
    ticket, source = house.cameras.offer()
    with page(client, ticket) as camera:
        camera.hear("ready")
        camera.image(3, camera.now_ms())
        camera.image(3, camera.now_ms() + 30)
        text = camera.hear("refused")["text"]
        assert text == "browser camera: image 3 came after 3, numbers must rise; start again"
    with pytest.raises(BadInput, match=r"^browser camera: image 3 came after 3, numbers must rise; start again$"):
        source.open()
