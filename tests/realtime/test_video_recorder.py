"""The frames of a live run as a video: exact times, whatever happens kept, and nobody waits for it."""

import errno
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from realtime.config import RecordingParameters, Settings
from realtime.frames import Frame
from realtime.session_reader import read_session
from realtime.session_run import SessionRun
from realtime.sources import VideoFile
from realtime.sources.scripted import ScriptedSource
from realtime.video_recorder import VideoRecorder, VideoWriter
from realtime.watcher import Watcher
from tests.realtime.filmed_faces import close_up
from tests.realtime.test_pipeline import UnhurriedClock
from tests.synthetic_faces import movement
from tests.videos import number_of, numbered_image
from trainers.datasets.synthetic_rendering import frame_times_ns

PERIOD_NS = 16_683_333


def frame_at(index: int, time_ns: int | None = None, width: int = 160) -> Frame:
    time_ns = index * PERIOD_NS if time_ns is None else time_ns
    return Frame(index=index, time_ns=time_ns, captured_ns=time_ns, image=numbered_image(index, width=width))


def read_back(path: Path) -> list[Frame]:
    with VideoFile(path) as video:
        return list(video)


def test_every_frame_is_there_with_its_time_to_the_microsecond(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path)
    recorder.switch(True)
    # Irregular times, and a pause of ten minutes: a camera that was away.
    times_ns = [7_123_456_789 + index * PERIOD_NS + (index % 3) * 123_457 for index in range(80)]
    times_ns += [time_ns + 600_000_000_000 for time_ns in times_ns]
    for index, time_ns in enumerate(times_ns):
        recorder.push(frame_at(index + 5, time_ns))
    recorder.close()
    frames = read_back(tmp_path / "recording.mp4")
    assert [number_of(frame.image) for frame in frames] == list(range(5, 165))
    errors_ns = [frame.time_ns - (time_ns - times_ns[0]) for frame, time_ns in zip(frames, times_ns, strict=True)]
    assert max(map(abs, errors_ns)) <= 1000
    assert recorder.as_record() == {
        "recording": "recording.mp4",
        "recordings": [
            {"name": "recording.mp4", "first_index": 5, "first_s": 7.123456789, "frames": 160, "dropped": 0}
        ],
    }
    with av.open(str(tmp_path / "recording.mp4")) as container:
        assert json.loads(container.metadata["comment"]) == {"first_index": 5, "first_s": 7.123456789}


def test_shades_are_kept(tmp_path: Path) -> None:
    """Full range: one gray level is one gray level, from black to white."""
    recorder = VideoRecorder(tmp_path)
    recorder.switch(True)
    ramp = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (64, 1))[:, :, None], 3, axis=2)
    for index in range(3):
        recorder.push(Frame(index=index, time_ns=index * PERIOD_NS, captured_ns=0, image=ramp))
    recorder.close()
    off = read_back(tmp_path / "recording.mp4")[-1].image.astype(int) - ramp
    assert np.abs(off).max() <= 3
    assert off.std() < 1.0


def test_on_and_off_gives_a_file_each_and_nothing_in_between(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path)
    recorder.push(frame_at(0))
    recorder.switch(True)
    for index in range(1, 4):
        recorder.push(frame_at(index))
    recorder.switch(False)
    recorder.push(frame_at(4))
    recorder.switch(True)
    for index in range(5, 8):
        recorder.push(frame_at(index))
    recorder.close()
    recorder.switch(True)
    recorder.push(frame_at(9))
    assert not recorder.on
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recording-2.mp4", "recording.mp4"]
    assert [number_of(frame.image) for frame in read_back(tmp_path / "recording.mp4")] == [1, 2, 3]
    assert [number_of(frame.image) for frame in read_back(tmp_path / "recording-2.mp4")] == [5, 6, 7]
    assert [(video.first_index, video.frames) for video in recorder.videos] == [(1, 3), (5, 3)]


def test_pictures_of_odd_size_can_be_recorded(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path)
    recorder.switch(True)
    image = np.full((61, 83, 3), 90, np.uint8)
    recorder.push(Frame(index=0, time_ns=0, captured_ns=0, image=image))
    recorder.close()
    assert read_back(tmp_path / "recording.mp4")[0].image.shape == (61, 83, 3)


class HeldWriter(VideoWriter):
    """Writes nothing until the test lets it."""

    gate = threading.Event()
    begun = threading.Event()

    def write(self, frame: Frame) -> bool:
        HeldWriter.begun.set()
        assert HeldWriter.gate.wait(20)
        return super().write(frame)


def test_what_does_not_fit_into_the_queue_is_left_out_counted_and_said_once(tmp_path: Path) -> None:
    HeldWriter.gate.clear()
    HeldWriter.begun.clear()
    notices: list[str] = []
    size = frame_at(0).image.nbytes
    recorder = VideoRecorder(tmp_path, notices.append, writer=HeldWriter, queue_bytes=4 * size)
    recorder.switch(True)
    recorder.push(frame_at(0))
    assert HeldWriter.begun.wait(20)
    for index in range(1, 31):
        recorder.push(frame_at(index))
    HeldWriter.gate.set()
    recorder.close()
    kept = [number_of(frame.image) for frame in read_back(tmp_path / "recording.mp4")]
    assert kept == [0, 1, 2, 3, 4]
    assert (recorder.videos[0].frames, recorder.videos[0].dropped) == (5, 26)
    assert notices == ["recording: frames are left out, the machine or its disk does not keep up; spotting goes on"]


class FullDisk(VideoWriter):
    """Has room for seventy frames."""

    def write(self, frame: Frame) -> bool:
        if frame.index >= 70:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(frame)


def test_a_full_disk_ends_the_recording_and_keeps_what_there_is(tmp_path: Path) -> None:
    notices: list[str] = []
    recorder = VideoRecorder(tmp_path, notices.append, writer=FullDisk)
    recorder.switch(True)
    for index in range(100):
        recorder.push(frame_at(index))
    recorder.close()
    assert notices == ["recording stopped: the disk is full; what was recorded is kept, spotting goes on"]
    assert not recorder.on
    assert len(read_back(tmp_path / "recording.mp4")) == recorder.videos[0].frames == 70


def test_what_a_killed_program_leaves_can_be_read(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "recording.mp4", frame_at(0))
    for index in range(200):
        writer.write(frame_at(index))
    left = (tmp_path / "recording.mp4").read_bytes()
    writer.close()
    (tmp_path / "cut.mp4").write_bytes(left)
    numbers = [number_of(frame.image) for frame in read_back(tmp_path / "cut.mp4")]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 120, "all but the last fragment or so"


def filmed() -> list[tuple[int, Any]]:
    """Four seconds of a face with two expressions, 30 Hz."""
    scene = close_up(
        movement((1, 2), start_s=1.3), movement((12,), label="positive", start_s=2.6), duration_s=4.0, noise_sd=0.8
    )
    return [(time_ns, scene.frame(time_ns / 1e9)) for time_ns in frame_times_ns(4.0, 30.0)]


def test_replaying_a_recording_gives_the_events_of_the_run(tmp_path: Path) -> None:
    settings = Settings(recording=RecordingParameters(media=False, report=False))
    clock = UnhurriedClock()
    camera = ScriptedSource(filmed(), live=True, name="camera", clock=clock)
    live = SessionRun(camera, tmp_path / "live", settings, record=True)
    release: Callable[..., None] = lambda _counts, _faces: clock.room.release()  # noqa: E731
    lived = list(live.run(Watcher(on_frame=release)))
    session = read_session(tmp_path / "live")
    assert session.record["recording"] == "recording.mp4"
    assert session.record["recordings"][0]["frames"] == session.record["frames"]["read"] == 120
    replayed = list(SessionRun(VideoFile(tmp_path / "live" / "recording.mp4"), tmp_path / "again", settings).run())
    assert len(lived) == 2
    assert [event.kind for event in replayed] == [event.kind for event in lived]
    for again, first in zip(replayed, lived, strict=True):
        assert abs(again.apex_ns - first.apex_ns) <= 40_000_000
        assert abs(again.onset_ns - first.onset_ns) <= 70_000_000
        assert again.strength == pytest.approx(first.strength, rel=0.1)
