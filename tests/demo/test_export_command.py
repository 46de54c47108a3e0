"""`onset export` from the command line."""

import json
import zipfile
from pathlib import Path

import pytest

from demo.cli import main
from tests.realtime.export.sessions import film, with_remarks, write_session


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return with_remarks(write_session(tmp_path / "talk", source=str(film(tmp_path / "films" / "talk.mp4"))))


def test_a_session_becomes_a_zip(talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "talk.zip"
    assert main(["export", str(talk), "--out", str(out), "--formats", "csv", "elan"]) == 0
    with zipfile.ZipFile(out) as archive:
        assert "talk/talk.eaf" in archive.namelist()
        assert "轻蔑" in archive.read("talk/events.csv").decode("utf-8-sig")
    assert f"{len(zipfile.ZipFile(out).namelist())} files" in capsys.readouterr().out


def test_what_is_missing_is_said(talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "films" / "talk.mp4").rename(tmp_path / "moved.mp4")
    assert main(["export", str(talk), "--out", str(tmp_path / "a"), "--formats", "json", "video", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == ["talk/talk.json"]
    assert "video left out" in said["notes"][0]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "moved.mp4").rename(tmp_path / "elsewhere" / "talk.mp4")
    words = ["export", str(talk), "--out", str(tmp_path / "b"), "--formats", "video"]
    assert main([*words, "--recordings", str(tmp_path / "elsewhere")]) == 0
    assert (tmp_path / "b" / "talk" / "talk.annotated.mp4").stat().st_size > 10_000


def test_bad_input_is_one_line(talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tmp_path / "films"), "--out", str(tmp_path / "out.zip")]) == 2
    assert main(["export", str(talk), "--out", str(tmp_path / "out.zip"), "--formats", "docx"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "expected a session folder" in said[0]
    assert "csv, json, elan, video, report" in said[1]
