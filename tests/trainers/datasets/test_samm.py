"""SAMM: thirteen rows above the header, apexes outside their clip, action units as they stand."""

from dataclasses import replace
from pathlib import Path

import pytest

from engines.errors import BadInput
from tests.trainers.datasets.database_trees import SAMM_ROWS, full_samm, write_samm
from trainers.annotations import numbered_frames
from trainers.datasets.databases import database


def test_rows_and_frames_are_found_under_the_explanations(tmp_path: Path) -> None:
    write_samm(tmp_path)
    table = database("samm").read(tmp_path)
    first, *_, last = table.clips
    assert (first.subject, first.name, first.onset, first.apex, first.offset) == ("006", "006_1_2", 95, 103, 112)
    assert (first.label, first.action_units, first.frame_rate_hz) == ("anger", "7B+ ref(43)", 200.0)
    assert numbered_frames(first.folder)[95].name == "006_00095.jpg"
    assert (last.label, last.action_units) == ("other", "(R6 or R12)+R15")
    assert numbered_frames(last.folder)[496].name == "032_0496.jpg"  # fewer digits than the others


def test_an_apex_outside_its_clip_is_to_be_found_and_said_with_the_row_of_the_spreadsheet(tmp_path: Path) -> None:
    write_samm(tmp_path)
    table = database("samm").read(tmp_path)
    assert [clip.apex for clip in table.clips] == [103, 15, None, None]
    assert [str(finding) for finding in table.findings] == [
        "repaired: SAMM_Micro_FACS_Codes_v2.xlsx row 17 (028 028_4_1): apex 143 lies outside onset 113 to offset 134: "
        "it is to be found",
        "repaired: SAMM_Micro_FACS_Codes_v2.xlsx row 18 (032 032_3_1): apex 193 lies outside onset 496 to offset 505: "
        "it is to be found",
    ]


def test_subjects_that_a_spreadsheet_made_numbers_keep_their_zeros(tmp_path: Path) -> None:
    write_samm(tmp_path)
    write_samm(tmp_path, [replace(row, subject=int(str(row.subject)), folder=False) for row in SAMM_ROWS])
    assert [clip.subject for clip in database("samm").read(tmp_path).clips] == ["006", "006", "028", "032"]


def test_a_full_table_gives_the_real_counts(tmp_path: Path) -> None:
    write_samm(tmp_path, full_samm())
    table = database("samm").read(tmp_path)
    assert dict(table.labels) == {
        "anger": 57, "contempt": 12, "disgust": 9, "fear": 8,
        "happiness": 26, "other": 26, "sadness": 6, "surprise": 15,
    }  # fmt: skip
    assert (table.rows, table.findings) == (159, ())


def test_one_subject_alone(tmp_path: Path) -> None:
    write_samm(tmp_path, SAMM_ROWS[:2])
    assert {clip.subject for clip in database("samm").read(tmp_path).clips} == {"006"}


def test_a_row_without_subject_is_reported(tmp_path: Path) -> None:
    write_samm(tmp_path)
    write_samm(tmp_path, [*SAMM_ROWS[:2], replace(SAMM_ROWS[2], subject="unknown", folder=False)])
    findings = database("samm").read(tmp_path).findings
    assert str(findings[0]) == (
        "rejected: SAMM_Micro_FACS_Codes_v2.xlsx row 17 (028_4_1): subject 'unknown' and clip '028_4_1' name no folder"
    )
    assert {finding.clip for finding in findings[1:]} == {"028 028_4_1", "032 032_3_1"}  # images without a row


def test_an_unreadable_table_is_one_line(tmp_path: Path) -> None:
    write_samm(tmp_path).write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(BadInput, match=r"SAMM_Micro_FACS_Codes_v2\.xlsx cannot be read") as fault:
        database("samm").read(tmp_path)
    assert "\n" not in str(fault.value)
