"""Own recordings: a table beside folders of frames, one expression a row.

The table, .csv, .xlsx or .xls, lies in the root and has a header with the columns subject, clip, folder, onset, apex,
offset, label and frame_rate_hz; action_units and kind ("micro" or "macro"; micro where left out) may stand beside them:

    subject,clip,folder,onset,apex,offset,label,frame_rate_hz
    anna,smile-1,frames/anna-1,112,124,150,positive,120

A folder holds the frames of one recording, relative to the root, and may serve several rows; onset, apex and offset are
the numbers in the names of its files. An empty apex is found. The frames of a video are got with a line such as
`ffmpeg -i anna-1.mp4 frames/anna-1/%06d.png`.
"""

import math
import re
from pathlib import Path

from engines.errors import BadInput
from trainers.annotations import ClipTable
from trainers.datasets.coding import Coded, Intake, Rejected, kind_of
from trainers.datasets.layout import Sheet, find_sheets, only_sheet
from trainers.datasets.tables import Row

NAME = "own"
_COLUMNS = ("subject", "clip", "folder", "onset", "apex", "offset", "label", "frame_rate_hz")
_FURTHER = ("action_units", "kind")
_ANY = re.compile(".*")
"""No folder is searched: the table lies in the root itself."""


def read(root: Path) -> ClipTable:
    """Import own recordings.

    Args:
        root: folder of the table.

    Returns:
        A clip for each row that can be kept, and what had to be mended.

    Raises:
        BadInput: in one line, if the table is not there or cannot be read, or no row gives a clip.
    """
    sheet = only_sheet(root, find_sheets(root, _ANY, _COLUMNS, optional=_FURTHER), _COLUMNS)
    intake = Intake(NAME, root, sheet.table, 0.0, sheet.name)
    for row in sheet.coded("subject", "clip", "onset"):
        subject, clip = sheet.cell(row, "subject"), sheet.cell(row, "clip")
        try:
            intake.take(row, _coded(root, sheet, row))
        except Rejected as fault:
            intake.rejected(row, f"{subject} {clip}".strip(), str(fault))
    return intake.clip_table()


def recognises(root: Path) -> bool:
    """Whether a table with these columns lies in a root."""
    try:
        return bool(find_sheets(root, _ANY, _COLUMNS))
    except BadInput:
        return False  # some other database's, damaged


def _coded(root: Path, sheet: Sheet, row: Row) -> Coded:
    subject, clip, folder, onset, apex, offset, label, rate = (sheet.cell(row, column) for column in _COLUMNS)
    for column, cell in (("subject", subject), ("clip", clip), ("folder", folder), ("label", label)):
        if not cell:
            raise Rejected(f"its {column} is empty")
    if (root / folder).is_file():
        raise Rejected(f"{folder} is a file: give a folder of its frames, got with ffmpeg -i {folder} FOLDER/%06d.png")
    kind = kind_of(sheet.cell(row, "kind") or "micro")
    if kind is None:
        raise Rejected(f"kind {sheet.cell(row, 'kind')!r} is neither micro nor macro")
    return Coded(
        subject=subject,
        name=clip,
        folder=root / folder,
        onset=onset,
        apex=apex or None,
        offset=offset,
        label=label,
        action_units=sheet.cell(row, "action_units"),
        kind=kind,
        frame_rate_hz=_frame_rate_hz(rate),
    )


def _frame_rate_hz(cell: str) -> float:
    try:
        rate_hz = float(cell.replace(",", "."))
    except ValueError:
        rate_hz = math.nan
    if not 0 < rate_hz < math.inf:
        raise Rejected(f"frame rate {cell!r} is no number above 0")
    return rate_hz
