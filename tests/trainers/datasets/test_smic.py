"""SMIC in both layouts and three parts; several micro-expressions a row, no apex anywhere."""

from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from engines.errors import BadInput
from tests.trainers.datasets.database_trees import (
    SMIC_ROWS,
    SmicRow,
    full_smic,
    write_smic,
    write_smic_table,
    write_table,
)
from trainers.annotations import ClipTable, numbered_frames
from trainers.datasets.databases import database

TABLE = "SMIC-HS-E_annotation.xlsx"


def _spans(table: ClipTable) -> dict[str, tuple[int, int]]:
    return {f"{clip.subject} {clip.name}": (clip.onset, clip.offset) for clip in table.clips}


def test_the_long_layout_gives_every_micro_expression_of_a_row(tmp_path: Path) -> None:
    write_smic(tmp_path)
    table = database("smic-hs").read(tmp_path)
    assert (table.rows, table.findings) == (5, ())
    assert _spans(table) == {
        "s01 s1_ne_01": (1068, 1080),
        "s03 s3_ne_02": (2000, 2010), "s03 s3_ne_02-2": (2020, 2032),
        "s04 s4_ne_04": (300, 309), "s04 s4_ne_04-2": (315, 322), "s04 s4_ne_04-3": (330, 341),
        "s09 s09_sur_01": (7581039, 7581050), "s20 s20_po_01": (17581039, 17581049),
    }  # fmt: skip
    assert all(clip.apex is None and clip.frame_rate_hz == 100.0 for clip in table.clips)
    assert dict(table.labels) == {"negative": 6, "positive": 1, "surprise": 1}


def test_names_and_numbers_are_read_however_they_are_padded(tmp_path: Path) -> None:
    write_smic(tmp_path)
    clips = {clip.name: clip for clip in database("smic-hs").read(tmp_path).clips}
    assert numbered_frames(clips["s1_ne_01"].folder)[1068].name == "image001068.jpg"
    assert numbered_frames(clips["s09_sur_01"].folder)[7581039].name == "image07581039.jpg"
    write_smic(tmp_path / "mixed", [replace(SMIC_ROWS[0], name="s01_ne_01")])
    write_smic_table(tmp_path / "mixed" / TABLE, SMIC_ROWS[:1])
    mixed = database("smic-hs").read(tmp_path / "mixed")
    assert [(clip.name, clip.folder.name) for clip in mixed.clips] == [("s1_ne_01", "s01_ne_01")]
    assert [finding.fault for finding in mixed.findings] == ["its folder is named 's01_ne_01'"]


def test_the_short_layout_tells_by_its_folders_alone(tmp_path: Path) -> None:
    write_smic(tmp_path, layout="short", table=None)
    table = database("smic-hs").read(tmp_path)
    assert _spans(table) == {
        "s01 s1_ne_01": (1068, 1080),
        "s03 s3_ne_02": (2000, 2010), "s03 s3_ne_03": (2020, 2032),
        "s04 s4_ne_04": (300, 309), "s04 s4_ne_05": (315, 322), "s04 s4_ne_06": (330, 341),
        "s09 s09_sur_01": (7581039, 7581050), "s20 s20_po_01": (17581039, 17581049),
    }  # fmt: skip
    assert dict(table.labels) == {"negative": 6, "positive": 1, "surprise": 1}
    assert table.findings == ()


def test_a_table_beside_short_clips_tells_what_they_lack(tmp_path: Path) -> None:
    lost = SmicRow(subject=18, name="s18_sur_03", spans=[(500, 510)], emotion="surprise")
    torn = replace(SMIC_ROWS[1], missing=frozenset({2000, 2025}))
    write_smic(tmp_path, [SMIC_ROWS[0], torn], layout="short", table=None)
    write_smic_table(tmp_path / TABLE, [SMIC_ROWS[0], SMIC_ROWS[1], lost])
    table = database("smic-hs").read(tmp_path)
    assert [str(finding) for finding in table.findings] == [
        "repaired: SMIC-HS-E_annotation.xlsx row 3 (s03 s3_ne_02): 1 of 11 frames from onset 2000 to offset 2010 are "
        "missing: onset 2001 is taken",
        "repaired: SMIC-HS-E_annotation.xlsx row 3 (s03 s3_ne_03): 1 of 13 frames from onset 2020 to offset 2032 are "
        "missing: the others are taken",
        "rejected: SMIC-HS-E_annotation.xlsx row 4 (s18 s18_sur_03): no clip folder holds its frames 500 to 510",
    ]
    assert table.rows == 3


def test_short_clips_whose_files_were_numbered_anew_are_taken_whole(tmp_path: Path) -> None:
    write_smic(tmp_path, [replace(SMIC_ROWS[0], spans=[(1, 13)])], layout="short")
    write_smic_table(tmp_path / TABLE, SMIC_ROWS[:1])
    table = database("smic-hs").read(tmp_path)
    assert _spans(table) == {"s01 s1_ne_01": (1, 13)}
    assert [finding.fault for finding in table.findings] == [
        "its frames are not among the files (1 to 13), which are taken as the whole of it"
    ]


@pytest.mark.parametrize("layout", ["long", "short"])
def test_a_full_table_gives_164_micro_expressions(tmp_path: Path, layout: str) -> None:
    rows = full_smic()
    write_smic(tmp_path, rows, layout=layout)
    table = database("smic-hs").read(tmp_path)
    assert (len(rows), table.rows, len(table.clips)) == (157, 157, 164)
    assert dict(table.labels) == {"negative": 70, "positive": 51, "surprise": 43}
    assert (len({clip.subject for clip in table.clips}), table.findings) == (16, ())


def test_parts_are_told_apart(tmp_path: Path) -> None:
    for part in ("HS", "VIS", "NIR"):
        write_smic(tmp_path, SMIC_ROWS[:2] if part == "HS" else SMIC_ROWS[2:3], part=part)
    counts = {name: len(database(name).read(tmp_path).clips) for name in ("smic-hs", "smic-vis", "smic-nir")}
    assert counts == {"smic-hs": 3, "smic-vis": 3, "smic-nir": 3}
    table = database("smic-nir").read(tmp_path)
    assert {(clip.dataset, clip.subject, clip.frame_rate_hz) for clip in table.clips} == {("smic-nir", "s04", 25.0)}


def test_one_workbook_may_hold_a_sheet_for_each_part(tmp_path: Path) -> None:
    write_smic(tmp_path, SMIC_ROWS[:2], table="HS.xlsx")
    write_smic(tmp_path, SMIC_ROWS[2:3], part="VIS", table="VIS.xlsx")
    workbook = openpyxl.Workbook()
    for part in ("HS", "VIS"):
        sheet = workbook.create_sheet(f"SMIC-{part}-E")
        for row in openpyxl.load_workbook(tmp_path / f"{part}.xlsx").worksheets[0].iter_rows(values_only=True):
            sheet.append(row)
        (tmp_path / f"{part}.xlsx").unlink()
    workbook.save(tmp_path / "annotation.xlsx")
    (torn,) = (tmp_path / "VIS_long").glob("SMIC_VIS_E/s04/s4_ne_04/image000330.jpg")
    torn.unlink()
    assert len(database("smic-hs").read(tmp_path).clips) == 3
    table = database("smic-vis").read(tmp_path)
    assert [(clip.onset, clip.offset) for clip in table.clips] == [(300, 309), (315, 322), (331, 341)]
    assert table.findings[0].where == "annotation.xlsx sheet SMIC-VIS-E row 2"


def test_the_long_layout_comes_first_where_its_table_is_there(tmp_path: Path) -> None:
    write_smic(tmp_path, layout="short", table=None)
    write_smic(tmp_path, table=None)
    assert "HS" in database("smic-hs").read(tmp_path).clips[0].folder.parts
    write_smic(tmp_path)
    assert "HS_long" in database("smic-hs").read(tmp_path).clips[0].folder.parts


def test_a_long_clip_without_row_and_a_row_without_clip_are_reported(tmp_path: Path) -> None:
    write_smic(tmp_path)
    write_smic_table(tmp_path / TABLE, [*SMIC_ROWS[1:], replace(SMIC_ROWS[0], subject=2, name="s2_ne_09")])
    missing, unspoken = database("smic-hs").read(tmp_path).findings
    folder = tmp_path / "HS_long" / "SMIC_HS_E" / "s02" / "s2_ne_09"
    assert str(missing) == f"rejected: SMIC-HS-E_annotation.xlsx row 6 (s02 s2_ne_09): folder {folder} is not there"
    assert (unspoken.where, unspoken.clip) == ("HS_long/SMIC_HS_E/s01/s1_ne_01", "s01 s1_ne_01")


def _long_without_table(root: Path) -> None:
    write_smic(root, table=None)


def _unreadable(root: Path) -> None:
    write_smic(root, layout="short")
    (root / TABLE).write_bytes(b"torn")


def _tables_of_other_parts(root: Path) -> None:
    write_smic(root, table="SMIC-VIS-E_annotation.xlsx")


def _another_header(root: Path) -> None:
    write_smic(root, table=None)
    write_table(root / TABLE, [("Subject", "Filename"), (1, "s1_ne_01")])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (_long_without_table, "holds no coding table"),
        (_unreadable, r"SMIC-HS-E_annotation\.xlsx cannot be read"),
        (_tables_of_other_parts, "holds no coding table"),
        (_another_header, "holds no coding table"),
        (Path.is_dir, "does not hold HS/s01/micro/negative"),
    ],
)
def test_what_cannot_be_imported_is_one_line(tmp_path: Path, write: object, message: str) -> None:
    assert callable(write)
    write(tmp_path)
    with pytest.raises(BadInput, match=message) as fault:
        database("smic-hs").read(tmp_path)
    assert "\n" not in str(fault.value)
