"""CASME II: 255 micro-expressions of 26 subjects at 200 frames a second.

`Cropped/sub01/EP02_01f/reg_img46.jpg` or `CASME2_RAW_selected/sub01/EP02_01f/img46.jpg`, and one table of either
release (the one of 2019 adds objective classes and codes 28 surprises instead of 25).

Reference:
    Yan et al., CASME II: an improved spontaneous micro-expression database and the baseline evaluation, PLoS ONE 9(1),
    2014.
"""

import re
from pathlib import Path

from trainers.annotations import ClipTable
from trainers.datasets.databases import database
from trainers.datasets.layout import Sheet, chosen_home, find_sheets, only_sheet, subject_homes
from trainers.datasets.rows import SubjectRows, take_rows

_SUBJECT = re.compile(r"sub\d{1,3}", re.IGNORECASE)
_COLUMNS = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion")
_SAMM_ALONE = "Inducement Code"
"""SAMM's table has all columns of this one, and this column too."""


def recognises(root: Path) -> bool:
    """Whether folders such as sub01 lie under a root."""
    return bool(subject_homes(root, _SUBJECT))


def read(root: Path) -> ClipTable:
    """Import CASME II.

    Args:
        root: the folder that holds images and table.

    Returns:
        The clips; rows without an apex keep None.

    Raises:
        BadInput: in one line, if images or table are not there.
    """
    known = database("casme2")
    home = chosen_home(root, subject_homes(root, _SUBJECT), known.layout)
    sheet = _sheet(root)
    rows = SubjectRows(
        dataset=known.name, frame_rate_hz=known.frame_rate_hz, root=root, home=home, sheet=sheet, subject="sub{:02d}",
        onset="OnsetFrame", apex="ApexFrame", offset="OffsetFrame",
    )  # fmt: skip
    return take_rows(rows)


def _sheet(root: Path) -> Sheet:
    sheets = find_sheets(root, _SUBJECT, _COLUMNS, optional=[_SAMM_ALONE])
    return only_sheet(root, [sheet for sheet in sheets if _SAMM_ALONE not in sheet.columns], _COLUMNS)
