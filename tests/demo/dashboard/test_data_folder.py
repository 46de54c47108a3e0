"""Names from the browser lead nowhere but into the data folder."""

from pathlib import Path

import pytest

from demo.dashboard.data_folder import DataFolder, plain_name
from engines.errors import BadInput


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    """A fresh data folder."""
    return DataFolder(tmp_path / "data")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../secret", "a/b", "a\\b", "/etc", "%2e%2e", "a\0b", "x" * 300, ".hidden", "there is none", "a."],
)
def test_what_is_no_plain_name_is_refused(data: DataFolder, name: str) -> None:
    (data.root / "secret").mkdir()
    for find in (data.session, data.recording, data.checkpoint):
        with pytest.raises(BadInput, match="there is no such"):
            find(name)


def test_a_link_that_leads_out_is_refused(data: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (data.sessions / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="no such session"):
        data.session("link")


def test_what_is_there_is_found(data: DataFolder) -> None:
    (data.sessions / "2026-11-21_10-00-00_camera-0").mkdir()
    assert data.session("2026-11-21_10-00-00_camera-0").parent == data.sessions
    assert data.checkpoint("default") == "default"


def test_new_names_are_plain_and_free(data: DataFolder) -> None:
    first = data.new_session("rtsp://camera.local/stream?x=1")
    assert first.parent == data.sessions
    first.mkdir()
    assert data.session(first.name) == first
    clip = data.new_recording("../../étude 1/My clip: take*2.MP4")
    assert clip == data.recordings / "My-clip-take-2.mp4"
    clip.touch()
    assert data.new_recording("My clip: take*2.MP4") == data.recordings / "My-clip-take-2-2.mp4"
    assert data.new_recording("///").parent == data.recordings


def test_names_of_any_script_are_kept() -> None:
    assert plain_name("受试者 一/录像", "x") == "受试者-一-录像"
    assert plain_name("...", "session") == "session"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="choose another with --data"):
        DataFolder(tmp_path / "file" / "data")


def test_a_session_of_the_command_line_is_found_by_any_name_it_may_have(data: DataFolder) -> None:
    for name in ("P01, trial 2", "étude #3 (a&b)", "受" * 85, "a."):
        (data.sessions / name).mkdir()
        assert data.session(name) == data.sessions / name
    for name in ("a\\b", ".hidden", "line\nbreak"):
        (data.sessions / name).mkdir()
        with pytest.raises(BadInput, match="no such session"):
            data.session(name)
    with pytest.raises(BadInput, match="no such session"):
        data.session("受" * 86)


def test_sessions_that_begin_at_once_get_folders_of_their_own(data: DataFolder) -> None:
    given = [data.new_session("talk") for _ in range(20)]
    assert len(set(given)) == 20
    assert not any(folder.exists() for folder in given)
