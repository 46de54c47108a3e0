"""Spreadsheets as text, and their headers."""

from pathlib import Path

import openpyxl
import pytest

from engines.errors import BadInput
from tests.trainers.datasets.database_trees import write_table
from trainers.datasets.tables import Row, columns_of, read_rows, sheet_names


def test_cells_are_text_and_rows_keep_the_spreadsheets_numbers(tmp_path: Path) -> None:
    table = write_table(
        tmp_path / "a.xlsx", [(None,), ("Subject", " Apex "), (None,), ("006", 59), (7, 2.5), ("x", None)]
    )
    assert read_rows(table) == [
        Row(2, ("Subject", "Apex")),
        Row(4, ("006", "59")),
        Row(5, ("7", "2.5")),
        Row(6, ("x", "")),
    ]


def test_a_csv_file_reads_like_a_spreadsheet(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("\ufeffSubject,Apex\n\n006, 59\nx\n", encoding="utf-8")
    assert read_rows(table) == [Row(1, ("Subject", "Apex")), Row(3, ("006", "59")), Row(4, ("x", ""))]
    assert sheet_names(table) == [""]


def test_a_csv_file_may_have_semicolons(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text('Subject;Rate;AU\n006;29,97;"4; 7"\n', encoding="utf-8")
    assert read_rows(table) == [Row(1, ("Subject", "Rate", "AU")), Row(2, ("006", "29,97", "4; 7"))]


def test_sheets_are_read_by_their_place(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.create_sheet("VIS").append(["vis"])
    workbook.save(tmp_path / "a.xlsx")
    assert sheet_names(tmp_path / "a.xlsx") == ["Sheet", "VIS"]
    assert read_rows(tmp_path / "a.xlsx", sheet=1) == [Row(1, ("vis",))]
    assert read_rows(tmp_path / "a.xlsx") == []
    with pytest.raises(BadInput, match=r"a\.xlsx has 2 sheets, not 3"):
        read_rows(tmp_path / "a.xlsx", sheet=2)


def test_a_header_is_found_wherever_it_stands_and_however_it_is_spaced(tmp_path: Path) -> None:
    rows = [Row(1, ("About", "", "")), Row(14, ("subject", "", "Onset Frame")), Row(15, ("006", "", "9"))]
    first, columns = columns_of(tmp_path, rows, ["Subject", "OnsetFrame"])
    assert (rows[first].number, columns) == (15, {"Subject": 0, "OnsetFrame": 2})


def test_a_name_that_stands_twice_is_the_first(tmp_path: Path) -> None:
    _, columns = columns_of(tmp_path, [Row(1, ("Onset", "Offset", "Onset"))], ["Onset"])
    assert columns == {"Onset": 0}


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    rows = [Row(1, ("Subject", "Onset")), Row(2, ("006", "9"))]
    with pytest.raises(BadInput, match=r"t\.xlsx has no column 'Offset'"):
        columns_of(tmp_path / "t.xlsx", rows, ["Subject", "Onset", "Offset"])


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.csv"])
def test_garbage_is_one_line_that_names_the_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0 no \x00 table \xff\xfe" * 40)
    for read in (read_rows, sheet_names) if not name.endswith("csv") else (read_rows,):
        with pytest.raises(BadInput, match=f"{name} cannot be read .*copy it again") as fault:
            read(tmp_path / name)
        assert "\n" not in str(fault.value)


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
def test_a_missing_file_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=f"{name} is not there"):
        read_rows(tmp_path / name)
