"""The frames behind a session: the very ones it read, wherever its recording lies; pictures kept and let go."""

import shutil
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from realtime.clock import to_nanoseconds
from realtime.frame_shelf import FACE_SCALE, FrameShelf
from realtime.frames import Frame
from realtime.session_folder import SessionStatistics, SessionWriter
from realtime.session_frames import SessionFrames, find_footage
from realtime.session_reader import read_session
from realtime.sources import ImageFolder, Source, VideoFile
from realtime.video_recorder import VideoWriter
from tests.realtime.session_fixtures import REGIONS, HandClock
from tests.videos import damaged, number_of, numbered_image, write_numbered
from trainers.datasets.synthetic_face import shipped_face


def a_session(folder: Path, source: Source, further: dict[str, Any] | None = None) -> Path:
    """A session that read the whole source and saw no face."""
    with source:
        described = {"source_format": source.description, **(further or {})}
        with SessionWriter(folder, source=source.name, regions=REGIONS, further=described) as writer:
            for frame in source:
                writer.add_empty_frame(frame.index, frame.time_ns)
            writer.finish("complete", statistics=SessionStatistics())
    return folder


def number_in(jpeg: bytes) -> int:
    return number_of(np.asarray(cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1), cv2.COLOR_BGR2RGB)))


@pytest.fixture
def session(tmp_path: Path) -> Path:
    ticks = [int(tick) for tick in np.cumsum(np.random.default_rng(2).integers(900, 6_000, 60))]
    return a_session(tmp_path / "session", VideoFile(write_numbered(tmp_path / "clip.mp4", 60, ticks=ticks)))


def test_each_number_is_the_frame_that_was_read_under_it(session: Path, tmp_path: Path) -> None:
    with VideoFile(tmp_path / "clip.mp4") as source:
        read = {frame.index: frame.image for frame in source}
    with SessionFrames(session) as frames:
        assert frames.last_index == 59
        for index in (31, 30, 5, 59, 0, 32):
            np.testing.assert_array_equal(frames.picture(index), read[index])
        with pytest.raises(BadInput, match="frame 60: was not read"):
            frames.picture(60)


def test_frames_that_the_run_left_out_are_not_shown(tmp_path: Path) -> None:
    whole = write_numbered(tmp_path / "clip.ts", 120, key_frame_every=20)
    spoilt = damaged(whole, tmp_path / "spoilt.ts", 0.5, 4_000)
    session = a_session(tmp_path / "session", VideoFile(spoilt))
    with VideoFile(spoilt) as source:
        read = list(source)
    with SessionFrames(session) as frames:
        lost = sorted(set(range(120)) - set(frames.table.index.tolist()))
        assert lost
        with pytest.raises(BadInput, match="damaged"):
            frames.picture(lost[0])
        after = read[-1]
        assert after.index > lost[0]
        np.testing.assert_array_equal(frames.picture(after.index), after.image)


def test_a_video_that_was_moved_into_a_known_folder_is_found_there(session: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "recordings"
    elsewhere.mkdir()
    shutil.move(tmp_path / "clip.mp4", elsewhere)
    footage = find_footage(read_session(session))
    assert footage.path is None
    assert footage.missing is not None
    assert "put it back" in footage.missing
    with SessionFrames(session) as frames, pytest.raises(BadInput, match="put it back"):
        frames.picture(0)
    with SessionFrames(session, (elsewhere,)) as frames:
        assert number_of(frames.picture(12)) == 12


def test_another_video_of_that_name_is_noticed(session: Path, tmp_path: Path) -> None:
    write_numbered(tmp_path / "clip.mp4", 60, frame_rate=24)
    with SessionFrames(session) as frames, pytest.raises(BadInput, match="is it the same video"):
        frames.picture(17)


def test_images_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for index in range(8):
        assert cv2.imwrite(str(tmp_path / "images" / f"{index}.png"), numbered_image(index))
    session = a_session(tmp_path / "session", ImageFolder(tmp_path / "images", frame_rate_hz=200))
    with SessionFrames(session) as frames:
        assert [number_of(frames.picture(index)) for index in (3, 7, 0)] == [3, 7, 0]


class Watched(Source):
    """A live source of which nothing is left afterwards."""

    name = "0"
    live = True
    description: dict[str, Any] = {"kind": "camera", "name": "0"}  # noqa: RUF012

    def __init__(self, count: int) -> None:
        self.frames = [self.frame(index) for index in range(count)]

    def frame(self, index: int) -> Frame:
        time_ns = to_nanoseconds(index / 29.97 + 0.0001 * (index % 3))
        return Frame(index=index, time_ns=time_ns, captured_ns=0, image=numbered_image(index))

    def open(self) -> None:
        self.left = list(self.frames)

    def read(self) -> Frame | None:
        return self.left.pop(0) if self.left else None

    def close(self) -> None: ...


def record(path: Path, frames: list[Frame]) -> dict[str, object]:
    writer = VideoWriter(path, frames[0])
    assert all(writer.write(frame) for frame in frames)
    writer.close()
    return {"name": path.name, "first_index": frames[0].index, "first_s": frames[0].time_ns / 1e9}


@pytest.mark.parametrize("killed", [False, True])
def test_what_a_live_run_recorded_itself(tmp_path: Path, killed: bool) -> None:
    source = Watched(60)
    (tmp_path / "videos").mkdir()
    parts = [
        record(tmp_path / "videos" / "recording.mp4", source.frames[10:30]),
        record(tmp_path / "videos" / "recording-2.mp4", source.frames[41:]),
    ]
    session = a_session(tmp_path / "session", source, {} if killed else {"recordings": parts})
    for video in (tmp_path / "videos").iterdir():
        shutil.move(video, session)
    if killed:
        text = (session / "session.json").read_text()
        (session / "session.json").write_text(text.replace('"complete"', '"recording"'))
    with SessionFrames(session) as frames:
        assert len(frames.footage.recordings) == 2
        assert [number_of(frames.picture(index)) for index in (10, 29, 59, 41, 11)] == [10, 29, 59, 41, 11]
        with pytest.raises(BadInput, match="before the recording was switched on"):
            frames.picture(9)
        with pytest.raises(BadInput, match="has no picture"):
            frames.picture(35)


def test_a_live_run_that_was_not_recorded_says_so(tmp_path: Path) -> None:
    footage = find_footage(read_session(a_session(tmp_path / "session", Watched(5))))
    assert footage.path is None
    assert footage.live
    assert "watched live and not recorded" in str(footage.missing)


def test_the_shelf_gives_the_right_frames_to_many_at_once(session: Path) -> None:
    shelf = FrameShelf()
    wrong: list[tuple[int, int]] = []

    def look(seed: int) -> None:
        for index in np.random.default_rng(seed).integers(0, 60, 12).tolist():
            shown = number_in(shelf.jpeg(session, index))
            if shown != index:
                wrong.append((index, shown))

    threads = [threading.Thread(target=look, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    shelf.forget()


def test_the_shelf_lets_go_of_a_video_that_nobody_looks_at(session: Path, tmp_path: Path) -> None:
    clock = HandClock()
    shelf = FrameShelf(clock=clock)
    shelf.jpeg(session, 3)
    assert open_files(tmp_path / "clip.mp4") == 1
    clock.time_ns = to_nanoseconds(19.0)
    assert shelf.close_idle(20.0)
    assert open_files(tmp_path / "clip.mp4") == 1
    clock.time_ns = to_nanoseconds(21.0)
    with shelf._opened[session].lock:  # somebody is looking into it: nobody waits for that
        assert shelf.close_idle(20.0)
    assert open_files(tmp_path / "clip.mp4") == 1
    assert not shelf.close_idle(20.0)
    assert open_files(tmp_path / "clip.mp4") == 0
    assert number_in(shelf.jpeg(session, 3)) == 3
    assert number_in(shelf.jpeg(session, 4)) == 4
    shelf.forget(session)
    assert open_files(tmp_path / "clip.mp4") == 0


def open_files(path: Path) -> int:
    links = (Path("/proc/self/fd") / name.name for name in Path("/proc/self/fd").iterdir())
    return sum(link.exists() and link.resolve() == path for link in links)


def test_a_session_that_was_deleted_shows_nothing_any_more(session: Path) -> None:
    shelf = FrameShelf()
    shelf.jpeg(session, 3)
    shutil.rmtree(session)
    with pytest.raises(BadInput, match="not a session any more"):
        shelf.jpeg(session, 3)


def test_the_face_alone_is_upright_and_in_one_place(tmp_path: Path) -> None:
    portrait = shipped_face(0).image
    height, width = portrait.shape[:2]
    (tmp_path / "images").mkdir()
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 12.0, 1.0)
    pictures = {
        "1.png": portrait,
        "2.png": np.full_like(portrait, 90),
        "3.png": cv2.warpAffine(portrait, turn, (width, height)),
    }
    for name, picture in pictures.items():
        assert cv2.imwrite(str(tmp_path / "images" / name), cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR))
    session = a_session(tmp_path / "session", ImageFolder(tmp_path / "images", frame_rate_hz=30))
    shelf = FrameShelf()

    def face(index: int, of: int) -> np.ndarray:
        return np.asarray(cv2.imdecode(np.frombuffer(shelf.jpeg(session, index, of), np.uint8), 1), np.float64)

    straight, turned, by_the_other = face(0, 0), face(2, 2), face(2, 0)
    assert straight.shape == (304 * FACE_SCALE, 256 * FACE_SCALE, 3)
    leaning = np.abs(straight - by_the_other).mean()
    assert np.abs(straight - turned).mean() < 0.5 * leaning  # both upright
    with pytest.raises(BadInput, match="shows no face"):
        shelf.jpeg(session, 0, 1)
