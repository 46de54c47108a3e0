"""CAS(ME)³ part A: several expressions a video, spelling that wavers, apexes at their onset, frame 0."""

from pathlib import Path

import numpy as np
import pytest

from engines.errors import BadInput
from tests.trainers.datasets import long_video_trees as trees
from trainers.annotations import ClipTable
from trainers.datasets import casme3
from trainers.datasets.databases import recognise
from trainers.datasets.spotting_truth import write_truth
from trainers.labels import labelled

TABLE = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
FIRST: trees.Cells = ("spNO.1", "a", 5, 9, 16, "4+7", "III", "disgust")
SECOND: trees.Cells = ("spNO.1", "a", 25, 29, 36, "12", "I", "Others")


def write(root: Path, *rows: trees.Cells, table: str = TABLE) -> Path:
    trees.write(root, trees.casme3(rows), table)
    return root


def faults(table: ClipTable) -> list[str]:
    return [str(finding) for finding in table.findings]


def test_the_full_table_gives_every_expression_and_counts_each_quirk(tmp_path: Path) -> None:
    trees.write(tmp_path, trees.full_casme3(), TABLE)
    assert recognise(tmp_path).name == "casme3"
    table = casme3.read(tmp_path)
    assert table.rows == len(table.clips) == 860
    assert len({(clip.subject, clip.folder) for clip in table.clips}) == 463
    assert len({(clip.subject, clip.name) for clip in table.clips}) == 860
    assert len({clip.subject for clip in table.clips}) == 100
    assert "Others" not in table.labels
    assert table.labels["others"] == 216
    assert sum(clip.apex is None for clip in table.clips) == 55
    said = [finding.fault for finding in table.findings]
    assert sum("is the onset" in fault for fault in said) == 55
    assert sum("is spelt spNO.63/j" in fault for fault in said) == 1
    assert sum("onset 1 is taken" in fault for fault in said) == 1
    assert len(said) == 57
    assert {finding.outcome for finding in table.findings} == {"repaired"}
    assert np.bincount(labelled(table, "three-classes").labels).tolist() == [429, 107, 108]


def test_expressions_of_one_video_are_told_apart_by_their_onset(tmp_path: Path) -> None:
    first, second = casme3.read(write(tmp_path, FIRST, SECOND)).clips
    assert (first.name, second.name) == ("a_5", "a_25")
    assert first.folder == second.folder == tmp_path / "part_A/spNO.1/a/color"
    assert (first.onset, first.apex, first.offset, first.frame_rate_hz) == (5, 9, 16, 30.0)
    assert (first.label, second.label) == ("disgust", "others")
    assert (first.kind, first.action_units, first.dataset) == ("micro", "4+7", "casme3")


def test_pictures_are_read_and_depth_is_not(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    depth = tmp_path / "part_A/spNO.1/a/depth"
    depth.mkdir()
    (depth / "5.png").touch()
    assert casme3.read(tmp_path).clips[0].folder.name == "color"


def test_pictures_without_the_folder_between(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    (tmp_path / "part_A/spNO.1/a/color").rename(tmp_path / "part_A/spNO.1/b")
    (tmp_path / "part_A/spNO.1/a").rmdir()
    (tmp_path / "part_A/spNO.1/b").rename(tmp_path / "part_A/spNO.1/a")
    assert casme3.read(tmp_path).clips[0].folder == tmp_path / "part_A/spNO.1/a"


def test_other_capitals_are_found_and_reported(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    trees.write_sheets(tmp_path / TABLE, trees.casme3([(*FIRST[:1], "A", *FIRST[2:]), ("spNo.1", *SECOND[1:])]).sheets)
    table = casme3.read(tmp_path)
    if (tmp_path / "PART_A").is_dir():
        pytest.skip("this file system does not tell capitals apart")
    assert [clip.subject for clip in table.clips] == ["spNO.1", "spNO.1"]
    assert faults(table) == [
        f"repaired: {TABLE} row 2 (spNO.1 A_5): folder of spNO.1 A is spelt spNO.1/a: that is taken",
        f"repaired: {TABLE} row 3 (spNo.1 a_25): folder of spNo.1 a is spelt spNO.1/a: that is taken",
    ]


def test_clips_that_were_handed_out_alone(tmp_path: Path) -> None:
    for home in ("depth", "frame"):
        for clip, onset in (("spNO.1_a_5", 5), ("spNo.1_a_25", 25)):
            folder = tmp_path / "Part_A_ME_clip" / home / clip
            folder.mkdir(parents=True)
            for number in range(onset, onset + 12):
                (folder / f"{number}.jpg").touch()
    for table_name in (TABLE, "cas(me)3_part_A_MaE_label_JpgIndex_v2.xlsx"):
        trees.write_sheets(tmp_path / table_name, trees.casme3([FIRST, SECOND]).sheets)
    assert recognise(tmp_path).name == "casme3"
    table = casme3.read(tmp_path)
    assert [(clip.subject, clip.name) for clip in table.clips] == [("spNO.1", "a_5"), ("spNO.1", "a_25")]
    assert table.clips[0].folder == tmp_path / "Part_A_ME_clip/frame/spNO.1_a_5"
    assert ["is spelt spNo.1_a_25" in line for line in faults(table)] == [True]
    with pytest.raises(BadInput, match="cut at onset and offset"):
        write_truth(table, tmp_path / "truth")


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        (("sub", "seq", "onset", "apex", "offset", "AU", "emotion"), ("spNO.1", "a", 5, 20, 40, "6+12", "happiness")),
        (trees.CASME3_HEADER, ("spNO.1", "a", 5, 20, 40, "6+12", "I", "happiness")),
    ],
)
def test_macro_expressions_are_read_from_their_own_table(
    tmp_path: Path, header: tuple[str, ...], cells: trees.Cells
) -> None:
    write(tmp_path, FIRST)
    macro = "cas(me)3_part_A_MaE_label_JpgIndex_v2_emotion.xlsx"
    missing = ("spNO.9", *cells[1:])
    trees.write_sheets(tmp_path / macro, {"Sheet1": [header, cells, missing]})
    table = casme3.read(tmp_path)
    assert [(clip.name, clip.kind, clip.label) for clip in table.clips] == [
        ("a_5", "micro", "disgust"), ("a_5_macro", "macro", "happiness"),
    ]  # fmt: skip
    assert (table.rows, table.labels) == (3, {"disgust": 1, "happiness": 1})
    assert table.clips[1].action_units == "6+12"
    assert [line.startswith(f"rejected: {macro} row 3 (spNO.9 a_5_macro)") for line in faults(table)] == [True]
    assert write_truth(table, tmp_path / "truth").macro == 1


def test_frame_0_is_kept_where_it_is_there(tmp_path: Path) -> None:
    write(tmp_path, (*FIRST[:2], 0, *FIRST[3:]))
    (tmp_path / "part_A/spNO.1/a/color/0.jpg").touch()
    table = casme3.read(tmp_path)
    assert table.clips[0].onset == 0
    assert not table.findings


def test_rows_that_lead_nowhere_are_rejected_one_line_each(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    rows = [
        FIRST,
        FIRST,
        ("spNO.2", *FIRST[1:]),
        ("spNO.1", "c", *FIRST[2:]),
        ("spNO.1", "a", 40, 70, 90, "4", "III", "sad"),
        ("spNO.1", "a", 20, 20, 20, "4", "III", "sad"),
        ("spNO.1", "a", 30, 10, 20, "4", "III", "sad"),
    ]
    trees.write_sheets(tmp_path / TABLE, trees.casme3(rows).sheets)
    table = casme3.read(tmp_path)
    assert (table.rows, len(table.clips)) == (7, 1)
    said = faults(table)
    assert all(line.startswith(f"rejected: {TABLE} row {row} (spNO.") for row, line in enumerate(said, start=3))
    wanted = ("stands in", "spNO.2/a/color is not there", "spNO.1/c/color is not", "6 of 51 frames", "nothing moves",
              "does not end what onset 30 begins")  # fmt: skip
    assert [part in line for part, line in zip(wanted, said, strict=True)] == [True] * 6


def test_bad_folders_and_tables_end_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"does not hold part_A/spNO\.1"):
        casme3.read(tmp_path)
    write(tmp_path, FIRST, table="label.csv")
    assert len(casme3.read(tmp_path).clips) == 1
    (tmp_path / "label.csv").write_text("Subject,Filename,Onset\nspNO.1,a,5\n")
    with pytest.raises(BadInput, match=r"holds no coding table .*emotion\)") as fault:
        casme3.read(tmp_path)
    assert "\n" not in str(fault.value)
    (tmp_path / "label.csv").unlink()
    (tmp_path / TABLE).write_bytes(b"")
    with pytest.raises(BadInput, match="cannot be read"):
        casme3.read(tmp_path)
