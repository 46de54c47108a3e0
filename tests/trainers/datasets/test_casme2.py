"""CASME II in both of its layouts, with everything that is odd about it."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from tests.trainers.datasets.database_trees import CASME2_ROWS, ClipRow, full_casme2, write_casme2, write_samm
from trainers.annotations import Clip, ClipTable, numbered_frames
from trainers.datasets.databases import database


def _read(root: Path) -> ClipTable:
    return database("casme2").read(root)


def _clip(table: ClipTable, name: str) -> Clip:
    return next(clip for clip in table.clips if clip.name == name)


@pytest.mark.parametrize(("layout", "image"), [("Cropped", "reg_img46.jpg"), ("CASME2_RAW_selected", "img46.jpg")])
def test_both_layouts_give_the_same_clips(tmp_path: Path, layout: str, image: str) -> None:
    write_casme2(tmp_path, layout=layout)
    table = _read(tmp_path)
    assert (len(table.clips), table.rows, table.dataset) == (len(CASME2_ROWS), len(CASME2_ROWS), "casme2")
    clip = _clip(table, "EP02_01f")
    assert (clip.subject, clip.onset, clip.apex, clip.offset) == ("sub01", 46, 59, 86)
    assert (clip.label, clip.action_units, clip.frame_rate_hz) == ("happiness", "12", 200.0)
    frames = numbered_frames(clip.folder)
    assert frames[46].name == image
    assert list(frames) == list(range(46, 87))  # in the order of the numbers, not of the names


def test_frames_can_be_drawn_for_what_follows(tmp_path: Path) -> None:
    write_casme2(tmp_path, CASME2_ROWS[:1], draw=lambda shot: np.full((8, 8, 3), round(200 * shot.strength), np.uint8))
    (clip,) = _read(tmp_path).clips
    assert clip.apex is not None
    frames = numbered_frames(clip.folder)
    brightness = [float(cv2.imread(str(frames[number])).mean()) for number in (clip.onset, clip.apex, clip.offset)]
    assert brightness == pytest.approx([0, 200, 0], abs=3)


def test_an_apex_that_cannot_be_used_is_to_be_found_and_said(tmp_path: Path) -> None:
    write_casme2(tmp_path)
    table = _read(tmp_path)
    assert _clip(table, "EP12_01f").apex is None
    assert _clip(table, "EP09_05f").apex is None
    assert _clip(table, "EP09_06").apex == 51  # at the offset, as the owners coded it
    assert [str(finding) for finding in table.findings] == [
        "repaired: CASME2-coding-20140508.xlsx row 4 (sub04 EP12_01f): apex '/' is no frame number: it is to be found",
        "repaired: CASME2-coding-20140508.xlsx row 5 (sub05 EP09_05f): apex 81 is the onset, from which nothing has "
        "moved yet: it is to be found",
    ]


def test_the_table_of_2019_and_subjects_that_lost_their_zero(tmp_path: Path) -> None:
    write_casme2(tmp_path, table="whatever the user calls it.xlsx", objective_classes=True)
    assert len(_read(tmp_path).clips) == len(CASME2_ROWS)
    without_zeros = [replace(row, subject=int(str(row.subject)), folder=False) for row in CASME2_ROWS]
    write_casme2(tmp_path / "numbers")
    write_casme2(tmp_path / "numbers", without_zeros)
    assert [clip.subject for clip in _read(tmp_path / "numbers").clips][:2] == ["sub01", "sub03"]


def test_images_without_a_row_are_reported(tmp_path: Path) -> None:
    unspoken = ClipRow(subject="09", name="EP02_02f", onset=1, apex=2, offset=5, emotion="disgust")
    write_casme2(tmp_path, [*CASME2_ROWS, unspoken])
    write_casme2(tmp_path)
    findings = [finding for finding in _read(tmp_path).findings if finding.clip == "sub09 EP02_02f"]
    assert [str(finding) for finding in findings] == [
        "rejected: Cropped/sub09/EP02_02f (sub09 EP02_02f): images without a row in CASME2-coding-20140508.xlsx: "
        "left out"
    ]


def test_a_folder_that_spells_its_numbers_in_another_way_is_found_and_said(tmp_path: Path) -> None:
    write_casme2(tmp_path, [CASME2_ROWS[0], replace(CASME2_ROWS[1], name="EP01_02")])
    write_casme2(tmp_path, [replace(row, folder=False) for row in CASME2_ROWS[:2]])
    table = _read(tmp_path)
    assert _clip(table, "EP01_2").folder.name == "EP01_02"
    assert [finding.fault for finding in table.findings] == ["its folder is named 'EP01_02'"]


def test_one_subject_alone_is_imported_and_the_other_rows_are_reported(tmp_path: Path) -> None:
    write_casme2(tmp_path, [replace(row, folder=row.subject == "01") for row in CASME2_ROWS])
    table = _read(tmp_path)
    assert [clip.subject for clip in table.clips] == ["sub01"]
    rejected = [finding for finding in table.findings if finding.outcome == "rejected"]
    assert len(rejected) == table.rows - 1 == len(CASME2_ROWS) - 1
    assert rejected[0].where == "CASME2-coding-20140508.xlsx row 3"


def test_missing_frames_are_reported_by_row(tmp_path: Path) -> None:
    holed = replace(CASME2_ROWS[0], frames=[*range(46, 60), *range(64, 84)])
    scattered = replace(CASME2_ROWS[1], frames=[6, 16])
    empty = replace(CASME2_ROWS[4], frames=())
    write_casme2(tmp_path, [holed, scattered, empty])
    table = _read(tmp_path)
    assert [(clip.onset, clip.apex, clip.offset) for clip in table.clips] == [(46, 59, 83)]
    assert [str(finding).partition(" (")[0] for finding in table.findings] == [
        f"{outcome}: CASME2-coding-20140508.xlsx row {row}"
        for outcome, row in (("repaired", 2), ("rejected", 3), ("rejected", 4))
    ]


def test_frames_as_filmed_come_before_cropped_ones(tmp_path: Path) -> None:
    for layout in ("Cropped", "CASME2_RAW_selected", "CASME2-RAW"):
        write_casme2(tmp_path, layout=layout)
    assert "CASME2_RAW_selected" in _read(tmp_path).clips[0].folder.parts


def test_a_full_table_gives_the_real_counts(tmp_path: Path) -> None:
    write_casme2(tmp_path, full_casme2())
    table = _read(tmp_path)
    assert dict(table.labels) == {
        "disgust": 63, "fear": 2, "happiness": 32, "others": 99, "repression": 27, "sadness": 7, "surprise": 25,
    }  # fmt: skip
    assert (table.rows, len({clip.subject for clip in table.clips})) == (255, 26)


def _garbage(root: Path) -> None:
    write_casme2(root).write_bytes(b"\x00 no spreadsheet \xff" * 9)


def _no_table(root: Path) -> None:
    write_casme2(root).unlink()


def _two_tables(root: Path) -> None:
    write_casme2(root)
    write_casme2(root, table="CASME2-coding-20190701.xlsx")


def _images_twice(root: Path) -> None:
    write_casme2(root)
    write_casme2(root, layout="Cropped again")


def _another_table(root: Path) -> None:
    write_casme2(root).unlink()
    write_samm(root)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (_garbage, r"CASME2-coding-20140508\.xlsx cannot be read \(.*copy it again"),
        (_no_table, r"holds no coding table .*Subject, Filename, OnsetFrame"),
        (_two_tables, r"2 coding tables \(CASME2-coding-20140508\.xlsx, CASME2-coding-20190701\.xlsx\): leave the one"),
        (_images_twice, r"more than once \(Cropped, Cropped again\): give one of these"),
        (_another_table, r"holds no coding table"),
        (write_samm, r"does not hold Cropped/sub01/EP02_01f"),
    ],
)
def test_what_cannot_be_imported_is_one_line(tmp_path: Path, write: object, message: str) -> None:
    assert callable(write)
    write(tmp_path)
    with pytest.raises(BadInput, match=message) as fault:
        _read(tmp_path)
    assert "\n" not in str(fault.value)
