"""CAS(ME)²: macro- and micro-expressions in long videos, frames `rawpic/s15/15_0101disgustingteeth/img001.jpg`.

The coding table has no header: number of the subject, code of the expression, onset, apex, offset, action units,
emotion, type, self-report. Two more sheets, the naming rules, lead from there to the folders: one from the subject's
number to its folder (1 to s15), the other from the code's film to the folder's digits (anger1 to 0401). The sheets are
known by what stands in them; as .csv files they lie side by side. The self-report of a subject is not read: the label
is the coders' emotion.

Reference:
    Qu et al., CAS(ME)²: a database for spontaneous macro-expression and micro-expression spotting and recognition, IEEE
    Transactions on Affective Computing 9(4), 2018.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engines.errors import BadInput
from realtime.events import Kind
from trainers.annotations import ClipTable
from trainers.datasets.coding import Coded, Intake, kind_of, repeated
from trainers.datasets.databases import database
from trainers.datasets.layout import Sheet, chosen_home, folders_in, only_sheet, subject_homes, tables_under
from trainers.datasets.tables import Row, read_rows, sheet_names

COLUMNS = ("subject", "code", "onset", "apex", "offset", "action units", "emotion", "type", "self-report")
"""What the columns hold; the table itself does not say."""
_RAW = "rawpic"
"""Folder of the whole pictures, preferred to one of cropped faces with the same layout."""
_SUBJECT = re.compile(r"s\d+", re.IGNORECASE)
_VIDEO = re.compile(r"(\d+)_(\d{4}).*")
_CODE = re.compile(r"([a-z]+\d*)_\d+", re.IGNORECASE)
_FILM = re.compile(r"[a-z]+\d*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rules:
    """The naming rules."""

    subjects: Mapping[str, str]
    """Folder of each subject's number in the table: "1" to "s15"."""
    films: Mapping[str, str]
    """Digits in a video's folder for the film of a code: "anger1" to "0401"."""
    repeated: frozenset[tuple[str, str]]
    """Subjects' numbers and codes that stand in several rows; their clips' names carry the onset as well."""


def read(root: Path) -> ClipTable:
    """Import CAS(ME)².

    Args:
        root: folder with `rawpic` and the workbook of the coding table and its naming rules.

    Returns:
        A clip for each row that can be kept, and what had to be mended.

    Raises:
        BadInput: in one line, if folders, table or rules are not there or cannot be read, or no row gives a clip.
    """
    known = database("casme-square")
    home = chosen_home(root, _homes(root), known.layout)
    sheets = _sheets(root)
    table = only_sheet(root, [sheet for sheet in sheets if _is_coding(sheet.rows)], COLUMNS)
    rules = _rules(table, sheets)
    intake = Intake(known.name, root, table.table, known.frame_rate_hz, table.name)
    for row in table.coded("code", "onset"):
        _take(intake, table, row, home, rules)
    return intake.clip_table()


def recognises(root: Path) -> bool:
    """Whether folders such as s15/15_0101disgustingteeth lie under a root."""
    return bool(_homes(root))


def _homes(root: Path) -> list[Path]:
    homes = [home for home in subject_homes(root, _SUBJECT) if _has_videos(home)]
    return [home for home in homes if home.name.casefold() == _RAW] or homes


def _has_videos(home: Path) -> bool:
    subjects = (folder for folder in folders_in(home) if _SUBJECT.fullmatch(folder.name))
    return any(_VIDEO.fullmatch(video.name) for subject in subjects for video in folders_in(subject))


def _sheets(root: Path) -> list[Sheet]:
    """Every sheet under a root, with the columns of the coding table.

    Raises:
        BadInput: if a file cannot be read and none of the others is the coding table.
    """
    found: list[Sheet] = []
    unreadable: list[BadInput] = []
    for table in tables_under(root, _SUBJECT):
        try:
            found += _sheets_of(table)
        except BadInput as fault:
            unreadable.append(fault)
    if unreadable and not any(_is_coding(sheet.rows) for sheet in found):
        raise unreadable[0]
    return found


def _sheets_of(table: Path) -> Iterator[Sheet]:
    names = sheet_names(table)
    for place, name in enumerate(names):
        rows = tuple(read_rows(table, place))
        known = {column: number for number, column in enumerate(COLUMNS) if rows and number < len(rows[0].cells)}
        yield Sheet(table=table, name=name if len(names) > 1 else "", rows=rows, columns=known)


def _is_coding(rows: Sequence[Row]) -> bool:
    """Most rows hold a number, a code, and a type in its column."""
    code, kind = COLUMNS.index("code"), COLUMNS.index("type")
    wide = (row.cells for row in rows if len(row.cells) > kind)
    return sum(bool(_CODE.fullmatch(cells[code]) and kind_of(cells[kind])) for cells in wide) > len(rows) / 2


def _rules(table: Sheet, sheets: Sequence[Sheet]) -> Rules:
    beside = [sheet for sheet in sheets if sheet.table.parent == table.table.parent and not _is_coding(sheet.rows)]
    if table.table.suffix.lower() != ".csv":
        beside = [sheet for sheet in beside if sheet.table == table.table]
    numbers = {table.cell(row, "subject") for row in table.rows}
    subjects = max((_subjects(sheet.rows, numbers) for sheet in beside), key=len, default={})
    films = max((_films(sheet.rows) for sheet in beside), key=len, default={})
    for rule, example in ((subjects, "1 is s15"), (films, "anger1 is 0401")):
        if not rule:
            raise BadInput(
                f"table {table.table} lacks the naming rule by which {example}: give the owners' workbook with its "
                "three sheets, or a .csv file of each side by side"
            )
    return Rules(subjects, films, repeated((table.cell(row, "subject"), table.cell(row, "code")) for row in table.rows))


def _subjects(rows: Iterable[Row], numbers: set[str]) -> dict[str, str]:
    """The owners' sheet has two numbers for a folder, (15, s15, 1); the table's are those that cover its rows best."""
    columns: dict[int, dict[str, str]] = {}
    for row in rows:
        folder = next((cell for cell in row.cells if _SUBJECT.fullmatch(cell)), None)
        if folder is not None:
            for column, cell in enumerate(row.cells):
                if cell in numbers:
                    columns.setdefault(column, {})[cell] = folder
    # The last one where several cover alike: there the owners have the number of the table.
    return max((columns[column] for column in sorted(columns, reverse=True)), key=len, default={})


def _films(rows: Iterable[Row]) -> dict[str, str]:
    known: dict[str, str] = {}
    for row in rows:
        digits = next((cell for cell in row.cells if cell.isdecimal() and len(cell) <= 4), None)
        film = next((cell for cell in row.cells if _FILM.fullmatch(cell) and not _SUBJECT.fullmatch(cell)), None)
        if digits is not None and film is not None:
            # A spreadsheet that took the digits for a number has lost the leading zero.
            known[film.casefold()] = digits.zfill(4)
    return known


def _take(intake: Intake, table: Sheet, row: Row, home: Path, rules: Rules) -> None:
    number, code, onset, apex, offset, units, emotion, kind_cell, _ = (table.cell(row, column) for column in COLUMNS)
    parts, kind, subject = _CODE.fullmatch(code), kind_of(kind_cell), rules.subjects.get(number)
    digits = rules.films.get(parts.group(1).casefold()) if parts else None
    fault = _fault(number, code, kind_cell, subject, digits, kind)
    if fault or subject is None or digits is None or kind is None:
        intake.rejected(row, f"{subject or number} {code}", fault)
        return
    folder = _video_folder(home / subject, digits)
    name = f"{code}_{onset}" if (number, code) in rules.repeated else code
    coded = Coded(
        subject=subject,
        name=name,
        folder=folder,
        onset=onset,
        apex=apex,
        offset=offset,
        label=emotion,
        action_units=units,
        kind=kind,
    )
    if intake.take(row, coded) is None:
        return
    if name != code:
        intake.repaired(row, f"{subject} {name}", f"code {code!r} stands in several rows: its onset is added to it")
    if not _named_after(folder, subject):
        fault = f"folder {folder.name} lies under {subject} and bears another number: it is taken for {subject}"
        intake.repaired(row, f"{subject} {name}", fault)


def _fault(number: str, code: str, kind_cell: str, subject: str | None, digits: str | None, kind: Kind | None) -> str:
    if subject is None:
        return f"subject {number!r} is in no naming rule"
    if digits is None:
        return f"code {code!r} is in no naming rule"
    return "" if kind else f"type {kind_cell!r} is neither micro nor macro"


def _video_folder(subject: Path, digits: str) -> Path:
    """Where the pictures of a film lie, or where they should."""
    videos = [
        folder
        for folder in folders_in(subject)
        if (known := _VIDEO.fullmatch(folder.name)) and known.group(2) == digits
    ]
    own = [folder for folder in videos if _named_after(folder, subject.name)]
    return next(iter(own + videos), subject / f"{subject.name[1:]}_{digits}")


def _named_after(video: Path, subject: str) -> bool:
    return video.name.partition("_")[0] == subject[1:]
