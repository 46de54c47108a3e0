"""Routes of the replay view: frames, course, loops and remarks of a session, and what is refused."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from demo.dashboard.house import House, open_house
from demo.dashboard.replay_routes import ReplayDesk, replay_routes
from demo.dashboard.session_desk import SessionDesk
from engines.errors import BadInput
from realtime.session_reader import read_session
from realtime.sources import ImageFolder, VideoFile
from tests.realtime.demo_session import write_demo_session
from tests.realtime.test_session_frames import a_session, number_in
from tests.videos import write_numbered
from trainers.datasets.synthetic_face import shipped_face


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = open_house(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=replay_routes(house)), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def clip(house: House) -> Path:
    film = write_numbered(house.data.recordings / "clip.mp4", 50, options={"bf": "2"})
    return a_session(house.data.sessions / "clip", VideoFile(film))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interview") / "interview"
    return write_demo_session(folder, duration_s=12.0, frame_rate_hz=50.0, lost_s=(6.0, 7.0))


@pytest.fixture
def interview(house: House, finished: Path) -> Path:
    return Path(shutil.copytree(finished, house.data.sessions / "interview"))


def test_each_frame_is_the_one_of_its_number(client: TestClient, clip: Path) -> None:
    for index in (31, 0, 49, 30):
        answer = client.get(f"/onset/sessions/{clip.name}/frames/{index}.jpg")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "no-store"  # a face stays in no cache
        assert number_in(answer.content) == index


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("clip/frames/50.jpg", "frame 50: was not read"),
        ("clip/frames/3.jpg?face=3", "shows no face"),
        ("clip/frames/3.jpg?face=..", "give the number of a frame"),
        ("nobody/frames/3.jpg", "there is no such session"),
        ("..%2fclip/frames/3.jpg", None),
        ("%2e%2e/frames/3.jpg", None),
        ("nobody/replay", "there is no such session"),
        ("nobody/course", "there is no such session"),
        ("clip/events/1/magnified.mp4", "there is no event 1"),
        ("clip/events/1/magnified.mp4?factor=1e9", "give 2 to 50"),
        ("clip/events/1/magnified.mp4?factor=nan", "give 2 to 50"),
        ("clip/events/1/magnified.mp4?factor=much", "give a number"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line(client: TestClient, clip: Path, place: str, said: str | None) -> None:
    answer = client.get(f"/onset/sessions/{place}")
    assert answer.status_code in (404, 422)
    if said is not None:
        assert said in answer.json()["error"]
        assert "\n" not in answer.json()["error"]
    assert clip.exists()


def test_everything_about_a_session_but_its_course(client: TestClient, interview: Path) -> None:
    told = client.get(f"/onset/sessions/{interview.name}/replay").json()
    events = read_session(interview).events
    assert [event["event_id"] for event in told["events"]] == [event["event_id"] for event in events]
    written = set(told["events"][0]["pictures"])
    assert written == {"onset", "apex", "offset", "flow", "strain"}
    assert sorted(told["labels"]) == ["negative", "positive", "surprise"]
    assert told["footage"] == {
        "there": False, "recorded": False, "live": False, "source": "interview_07.mp4",
        "missing": "interview_07.mp4: is not where it was; put it back at interview_07.mp4",
    }  # fmt: skip


def test_the_course_frame_by_frame(client: TestClient, interview: Path) -> None:
    content = client.get(f"/onset/sessions/{interview.name}/course").content
    length = int.from_bytes(content[:4], "big")
    header = json.loads(content[4 : 4 + length])
    frames = header["frames"]
    signals = read_session(interview).signals()
    times = np.frombuffer(content, "<f8", frames, 4 + length)
    indices = np.frombuffer(content, "<i4", frames, 4 + length + 8 * frames)
    strength = np.frombuffer(content, "<f4", frames, 4 + length + 12 * frames)
    assert (4 + length) % 8 == 0  # so that the browser can lay its arrays over it
    np.testing.assert_array_equal(times, signals.time_s)
    np.testing.assert_array_equal(indices, signals.index)
    np.testing.assert_array_equal(strength, signals.strength)
    assert len(content) == 4 + length + frames * (20 + 4 * len(header["lanes"]))
    assert header["lanes"][0] == "Brows"
    assert header["unseen"] == [[pytest.approx(6.0), pytest.approx(6.98)]]
    assert header["faces"] == 1


def test_a_loop_is_made_from_the_events_own_clip_where_the_film_is_gone(client: TestClient, interview: Path) -> None:
    answer = client.get(f"/onset/sessions/{interview.name}/events/1/magnified.mp4?factor=20")
    assert answer.status_code == 200
    (interview.parent / "loop.mp4").write_bytes(answer.content)
    with av.open(str(interview.parent / "loop.mp4")) as container:
        pictures = [picture.to_ndarray(format="gray") for picture in container.decode(video=0)]
    assert pictures[0].shape == (304, 512)  # as it was, and magnified
    assert len(pictures) > 30
    plain, magnified = (
        np.std([picture[:, half].astype(np.float32) for picture in pictures], axis=0).mean()
        for half in (slice(0, 256), slice(256, 512))
    )
    assert magnified > 3 * plain
    assert list((interview.parents[1] / "temporary").iterdir()) == []  # no picture of a face is left there


def test_a_remark_is_kept_and_comes_back(client: TestClient, interview: Path) -> None:
    said = {"event_id": 1, "label": "contempt", "note": "left side"}
    answer = client.post(f"/onset/sessions/{interview.name}/remarks", json=said)
    assert answer.status_code == 201
    remarks = client.get(f"/onset/sessions/{interview.name}/replay").json()["remarks"]
    assert [(one["event_id"], one["label"], one["note"]) for one in remarks] == [(1, "contempt", "left side")]


@pytest.mark.parametrize(
    "body",
    [
        {"event_id": 99, "label": "x"},
        {"event_id": True, "label": "x"},
        {"event_id": "1"},
        {"event_id": 1, "label": ["x"]},
        {"event_id": 1, "path": "/etc/passwd"},
        {"note": "about nothing"},
        ["a list"],
        {"time_s": 1.0, "note": "x" * 40_000},
    ],
)
def test_a_remark_that_makes_no_sense_is_refused(client: TestClient, interview: Path, body: Any) -> None:
    answer = client.post(f"/onset/sessions/{interview.name}/remarks", content=json.dumps(body))
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert not (interview / "remarks.jsonl").exists()


def test_a_loop_is_made_from_the_film_where_it_is_there(client: TestClient, house: House, finished: Path) -> None:
    portrait = shipped_face(0).image
    images = house.data.recordings / "portrait"
    images.mkdir()
    for index in range(40):
        moved = np.roll(portrait, int(10 <= index < 20), axis=1)
        assert cv2.imwrite(str(images / f"{index}.png"), cv2.cvtColor(np.asarray(moved), cv2.COLOR_RGB2BGR))
    folder = a_session(house.data.sessions / "portrait", ImageFolder(images, frame_rate_hz=50))
    event = {**read_session(finished).events[0], "event_id": 1, "onset_s": 0.2, "apex_s": 0.3, "offset_s": 0.4}
    (folder / "events.jsonl").write_text(json.dumps(event) + "\n")
    answer = client.get(f"/onset/sessions/{folder.name}/events/1/magnified.mp4?factor=5")
    assert answer.status_code == 200, answer.text
    again = client.get(f"/onset/sessions/{folder.name}/events/1/magnified.mp4?factor=5")
    assert again.content == answer.content


def test_a_frame_that_cannot_be_shown_leaves_no_video_open(house: House, clip: Path) -> None:
    desk = ReplayDesk(house)
    request = Request(
        {"type": "http", "query_string": b"face=3", "path_params": {"name": clip.name, "index": 3}, "headers": []}
    )

    async def asked() -> bool:
        with pytest.raises(BadInput, match="shows no face"):
            await desk.frame(request)
        if desk._closing is None:
            return False
        desk._closing.cancel()
        return True

    assert asyncio.run(asked())
    desk._shelf.forget()


def test_a_session_that_is_deleted_leaves_no_picture_in_memory(house: House, clip: Path) -> None:
    desk = ReplayDesk(house)
    desk._shelf.jpeg(clip, 3)
    desk._loops._kept[(clip, 1, 10.0)] = b"loop"
    SessionDesk(house).remove(clip.name, recording=False)
    assert not desk._shelf._pictures
    assert not desk._loops._kept
