"""Every recording has a session folder of its own, whatever the recordings are called."""

from pathlib import Path

from demo.recordings import find_recordings


def test_namesakes_do_not_share_a_folder(tmp_path: Path) -> None:
    found = find_recordings(("x/a.mp4", "y/a.mp4", "x/a-2.mp4", "z/a.mp4"), tmp_path, None)
    assert [recording.folder.name for recording in found] == ["a", "a-3", "a-2", "a-4"]


def test_a_single_recording_goes_into_the_folder_itself(tmp_path: Path) -> None:
    (recording,) = find_recordings(("x/a.mp4",), tmp_path / "session", 30.0)
    assert recording.folder == tmp_path / "session"
