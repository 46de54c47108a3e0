"""MMEW: a folder a clip, sorted by emotion, `Micro_Expression/happiness/S01-01-001/1.jpg`; frames count in the clip.

The clip's name tells subject, emotion and sample. A clip that lies under another emotion than its row has is found by
its name; the row's emotion stands. The macro-expressions of MMEW are single pictures and are not read.

Reference:
    Ben et al., Video-based facial micro-expression analysis: a survey of datasets, features and algorithms, IEEE TPAMI
    44(9), 2022.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from engines.errors import BadInput
from trainers.annotations import ClipTable, last_integer
from trainers.datasets.coding import Coded, Intake
from trainers.datasets.databases import database
from trainers.datasets.layout import Sheet, find_sheets, folders_in, only_sheet, subject_homes
from trainers.datasets.tables import Row

_CLIP = re.compile(r"S\d+-\d+-\d+", re.IGNORECASE)
_COLUMNS = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion")


def read(root: Path) -> ClipTable:
    """Import the micro-expressions of MMEW.

    Args:
        root: folder with `Micro_Expression` and the coding table.

    Returns:
        A clip for each row that can be kept, what had to be mended, and the folders without a row.

    Raises:
        BadInput: in one line, if folders or table are not there or cannot be read, or no row gives a clip.
    """
    known, homes = database("mmew"), _homes(root)
    if not homes:
        raise BadInput(f"folder {root} does not hold {known.layout}: give the folder that does")
    folders = _clips(homes)
    sheet = only_sheet(root, find_sheets(root, _CLIP, _COLUMNS), _COLUMNS)
    intake = Intake(known.name, root, sheet.table, known.frame_rate_hz, sheet.name)
    spoken_of = {_take(intake, sheet, row, folders, homes[0].parent) for row in sheet.coded("Filename", "OnsetFrame")}
    for folder in (clip for alike in folders.values() for clip in alike):
        if folder not in spoken_of:
            intake.without_row(folder, folder.name)
    return intake.clip_table()


def recognises(root: Path) -> bool:
    """Whether folders such as S01-01-001 lie under a root, sorted by emotion."""
    return bool(_homes(root))


def _homes(root: Path) -> list[Path]:
    """The emotions' folders."""
    homes = subject_homes(root, _CLIP)
    return [home for home in homes if "macro" not in str(home.relative_to(root)).casefold()]


def _clips(homes: Iterable[Path]) -> dict[str, list[Path]]:
    """Folders of each clip's name: one, unless it lies under several emotions."""
    clips: dict[str, list[Path]] = {}
    for folder in (folder for home in homes for folder in folders_in(home) if _CLIP.fullmatch(folder.name)):
        clips.setdefault(folder.name, []).append(folder)
    return clips


def _take(intake: Intake, sheet: Sheet, row: Row, folders: Mapping[str, list[Path]], home: Path) -> Path | None:
    subject, name, onset, apex, offset, units, emotion = (sheet.cell(row, column) for column in _COLUMNS)
    if not _CLIP.fullmatch(name):
        intake.rejected(row, f"{subject} {name}".strip(), f"file name {name!r} names no clip")
        return None
    found = folders.get(name, [home / emotion / name])
    folder = next((clip for clip in found if _is_under(clip, emotion)), found[0])
    coded = Coded(
        # Not the cell: a spreadsheet may keep a bare 1 of S01.
        subject=name.partition("-")[0],
        name=name,
        folder=folder,
        onset=onset,
        apex=apex,
        offset=offset,
        label=emotion,
        action_units=units,
    )
    if intake.take(row, coded):
        if not _is_under(folder, emotion):
            fault = f"lies under {folder.parent.name} and is coded {emotion}: the coded emotion is taken"
            intake.repaired(row, f"{coded.subject} {name}", fault)
        if last_integer(subject) != last_integer(coded.subject):
            fault = f"subject {subject!r} is not the file name's: that one is taken"
            intake.repaired(row, f"{coded.subject} {name}", fault)
    return folder


def _is_under(clip: Path, emotion: str) -> bool:
    return clip.parent.name.casefold() == emotion.casefold()
