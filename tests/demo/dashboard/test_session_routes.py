"""The session routes: what they give, and that nothing but a session's own files comes out of them."""

import json
import os
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from demo.dashboard.house import House, open_house
from demo.dashboard.session_desk import SessionDesk
from demo.dashboard.session_files import file_of_session
from demo.dashboard.session_routes import session_routes
from engines.errors import BadInput
from realtime.export import export_sessions
from realtime.session_remarks import add_remark
from tests.realtime.export.sessions import film, with_remarks, write_session


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = open_house(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def talk(house: House) -> Path:
    recording = film(house.data.recordings / "talk.mp4")
    folder = with_remarks(write_session(house.data.sessions / "talk", source=str(recording)))
    pictures = folder / "events" / "0001"
    pictures.mkdir()
    (pictures / "apex.png").write_bytes(b"\x89PNG apex")
    (pictures / "clip.mp4").write_bytes(bytes(range(200)))
    return folder


@pytest.fixture
def client(house: House, talk: Path) -> Iterator[TestClient]:
    assert talk.exists()
    with TestClient(Starlette(routes=session_routes(house)), base_url="http://127.0.0.1") as client:
        yield client


def test_the_list_and_one_session(client: TestClient, house: House) -> None:
    write_session(house.data.sessions / "other")
    listed = client.get("/onset/sessions").json()
    assert {entry["name"] for entry in listed["sessions"]} == {"talk", "other"}
    entry = next(entry for entry in listed["sessions"] if entry["name"] == "talk")
    assert (entry["state"], entry["micro"], entry["macro"], entry["rejected"]) == ("complete", 3, 1, 2)
    assert (entry["source"], entry["recording"]) == ("talk.mp4", "talk.mp4")
    assert set(listed["formats"]) == {"csv", "json", "elan", "video", "report"}
    session = client.get("/onset/sessions/talk").json()
    assert [event["event_id"] for event in session["events"]] == [1, 2, 3, 4]
    assert [(remark["label"], remark["stands"]) for remark in session["remarks"]][:2] == [
        ("contempt", False),
        ("轻蔑", True),
    ]


def test_the_list_is_sent_again_only_when_it_changed(client: TestClient) -> None:
    first = client.get("/onset/sessions")
    same = client.get("/onset/sessions", headers={"if-none-match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    client.post("/onset/sessions/talk/title", json={"title": "changed"})
    other = client.get("/onset/sessions", headers={"if-none-match": first.headers["etag"]})
    assert (other.status_code, other.json()["sessions"][0]["title"]) == (200, "changed")


def test_a_damaged_session_can_be_looked_at_and_deleted(client: TestClient, talk: Path) -> None:
    (talk / "session.json").write_text("{")
    session = client.get("/onset/sessions/talk").json()
    assert session["state"] == "damaged"
    assert "session.json" in session["fault"]
    assert client.request("DELETE", "/onset/sessions/talk", json={"confirm": "talk"}).status_code == 200
    assert not talk.exists()


def test_signals_are_thinned(client: TestClient) -> None:
    whole = client.get("/onset/sessions/talk/signals").json()
    thin = client.get("/onset/sessions/talk/signals?points=20").json()
    assert whole["rows"] == thin["rows"] == len(whole["time_s"]) == 119
    assert 2 <= len(thin["time_s"]) <= 20
    assert max(thin["strength"]) == max(whole["strength"])
    assert whole["threshold"][0] is None  # none was known yet
    for points in ("1", "-3", "x", "1" * 12, ""):
        answer = client.get(f"/onset/sessions/talk/signals?points={points}")
        assert answer.status_code == 404
        assert "points" in answer.json()["error"]


def test_files_and_parts_of_files(client: TestClient) -> None:
    picture = client.get("/onset/sessions/talk/files/events/0001/apex.png")
    assert (picture.content, picture.headers["content-type"]) == (b"\x89PNG apex", "image/png")
    assert picture.headers["cache-control"] == "no-store"
    part = client.get("/onset/sessions/talk/files/events/0001/clip.mp4", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/200"
    table = client.get("/onset/sessions/talk/files/signals.parquet")
    assert table.content.startswith(b"PAR1")
    assert "attachment" in table.headers["content-disposition"]


HOSTILE = [
    "/onset/sessions/talk/files/../../../secret.json",
    "/onset/sessions/talk/files/%2e%2e/%2e%2e/secret.json",
    "/onset/sessions/talk/files/..%2f..%2fsecret.json",
    "/onset/sessions/talk/files/events/0001/../../../../secret.json",
    "/onset/sessions/talk/files/events/0001/..%5c..%5csecret.json",
    "/onset/sessions/talk/files//etc/passwd",
    "/onset/sessions/talk/files/%2fetc%2fpasswd",
    "/onset/sessions/talk/files/session.json%00.png",
    "/onset/sessions/talk/files/events/0001/offset.png",
    "/onset/sessions/talk/files/events/0001/strain.png",
    "/onset/sessions/talk/files/events/0001",
    "/onset/sessions/talk/files/events",
    "/onset/sessions/talk/files/title.txt",
    "/onset/sessions/talk/files/evil.html",
    "/onset/sessions/talk/files/.session.json.tmp",
    "/onset/sessions/%2e%2e/files/session.json",
    "/onset/sessions/..%2ftalk/files/session.json",
    "/onset/sessions/talk%00/files/session.json",
    "/onset/sessions/link/files/session.json",
    "/onset/sessions/link",
    "/onset/sessions/secret.json",
    "/onset/sessions/%2e%2e",
    "/onset/exports/..%2f..%2fsecret.json",
    "/onset/exports/none",
]
TOKEN = "c0ffee"


def test_nothing_else_comes_out(client: TestClient, house: House, talk: Path, tmp_path: Path) -> None:
    for place in (tmp_path / "secret.json", house.data.root / "secret.json", house.data.sessions / "secret.json"):
        place.write_text(TOKEN)
    outside = write_session(tmp_path / "outside", source=TOKEN)
    (house.data.sessions / "link").symlink_to(outside)
    (talk / "events" / "0001" / "offset.png").symlink_to(tmp_path / "secret.json")
    (talk / "events" / "0001" / "strain.png").symlink_to(talk / "session.json")
    for name in ("title.txt", "evil.html", ".session.json.tmp"):
        (talk / name).write_text(TOKEN)
    for address in HOSTILE:
        answer = client.get(address)
        assert answer.status_code == 404, address
        assert TOKEN not in answer.text, address
        assert "root:" not in answer.text, address


@pytest.mark.parametrize(
    "place",
    [
        "..",
        "../other/session.json",
        "/etc/passwd",
        "session.json\0.png",
        "session.json\n",
        "events/0001/../../session.json",
        "",
    ],
)
def test_only_places_of_a_run_are_places(tmp_path: Path, place: str) -> None:
    write_session(tmp_path / "other")
    folder = write_session(tmp_path / "talk")
    with pytest.raises(BadInput, match="no such file"):
        file_of_session(folder, place)
    assert file_of_session(folder, "session.json") == folder / "session.json"


def test_a_whole_folder_that_is_a_link_gives_nothing(client: TestClient, talk: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "apex.png").write_bytes(b"secret")
    (talk / "events" / "0002").symlink_to(tmp_path / "elsewhere")
    assert client.get("/onset/sessions/talk/files/events/0002/apex.png").status_code == 404


def test_the_report_is_a_stranger_to_the_dashboard_and_knows_the_newest_remarks(client: TestClient, talk: Path) -> None:
    address = "/onset/sessions/talk/files/report.html"
    assert not (talk / "report.html").exists()
    report = client.get(address)
    policy = report.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in policy
    assert "轻蔑" in report.text
    made = (talk / "report.html").stat().st_mtime_ns
    client.get(address)
    assert (talk / "report.html").stat().st_mtime_ns == made
    os.utime(talk / "report.html", ns=(1, 1))
    add_remark(talk, event_id=1, note="seen again")
    assert "seen again" in client.get(address).text


def test_the_report_of_a_running_session_is_drawn_but_not_kept(client: TestClient, house: House) -> None:
    running = write_session(house.data.sessions / "now", finish=False)
    report = client.get("/onset/sessions/now/files/report.html")
    assert report.status_code == 200
    assert report.headers["content-security-policy"].startswith("sandbox")
    assert not (running / "report.html").exists()


def test_titles(client: TestClient) -> None:
    assert client.post("/onset/sessions/talk/title", json={"title": "被试 7"}).json()["title"] == "被试 7"
    assert client.get("/onset/sessions/talk").json()["title"] == "被试 7"
    refused: list[object] = [{"title": "x" * 201}, {"title": 7}, {}, [], "talk"]
    for asked in refused:
        assert client.post("/onset/sessions/talk/title", json=asked).status_code == 422
    assert client.post("/onset/sessions/talk/title", content=b"{" * 70_000).status_code == 422


def test_deleting_needs_the_name_once_more_and_is_for_good(client: TestClient, talk: Path, house: House) -> None:
    kept = write_session(house.data.sessions / "kept")
    for confirm in ({}, {"confirm": "kept"}, {"confirm": True}):
        assert client.request("DELETE", "/onset/sessions/talk", json=confirm).status_code == 422
    assert talk.exists()
    assert client.request("DELETE", "/onset/sessions/talk", json={"confirm": "talk"}).status_code == 200
    assert [path.name for path in house.data.sessions.iterdir()] == ["kept"]
    assert (house.data.recordings / "talk.mp4").exists()
    assert client.request("DELETE", "/onset/sessions/talk", json={"confirm": "talk"}).status_code == 422
    assert kept.exists()


def test_the_recording_goes_too_if_asked_for(client: TestClient, house: House) -> None:
    body = {"confirm": "talk", "recording": True}
    assert client.request("DELETE", "/onset/sessions/talk", json=body).status_code == 200
    assert list(house.data.recordings.iterdir()) == []


def test_what_is_being_recorded_is_not_deleted(client: TestClient, house: House) -> None:
    running = write_session(house.data.sessions / "now", finish=False)
    answer = client.request("DELETE", "/onset/sessions/now", json={"confirm": "now"})
    assert answer.status_code == 422
    assert "stop it" in answer.json()["error"]
    assert (running / "events.jsonl").exists()


def test_a_live_run_whose_camera_is_away_is_being_recorded(
    client: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_session(house.data.sessions / "now", finish=False)
    for path in folder.rglob("*"):
        os.utime(path, (1e9, 1e9))
    status = {**house.live.status(), "session": "now"}
    states = {"camera-lost": "recording", "idle": "interrupted"}
    for live, state in states.items():
        monkeypatch.setattr(house.live, "status", lambda live=live: {**status, "state": live})
        assert client.get("/onset/sessions/now").json()["state"] == state
        answer = client.request("DELETE", "/onset/sessions/now", json={"confirm": "now"})
        assert answer.status_code == (422 if state == "recording" else 200)
    assert not folder.exists()


def test_export_to_a_zip_that_goes_with_its_session(client: TestClient, house: House, tmp_path: Path) -> None:
    job = client.post("/onset/sessions/talk/export", json={"formats": ["csv", "elan", "json"]}).json()
    ended = house.jobs.wait(job["id"], 60)
    assert ended is not None
    assert (ended.state, ended.error) == ("done", None)
    fetched = client.get(ended.result["address"])
    assert 'filename="talk.zip"' in fetched.headers["content-disposition"]
    (tmp_path / "talk.zip").write_bytes(fetched.content)
    with zipfile.ZipFile(tmp_path / "talk.zip") as archive:
        assert sorted(archive.namelist()) == sorted(ended.result["files"])
        assert json.loads(archive.read("talk/talk.json"))["name"] == "talk"
    client.request("DELETE", "/onset/sessions/talk", json={"confirm": "talk"})
    assert client.get(ended.result["address"]).status_code == 404
    assert list(house.data.temporary.iterdir()) == []


def test_several_sessions_in_one_archive(client: TestClient, house: House) -> None:
    write_session(house.data.sessions / "other")
    job = client.post("/onset/exports", json={"sessions": ["talk", "other", "talk"], "formats": ["json"]}).json()
    ended = house.jobs.wait(job["id"], 60)
    assert ended is not None
    assert ended.result["files"] == ["talk/talk.json", "other/other.json"]
    assert ended.result["name"] == "onset-2-sessions.zip"


def test_exports_that_cannot_be(client: TestClient, house: House) -> None:
    cases: list[dict[str, object]] = [
        {"sessions": []},
        {"sessions": ["none"]},
        {"sessions": ["../talk"]},
        {"sessions": ["talk"], "formats": ["docx"]},
        {"sessions": "talk"},
        {"sessions": ["talk"] * 201},
    ]
    for asked in cases:
        assert client.post("/onset/exports", json=asked).status_code == 422, asked
    assert house.jobs.all() == []


def test_comparison(client: TestClient, house: House) -> None:
    write_session(house.data.sessions / "again", source="talk.mp4")
    compared = client.get("/onset/comparison?session=talk&session=again").json()
    assert [one["name"] for one in compared["sessions"]] == ["talk", "again"]
    assert len(compared["pairings"][0]["met"]) == 4
    assert client.get("/onset/comparison?session=talk").status_code == 404
    assert client.get("/onset/comparison?session=talk&session=..%2ftalk").status_code == 404


def test_a_video_that_was_not_handed_in_here_stays_though_its_name_is_the_same(
    client: TestClient, house: House, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    other = film(tmp_path / "elsewhere" / "talk.mp4")
    namesake = write_session(house.data.sessions / "namesake", source=str(other))
    told = client.get("/onset/sessions/namesake").json()
    assert (told["source"], told["recording"]) == ("talk.mp4", None)
    body = {"confirm": "namesake", "recording": True}
    refused = client.request("DELETE", "/onset/sessions/namesake", json=body)
    assert (refused.status_code, namesake.exists()) == (422, True)
    assert "delete the session alone" in refused.json()["error"]
    assert (house.data.recordings / "talk.mp4").exists()
    assert other.exists()


def test_a_video_that_is_being_replayed_stays_with_its_session(client: TestClient, house: House, talk: Path) -> None:
    over = threading.Event()
    job = house.jobs.start("replay", "talk.mp4", lambda _progress: over.wait(60))
    body = {"confirm": "talk", "recording": True}
    refused = client.request("DELETE", "/onset/sessions/talk", json=body)
    assert (refused.status_code, talk.exists()) == (422, True)
    assert "is being replayed" in refused.json()["error"]
    over.set()
    house.jobs.wait(job.id, 60)
    assert client.request("DELETE", "/onset/sessions/talk", json=body).status_code == 200
    assert list(house.data.recordings.iterdir()) == []


def test_what_an_earlier_run_left_is_cleared_and_nothing_else(house: House) -> None:
    for name in ("export-0a.zip", "loop-0a.mp4", "checkpoint-0a.zip", "upload.mp4"):
        (house.data.temporary / name).touch()
    (house.data.temporary / ".export-0b.zip.part").mkdir()
    SessionDesk(house)
    assert [path.name for path in house.data.temporary.iterdir()] == ["upload.mp4"]


def test_an_archive_of_a_session_that_is_deleted_meanwhile_is_not_kept(
    house: House, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, told = SessionDesk(house), list[Path]()
    house.on_removed.append(told.append)

    def exported_and_deleted(*given: Any, **named: Any) -> Any:
        made = export_sessions(*given, **named)
        desk.remove("talk", recording=False)
        return made

    monkeypatch.setattr("demo.dashboard.session_desk.export_sessions", exported_and_deleted)
    ended = house.jobs.wait(desk.export(["talk"], ["json"]).id, 60)
    assert ended is not None
    assert (ended.state, ended.error) == (
        "failed",
        "talk: was deleted while it was exported; export the others again",
    )
    assert list(house.data.temporary.iterdir()) == []
    assert told == [talk]


def test_an_old_archive_goes_when_the_list_is_asked_for(
    client: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = client.post("/onset/sessions/talk/export", json={"formats": ["json"]}).json()
    house.jobs.wait(job["id"], 60)
    client.get("/onset/sessions")
    assert len(list(house.data.temporary.iterdir())) == 1
    monkeypatch.setattr("demo.dashboard.session_desk.KEPT_S", -1.0)
    client.get("/onset/sessions")
    assert list(house.data.temporary.iterdir()) == []
