"""Subjects' folders and coding tables wherever they lie."""

import re
from pathlib import Path

import pytest

from engines.errors import BadInput
from tests.trainers.datasets.database_trees import Shot, write_frames, write_table
from trainers.datasets.layout import chosen_home, clip_folder, find_sheets, numbered_folder, same_name, subject_homes

SUBJECT = re.compile(r"sub\d+")


def _folders(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)


def test_homes_are_found_at_any_depth_that_is_searched(tmp_path: Path) -> None:
    _folders(tmp_path, "sub01/a", "x/y/z/sub02", "x/y/z/u/v/w/sub03", ".hidden/sub04", "__MACOSX/sub05", "x/subject")
    homes = [str(home.relative_to(tmp_path)) for home in subject_homes(tmp_path, SUBJECT)]
    assert homes == [".", "x/y/z"]


def test_long_videos_are_not_searched(tmp_path: Path) -> None:
    shot = Shot(subject="", clip="", number=0, onset=0, apex=1, offset=2, emotion="")
    write_frames((tmp_path / "video" / f"{number}.jpg", shot) for number in range(60))
    _folders(tmp_path, "video/sub01", "other/sub01")
    write_frames((tmp_path / "other" / f"{number}.jpg", shot) for number in range(10))
    assert subject_homes(tmp_path, SUBJECT) == [tmp_path / "other"]


def test_frames_as_filmed_and_a_selection_come_first(tmp_path: Path) -> None:
    raw, cropped, selected = (tmp_path / name for name in ("RAW", "Cropped", "RAW_selected"))
    assert chosen_home(tmp_path, [raw, cropped, selected], "") == selected
    assert chosen_home(tmp_path, [cropped, raw], "") == raw
    assert chosen_home(tmp_path, [cropped], "") == cropped
    with pytest.raises(BadInput, match=r"more than once \(RAW, raw2\): give one"):
        chosen_home(tmp_path, [raw, tmp_path / "raw2"], "")
    with pytest.raises(BadInput, match="does not hold sub01: give"):
        chosen_home(tmp_path, [], "sub01")


def test_names_differ_in_case_and_zeros_alone() -> None:
    assert same_name("s1_ne_01", "s01_NE_1")
    assert not same_name("s1_ne_01", "s1_ne_10")
    assert not same_name("EP01_2", "EP01_20")
    assert not same_name("EP0_2", "EP_2")


def test_a_clips_folder_is_found_unless_it_belongs_to_another_name(tmp_path: Path) -> None:
    _folders(tmp_path, "EP01_02", "EP09f")
    assert clip_folder(tmp_path, "EP01_2", {"EP01_2"}).name == "EP01_02"
    assert clip_folder(tmp_path, "EP01_2", {"EP01_2", "EP01_02"}) == tmp_path / "EP01_2"  # is not there
    assert clip_folder(tmp_path, "EP09f", {"EP09f"}) == tmp_path / "EP09f"


def test_a_subjects_folder_is_found_by_its_number(tmp_path: Path) -> None:
    _folders(tmp_path, "s1", "s11")
    assert numbered_folder(tmp_path, 1) == tmp_path / "s1"
    assert numbered_folder(tmp_path, 11) == tmp_path / "s11"
    assert numbered_folder(tmp_path, 2) is None


def test_tables_are_found_by_their_header(tmp_path: Path) -> None:
    wanted = write_table(tmp_path / "deep" / "coding.xlsx", [("About",), ("Subject", "Onset", "Extra"), ("01", 3, "x")])
    write_table(tmp_path / "other.xlsx", [("Subject", "Sex"), ("01", "f")])
    write_table(tmp_path / "sub01" / "hidden.xlsx", [("Subject", "Onset"), ("01", 3)])
    (tmp_path / "~$coding.xlsx").write_bytes(b"a lock file")
    (tmp_path / "torn.xls").write_bytes(b"torn")
    (sheet,) = find_sheets(tmp_path, SUBJECT, ["Subject", "Onset"], optional=["Extra", "Missing"])
    assert (sheet.table, sheet.name, len(sheet.rows)) == (wanted, "", 1)
    (row,) = sheet.rows
    assert [sheet.cell(row, name) for name in ("Subject", "Onset", "Extra", "Missing")] == ["01", "3", "x", ""]


def test_a_table_that_cannot_be_read_is_named_where_there_is_no_other(tmp_path: Path) -> None:
    assert find_sheets(tmp_path, SUBJECT, ["Subject"]) == []
    (tmp_path / "torn.xls").write_bytes(b"torn")
    with pytest.raises(BadInput, match=r"torn\.xls cannot be read"):
        find_sheets(tmp_path, SUBJECT, ["Subject"])
