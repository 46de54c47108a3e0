"""A real stream, served on loopback in real time by ffmpeg from another process."""

import contextlib
import shutil
import socket
import subprocess
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.errors import BadInput
from realtime.capture import Capture
from realtime.frames import Frame
from realtime.sources import SourceLost, SourceStalled, Stream, VideoFile
from realtime.sources.persistent import PersistentSource
from tests.videos import number_of, write_numbered

FFMPEG = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="serves the stream with ffmpeg, which is not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def served(path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The file as a transport stream at its own speed, and the process that sends it."""
    address = f"tcp://127.0.0.1:{free_port()}"
    command = [str(FFMPEG), "-v", "error", "-re", "-i", str(path), "-c", "copy", "-f", "mpegts"]
    with subprocess.Popen([*command, f"{address}?listen=1"], stderr=subprocess.DEVNULL) as sender:
        try:
            yield address, sender
        finally:
            sender.kill()


def connected(address: str, *, stall_s: float = 1.5, give_up_s: float = 5.0) -> Capture:
    """A capture of the stream; the sender needs a moment before it listens."""
    deadline = time.monotonic() + 10
    while True:
        capture = Capture(Stream(address, give_up_s=give_up_s), stall_s=stall_s)
        try:
            capture.open()
        except BadInput:
            assert time.monotonic() < deadline, "the sender does not listen"
            time.sleep(0.05)
        else:
            return capture


def until_fault(capture: Capture) -> tuple[list[Frame], Exception]:
    frames: list[Frame] = []
    try:
        frames.extend(capture)
    except (SourceLost, SourceStalled) as fault:
        return frames, fault
    return frames, pytest.fail("the stream ended without a word")


@needs_ffmpeg
@pytest.mark.parametrize("rate_hz", [30, 120])
def test_every_frame_of_a_stream_arrives_with_its_time(tmp_path: Path, rate_hz: int) -> None:
    count = 2 * rate_hz
    path = write_numbered(tmp_path / "clip.ts", count, frame_rate=rate_hz, key_frame_every=rate_hz // 2)
    with VideoFile(path) as file:
        expected = [frame.time_ns for frame in file]
    with served(path) as (address, _):
        capture = connected(address)
        try:
            frames, fault = until_fault(capture)
        finally:
            capture.close()
    assert [number_of(frame.image) for frame in frames] == list(range(count))
    assert [frame.index for frame in frames] == list(range(count))
    assert [frame.time_ns for frame in frames] == expected
    assert capture.dropped == 0
    assert isinstance(fault, SourceLost)
    assert f"after {count} frames" in str(fault)
    assert capture.source.description["damaged_frames"] == 0


@needs_ffmpeg
def test_a_stream_that_is_cut_off_keeps_its_frames_and_says_so(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "clip.ts", 300, key_frame_every=10)
    with served(path) as (address, sender):
        capture = connected(address)
        try:
            frames = [capture.get() for _ in range(20)]
            sender.kill()
            rest, fault = until_fault(capture)
        finally:
            capture.close()
    indices = [frame.index for frame in [*frames, *rest] if frame is not None]
    assert indices == list(range(len(indices)))
    assert len(indices) < 300
    assert isinstance(fault, SourceLost)
    assert "cut off" in str(fault)


def test_a_sender_that_falls_silent_is_reported_and_may_come_back(tmp_path: Path) -> None:
    content = write_numbered(tmp_path / "clip.ts", 60, key_frame_every=10).read_bytes()
    resume, end = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(content[: len(content) // 2])
                resume.wait(20)
                connection.sendall(content[len(content) // 2 : len(content) * 3 // 4])
                end.wait(20)

        sender = threading.Thread(target=send, name="onset-test-sender")
        sender.start()
        capture = connected(f"tcp://127.0.0.1:{server.getsockname()[1]}", stall_s=0.4, give_up_s=1.5)
        try:
            frames, stall = until_fault(capture)
            told_s = time.monotonic() - frames[-1].captured_ns * 1e-9
            resume.set()
            rest, fault = until_fault(capture)
            while isinstance(fault, SourceStalled):
                more, fault = until_fault(capture)
                rest += more
        finally:
            resume.set()
            end.set()
            capture.close()
            sender.join()
    assert isinstance(stall, SourceStalled)
    assert told_s < 2.0
    assert capture.source.name in str(stall)
    assert len(frames) > 15
    assert len(rest) > 5
    assert [number_of(frame.image) for frame in [*frames, *rest]] == list(range(len(frames) + len(rest)))
    assert isinstance(fault, SourceLost)
    assert "nothing more came for 1.5 s" in str(fault)


def test_what_does_not_answer_is_named() -> None:
    with pytest.raises(BadInput, match=r"tcp://127\.0\.0\.1:\d+: cannot be opened \(Connection refused\); check"):
        Stream(f"tcp://127.0.0.1:{free_port()}").open()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(BadInput, match=r"no video came within 0\.3 s"):
            Stream(address, open_timeout_s=0.3).open()


def test_the_password_of_an_address_is_used_but_never_told() -> None:
    asked: list[bytes] = []

    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            asked.append(connection.recv(4096))
            connection.sendall(b"HTTP/1.0 404 Not Found\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,), name="onset-answer")
        thread.start()
        port = server.getsockname()[1]
        stream = Stream(f"http://someone:top%40secret@127.0.0.1:{port}/live")
        with pytest.raises(BadInput, match=rf"http://127\.0\.0\.1:{port}/live: cannot be opened") as refused:
            stream.open()
        thread.join(10)
    assert asked[0].startswith(b"GET /live"), "the whole address was asked"
    told = "".join(traceback.format_exception(refused.value))
    for text in (stream.name, str(stream.description), told):
        assert "secret" not in text
        assert "someone" not in text
    assert stream.name == stream.description["name"] == f"http://127.0.0.1:{port}/live"


def test_a_stream_that_is_opened_again_keeps_the_password_to_itself() -> None:
    source = PersistentSource(lambda: Stream("rtsp://someone:sec@ret@camera/live"))
    assert source.name == source.description["name"] == "rtsp://camera/live"
