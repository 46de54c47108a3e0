"""Exports as folder and as zip: whole or not there, nothing left behind, what is missing is said."""

import json
import zipfile
from pathlib import Path

import pytest

from engines.errors import BadInput
from realtime.export import FORMATS, export_sessions
from tests.realtime.export.sessions import film, with_remarks, write_session

FILES = {
    "csv": {"columns.csv", "events.csv", "rejected.csv", "remarks.csv", "signals.csv"},
    "json": {"talk.json"},
    "elan": {"talk.eaf"},
    "video": {"talk.annotated.mp4"},
    "report": {"talk.html"},
}


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return with_remarks(write_session(tmp_path / "talk", source=str(film(tmp_path / "films" / "talk.mp4"))))


def names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return set(archive.namelist())


def test_all_formats_in_one_zip(talk: Path, tmp_path: Path) -> None:
    assert set(FILES) == set(FORMATS)
    told: list[tuple[float, str]] = []
    before = {path: path.read_bytes() for path in talk.rglob("*") if path.is_file()}
    export = export_sessions([talk], tmp_path / "all.zip", report=lambda done, what: told.append((done, what)))
    assert names(tmp_path / "all.zip") == {f"talk/{name}" for made in FILES.values() for name in made}
    assert set(export.files) == names(tmp_path / "all.zip")
    assert export.notes == ()
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == pytest.approx(1.0)
    assert {what for _, what in told} == {f"talk: {name}" for name in FORMATS}
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert b"./talk.annotated.mp4" in archive.read("talk/talk.eaf")
        assert archive.getinfo("talk/talk.annotated.mp4").compress_type == zipfile.ZIP_STORED
        assert archive.getinfo("talk/signals.csv").compress_size < archive.getinfo("talk/signals.csv").file_size / 2
    assert {path: path.read_bytes() for path in talk.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zip", "films", "talk"]


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_alone_into_a_folder(talk: Path, tmp_path: Path, name: str) -> None:
    export_sessions([talk], tmp_path / "out", [name])
    assert {path.name for path in (tmp_path / "out" / "talk").iterdir()} == FILES[name]


def test_corrected_labels_are_in_every_format_that_has_words(talk: Path, tmp_path: Path) -> None:
    export_sessions([talk], tmp_path / "out", ["csv", "json", "elan", "report"])
    for name in ("events.csv", "talk.json", "talk.eaf", "talk.html"):
        written = (tmp_path / "out" / "talk" / name).read_text(encoding="utf-8-sig")
        assert "轻蔑" in written, name
        assert "negative" in written, name
        assert "half a smile" in written, name
    document = json.loads((tmp_path / "out" / "talk" / "talk.json").read_text())
    assert [event["label"] for event in document["events"]] == ["positive", "negative", None, "surprise"]
    assert document["events"][1]["remark"]["label"] == "轻蔑"
    assert [remark["label"] for remark in document["remarks"]] == ["contempt", "轻蔑", None, None]
    assert document["rejected"][1]["remark"]["note"] == "was one after all"
    assert document["session"]["source"] == "talk.mp4"
    assert str(tmp_path) not in json.dumps(document)


def test_several_sessions_and_two_of_one_name(talk: Path, tmp_path: Path) -> None:
    other = write_session(tmp_path / "elsewhere" / "talk")
    export_sessions([talk, other], tmp_path / "two.zip", ["json"])
    assert names(tmp_path / "two.zip") == {"talk/talk.json", "talk-2/talk.json"}


def test_what_cannot_be_made_is_said_and_the_rest_is_there(tmp_path: Path) -> None:
    folder = write_session(tmp_path / "talk", source="camera 0", finish=False)
    export = export_sessions([folder], tmp_path / "out.zip")
    assert names(tmp_path / "out.zip") == {f"talk/{name}" for kind in FILES if kind != "video" for name in FILES[kind]}
    assert "still being recorded" in export.notes[0]
    assert "video left out" in export.notes[1]
    with pytest.raises(BadInput, match="nothing could be made"):
        export_sessions([folder], tmp_path / "video.zip", ["video"])
    assert not (tmp_path / "video.zip").exists()


def test_an_export_that_is_ended_leaves_nothing(talk: Path, tmp_path: Path) -> None:
    class Ended(Exception):
        pass

    def end(done: float, _what: str) -> None:
        if done > 0.2:
            raise Ended

    with pytest.raises(Ended):
        export_sessions([talk], tmp_path / "all.zip", report=end)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["films", "talk"]


def test_bad_input_is_one_line(talk: Path, tmp_path: Path) -> None:
    (tmp_path / "there.zip").write_bytes(b"mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_bytes(b"")
    cases = [
        ([talk], tmp_path / "out.zip", ["xls"], "not a format"),
        ([], tmp_path / "out.zip", [], "no session"),
        ([tmp_path / "films"], tmp_path / "out.zip", [], "expected a session folder"),
        ([talk], tmp_path / "there.zip", ["json"], "--overwrite"),
        ([talk], tmp_path / "full", ["json"], "--overwrite"),
        ([talk], tmp_path / "none" / "out.zip", ["json"], "does not exist"),
        ([talk], talk / "session.json", ["json"], "is a file"),
    ]
    for folders, out, formats, words in cases:
        with pytest.raises(BadInput, match=words):
            export_sessions(folders, out, formats)
    assert (tmp_path / "there.zip").read_bytes() == b"mine"
    export_sessions([talk], tmp_path / "there.zip", ["json"], replace=True)
    assert names(tmp_path / "there.zip") == {"talk/talk.json"}
