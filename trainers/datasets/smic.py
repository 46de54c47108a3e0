"""SMIC: 164 micro-expressions of 16 subjects at 100 frames a second (HS), 71 of 8 at 25 (VIS, NIR); no apex.

Two layouts, for each of the three parts:

- long, `HS_long/SMIC_HS_E/s20/s20_ne_01/image17581039.jpg`: clips with neutral frames around, and a table that codes up
  to three micro-expressions a row;
- short, `HS/s1/micro/negative/s1_ne_01/`: each clip runs from onset to offset, so the folders alone tell; a table, if
  there is one, tells about frames that are missing.

The long layout is read where its table is there too: it is what the owners' coding speaks of.

Reference:
    Li et al., A spontaneous micro-expression database: inducement, collection and baseline, FG 2013.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from trainers.annotations import ClipTable, last_integer, numbered_frames
from trainers.datasets.coding import Coded, Intake, frame_number
from trainers.datasets.databases import database
from trainers.datasets.layout import (
    Sheet,
    chosen_home,
    clip_folder,
    find_sheets,
    folders_in,
    numbered_folder,
    only_sheet,
    same_name,
    subject_homes,
)
from trainers.datasets.tables import Row

_SUBJECT = re.compile(r"s\d{1,2}", re.IGNORECASE)
_PART = re.compile(r"(?<![a-z])(hs|vis|nir)(?![a-z])")
_COLUMNS = ("Subject", "Filename", "OnsetF", "OffsetF", "Emotion")
_FURTHER = (("Onset2F", "Offset2F"), ("Onset3F", "Offset3F"))
_NOTHING = frozenset({"", "0", "/", "-", "nan"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expression:
    """One micro-expression of the table; a row may hold three."""

    row: Row
    number: int
    """Of the subject."""
    clip: str
    """As the table has it."""
    place: int
    """1 to 3 among those of its row."""
    onset: str
    offset: str
    label: str

    @property
    def subject(self) -> str:
        """As in the names of the long layout's folders, whatever the table and the other folders write."""
        return f"s{self.number:02d}"


def _recognises(root: Path, part: str) -> bool:
    return bool(_homes(root, part))


def _read(root: Path, part: str) -> ClipTable:
    known = database(f"smic-{part}")
    homes = _homes(root, part)
    long = [home for home in homes if not _is_short(home)]
    sheets = _sheets(root, part)
    if long and (sheets or long == homes):
        home, sheet = chosen_home(root, long, known.layout), only_sheet(root, sheets, _COLUMNS)
        intake = Intake(known.name, root, sheet.table, known.frame_rate_hz, sheet.name)
        _take_long(home, sheet, intake)
        return intake.clip_table()
    home = chosen_home(root, [home for home in homes if _is_short(home)], known.layout)
    given = only_sheet(root, sheets, _COLUMNS) if sheets else None
    table, name = (given.table, given.name) if given else (None, "")
    intake = Intake(known.name, root, table, known.frame_rate_hz, name)
    _take_short(home, given, intake)
    return intake.clip_table()


recognises_hs = partial(_recognises, part="hs")
recognises_vis = partial(_recognises, part="vis")
recognises_nir = partial(_recognises, part="nir")
read_hs = partial(_read, part="hs")
read_vis = partial(_read, part="vis")
read_nir = partial(_read, part="nir")


def _homes(root: Path, part: str) -> list[Path]:
    return [home for home in subject_homes(root, _SUBJECT) if _part_of(home.relative_to(root.parent)) == part]


def _part_of(place: Path, sheet: str = "") -> str | None:
    """The part that the last name of a path speaks of: "hs" for "HS_long/SMIC-HS-E_annotation.xlsx"."""
    named = [found[-1] for name in (*place.parts, sheet) if (found := _PART.findall(name.casefold()))]
    return named[-1] if named else None


def _is_short(home: Path) -> bool:
    return any((subject / "micro").is_dir() for subject in _subjects(home))


def _sheets(root: Path, part: str) -> list[Sheet]:
    """Tables that name the part, or else those that name none."""
    further = [column for pair in _FURTHER for column in pair]
    sheets = find_sheets(root, _SUBJECT, _COLUMNS, optional=further)
    parts = [_part_of(sheet.table.relative_to(root.parent), sheet.name) for sheet in sheets]
    named = [sheet for sheet, its in zip(sheets, parts, strict=True) if its == part]
    return named or [sheet for sheet, its in zip(sheets, parts, strict=True) if its is None]


def _expressions(sheet: Sheet, intake: Intake) -> Iterator[_Expression]:
    for row in sheet.coded("Subject", "Filename", "OnsetF"):
        number, clip = last_integer(sheet.cell(row, "Subject")), sheet.cell(row, "Filename")
        if number is None or not clip:
            fault = f"subject {sheet.cell(row, 'Subject')!r} and clip {clip!r} name no folder"
            intake.rejected(row, clip, fault)
            continue
        for place, (onset, offset) in enumerate((("OnsetF", "OffsetF"), *_FURTHER), start=1):
            if place == 1 or sheet.cell(row, onset).casefold() not in _NOTHING:
                yield _Expression(
                    row=row, number=number, clip=clip, place=place, onset=sheet.cell(row, onset),
                    offset=sheet.cell(row, offset), label=sheet.cell(row, "Emotion"),
                )  # fmt: skip


def _take_long(home: Path, sheet: Sheet, intake: Intake) -> None:
    expressions = list(_expressions(sheet, intake))
    claimed = set()
    for expression in expressions:
        own = numbered_folder(home, expression.number) or home / expression.subject
        names = {other.clip for other in expressions if other.number == expression.number}
        folder = clip_folder(own, expression.clip, names)
        if folder.name != expression.clip and expression.place == 1:
            fault = f"its folder is named {folder.name!r}"
            intake.repaired(expression.row, f"{expression.subject} {expression.clip}", fault)
        claimed.add(folder)
        name = expression.clip if expression.place == 1 else f"{expression.clip}-{expression.place}"
        intake.take(expression.row, _coded(expression, name, folder))
    for subject in _subjects(home):
        for folder in folders_in(subject):
            if folder not in claimed:
                intake.without_row(folder, f"{subject.name} {folder.name}")


def _take_short(home: Path, sheet: Sheet | None, intake: Intake) -> None:
    unheard = list(_expressions(sheet, intake)) if sheet else []
    for folder in _short_clips(home):
        expression = _spoken_of(folder, unheard)
        if expression is None:
            _take_whole(folder, folder, intake)
            continue
        unheard.remove(expression)
        if _overlap(folder, expression):
            intake.take(expression.row, _coded(expression, folder.name, folder))
        else:
            _take_whole(folder, expression.row, intake)
    for expression in unheard:
        fault = f"no clip folder holds its frames {expression.onset} to {expression.offset}"
        intake.rejected(expression.row, f"{expression.subject} {expression.clip}", fault)


def _short_clips(home: Path) -> Iterator[Path]:
    for subject in _subjects(home):
        for label in folders_in(subject / "micro"):
            yield from folders_in(label)


def _take_whole(folder: Path, row: Row | Path, intake: Intake) -> None:
    """A short clip from its first to its last file, which is how the owners cut it."""
    subject = f"s{last_integer(folder.parents[2].name):02d}"
    frames = list(numbered_frames(folder)) or [0]
    if isinstance(row, Row):
        fault = f"its frames are not among the files ({frames[0]} to {frames[-1]}), which are taken as the whole of it"
        intake.repaired(row, f"{subject} {folder.name}", fault)
    coded = Coded(
        subject=subject, name=folder.name, folder=folder, onset=str(frames[0]), apex=None, offset=str(frames[-1]),
        label=folder.parent.name,
    )  # fmt: skip
    intake.take(row, coded)


def _coded(expression: _Expression, name: str, folder: Path) -> Coded:
    return Coded(
        subject=expression.subject, name=name, folder=folder, onset=expression.onset, apex=None,
        offset=expression.offset, label=expression.label,
    )  # fmt: skip


def _spoken_of(folder: Path, expressions: Sequence[_Expression]) -> _Expression | None:
    """The table's expression that a short clip shows: by its frames, or else by its name."""
    own = [expression for expression in expressions if expression.number == last_integer(folder.parents[2].name)]
    by_frames = (expression for expression in own if _overlap(folder, expression))
    by_name = (one for one in own if one.place == 1 and same_name(one.clip, folder.name))
    return next(by_frames, None) or next(by_name, None)


def _overlap(folder: Path, expression: _Expression) -> bool:
    onset, offset = frame_number(expression.onset), frame_number(expression.offset)
    frames = numbered_frames(folder)
    return bool(frames) and onset is not None and offset is not None and onset <= max(frames) and min(frames) <= offset


def _subjects(home: Path) -> list[Path]:
    return [folder for folder in folders_in(home) if _SUBJECT.fullmatch(folder.name)]
