"""Replays in the background: videos kept under safe names, progress told, nothing lost by cancelling."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.dashboard import replay_job
from demo.dashboard.house import House, open_house
from demo.dashboard.jobs import Job
from demo.dashboard.replay_job import CANCELLED, start_replay, take_in
from engines.errors import BadInput
from realtime.session_reader import read_session
from realtime.sources import VideoFile
from tests.videos import write_numbered, write_sound


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = open_house(tmp_path / "data")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("clip.MP4", "clip.mp4"),
        ("my film (2).mov", "my-film-(2).mov"),
        ("...hidden.mkv", "hidden.mkv"),
        ("a;b|c$d.mp4", "a-b-c-d.mp4"),
        ("采访 一.mp4", "采访-一.mp4"),
    ],
)
def test_a_video_is_kept_under_a_safe_name_and_never_over_another(house: House, name: str, kept: str) -> None:
    for number in ("", "-2"):
        upload = write_numbered(house.data.temporary / "upload.mp4", 5).rename(house.data.temporary / name)
        path = take_in(house, upload)
        stem, suffix = Path(kept).stem, Path(kept).suffix
        assert path == house.data.recordings / f"{stem}{number}{suffix}"
        assert not upload.exists()


def test_what_is_no_video_is_refused_and_removed(house: House) -> None:
    upload = house.data.temporary / "notes.txt"
    upload.write_text("hello")
    with pytest.raises(BadInput, match="not a video by its name"):
        take_in(house, upload)
    upload = house.data.temporary / "page.mp4"
    upload.write_text("<html>hello</html>")
    with pytest.raises(BadInput, match=r"^page\.mp4: "):
        take_in(house, upload)
    with pytest.raises(BadInput, match="sound but no picture"):
        take_in(house, write_sound(house.data.temporary / "song.mp4"))
    assert list(house.data.temporary.iterdir()) == list(house.data.recordings.iterdir()) == []


def ended(house: House, job: Job) -> Job:
    known = house.jobs.wait(job.id, 120)
    assert known is not None
    return known


def test_a_video_without_a_face_becomes_a_session_without_events(house: House) -> None:
    recording = write_numbered(house.data.recordings / "empty room.mp4", 40)
    job = ended(house, start_replay(house, recording, sensitivity=7.5))
    assert (job.state, job.error) == ("done", None)
    session = read_session(house.data.session(job.result["session"]))
    assert session.state == "complete"
    assert session.events == ()
    assert session.record["sensitivity"] == 7.5
    assert session.record["frames"]["read"] == 40
    assert job.result["events"] == 0
    assert job.fraction == 1.0
    assert (session.folder / "report.html").exists()


def test_cancelling_keeps_what_was_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = write_numbered(house.data.recordings / "long.mp4", 400)
    halfway, go_on = threading.Event(), threading.Event()

    class Halting(VideoFile):
        def read(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            frame = super().read()
            if frame is not None and frame.index == 100:
                halfway.set()
                assert go_on.wait(60)
            return frame

    monkeypatch.setattr(replay_job, "VideoFile", Halting)
    job = start_replay(house, recording)
    assert halfway.wait(60)
    house.jobs.cancel(job.id)
    go_on.set()
    job = ended(house, job)
    session = read_session(house.data.session(job.result["session"]))
    assert session.state == "stopped"
    assert session.record["reason"] == CANCELLED
    assert 0 < session.record["frames"]["read"] < 200
    assert len(session.signals()) == session.record["frames"]["read"]


def test_a_dial_that_cannot_stand_there_is_refused_before_anything_starts(house: House) -> None:
    recording = write_numbered(house.data.recordings / "clip.mp4", 5)
    with pytest.raises(BadInput, match="sensitivity"):
        start_replay(house, recording, sensitivity=40.0)
    assert house.jobs.all() == []


def test_a_video_that_is_gone_fails_in_one_line_and_leaves_no_session(house: House) -> None:
    job = ended(house, start_replay(house, house.data.recordings / "gone.mp4"))
    assert job.state == "failed"
    assert "there is no such file" in (job.error or "")
    assert list(house.data.sessions.iterdir()) == []
