"""CAS(ME)³ part A: expressions in long videos, one row each, frames `part_A/spNO.1/a/color/175.jpg`.

One video holds several expressions, so a clip's name is the video's with its onset: "a_175". A subject or a video whose
folder is written with other capitals than its row (`spNo.1`, `J`) is found all the same, and the report says so. The
owners also hand out the micro-expressions alone, `Part_A_ME_clip/frame/spNO.1_a_175/175.jpg`; these are read as well.

The macro-expressions stand in a table of their own, `cas(me)3_part_A_MaE_label_…`. Where it lies under the root, and
the long videos do, they are read after the micro-expressions: spotting cannot do without them.

Reference:
    Li et al., CAS(ME)³: a third generation facial spontaneous micro-expression database with depth information and high
    ecological validity, IEEE TPAMI 45(3), 2023.
"""

import re
from dataclasses import replace
from pathlib import Path

from engines.errors import BadInput
from realtime.events import Kind
from trainers.annotations import ClipTable, table_of
from trainers.datasets.coding import Coded, Intake, frame_number
from trainers.datasets.databases import database
from trainers.datasets.layout import Sheet, described, find_sheets, folders_in, only_sheet, subject_homes
from trainers.datasets.tables import Row

_SUBJECT = re.compile(r"spno\.(\d+)", re.IGNORECASE)
_FOLDER = re.compile(r"spno\.\d+(_[a-z]+_\d+)?", re.IGNORECASE)
"""Of a subject, or of a clip alone."""
_COLUMNS = ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "emotion")
_MACRO_COLUMNS = {
    "sub": "Subject", "seq": "Filename", "onset": "Onset", "apex": "Apex", "offset": "Offset", "emotion": "emotion",
}  # fmt: skip
"""Of the table of macro-expressions, with what the other table calls them."""
_MACRO = re.compile(r"(?<![a-z])(mae|macro)(?![a-z])")
_PICTURES = "color"
_DEPTH = "depth"
"""Folders of a video, or of all clips."""


def read(root: Path) -> ClipTable:
    """Import part A: its micro-expressions and, where their table is there, its macro-expressions.

    Args:
        root: folder with the subjects' folders and the coding table, at any depth that `layout` searches.

    Returns:
        A clip for each row that can be kept, and what had to be mended.

    Raises:
        BadInput: in one line, if folders or table are not there or cannot be read, or no row gives a clip.
    """
    known = database("casme3")
    homes = _homes(root)
    if not homes:
        raise BadInput(f"folder {root} does not hold {known.layout}: give the folder that does")
    sheets = find_sheets(root, _FOLDER, _COLUMNS)
    micro = _table(root, homes, [sheet for sheet in sheets if not _is_macro(sheet)], "micro")
    if not any(_SUBJECT.fullmatch(folder.name) for home in homes for folder in folders_in(home)):
        return micro
    sheets = [sheet for sheet in sheets if _is_macro(sheet)] + _macro_sheets(root)
    if not sheets:
        return micro
    macro = _table(root, homes, sheets, "macro")
    clips, findings = (*micro.clips, *macro.clips), (*micro.findings, *macro.findings)
    return table_of(known.name, root, clips, findings, rows=micro.rows + macro.rows)


def recognises(root: Path) -> bool:
    """Whether folders such as spNO.1 lie under a root."""
    return bool(_homes(root))


def _homes(root: Path) -> list[Path]:
    return [home for home in subject_homes(root, _FOLDER) if home.name.casefold() != _DEPTH]


def _is_macro(sheet: Sheet) -> bool:
    return bool(_MACRO.search(described(sheet.table, sheet.name).casefold().replace("_", " ")))


def _macro_sheets(root: Path) -> list[Sheet]:
    """Tables of macro-expressions, with the other table's names for their columns."""
    sheets = find_sheets(root, _FOLDER, list(_MACRO_COLUMNS), optional=["AU"])
    return [
        replace(sheet, columns={_MACRO_COLUMNS.get(name, name): column for name, column in sheet.columns.items()})
        for sheet in sheets
    ]


def _table(root: Path, homes: list[Path], sheets: list[Sheet], kind: Kind) -> ClipTable:
    known, sheet = database("casme3"), only_sheet(root, sheets, _COLUMNS)
    intake = Intake(known.name, root, sheet.table, known.frame_rate_hz, sheet.name)
    for row in sheet.coded("Filename", "Onset"):
        _take(intake, sheet, row, homes, kind)
    return intake.clip_table()


def _take(intake: Intake, sheet: Sheet, row: Row, homes: list[Path], kind: Kind) -> None:
    subject, video, onset = (sheet.cell(row, column) for column in _COLUMNS[:3])
    number = frame_number(onset)
    clip = f"{video}_{onset if number is None else number}"
    name = clip if kind == "micro" else f"{clip}_macro"
    # As it would lie in the first place, where it lies in none: for the message.
    home, found = _found(homes, subject, video, clip) or (homes[0], homes[0] / subject / video)
    coded = Coded(
        subject=_one_spelling(subject),
        name=name,
        folder=_pictures(found),
        onset=onset,
        apex=sheet.cell(row, "Apex"),
        offset=sheet.cell(row, "Offset"),
        label=sheet.cell(row, "emotion"),
        action_units=sheet.cell(row, "AU"),
        kind=kind,
    )
    written, spelt = (f"{subject}/{video}", f"{subject}_{clip}"), found.relative_to(home).as_posix()
    if intake.take(row, coded) and spelt not in written:
        intake.repaired(row, f"{subject} {name}", f"folder of {subject} {video} is spelt {spelt}: that is taken")


def _one_spelling(subject: str) -> str:
    """No subject is two subjects because of a capital: a split would put one on both sides."""
    known = _SUBJECT.fullmatch(subject)
    return f"spNO.{known.group(1)}" if known else subject


def _found(homes: list[Path], subject: str, video: str, clip: str) -> tuple[Path, Path] | None:
    """The home and the folder of a video, or of a clip alone."""
    for home in homes:
        subject_folder = _inside(home, subject)
        found = subject_folder and _inside(subject_folder, video)
        found = found or _inside(home, f"{subject}_{clip}")
        if found:
            return home, found
    return None


def _pictures(video: Path) -> Path:
    """Where a video's pictures lie; some releases leave the depth out, and with it the folder between."""
    return video / _PICTURES if (video / _PICTURES).is_dir() or not video.is_dir() else video


def _inside(folder: Path, name: str) -> Path | None:
    """The folder of a name, or else the first that differs in capitals alone."""
    if (folder / name).is_dir():
        return folder / name
    alike = (entry for entry in folders_in(folder) if entry.name.casefold() == name.casefold())
    return next(alike, None)
