"""What the live view offers: cameras by name without opening one, checkpoints of the data folder."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.dashboard.data_folder import DataFolder
from demo.dashboard.live_sources import checkpoint_names, machine_cameras
from engines.doctor.cameras import PICTURE, cameras
from engines.doctor.probe import Probed


def test_cameras_are_called_by_name_and_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("other systems do not list their cameras")
    for number in (0, 2, 3):
        (tmp_path / f"video{number}").touch()
    monkeypatch.setattr("demo.dashboard.live_sources.cameras", lambda ask: cameras(tmp_path, tmp_path, ask=ask))
    asked: list[str] = []

    def ask(arguments: Sequence[str], _time_limit_s: float) -> Probed:
        assert PICTURE not in arguments
        asked.append(arguments[-1])
        captures = "false" if arguments[-1].endswith("3") else "true"
        name = "" if arguments[-1].endswith("2") else "HD Webcam"
        return Probed(output=f'{{"name": "{name}", "captures": {captures}, "modes": []}}', fault="")

    assert machine_cameras(ask) == [("camera 0 · HD Webcam", "camera 0"), ("camera 2", "camera 2")]
    assert len(asked) == 3


def test_a_machine_without_a_camera_offers_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.dashboard.live_sources.cameras", lambda ask: cameras(tmp_path, tmp_path, ask=ask))
    if sys.platform == "linux":
        assert machine_cameras(lambda _arguments, _limit: Probed(output="", fault="no")) == []


def test_checkpoints_are_folders_with_a_card(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    for name in ("second", "first", "unfinished"):
        (data.checkpoints / name).mkdir()
    for name in ("second", "first"):
        (data.checkpoints / name / "card.json").write_text("{}")
    assert checkpoint_names(data) == ["default", "first", "second"]
