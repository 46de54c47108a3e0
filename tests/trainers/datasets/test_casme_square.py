"""CAS(ME)²: the table without a header, the naming rules, and what the report says of its quirks."""

from collections import Counter
from pathlib import Path

import pytest

from engines.errors import BadInput
from tests.trainers.datasets import long_video_trees as trees
from trainers.annotations import ClipTable
from trainers.datasets import casme_square
from trainers.datasets.databases import recognise

TABLE = "CAS(ME)^2code_final.xlsx"
ROW: trees.Cells = (1, "anger1_1", 10, 14, 19, "4+7", "negative", "macro-expression", "anger")
SECOND: trees.Cells = (2, "happy5_2", 30, 34, 39, "12", "positive", "micro-expression", "happy")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> ClipTable:
    root = tmp_path_factory.mktemp("casme_square")
    trees.write(root, trees.full_casme_square(), TABLE)
    assert recognise(root).name == "casme-square"
    return casme_square.read(root)


def write(root: Path, *rows: trees.Cells, table: str = TABLE) -> Path:
    trees.write(root, trees.casme_square(rows), table)
    return root


def faults(table: ClipTable) -> list[str]:
    return [str(finding) for finding in table.findings]


def test_the_full_table_gives_every_expression(full: ClipTable) -> None:
    assert full.rows == len(full.clips) == 357
    assert Counter(clip.kind for clip in full.clips) == {"macro": 300, "micro": 57}
    assert len({clip.folder for clip in full.clips}) == 98
    assert len({clip.subject for clip in full.clips}) == 22
    assert sum(full.labels.values()) == 357
    assert {clip.frame_rate_hz for clip in full.clips} == {30.0}
    assert all(clip.onset < clip.offset for clip in full.clips)


def test_the_full_report_counts_each_quirk(full: ClipTable) -> None:
    assert {finding.outcome for finding in full.findings} == {"repaired"}
    said = [finding.fault for finding in full.findings]
    assert sum("is taken as offset" in fault for fault in said) == 44
    assert sum("apex 0 lies outside" in fault for fault in said) == 1
    assert sum(fault.startswith("apex") and "apex 0 " not in fault for fault in said) == 3
    assert len(said) == 48
    assert sum(clip.apex is None for clip in full.clips) == 4


def test_numbers_and_codes_lead_to_folders_through_the_naming_rules(tmp_path: Path) -> None:
    table = casme_square.read(write(tmp_path, ROW, SECOND))
    first, second = table.clips
    assert (first.dataset, first.subject, first.name) == ("casme-square", "s15", "anger1_1")
    assert first.folder == tmp_path / "rawpic/s15/15_0401girlcrashing"
    assert (first.onset, first.apex, first.offset, first.kind) == (10, 14, 19, "macro")
    assert (first.label, first.action_units) == ("negative", "4+7")
    assert second.folder == tmp_path / "rawpic/s16/16_0508funnydunkey"
    assert (second.kind, second.label) == ("micro", "positive")
    assert not table.findings


def test_an_offset_of_0_takes_the_apex(tmp_path: Path) -> None:
    table = casme_square.read(write(tmp_path, (*ROW[:4], 0, *ROW[5:]), SECOND))
    clip = table.clips[0]
    assert (clip.onset, clip.apex, clip.offset) == (10, 14, 14)
    assert faults(table) == [
        f"repaired: {TABLE} sheet CASFEcode_final row 1 (s15 anger1_1): offset '0' does not end what onset 10 begins: "
        "the apex 14 is taken as offset"
    ]


@pytest.mark.parametrize("apex", [0, 22])
def test_an_apex_outside_is_to_be_found(tmp_path: Path, apex: int) -> None:
    table = casme_square.read(write(tmp_path, SECOND, (*ROW[:3], apex, *ROW[4:])))
    assert table.clips[1].apex is None
    assert faults(table) == [
        f"repaired: {TABLE} sheet CASFEcode_final row 2 (s15 anger1_1): apex {apex} lies outside onset 10 to "
        "offset 19: it is to be found"
    ]


def test_rules_as_csv_files_beside_the_table(tmp_path: Path) -> None:
    write(tmp_path, ROW, SECOND, table="CAS(ME)^2code_final(Updated).csv")
    assert [clip.folder.name for clip in casme_square.read(tmp_path).clips] == [
        "15_0401girlcrashing",
        "16_0508funnydunkey",
    ]


def test_digits_that_a_spreadsheet_took_for_a_number_find_their_folder(tmp_path: Path) -> None:
    tables = trees.casme_square([ROW])
    rules = [(int(folder[:4]), film) for film, folder in trees.FILMS.items()]
    trees.write(tmp_path, trees.Tables(sheets={**tables.sheets, "naming rule2": rules}, frames=tables.frames,
                                       file_name=tables.file_name), TABLE)  # fmt: skip
    assert casme_square.read(tmp_path).clips[0].folder.name == "15_0401girlcrashing"


def test_a_table_that_numbers_subjects_as_their_folders_do(tmp_path: Path) -> None:
    write(tmp_path, ROW, SECOND)
    rows = [(15, *ROW[1:]), (16, *SECOND[1:])]
    rules = [(number, f"s{number}") for number in trees.SUBJECTS.values()]
    trees.write_sheets(tmp_path / TABLE, {"codes": rows, "rule1": rules, "rule2": trees.NAMING_RULES["naming rule2"]})
    assert [clip.subject for clip in casme_square.read(tmp_path).clips] == ["s15", "s16"]


def test_a_folder_that_bears_another_subjects_number_is_reported(tmp_path: Path) -> None:
    write(tmp_path, (3, "happy1_1", *ROW[2:]), (7, "happy1_1", *ROW[2:]))
    (tmp_path / "rawpic/s19/19_0502funnyerrors").rename(tmp_path / "rawpic/s19/23_0502funnyerrors")
    table = casme_square.read(tmp_path)
    assert [clip.folder.parent.name for clip in table.clips] == ["s19", "s23"]
    assert "23_0502funnyerrors lies under s19" in faults(table)[0]
    assert len(table.findings) == 1


def test_rows_that_lead_nowhere_are_rejected_one_line_each(tmp_path: Path) -> None:
    write(tmp_path, ROW, SECOND)
    rows = [
        ROW,
        (99, *SECOND[1:]),
        (2, "sad1_1", *SECOND[2:]),
        (*SECOND[:7], "long", None),
        (2, "happy5_2", 130, 134, 139, *SECOND[5:]),
        (3, "happy5_2", *SECOND[2:]),
    ]
    trees.write_sheets(tmp_path / TABLE, {"codes": rows, **trees.NAMING_RULES})
    table = casme_square.read(tmp_path)
    assert (table.rows, len(table.clips)) == (6, 1)
    said = faults(table)
    assert all(line.startswith(f"rejected: {TABLE} sheet codes row {row}") for row, line in enumerate(said, start=2))
    wanted = ("subject '99'", "code 'sad1_1'", "type 'long'", "0 of 10 frames from onset 130", "s19/19_0508 is not")
    assert [part in line for part, line in zip(wanted, said, strict=True)] == [True] * 5


def test_a_code_that_stands_twice_is_told_apart_by_its_onset(tmp_path: Path) -> None:
    again = (*ROW[:2], 30, 34, 39, *ROW[5:])
    table = casme_square.read(write(tmp_path, ROW, again, SECOND, ROW))
    assert [clip.name for clip in table.clips] == ["anger1_1_10", "anger1_1_30", "happy5_2"]
    assert [finding.outcome for finding in table.findings] == ["repaired", "repaired", "rejected"]
    assert "row 2 (s15 anger1_1_30): code 'anger1_1' stands in several rows" in faults(table)[1]
    assert "row 1 already: the first one is kept" in faults(table)[2]


def test_missing_frames_are_named(tmp_path: Path) -> None:
    write(tmp_path, ROW)
    for number in (11, 19):
        (tmp_path / f"rawpic/s15/15_0401girlcrashing/img{number:03d}.jpg").unlink()
    table = casme_square.read(tmp_path)
    assert (table.clips[0].onset, table.clips[0].offset) == (10, 18)
    assert "2 of 10 frames from onset 10 to offset 19 are missing: offset 18 is taken" in faults(table)[0]


def test_one_subject_alone_can_be_read(tmp_path: Path) -> None:
    assert len(casme_square.read(write(tmp_path, ROW)).clips) == 1


def test_bad_folders_and_tables_end_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not hold rawpic/s15"):
        casme_square.read(tmp_path)
    assert not casme_square.recognises(tmp_path)
    write(tmp_path, ROW)
    trees.write_sheets(tmp_path / TABLE, {"codes": [ROW]})
    with pytest.raises(BadInput, match="lacks the naming rule by which 1 is s15"):
        casme_square.read(tmp_path)
    (tmp_path / TABLE).write_bytes(b"not a workbook")
    with pytest.raises(BadInput, match=r"code_final\.xlsx cannot be read"):
        casme_square.read(tmp_path)
    (tmp_path / TABLE).unlink()
    with pytest.raises(BadInput, match="holds no coding table") as fault:
        casme_square.read(tmp_path)
    assert "\n" not in str(fault.value)
