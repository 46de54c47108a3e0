"""What the list of checkpoints shows: whole ones, damaged ones with the reason, and only what changed is read again."""

import json
import shutil
from pathlib import Path

import pytest

from engines import checkpoint_shelf
from engines.checkpoint import CARD_FILE, MODEL_FILE
from engines.checkpoint_shelf import CheckpointShelf
from tests.engines.stand_in_checkpoint import stand_in_checkpoint


def test_the_shipped_one_comes_first_then_the_others_by_name(tmp_path: Path) -> None:
    for name in ("b", "a"):
        stand_in_checkpoint(tmp_path / name)
    (tmp_path / ".a-under-way").mkdir()
    (tmp_path / "notes.txt").write_text("no folder")
    listed = CheckpointShelf(tmp_path).all()
    assert [one.name for one in listed] == ["default", "a", "b"]
    assert all(one.checkpoint is not None and not one.fault for one in listed)


def test_damaged_ones_are_listed_with_what_is_wrong(tmp_path: Path) -> None:
    stand_in_checkpoint(tmp_path / "altered")
    with (tmp_path / "altered" / MODEL_FILE).open("ab") as file:
        file.write(b"x")
    (tmp_path / "empty").mkdir()
    shutil.copytree(tmp_path / "empty", tmp_path / "default")
    faults = {one.name: one.fault for one in CheckpointShelf(tmp_path).all()[1:]}
    assert faults["altered"] == f"{MODEL_FILE} differs from the SHA-256 sum in {CARD_FILE}: copy the folder again"
    assert faults["empty"] == f"{CARD_FILE} is missing"
    assert "rename the folder" in faults["default"]


def test_only_what_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_checkpoint(tmp_path / "mine")
    shelf = CheckpointShelf(tmp_path)
    before = shelf.all()
    monkeypatch.setattr(checkpoint_shelf, "load_checkpoint", lambda _place: pytest.fail("read again"))
    assert shelf.all() == before
    monkeypatch.undo()
    card = tmp_path / "mine" / CARD_FILE
    card.write_text(json.dumps({**json.loads(card.read_text()), "limits": "new words"}))
    loaded = shelf.all()[1].checkpoint
    assert loaded is not None
    assert loaded.card.limits == "new words"


def test_a_folder_that_went_away_leaves_the_shipped_one(tmp_path: Path) -> None:
    assert [one.name for one in CheckpointShelf(tmp_path / "gone").all()] == ["default"]
