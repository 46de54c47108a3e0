"""Frames that another program hands in: nothing lost silently, and faults that say what to do."""

import threading

import numpy as np
import pytest

from engines.errors import BadInput
from realtime.capture import Capture
from realtime.sources import SourceLost
from realtime.sources.pushed import Delivery, Listener, PushedSource, SenderRefused
from realtime.sources.pushed_image import LARGEST_SIDE_PX, ImageDecoder, PushedFormat, jpeg_size
from tests.realtime.pushed_images import CAMERA, HEIGHT, PERIOD_NS, WIDTH, jpeg, planes, pushed
from tests.realtime.test_sources_camera import HandClock
from tests.videos import number_of, numbered_image


def connected(listener: Listener | None = None, **settings: object) -> tuple[PushedSource, Delivery]:
    source = PushedSource(**settings)  # type: ignore[arg-type]  # forwarded as they are
    return source, source.connect(CAMERA, "page", listener)


def test_frames_come_with_the_senders_numbers_and_times() -> None:
    source, delivery = connected()
    with source:
        for index in range(5):
            assert delivery.push(pushed(index))
        delivery.complete(5)
        frames = list(source)
    assert [number_of(frame.image) for frame in frames] == list(range(5))
    assert [frame.index for frame in frames] == list(range(5))
    assert [frame.time_ns for frame in frames] == [index * PERIOD_NS for index in range(5)]
    assert frames[2].captured_ns == 7_000_000_000 + 2 * PERIOD_NS
    assert source.dropped == 0
    assert (source.width, source.height, source.frame_rate_hz) == (WIDTH, HEIGHT, 30.0)


def test_whatever_is_missing_is_counted() -> None:
    """Not sent, damaged, of another size than it says, not sent at the end: each leaves a gap."""
    source, delivery = connected()
    with Capture(source) as capture:
        delivery.push(pushed(2))  # two could not be sent before
        delivery.push(pushed(3, b"\xff\xd8 no picture"))
        delivery.push(pushed(4, jpeg(4)[:200]))
        delivery.push(pushed(5, jpeg(5, 320, 240)))
        delivery.push(pushed(6, b"too short", coding="i420"))
        delivery.push(pushed(9))
        delivery.complete(12)
        indices = [frame.index for frame in capture]
        assert indices == [2, 9] or indices == [2, 4, 9], "a JPEG cut off in its data may still be decoded"
        assert len(indices) + capture.dropped == 12


def test_a_queue_that_is_full_lets_the_oldest_go_and_counts() -> None:
    source, delivery = connected(queue_images=3)
    with source:
        for index in range(10):
            delivery.push(pushed(index))
        delivery.complete(10)
        assert [frame.index for frame in source] == [7, 8, 9]
    assert source.dropped == 7


def test_bytes_bound_the_queue_too() -> None:
    source, delivery = connected(queue_bytes=2 * len(jpeg(0)) + len(jpeg(0)) // 2)
    with source:
        for index in range(4):
            delivery.push(pushed(index, jpeg(0)))
        delivery.complete(4)
        assert [frame.index for frame in source] == [2, 3]


def test_more_images_a_second_than_a_camera_films_are_let_go() -> None:
    clock = HandClock()
    source, delivery = connected(clock=clock, queue_images=1000)
    took = [delivery.push(pushed(index, b"", time_ns=index)) for index in range(300)]
    assert took == [True] * 240 + [False] * 60
    clock.time_ns += 1_000_000_000
    assert delivery.push(pushed(300, b"", time_ns=300))
    source.close()


def test_the_sender_hears_what_left_the_queue_and_of_the_end() -> None:
    taken: list[int] = []
    ended: list[str | None] = []
    source, delivery = connected(Listener(taken=taken.append, ended=ended.append))
    with source:
        for index in range(3):
            delivery.push(pushed(index))
        assert taken == []
        source.read()
        assert taken == [0]
        source.read()
        assert (taken, ended) == ([0, 1], [])
    assert ended == [None]
    assert delivery.push(pushed(3)) is False, "after the end nothing is taken"


def test_a_sender_comes_back_and_goes_on() -> None:
    source, delivery = connected()
    with source:
        delivery.push(pushed(0))
        delivery.push(pushed(1))
        delivery.leave("the connection was cut")
        assert str(source.state) == "away"
        again = source.connect(CAMERA, "page")
        assert again.next_index == 2
        with pytest.raises(BadInput, match="this connection was replaced by a newer one"):
            delivery.push(pushed(2))
        delivery.leave("the old socket at last")
        assert source.state == "connected", "an old connection has no say any more"
        again.push(pushed(8))
        again.complete(9)
        frames = list(source)
    assert [frame.index for frame in frames] == [0, 1, 8]
    assert frames[-1].time_ns == 8 * PERIOD_NS
    assert source.dropped == 6
    assert source.description["connections"] == 2


def test_one_that_stays_away_is_lost_with_the_reason() -> None:
    clock = HandClock()
    source, delivery = connected(clock=clock, patience_s=20.0)
    with Capture(source, clock=clock, stall_s=60.0) as capture:
        delivery.push(pushed(0))
        delivery.leave("its camera was unplugged")
        assert (capture.get() or pytest.fail("no frame")).index == 0
        clock.time_ns += 19_000_000_000
        with pytest.raises(TimeoutError):
            capture.get(timeout_s=0.25)
        clock.time_ns += 2_000_000_000
        with pytest.raises(SourceLost, match=r"its camera was unplugged and it did not come back within 21 s; open"):
            capture.get()


def test_another_page_has_to_wait_for_its_turn() -> None:
    source, delivery = connected()
    with pytest.raises(SenderRefused, match="another page sends its camera to this run"):
        source.connect(CAMERA, "another page")
    delivery.leave("closed")
    source.connect(CAMERA, "another page")
    with pytest.raises(BadInput, match="320×240 pixels after 160×120; a run keeps one size"):
        source.connect(PushedFormat(width=320, height=240), "another page")
    source.close()
    with pytest.raises(BadInput, match="this run has ended"):
        source.connect(CAMERA, "another page")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (pushed(4), "image 4 came after 4, numbers must rise; start again"),
        (pushed(5, width=320), "the picture changed from 160×120 to 320×120 pixels; start again"),
    ],
)
def test_numbers_and_size_out_of_order_end_the_run_in_one_line(image: object, message: str) -> None:
    source, delivery = connected()
    with source:
        delivery.push(pushed(4))
        with pytest.raises(BadInput) as refused:
            delivery.push(image)  # type: ignore[arg-type]  # made above
        assert str(refused.value) == f"browser camera: {message}"
        assert (source.read() or pytest.fail("no frame")).index == 4, "what came before stays valid"
        with pytest.raises(SourceLost) as lost:
            source.read()
        assert str(lost.value) == f"browser camera: {message}"


def test_a_time_that_does_not_rise_costs_that_image_only() -> None:
    """The sender's clock was found to be another than thought: its images seem to be older than those before."""
    taken: list[int] = []
    source, delivery = connected(Listener(taken=taken.append))
    with source:
        delivery.push(pushed(4))
        assert delivery.push(pushed(5, time_ns=4 * PERIOD_NS - 2_000_000)) is False
        assert delivery.push(pushed(6, time_ns=4 * PERIOD_NS)) is False
        assert taken == [5, 6], "the sender has room for others"
        assert delivery.push(pushed(7, time_ns=4 * PERIOD_NS + 1))
        delivery.complete(8)
        frames = list(source)
    assert [(frame.index, frame.time_ns) for frame in frames] == [(4, 0), (7, 1)]
    assert source.dropped == 6


def test_opening_waits_for_the_sender_and_gives_up_in_words() -> None:
    source = PushedSource(open_timeout_s=0.01)
    with pytest.raises(BadInput, match=r"no camera came within 0\.01 s; allow the camera on the page and start again"):
        source.open()


def test_a_run_that_still_waits_can_be_ended() -> None:
    source = PushedSource(open_timeout_s=60.0)
    faults: list[BaseException] = []

    def wait() -> None:
        try:
            source.open()
        except BadInput as fault:
            faults.append(fault)

    thread = threading.Thread(target=wait, name="onset-waiting")
    thread.start()
    source.interrupt()
    thread.join(5)
    assert [str(fault) for fault in faults] == ["browser camera: ended before the camera came; start again"]


def test_closing_does_not_wait_for_a_sender_that_is_silent() -> None:
    source, _delivery = connected()
    capture = Capture(source, join_s=30.0)
    capture.open()
    capture.close()
    assert source.state == "ended"
    assert not [thread for thread in threading.enumerate() if thread.name == "onset-capture"]


@pytest.mark.parametrize(("coding", "layout"), [("i420", "yuv420p"), ("nv12", "nv12")])
def test_planes_are_decoded_as_a_file_is(coding: str, layout: str) -> None:
    image = numbered_image(1234, WIDTH, HEIGHT)
    decoded = ImageDecoder().decode(pushed(0, planes(image, layout), coding=coding))
    assert decoded is not None
    assert number_of(decoded) == 1234
    assert np.abs(decoded.astype(int) - image).mean() < 2.0


def test_planes_of_the_full_range_are_not_stretched() -> None:
    gray = bytes([100]) * (WIDTH * HEIGHT) + bytes([128]) * (WIDTH * HEIGHT // 2)
    decoder = ImageDecoder()
    whole = decoder.decode(pushed(0, gray, coding="i420", full_range=True))
    usual = decoder.decode(pushed(0, gray, coding="i420"))
    assert whole is not None
    assert usual is not None
    assert abs(int(whole[0, 0, 0]) - 100) <= 1
    assert abs(int(usual[0, 0, 0]) - round((100 - 16) * 255 / 219)) <= 1


def test_a_jpeg_is_measured_before_it_is_decoded() -> None:
    assert jpeg_size(jpeg(0)) == (WIDTH, HEIGHT)
    assert jpeg_size(b"") is None
    assert jpeg_size(b"\xff\xd8" + bytes(20)) is None
    assert jpeg_size(b"\x89PNG\r\n\x1a\n" + bytes(40)) is None
    bomb = bytearray(jpeg(0))
    place = bomb.index(b"\xff\xc0")
    bomb[place + 5 : place + 9] = b"\xff\xff\xff\xff"
    assert ImageDecoder().decode(pushed(0, bytes(bomb))) is None


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        (PushedFormat(width=32, height=480), "32×480 pixels"),
        (PushedFormat(width=LARGEST_SIDE_PX, height=LARGEST_SIDE_PX), "megapixels in all; choose a smaller size"),
        (PushedFormat(width=640, height=480, frame_rate_hz=1000.0), "1000 frames a second: give 1 to 240"),
    ],
)
def test_a_camera_beyond_all_bounds_is_refused(camera: PushedFormat, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        PushedSource().connect(camera, "page")
