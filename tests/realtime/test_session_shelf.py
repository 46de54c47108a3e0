"""The list of sessions: what it says of each, damaged ones among them, and what deleting leaves: nothing."""

import json
import os
import time
from pathlib import Path

import pytest

from engines.errors import BadInput
from realtime.session_folder import SessionStatistics, SessionWriter
from realtime.session_shelf import LONGEST_TITLE, SessionShelf, ShelvedSession
from tests.realtime.session_fixtures import REGIONS, HandClock, a_rejected, an_event

CONDITIONS = {"quality": 81, "word": "good"}


def a_session(folder: Path, *, events: int = 2, finish: bool = True, source: str = "talk.mp4") -> Path:
    writer = SessionWriter(folder, source=source, regions=REGIONS, checkpoint="default", clock=HandClock())
    for number in range(events):
        writer.add_event(an_event(1.0 + number))
    writer.add_rejected(a_rejected())
    if finish:
        statistics = SessionStatistics(frames_read=900, duration_s=30.0, frame_rate_hz=30.0, conditions=CONDITIONS)
        writer.finish("complete", statistics=statistics)
    else:  # as a killed run leaves it
        writer._events.close()
        writer._rejected.close()
        writer._signals._stream.close()
    return folder


def age(folder: Path, seconds: float) -> None:
    """Make every file look as if it had been written long ago."""
    then = time.time() - seconds
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def only(shelf: SessionShelf) -> ShelvedSession:
    (entry,) = shelf.sessions()
    return entry


def test_an_entry_says_what_the_session_holds(tmp_path: Path) -> None:
    folder = a_session(tmp_path / "talk", source="rtsp://me:secret@camera/1")
    entry = only(SessionShelf(tmp_path))
    assert (entry.name, entry.state, entry.micro, entry.macro, entry.rejected) == ("talk", "complete", 2, 0, 1)
    assert (entry.duration_s, entry.quality, entry.quality_word) == (30.0, 81, "good")
    assert entry.labels == {"positive": 2}
    assert entry.source == "rtsp://camera/1"
    assert entry.size_bytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert json.loads(json.dumps(entry.as_record()))["labels"] == {"positive": 2}


def test_newest_first_and_other_folders_are_not_sessions(tmp_path: Path) -> None:
    for number in range(3):
        folder = a_session(tmp_path / f"s{number}")
        record = json.loads((folder / "session.json").read_text())
        record["started_at"] = f"2026-11-2{number}T10:00:00+00:00"
        (folder / "session.json").write_text(json.dumps(record))
    (tmp_path / "pictures").mkdir()
    (tmp_path / "session.json").write_text("{}")
    assert [entry.name for entry in SessionShelf(tmp_path).sessions()] == ["s2", "s1", "s0"]
    assert SessionShelf(tmp_path / "nowhere").sessions() == []


def test_a_run_that_writes_is_recording_and_one_that_was_killed_is_interrupted(tmp_path: Path) -> None:
    folder = a_session(tmp_path / "talk", finish=False)
    shelf = SessionShelf(tmp_path)
    assert only(shelf).state == "recording"
    age(folder, 3600)
    entry = only(shelf)
    assert (entry.state, entry.micro, entry.rejected, entry.labels) == ("interrupted", 2, 1, {"positive": 2})
    assert entry.duration_s is None
    (known,) = shelf.sessions(running=["talk"])  # a camera may be silent for minutes
    assert known.state == "recording"
    assert only(shelf).state == "interrupted"


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b"\xff\xfe", b'{"state": "complete", "counts": 7}'])
def test_a_damaged_session_is_listed_as_such(tmp_path: Path, content: bytes) -> None:
    a_session(tmp_path / "good")
    (a_session(tmp_path / "bad") / "session.json").write_bytes(content)
    entries = {entry.name: entry for entry in SessionShelf(tmp_path).sessions()}
    assert entries["good"].state == "complete"
    assert entries["bad"].state == "damaged"
    assert "session.json" in (entries["bad"].fault or "")


def test_a_session_without_its_record_is_damaged_and_can_be_removed(tmp_path: Path) -> None:
    (a_session(tmp_path / "bad") / "session.json").unlink()
    shelf = SessionShelf(tmp_path)
    assert only(shelf).state == "damaged"
    shelf.remove("bad")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_read_twice_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        a_session(tmp_path / f"s{number:02d}", events=0)
    shelf = SessionShelf(tmp_path)
    before = shelf.sessions()
    read: list[str] = []
    original = Path.read_bytes

    def counting(path: Path) -> bytes:
        read.append(path.parent.name)
        return original(path)

    monkeypatch.setattr(Path, "read_bytes", counting)
    assert shelf.sessions() == before
    assert read == []
    shelf.entitle("s07", "a title")
    assert {entry.name: entry.title for entry in shelf.sessions() if entry.title} == {"s07": "a title"}
    assert read == ["s07"]


def test_titles_are_kept_beside_what_was_recorded(tmp_path: Path) -> None:
    folder = a_session(tmp_path / "talk")
    recorded = (folder / "session.json").read_bytes()
    shelf = SessionShelf(tmp_path)
    shelf.entitle("talk", "  被试 7,\nsecond   visit ")
    assert only(shelf).title == "被试 7, second visit"
    assert (folder / "session.json").read_bytes() == recorded
    shelf.entitle("talk", " ")
    assert only(shelf).title == ""
    with pytest.raises(BadInput, match="at most"):
        shelf.entitle("talk", "x" * (LONGEST_TITLE + 1))
    with pytest.raises(BadInput, match=r"talk: the title: character 4 is a control character \(U\+0007\); remove it"):
        shelf.entitle("talk", "one\x07")
    assert only(shelf).title == ""


def test_removal_leaves_nothing(tmp_path: Path) -> None:
    a_session(tmp_path / "one")
    kept = a_session(tmp_path / "two")
    shelf = SessionShelf(tmp_path)
    shelf.sessions()
    shelf.remove("one")
    assert list(tmp_path.iterdir()) == [kept]
    assert [entry.name for entry in shelf.sessions()] == ["two"]
    with pytest.raises(BadInput, match="no such session"):
        shelf.remove("one")


def test_what_is_being_recorded_is_not_removed(tmp_path: Path) -> None:
    folder = a_session(tmp_path / "talk", finish=False)
    shelf = SessionShelf(tmp_path)
    with pytest.raises(BadInput, match="stop it"):
        shelf.remove("talk")
    age(folder, 3600)
    with pytest.raises(BadInput, match="stop it"):
        shelf.remove("talk", running=["talk"])
    assert (folder / "events.jsonl").exists()
    shelf.remove("talk")
    assert not folder.exists()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../talk", "talk/../talk", "/etc", "talk\0", ".hidden", "link", "none"]
)
def test_only_plain_names_of_sessions_are_taken(tmp_path: Path, name: str) -> None:
    inside, outside = tmp_path / "sessions", tmp_path / "talk"
    a_session(outside)
    a_session(inside / ".hidden")
    a_session(inside / "talk")
    (inside / "link").symlink_to(outside)
    shelf = SessionShelf(inside)
    for act in (shelf.remove, shelf.session, lambda one: shelf.entitle(one, "x")):
        with pytest.raises(BadInput, match="no such session"):
            act(name)
    assert (outside / "session.json").exists()
    assert [entry.name for entry in shelf.sessions()] == ["talk"]


def test_a_removal_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    a_session(tmp_path / ".leaving-0123")
    shelf = SessionShelf(tmp_path)
    assert shelf.sessions() == []
    shelf.sweep()
    assert list(tmp_path.iterdir()) == []
