"""Checkpoints that come as archives: taken whole, and nothing of a hostile archive gets out of its file."""

import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engines.checkpoint import CARD_FILE, MODEL_FILE, WEIGHTS_FILE, Checkpoint
from engines.checkpoint_archive import unpack_checkpoint
from engines.errors import BadInput
from tests.engines.stand_in_checkpoint import channel_mean_model, stand_in_checkpoint

FILES = (CARD_FILE, MODEL_FILE, WEIGHTS_FILE)


@pytest.fixture
def source(tmp_path: Path) -> Checkpoint:
    (tmp_path / "shelf").mkdir()
    return stand_in_checkpoint(tmp_path / "source")


def packed(path: Path, source: Checkpoint, folder: str = "", **others: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FILES:
            archive.writestr(f"{folder}{name}", (source.folder / name).read_bytes())
        for number, (content, name) in enumerate(others.items()):
            archive.writestr(name, f"{content}{number}")
    return path


@pytest.mark.parametrize("folder", ["", "mine/", "runs/mine/checkpoint/"])
def test_the_three_files_are_taken_and_nothing_else(tmp_path: Path, source: Checkpoint, folder: str) -> None:
    archive = packed(
        tmp_path / "a.zip", source, folder, engine=f"{folder}engines/x.engine", shadow=f"__MACOSX/{folder}{CARD_FILE}"
    )
    taken = unpack_checkpoint(archive, tmp_path / "shelf" / "mine")
    assert taken.card == source.card
    assert sorted(path.name for path in taken.folder.rglob("*")) == sorted(FILES)
    assert [path.name for path in (tmp_path / "shelf").iterdir()] == ["mine"]
    for name in FILES:
        assert (taken.folder / name).read_bytes() == (source.folder / name).read_bytes()


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/etc/evil", "mine/../../evil", "C:\\evil", "c:/evil", "mine\\..\\..\\evil"]
)
def test_a_path_that_leads_out_is_refused_whole(tmp_path: Path, source: Checkpoint, name: str) -> None:
    archive = packed(tmp_path / "a.zip", source, evil=name)
    with pytest.raises(BadInput, match="leads out of its folder"):
        unpack_checkpoint(archive, tmp_path / "shelf" / "mine")
    assert list((tmp_path / "shelf").iterdir()) == []
    assert not list(tmp_path.rglob("evil*"))


def test_a_link_is_no_model(tmp_path: Path, source: Checkpoint) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for name in (CARD_FILE, WEIGHTS_FILE):
            opened.write(source.folder / name, name)
        link = zipfile.ZipInfo(MODEL_FILE)
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(BadInput, match=r"model\.onnx is a link"):
        unpack_checkpoint(archive, tmp_path / "shelf" / "mine")


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path, source: Checkpoint) -> None:
    archive = packed(tmp_path / "a.zip", source)
    with pytest.raises(BadInput, match="more than the 0 MB that a checkpoint may have"):
        unpack_checkpoint(archive, tmp_path / "shelf" / "mine", largest_bytes=1000)
    assert list((tmp_path / "shelf").iterdir()) == []


def test_a_list_that_lies_about_sizes_gives_no_more_than_it_said(tmp_path: Path, source: Checkpoint) -> None:
    archive = packed(tmp_path / "a.zip", source, "m/")
    with zipfile.ZipFile(archive) as opened:
        size = opened.getinfo(f"m/{MODEL_FILE}").file_size
    content = archive.read_bytes()
    place = content.rindex(f"m/{MODEL_FILE}".encode()) - 46 + 24  # the size in the archive's list of files
    assert int.from_bytes(content[place : place + 4], "little") == size
    archive.write_bytes(content[:place] + (10).to_bytes(4, "little") + content[place + 4 :])
    with pytest.raises(BadInput, match=r"a\.zip"):
        unpack_checkpoint(archive, tmp_path / "shelf" / "mine")
    assert list((tmp_path / "shelf").iterdir()) == []


def test_what_is_no_archive_of_a_checkpoint_is_said_in_one_line(tmp_path: Path, source: Checkpoint) -> None:
    target = tmp_path / "shelf" / "mine"
    text = tmp_path / "text.zip"
    text.write_text("no archive")
    empty = tmp_path / "empty.zip"
    with zipfile.ZipFile(empty, "w") as opened:
        opened.writestr("readme.txt", "no checkpoint")
    half = tmp_path / "half.zip"
    with zipfile.ZipFile(half, "w") as opened:
        opened.write(source.folder / CARD_FILE, CARD_FILE)
    two = packed(tmp_path / "two.zip", source, "a/", second=f"b/{CARD_FILE}")
    cut = packed(tmp_path / "cut.zip", source)
    cut.write_bytes(cut.read_bytes()[:-200])
    for archive, said in (
        (text, "no zip archive"),
        (empty, f"holds no {CARD_FILE}"),
        (half, f"without {MODEL_FILE}"),
        (two, "holds 2 checkpoints"),
        (cut, "no zip archive, or a damaged one"),
    ):
        with pytest.raises(BadInput) as fault:
            unpack_checkpoint(archive, target)
        assert said in str(fault.value)
        assert "\n" not in str(fault.value)
        assert archive.name in str(fault.value)
    assert list(target.parent.iterdir()) == []


def test_what_does_not_agree_with_its_card_is_not_taken(tmp_path: Path, source: Checkpoint) -> None:
    with (source.folder / WEIGHTS_FILE).open("ab") as file:
        file.write(b"x")
    with pytest.raises(BadInput) as fault:
        unpack_checkpoint(packed(tmp_path / "a.zip", source), tmp_path / "shelf" / "mine")
    assert str(fault.value).startswith(f"a.zip: {WEIGHTS_FILE} differs from the SHA-256 sum")
    assert list((tmp_path / "shelf").iterdir()) == []


def test_a_model_that_does_not_run_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    other = stand_in_checkpoint(tmp_path / "source", channel_mean_model(np.eye(3)[:, :2]))  # two classes, not three
    with pytest.raises(BadInput, match=r"a\.zip: the model gives"):
        unpack_checkpoint(packed(tmp_path / "a.zip", other), tmp_path / "shelf" / "mine")
    assert list((tmp_path / "shelf").iterdir()) == []


def test_nothing_is_replaced(tmp_path: Path, source: Checkpoint) -> None:
    archive = packed(tmp_path / "a.zip", source)
    unpack_checkpoint(archive, tmp_path / "shelf" / "mine")
    with pytest.raises(BadInput, match="exists already"):
        unpack_checkpoint(archive, tmp_path / "shelf" / "mine")
