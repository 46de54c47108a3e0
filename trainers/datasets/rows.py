"""Tables with one expression a row and its frames in subject/clip: CASME II and SAMM."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainers.annotations import ClipTable, last_integer
from trainers.datasets.coding import Coded, Intake
from trainers.datasets.layout import Sheet, clip_folder, folders_in, numbered_folder
from trainers.datasets.tables import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRows:
    """A table, its frames, and what the two call things."""

    dataset: str
    frame_rate_hz: float
    root: Path
    """Folder that the user gave."""
    home: Path
    """Folder of the subjects' folders."""
    sheet: Sheet
    """With the columns Subject, Filename, Action Units and Estimated Emotion, and those below."""
    subject: str
    """How a subject's number is written, as in "sub{:02d}": a spreadsheet may have lost its zeros."""
    onset: str
    """Name of the column."""
    apex: str
    """Name of the column."""
    offset: str
    """Name of the column."""

    def subject_of(self, row: Row) -> str | None:
        """The subject as the owners write it; None where the cell holds no number."""
        number = last_integer(self.sheet.cell(row, "Subject"))
        return None if number is None else self.subject.format(number)


def take_rows(rows: SubjectRows) -> ClipTable:
    """Read every row, and report the images that none of them speaks of.

    Raises:
        BadInput: if no row gives a clip.
    """
    intake = Intake(rows.dataset, rows.root, rows.sheet.table, rows.frame_rate_hz, rows.sheet.name)
    names = _names(rows)
    claimed: set[Path] = set()
    for row in rows.sheet.coded("Subject", "Filename", rows.onset):
        folder = _take(rows, row, intake, names)
        if folder is not None:
            claimed.add(folder)
    for subject in folders_in(rows.home):
        if last_integer(subject.name) is not None:
            for folder in folders_in(subject):
                if folder not in claimed:
                    intake.without_row(folder, f"{subject.name} {folder.name}")
    return intake.clip_table()


def _names(rows: SubjectRows) -> Mapping[str | None, set[str]]:
    names: dict[str | None, set[str]] = defaultdict(set)
    for row in rows.sheet.rows:
        names[rows.subject_of(row)].add(rows.sheet.cell(row, "Filename"))
    return names


def _take(rows: SubjectRows, row: Row, intake: Intake, names: Mapping[str | None, set[str]]) -> Path | None:
    subject, name = rows.subject_of(row), rows.sheet.cell(row, "Filename")
    if subject is None or not name:
        intake.rejected(row, name, f"subject {rows.sheet.cell(row, 'Subject')!r} and clip {name!r} name no folder")
        return None
    number = last_integer(subject)
    own = None if number is None else numbered_folder(rows.home, number)
    folder = clip_folder(own or rows.home / subject, name, names[subject])
    if folder.name != name:
        intake.repaired(row, f"{subject} {name}", f"its folder is named {folder.name!r}")
    coded = Coded(
        subject=subject,
        name=name,
        folder=folder,
        onset=rows.sheet.cell(row, rows.onset),
        apex=rows.sheet.cell(row, rows.apex),
        offset=rows.sheet.cell(row, rows.offset),
        label=rows.sheet.cell(row, "Estimated Emotion"),
        action_units=rows.sheet.cell(row, "Action Units"),
    )
    intake.take(row, coded)
    return folder
