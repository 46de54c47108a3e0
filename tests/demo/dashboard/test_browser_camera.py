"""A real Chromium films a file and sends it: nothing lost silently, true times, and words for what can go wrong."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from demo.benchmarks.browser_camera_clip import read_number, write_number
from demo.benchmarks.browser_camera_stand import WEBCAM, Stand, self_signed, send_camera, serve
from realtime.capture import Capture
from realtime.clock import MonotonicClock
from realtime.frames import Frame
from realtime.sources.pushed import PushedSource
from tests.demo.dashboard.conftest import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH, HEIGHT, RATE_HZ, FRAMES = 640, 480, 30, 300
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fake webcam's film that carries its numbers; Motion JPEG, which is small."""
    path = tmp_path_factory.mktemp("film") / "numbers.mjpeg"
    texture = np.random.default_rng(5).integers(60, 196, (HEIGHT // 8, WIDTH // 8, 1), dtype=np.uint8)
    image = np.repeat(np.kron(texture, np.ones((8, 8, 1), np.uint8)), 3, axis=2)
    with av.open(str(path), "w", format="mjpeg") as container:
        stream: Any = container.add_stream("mjpeg", rate=Fraction(RATE_HZ))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        for index in range(FRAMES):
            write_number(image, index)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator["Browser"]:
    with chromium(
        *WEBCAM, f"--use-file-for-fake-video-capture={film}", "--host-resolver-rules=MAP lab.example 127.0.0.1"
    ) as opened:
        yield opened


@pytest.fixture
def stand() -> Iterator[Stand]:
    with serve() as opened:
        yield opened


@contextmanager
def visiting(browser: "Browser", url: str, locale: str = "en-GB") -> Iterator["Page"]:
    visit = browser.new_context(locale=locale, ignore_https_errors=True)
    visit.set_default_timeout(30_000)
    try:
        page = visit.new_page()
        page.goto(url)
        page.wait_for_function("window.CameraSender !== undefined")
        yield page
    finally:
        visit.close()


@dataclass
class Drain:
    """Reads a source in the background, as a run does."""

    source: PushedSource
    frames: list[Frame] = field(default_factory=list)
    waits_ms: list[float] = field(default_factory=list)
    dropped: int = 0

    def run(self) -> None:
        clock = MonotonicClock()
        with Capture(self.source, stall_s=60.0) as capture:
            for frame in capture:
                self.waits_ms.append((clock.now_ns() - frame.captured_ns) / 1e6)
                self.frames.append(frame)
            self.dropped = capture.dropped

    @contextmanager
    def going_on(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run, name="onset-drain")
        thread.start()
        try:
            yield
        finally:
            self.source.interrupt()
            thread.join(20)

    def until(self, page: "Page", frames: int) -> None:
        """Wait, while the page goes on, until so many frames have come."""
        for _ in range(600):
            if len(self.frames) >= frames:
                return
            page.wait_for_timeout(50)
        pytest.fail(f"{len(self.frames)} of {frames} frames came; {page.evaluate('window.states')}")


def states(page: "Page") -> list[str]:
    return [one["state"] for one in page.evaluate("window.states")]


def stop(page: "Page") -> dict[str, Any]:
    page.evaluate("window.sender.stop()")
    page.wait_for_function("window.states.at(-1).state === 'ended'")
    figures: dict[str, Any] = page.evaluate("window.sender.figures()")
    return figures


@pytest.mark.parametrize(("coding", "secure"), [("raw", False), ("jpeg", True)])
def test_every_image_arrives_or_is_counted(browser: "Browser", tmp_path: Path, coding: str, secure: bool) -> None:
    if secure and shutil.which("openssl") is None:
        pytest.skip("makes a certificate with openssl, which is not installed")
    with serve(self_signed(tmp_path) if secure else None) as stand:
        check_images(browser, stand, coding)


def check_images(browser: "Browser", stand: Stand, coding: str) -> None:
    ticket, source = stand.cameras.offer()
    drain = Drain(source)
    with visiting(browser, stand.url) as page, drain.going_on():
        send_camera(page, ticket, coding=coding)
        drain.until(page, 90)
        figures = stop(page)
        page.wait_for_timeout(200)
    frames = drain.frames
    assert figures["sent"] + figures["dropped"] == figures["filmed"]
    assert len(frames) + drain.dropped == figures["filmed"], "what was filmed was read or is known to be lost"
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    assert {frame.image.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}
    # The film's own numbers: nothing comes twice or out of order.
    steps = [(read_number(later.image) - read_number(one.image)) % (FRAMES) for one, later in pairwise(frames)]
    assert min(steps) >= 1
    intervals_ms = [(later.time_ns - one.time_ns) / 1e6 for one, later in pairwise(frames)]
    assert min(intervals_ms) > 0
    per_picture_ms = [interval / step for interval, step in zip(intervals_ms, steps, strict=True)]
    assert median(per_picture_ms) == pytest.approx(1000 / RATE_HZ, rel=0.1)
    assert min(drain.waits_ms) >= 0, "no image is read before it was taken"
    assert median(drain.waits_ms) < 500
    assert figures["round_trip_ms"] > 0


def test_reloading_the_page_does_not_end_the_run(browser: "Browser", stand: Stand) -> None:
    ticket, source = stand.cameras.offer()
    drain = Drain(source)
    with visiting(browser, stand.url) as page, drain.going_on():
        for load in range(3):
            send_camera(page, ticket, coding="jpeg")
            drain.until(page, 20 * (load + 1))
            page.reload()
            page.wait_for_function("window.CameraSender !== undefined")
        send_camera(page, ticket, coding="jpeg")
        drain.until(page, 80)
        figures = stop(page)
    indices = [frame.index for frame in drain.frames]
    assert indices == sorted(set(indices)), "numbers go on where the page before ended"
    assert figures["filmed"] == len(drain.frames) + drain.dropped
    assert source.description["connections"] == 4
    times = [frame.time_ns for frame in drain.frames]
    assert times == sorted(times)


def test_a_cut_connection_is_taken_up_again(browser: "Browser", stand: Stand) -> None:
    ticket, source = stand.cameras.offer()
    drain = Drain(source)
    with visiting(browser, stand.url) as page, drain.going_on():
        send_camera(page, ticket, coding="jpeg")
        drain.until(page, 20)
        before = len(drain.frames)
        cut(stand)
        page.wait_for_function("window.states.some(({state}) => state === 'reconnecting')")
        drain.until(page, before + 40)
        figures = stop(page)
        told = states(page)
    assert told == ["asking", "connecting", "sending", "reconnecting", "sending", "ended"]
    assert source.description["connections"] == 2
    assert drain.dropped > 0, "what was filmed meanwhile is known to be lost"
    assert len(drain.frames) + drain.dropped == figures["filmed"]


def cut(stand: Stand) -> None:
    """What a broken cable does to every connection."""
    assert stand.server is not None
    for connection in list(stand.server.server_state.connections):
        transport: Any = connection.transport
        transport._loop.call_soon_threadsafe(transport.abort)


def test_an_unplugged_camera_comes_back(browser: "Browser", stand: Stand) -> None:
    ticket, source = stand.cameras.offer()
    drain = Drain(source)
    with visiting(browser, stand.url) as page, drain.going_on():
        send_camera(page, ticket, coding="jpeg")
        drain.until(page, 20)
        before = len(drain.frames)
        page.evaluate("(sender.track.stop(), sender.track.dispatchEvent(new Event('ended')))")
        page.wait_for_function("window.states.some(({state}) => state === 'unplugged')")
        drain.until(page, before + 20)
        stop(page)
        told = states(page)
    assert told[:4] == ["asking", "connecting", "sending", "unplugged"]
    assert told[-2:] == ["sending", "ended"]
    assert source.description["connections"] == 2


_HOLD_REQUESTS = """() => {
  const media = navigator.mediaDevices;
  const open = media.getUserMedia.bind(media);
  window.asked = [];
  media.getUserMedia = (wanted) => new Promise((resolve) => {
    asked.push({ id: wanted.video.deviceId?.exact, answer: async () => resolve((window.late = await open(wanted))) });
  });
  window.filmed = sender.track.getSettings().deviceId;
  sender.track.stop();
  sender.track.dispatchEvent(new Event("ended"));
  for (let change = 0; change < 3; change += 1) media.dispatchEvent(new Event("devicechange"));
}"""


def test_a_camera_that_comes_back_after_the_stop_is_switched_off(browser: "Browser", stand: Stand) -> None:
    ticket, source = stand.cameras.offer()
    drain = Drain(source)
    with visiting(browser, stand.url) as page, drain.going_on():
        send_camera(page, ticket, coding="jpeg")
        drain.until(page, 5)
        page.evaluate(_HOLD_REQUESTS)
        assert page.evaluate("asked.map(({id}) => id)") == [page.evaluate("filmed")], "one request, for the same camera"
        stop(page)
        page.evaluate("asked[0].answer()")
        page.wait_for_function("window.late?.getTracks().every((track) => track.readyState === 'ended')")
        page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
        assert page.evaluate("asked.length") == 1, "nobody waits for it any more"
        assert states(page)[-2:] == ["unplugged", "ended"]


def test_the_run_that_ends_switches_the_camera_off(browser: "Browser", stand: Stand) -> None:
    ticket, source = stand.cameras.offer()
    drain = Drain(source)
    with visiting(browser, stand.url, locale="zh-CN") as page, drain.going_on():
        send_camera(page, ticket, coding="jpeg")
        drain.until(page, 5)
        source.interrupt()
        page.wait_for_function("window.states.at(-1).state === 'ended'")
        assert page.evaluate("window.sender.track.readyState") == "ended"
        assert page.evaluate("window.states.at(-1).detail") == "摄像头已关闭，运行已结束。"


def test_plain_http_from_another_name_says_that_it_needs_a_certificate(browser: "Browser", stand: Stand) -> None:
    with visiting(browser, stand.url.replace("127.0.0.1", "lab.example")) as page:
        send_camera(page, "any")
        told = page.evaluate("window.states")
    assert [one["state"] for one in told] == ["insecure"]
    assert "--certificate and --key" in told[0]["detail"]


def test_a_ticket_that_is_not_good_is_told_in_words(browser: "Browser", stand: Stand) -> None:
    with visiting(browser, stand.url) as page:
        send_camera(page, "guessed")
        page.wait_for_function("window.states.at(-1).state === 'failed'")
        assert "unknown, expired or of a run that has ended" in page.evaluate("window.states.at(-1).detail")
