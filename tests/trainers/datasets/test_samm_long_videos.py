"""SAMM Long Videos: the header under nine rows, types, missing apexes, and emotions from SAMM's own table."""

from collections import Counter
from pathlib import Path

import pytest

from engines.errors import BadInput
from tests.trainers.datasets import long_video_trees as trees
from trainers.annotations import ClipTable
from trainers.datasets import samm_long_videos
from trainers.datasets.databases import recognise

TABLE = "SAMM_LongVideos_V2_Release.xlsx"
SAMM_TABLE = "SAMM_Micro_FACS_Codes_v2.xlsx"
MACRO: trees.Cells = ("006", "006_1_1", 1, 10, 14, 19, 10, "Macro", "12", None)
MICRO: trees.Cells = ("006", "006_1_2", 1, 30, 34, 39, 10, "Micro - 1/2", "4 + 7", None)
OTHER: trees.Cells = ("037", "037_7_12", 7, 50, 54, 59, 10, "Micro - 1/2", "A/L12", None)


def write(root: Path, *rows: trees.Cells, table: str = TABLE, samm: bool = True) -> Path:
    trees.write(root, trees.samm_long_videos(rows), table)
    if samm:
        trees.write_sheets(root / SAMM_TABLE, {"MICRO_ONLY": trees.samm_rows(rows)})
    return root


def faults(table: ClipTable) -> list[str]:
    return [str(finding) for finding in table.findings]


def test_the_full_table_gives_every_expression_and_counts_each_quirk(tmp_path: Path) -> None:
    tables = trees.full_samm_long_videos()
    trees.write(tmp_path, tables, TABLE)
    trees.write_sheets(tmp_path / SAMM_TABLE, {"MICRO_ONLY": trees.samm_rows(tables.sheets["FACS_Movement_Only"][10:])})
    assert recognise(tmp_path).name == "samm-long-videos"
    table = samm_long_videos.read(tmp_path)
    assert table.rows == len(table.clips) == 502
    assert Counter(clip.kind for clip in table.clips) == {"macro": 343, "micro": 159}
    assert table.labels == {"anger": 159, "unknown": 343}
    assert len({clip.folder for clip in table.clips}) == 147
    assert len({clip.subject for clip in table.clips}) == 30
    assert sum(clip.apex is None for clip in table.clips) == 6
    assert len(table.findings) == 6
    assert all(line.startswith("repaired") and "apex '-1' is no frame number" in line for line in faults(table))


def test_rows_become_clips_of_their_videos(tmp_path: Path) -> None:
    first, second, third = samm_long_videos.read(write(tmp_path, MACRO, MICRO, OTHER)).clips
    assert (first.subject, first.name, first.kind, first.label) == ("006", "006_1_1", "macro", "unknown")
    assert first.folder == second.folder == tmp_path / "SAMM_longvideos/006_1"
    assert (second.onset, second.apex, second.offset, second.frame_rate_hz) == (30, 34, 39, 200.0)
    assert (second.kind, second.label, second.action_units) == ("micro", "anger", "4 + 7")
    assert (third.subject, third.folder.name, third.action_units) == ("037", "037_7", "A/L12")


def test_without_samms_table_all_emotions_are_unknown_and_the_report_says_so(tmp_path: Path) -> None:
    table = samm_long_videos.read(write(tmp_path, MACRO, MICRO, samm=False))
    assert table.labels == {"unknown": 2}
    assert len(table.findings) == 1
    assert faults(table)[0].startswith(f"repaired: {TABLE}: no coding table of SAMM lies beside it")


def test_a_micro_expression_that_samm_does_not_have_is_unknown(tmp_path: Path) -> None:
    write(tmp_path, MACRO, MICRO, OTHER)
    trees.write_sheets(tmp_path / SAMM_TABLE, {"MICRO_ONLY": trees.samm_rows([OTHER], emotion="Other")})
    table = samm_long_videos.read(tmp_path)
    assert [clip.label for clip in table.clips] == ["unknown", "unknown", "other"]
    assert faults(table) == [
        f"repaired: {TABLE} row 12 (006 006_1_2): the coding table of SAMM has no emotion for it: "
        'it is labelled "unknown"'
    ]


def test_a_subject_that_lost_its_zeros_is_the_file_names(tmp_path: Path) -> None:
    table = samm_long_videos.read(write(tmp_path, (6, *MACRO[1:]), (7, *MICRO[1:])))
    assert [clip.subject for clip in table.clips] == ["006", "006"]
    assert len(table.findings) == 1
    assert "row 12 (006 006_1_2): subject '7' is not the file name's" in faults(table)[0]


def test_a_file_name_that_stands_twice_is_told_apart_by_its_onset(tmp_path: Path) -> None:
    table = samm_long_videos.read(write(tmp_path, MICRO, (*MICRO[:3], 60, 64, 69, *MICRO[6:])))
    assert [clip.name for clip in table.clips] == ["006_1_2_30", "006_1_2_60"]
    assert table.labels == {"anger": 2}
    assert sum("stands in several rows" in line for line in faults(table)) == 2


def test_a_csv_file_reads_alike(tmp_path: Path) -> None:
    whole = samm_long_videos.read(write(tmp_path / "a", MACRO, MICRO))
    comma = samm_long_videos.read(write(tmp_path / "b", MACRO, MICRO, table="SAMM_LongVideos_V3_Release.csv"))
    assert [(clip.name, clip.onset, clip.label) for clip in comma.clips] == [
        (clip.name, clip.onset, clip.label) for clip in whole.clips
    ]


def test_rows_that_lead_nowhere_are_rejected_one_line_each(tmp_path: Path) -> None:
    write(tmp_path, MACRO)
    rows = [
        MACRO,
        ("006", "see notes", *MICRO[2:]),
        (*MICRO[:7], "Blink", None, None),
        ("035", "035_9_1", *MICRO[2:]),
        ("006", "006_1_3", 1, 95, 97, 140, 46, "Macro", "4", None),
        ("006", "006_1_4", 1, "?", 97, 140, 46, "Macro", "4", None),
    ]
    trees.write_sheets(tmp_path / TABLE, trees.samm_long_videos(rows).sheets)
    table = samm_long_videos.read(tmp_path)
    assert (table.rows, len(table.clips)) == (6, 1)
    said = [line for line in faults(table) if line.startswith("rejected")]
    assert all(f"{TABLE} row {row}" in line for row, line in enumerate(said, start=12))
    wanted = ("names no video", "type 'Blink'", "035_9 is not there", "6 of 46 frames", "onset '?'")
    assert [part in line for part, line in zip(wanted, said, strict=True)] == [True] * 5


def test_bad_folders_and_tables_end_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not hold SAMM_longvideos"):
        samm_long_videos.read(tmp_path)
    write(tmp_path, MACRO, samm=False)
    (tmp_path / TABLE).write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(BadInput, match=r"V2_Release\.xlsx cannot be read") as fault:
        samm_long_videos.read(tmp_path)
    assert "\n" not in str(fault.value)
    write(tmp_path, MACRO)
    trees.write_sheets(tmp_path / "SAMM_LongVideos_V3_Release.xlsx", trees.samm_long_videos([MACRO]).sheets)
    with pytest.raises(BadInput, match=r"2 coding tables .*leave the one that is meant"):
        samm_long_videos.read(tmp_path)
