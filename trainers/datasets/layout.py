"""Where a database lies under the folder that a user gives: its subjects' folders and its coding table.

Nobody needs to rename anything: subjects' folders are known by their names wherever they lie, the table by its header.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engines.errors import BadInput
from trainers.annotations import IMAGES, last_integer
from trainers.datasets.tables import Row, columns_of, read_rows, sheet_names

DEPTH = 4
"""Folders below the root that are searched."""
_A_CLIP = 50
"""More images than this in one folder: a clip, into which nobody puts tables, and long videos take long to list."""
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_TABLES = frozenset({".csv", ".xls", ".xlsx"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A coding table that was found."""

    table: Path
    name: str
    """Of the sheet in its workbook; "" where the file has only one."""
    rows: tuple[Row, ...]
    """Those under the header."""
    columns: Mapping[str, int]
    """Column of each name that was asked for."""

    def cell(self, row: Row, column: str) -> str:
        """Text under a name; "" where the sheet lacks a column that it may lack."""
        return row.cells[self.columns[column]] if column in self.columns else ""

    def coded(self, *columns: str) -> Iterator[Row]:
        """Rows with something under one of some names: the others are sums and remarks below the table."""
        return (row for row in self.rows if any(self.cell(row, column) for column in columns))


def subject_homes(root: Path, subject: re.Pattern[str]) -> list[Path]:
    """Folders under a root, itself included, that hold subjects' folders, in the order of their paths.

    Args:
        root: where to look, `DEPTH` folders deep.
        subject: what the whole name of a subject's folder looks like.
    """
    return [folder for folder, folders, _ in _walk(root, subject) if any(map(subject.fullmatch, folders))]


def folders_in(folder: Path) -> list[Path]:
    """Folders directly in a folder, by name; none where it is not there."""
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__")))


def tables_under(root: Path, subject: re.Pattern[str]) -> Iterator[Path]:
    """Files under a root that may be coding tables, in the order of their folders; arguments as in `subject_homes`."""
    for folder, _, files in _walk(root, subject):
        yield from (folder / name for name in files if Path(name).suffix.lower() in _TABLES)


def chosen_home(root: Path, homes: Sequence[Path], layout: str) -> Path:
    """The one home that an import reads.

    Where the same clips lie there several times, the frames as filmed are taken before cropped ones, since the live
    alignment looks for the face itself, and a selection of clips before whole recordings.

    Args:
        root: for the message.
        homes: from `subject_homes`.
        layout: what was looked for, for the message.

    Raises:
        BadInput: if there is none, or nothing tells which is meant.
    """

    def rank(home: Path) -> tuple[bool, bool]:
        path = home.relative_to(root.parent).as_posix().casefold()
        return "crop" in path, "selected" not in path

    if not homes:
        raise BadInput(f"folder {root} does not hold {layout}: give the folder that does")
    best = [home for home in homes if rank(home) == min(map(rank, homes))]
    if len(best) > 1:
        names = ", ".join(str(home.relative_to(root)) for home in best)
        raise BadInput(f"folder {root} holds the subjects' folders more than once ({names}): give one of these")
    return best[0]


def numbered_folder(home: Path, number: int) -> Path | None:
    """The folder in a home whose name ends in a number, however it is padded; None where there is no such folder."""
    return next((folder for folder in folders_in(home) if last_integer(folder.name) == number), None)


def clip_folder(subject: Path, name: str, names: Collection[str]) -> Path:
    """The folder of a clip, which may spell the name's numbers and case in another way than the table does.

    Args:
        subject: folder of the subject.
        name: of the clip in the table.
        names: all names that the table has for the subject: a folder that has one of them belongs to that one.

    Returns:
        The folder; where there is none, the place where the table says it should be.
    """
    exact = subject / name
    if exact.is_dir():
        return exact
    alike = [folder for folder in folders_in(subject) if folder.name not in names and same_name(folder.name, name)]
    return alike[0] if len(alike) == 1 else exact


def same_name(first: str, second: str) -> bool:
    """Whether two names differ in case and leading zeros alone, as "s1_ne_01" and "s01_ne_01" do."""
    return _LEADING_ZEROS.sub("", first.casefold()) == _LEADING_ZEROS.sub("", second.casefold())


def find_sheets(
    root: Path, subject: re.Pattern[str], columns: Sequence[str], optional: Sequence[str] = ()
) -> list[Sheet]:
    """Every coding table under a root that has a header.

    Args:
        root: where to look; subjects' folders are not searched.
        subject: as in `subject_homes`.
        columns: names that the header must have.
        optional: names whose columns are given where the header has them.

    Returns:
        One for each sheet with that header, in the order of the paths.

    Raises:
        BadInput: naming the file, if none has the header and one cannot be read.
    """
    found: list[Sheet] = []
    unreadable: list[BadInput] = []
    for table in tables_under(root, subject):
        try:
            found += _sheets(table, columns, optional)
        except BadInput as fault:
            unreadable.append(fault)
    if unreadable and not found:
        raise unreadable[0]
    return found


def only_sheet(root: Path, sheets: Sequence[Sheet], columns: Sequence[str]) -> Sheet:
    """The one coding table of a database.

    Args:
        root: for the message.
        sheets: from `find_sheets`.
        columns: for the message.

    Raises:
        BadInput: if there is none, or more than one.
    """
    if not sheets:
        raise BadInput(
            f"folder {root} holds no coding table (.xlsx, .xls or .csv with the columns {', '.join(columns)}): "
            "put the one that the owners hand out beside the images"
        )
    if len(sheets) > 1:
        names = ", ".join(described(sheet.table, sheet.name) for sheet in sheets)
        raise BadInput(f"folder {root} holds {len(sheets)} coding tables ({names}): leave the one that is meant")
    return sheets[0]


def described(table: Path, sheet: str) -> str:
    """How messages name a table."""
    return f"{table.name} sheet {sheet}" if sheet else table.name


def _sheets(table: Path, columns: Sequence[str], optional: Sequence[str]) -> Iterator[Sheet]:
    names = sheet_names(table)
    for place, name in enumerate(names):
        rows = read_rows(table, place)
        try:
            first, known = columns_of(table, rows, columns)
        except BadInput:
            continue  # some other table
        for column in optional:
            try:
                known |= columns_of(table, rows[first - 1 : first], [column])[1]
            except BadInput:
                continue  # not in every release of the table
        yield Sheet(table=table, name=name if len(names) > 1 else "", rows=tuple(rows[first:]), columns=known)


def _walk(folder: Path, subject: re.Pattern[str], depth: int = DEPTH) -> Iterator[tuple[Path, list[str], list[str]]]:
    folders, files = _listed(folder)
    yield folder, folders, files
    for name in folders if depth else []:
        if not subject.fullmatch(name):
            yield from _walk(folder / name, subject, depth - 1)


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """Names of folders and files; none of either where the images of a clip or a long video lie."""
    folders: list[str] = []
    files: list[str] = []
    images = 0
    try:
        with os.scandir(folder) as entries:
            # Names with a dot or a tilde in front are the leavings of other systems and of spreadsheets that are open.
            for entry in (entry for entry in entries if not entry.name.startswith((".", "__", "~$"))):
                images += Path(entry.name).suffix.lower() in IMAGES
                if images > _A_CLIP:
                    return [], []
                (folders if entry.is_dir() else files).append(entry.name)
    except OSError:
        return [], []  # what may not be read is not the user's database
    return sorted(folders), sorted(files)
