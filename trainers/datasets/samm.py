"""SAMM: 159 micro-expressions of 29 subjects at 200 frames a second, gray.

`SAMM/006/006_1_2/006_05562.jpg`, and a table under 13 rows of explanation.

Reference:
    Davison et al., SAMM: a spontaneous micro-facial movement dataset, IEEE Transactions on Affective Computing 9(1),
    2018.
"""

import re
from pathlib import Path

from trainers.annotations import ClipTable
from trainers.datasets.databases import database
from trainers.datasets.layout import chosen_home, find_sheets, folders_in, only_sheet, subject_homes
from trainers.datasets.rows import SubjectRows, take_rows

_SUBJECT = re.compile(r"\d{3}")
_CLIP = re.compile(r"\d{3}_\d+_\d+")
_COLUMNS = (
    "Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Action Units",
    "Estimated Emotion",
)  # fmt: skip


def recognises(root: Path) -> bool:
    """Whether folders such as 006/006_1_2 lie under a root."""
    return bool(_homes(root))


def read(root: Path) -> ClipTable:
    """Import SAMM.

    Args:
        root: the folder that holds images and table.

    Returns:
        The clips.

    Raises:
        BadInput: in one line, if images or table are not there.
    """
    known = database("samm")
    home = chosen_home(root, _homes(root), known.layout)
    sheet = only_sheet(root, find_sheets(root, _SUBJECT, _COLUMNS), _COLUMNS)
    rows = SubjectRows(
        dataset=known.name, frame_rate_hz=known.frame_rate_hz, root=root, home=home, sheet=sheet, subject="{:03d}",
        onset="Onset Frame", apex="Apex Frame", offset="Offset Frame",
    )  # fmt: skip
    return take_rows(rows)


def _homes(root: Path) -> list[Path]:
    return [home for home in subject_homes(root, _SUBJECT) if _holds_clips(home)]


def _holds_clips(home: Path) -> bool:
    subjects = (folder for folder in folders_in(home) if _SUBJECT.fullmatch(folder.name))
    return any(_CLIP.fullmatch(clip.name) for subject in subjects for clip in folders_in(subject))
