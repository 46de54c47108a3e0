"""CAS(ME)³ part A: micro-expressions in long videos, one row each, frames `part_A/spNO.1/a/color/175.jpg`.

One video holds several expressions, so a clip's name is the video's with its onset: "a_175". A subject or a video whose
folder is written with other capitals than its row (`spNo.1`, `J`) is found all the same, and the report says so.

Reference:
    Li et al., CAS(ME)³: a third generation facial spontaneous micro-expression database with depth information and high
    ecological validity, IEEE TPAMI 45(3), 2023.
"""

import re
from pathlib import Path

from engines.errors import BadInput
from trainers.annotations import ClipTable
from trainers.datasets.coding import Coded, Intake, frame_number
from trainers.datasets.databases import database
from trainers.datasets.layout import Sheet, find_sheets, folders_in, only_sheet, subject_homes
from trainers.datasets.tables import Row

_SUBJECT = re.compile(r"spno\.\d+", re.IGNORECASE)
_COLUMNS = ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "emotion")
_PICTURES = "color"
"""Folder of a video; its neighbour holds the depth."""


def read(root: Path) -> ClipTable:
    """Import the micro-expressions of part A.

    Args:
        root: folder with the subjects' folders and the coding table, at any depth that `layout` searches.

    Returns:
        A clip for each row that can be kept, and what had to be mended.

    Raises:
        BadInput: in one line, if folders or table are not there or cannot be read, or no row gives a clip.
    """
    known = database("casme3")
    homes = subject_homes(root, _SUBJECT)
    if not homes:
        raise BadInput(f"folder {root} does not hold {known.layout}: give the folder that does")
    sheet = only_sheet(root, find_sheets(root, _SUBJECT, _COLUMNS), _COLUMNS)
    intake = Intake(known.name, root, sheet.table, known.frame_rate_hz, sheet.name)
    for row in sheet.rows:
        _take(intake, sheet, row, homes)
    return intake.clip_table()


def recognises(root: Path) -> bool:
    """Whether folders such as spNO.1 lie under a root."""
    return bool(subject_homes(root, _SUBJECT))


def _take(intake: Intake, sheet: Sheet, row: Row, homes: list[Path]) -> None:
    subject, video, onset = (sheet.cell(row, column) for column in _COLUMNS[:3])
    found = _video_folder(homes, subject, video)
    number = frame_number(onset)
    coded = Coded(
        # The folder's own spelling, so that no subject is two subjects because of a capital.
        subject=found.parent.name if found else subject,
        name=f"{video}_{onset if number is None else number}",
        folder=_pictures(found or homes[0] / subject / video),
        onset=onset,
        apex=sheet.cell(row, "Apex"),
        offset=sheet.cell(row, "Offset"),
        label=sheet.cell(row, "emotion"),
        action_units=sheet.cell(row, "AU"),
    )
    clip = intake.take(row, coded)
    if clip and found and (found.parent.name, found.name) != (subject, video):
        spelt = f"{found.parent.name}/{found.name}"
        intake.repaired(row, f"{subject} {coded.name}", f"folder {subject}/{video} is spelt {spelt}: that is taken")


def _video_folder(homes: list[Path], subject: str, video: str) -> Path | None:
    for home in homes:
        subject_folder = _inside(home, subject)
        if subject_folder and (folder := _inside(subject_folder, video)):
            return folder
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
