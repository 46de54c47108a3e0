"""MMEW: clips sorted by emotion, and what happens where folder and row do not agree."""

from pathlib import Path

import pytest

from engines.errors import BadInput
from tests.trainers.datasets import long_video_trees as trees
from trainers.annotations import ClipTable
from trainers.datasets import mmew
from trainers.datasets.databases import recognise

TABLE = "MMEW_Micro_Exp.xlsx"
ROW: trees.Cells = ("S01", "S01-01-001", 1, 6, 12, "1+2", "surprise", None)
SECOND: trees.Cells = ("S02", "S02-02-003", 2, 7, 11, "4", "disgust", "left")


def write(root: Path, *rows: trees.Cells, table: str = TABLE) -> Path:
    trees.write(root, trees.mmew(rows), table)
    return root


def faults(table: ClipTable) -> list[str]:
    return [str(finding) for finding in table.findings]


def test_the_full_table_gives_every_clip(tmp_path: Path) -> None:
    trees.write(tmp_path, trees.full_mmew(), TABLE)
    assert recognise(tmp_path).name == "mmew"
    table = mmew.read(tmp_path)
    assert table.rows == len(table.clips) == 300
    assert table.labels == trees.MMEW_EMOTIONS
    assert len({clip.subject for clip in table.clips}) == 30
    assert len({clip.folder for clip in table.clips}) == 300
    assert not table.findings


def test_rows_become_clips(tmp_path: Path) -> None:
    first, second = mmew.read(write(tmp_path, ROW, SECOND)).clips
    assert (first.dataset, first.subject, first.name) == ("mmew", "S01", "S01-01-001")
    assert first.folder == tmp_path / "Micro_Expression/surprise/S01-01-001"
    assert (first.onset, first.apex, first.offset, first.frame_rate_hz) == (1, 6, 12, 90.0)
    assert (second.label, second.action_units, second.kind) == ("disgust", "4", "micro")


def test_a_bare_number_of_a_subject_is_the_one_in_the_clips_name(tmp_path: Path) -> None:
    table = mmew.read(write(tmp_path, (1, *ROW[1:]), (3, *SECOND[1:])))
    assert [clip.subject for clip in table.clips] == ["S01", "S02"]
    assert faults(table) == [
        f"repaired: {TABLE} row 3 (S02 S02-02-003): subject '3' is not the file name's: that one is taken"
    ]


def test_a_clip_under_another_emotion_keeps_the_coded_one(tmp_path: Path) -> None:
    write(tmp_path, ROW, SECOND)
    home = tmp_path / "Micro_Expression"
    (home / "surprise/S01-01-001").rename(home / "disgust/S01-01-001")
    table = mmew.read(tmp_path)
    assert table.clips[0].label == "surprise"
    assert faults(table) == [
        f"repaired: {TABLE} row 2 (S01 S01-01-001): lies under disgust and is coded surprise: "
        "the coded emotion is taken"
    ]


def test_capitals_of_an_emotion_do_not_matter(tmp_path: Path) -> None:
    write(tmp_path, ROW)
    trees.write_sheets(tmp_path / TABLE, trees.mmew([(*ROW[:6], "Surprise", None)]).sheets)
    table = mmew.read(tmp_path)
    assert table.labels == {"surprise": 1}
    assert not table.findings


def test_macro_expressions_and_folders_without_a_row_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, ROW, SECOND)
    trees.write_sheets(tmp_path / TABLE, trees.mmew([ROW]).sheets)
    (tmp_path / "Macro_Expression/S01/anger/S01-01-001").mkdir(parents=True)
    table = mmew.read(tmp_path)
    assert len(table.clips) == 1
    assert faults(table) == [
        f"rejected: Micro_Expression/disgust/S02-02-003 (S02-02-003): images without a row in {TABLE}: left out"
    ]


def test_rows_that_lead_nowhere_are_rejected_one_line_each(tmp_path: Path) -> None:
    write(tmp_path, ROW)
    rows = [ROW, SECOND, ("S01", "S01-01-001", *SECOND[2:]), ("S03", "see below", None, None, None, None, "fear", None)]
    trees.write_sheets(tmp_path / TABLE, trees.mmew(rows).sheets)
    table = mmew.read(tmp_path)
    assert (table.rows, len(table.clips)) == (4, 1)
    said = faults(table)
    assert all(line.startswith(f"rejected: {TABLE} row {row}") for row, line in enumerate(said, start=3))
    wanted = ("disgust/S02-02-003 is not there", "stands in", "names no clip")
    assert [part in line for part, line in zip(wanted, said, strict=True)] == [True] * 3


def test_missing_frames_are_named(tmp_path: Path) -> None:
    write(tmp_path, ROW, SECOND)
    for number in (1, 5):
        (tmp_path / f"Micro_Expression/surprise/S01-01-001/{number}.jpg").unlink()
    table = mmew.read(tmp_path)
    assert table.clips[0].onset == 2
    assert faults(table) == [
        f"repaired: {TABLE} row 2 (S01 S01-01-001): 2 of 12 frames from onset 1 to offset 12 are missing: "
        "onset 2 is taken"
    ]


def test_bad_folders_and_tables_end_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not hold Micro_Expression"):
        mmew.read(tmp_path)
    write(tmp_path, ROW, table="MMEW_Micro_Exp.csv")
    assert len(mmew.read(tmp_path).clips) == 1
    (tmp_path / "MMEW_Micro_Exp.csv").write_bytes(b"Subject,\xff\xfe")
    with pytest.raises(BadInput, match=r"MMEW_Micro_Exp\.csv cannot be read") as fault:
        mmew.read(tmp_path)
    assert "\n" not in str(fault.value)
