"""Coding tables as the databases' owners hand them out: .xlsx, .xls or .csv, every cell as text."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from engines.errors import BadInput, in_one_line

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    number: int
    """As a spreadsheet numbers it, from 1."""
    cells: tuple[str, ...]
    """Stripped text; "" where a cell is empty or beyond the row's end. A whole number reads "6", never "6.0"."""


def sheet_names(table: Path) -> list[str]:
    """Names of a file's sheets in their order; one "" for a .csv file.

    Raises:
        BadInput: naming the file, if it is missing or unreadable.
    """
    return _read(table, _csv_names if table.suffix.lower() == ".csv" else _workbook_names)


def read_rows(table: Path, sheet: int = 0) -> list[Row]:
    """Every row of a sheet that is not empty, all of one length.

    Args:
        table: the file.
        sheet: its place among the file's sheets, from 0; a .csv file has one.

    Raises:
        BadInput: naming the file, if it is missing, unreadable or has no such sheet.
    """
    read = _csv_cells if table.suffix.lower() == ".csv" else partial(_sheet_cells, sheet=sheet)
    cells = _read(table, read)
    width = max((len(row) for row in cells), default=0)
    return [Row(number, (*row, *[""] * (width - len(row)))) for number, row in enumerate(cells, start=1) if any(row)]


def columns_of(table: Path, rows: Sequence[Row], names: Sequence[str]) -> tuple[int, dict[str, int]]:
    """Find the header by its names, however its cells are spaced and capitalised.

    Args:
        table: for the message.
        rows: from `read_rows`.
        names: column names that the header must have.

    Returns:
        Place of the first row under the header in `rows`, and each name's column.

    Raises:
        BadInput: naming the column that no row has.
    """
    wanted = {_plain(name): name for name in names}
    best: set[str] = set()
    for place, row in enumerate(rows):
        columns = {_plain(cell): column for column, cell in reversed(list(enumerate(row.cells))) if cell}
        if wanted.keys() <= columns.keys():
            return place + 1, {name: columns[plain] for plain, name in wanted.items()}
        best = max(best, wanted.keys() & columns.keys(), key=len)
    missing = next(name for plain, name in wanted.items() if plain not in best)
    raise BadInput(f"table {table} has no column {missing!r}: it must be the coding table as the owners hand it out")


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _read(table: Path, read: Callable[[Path], Read]) -> Read:
    if not table.is_file():
        raise BadInput(f"table {table} is not there: put the database's coding table where its owners have it")
    try:
        return read(table)
    except BadInput:
        raise
    except Exception as fault:
        # The spreadsheet reader raises many kinds; all of them mean that this file is not a table.
        raise BadInput(
            f"table {table} cannot be read ({in_one_line(fault)}): copy it again from the database"
        ) from None


def _csv_names(_: Path) -> list[str]:
    return [""]


def _workbook_names(table: Path) -> list[str]:
    # Brings a compiled reader in, which nothing but an import needs.
    from python_calamine import CalamineWorkbook

    return list(CalamineWorkbook.from_path(table).sheet_names)


def _csv_cells(table: Path) -> list[list[str]]:
    text = table.read_text(encoding="utf-8-sig")
    # Spreadsheets write semicolons where the comma is the decimal point.
    delimiter = ";" if text.count(";") > text.count(",") else ","
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]


def _sheet_cells(table: Path, sheet: int) -> list[list[str]]:
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_path(table)
    if sheet >= len(workbook.sheet_names):
        raise BadInput(f"table {table} has {len(workbook.sheet_names)} sheets, not {sheet + 1}: copy it again")
    values = workbook.get_sheet_by_index(sheet).to_python(skip_empty_area=False)
    return [[_text(value) for value in row] for row in values]


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
