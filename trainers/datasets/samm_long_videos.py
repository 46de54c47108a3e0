"""SAMM Long Videos: macro- and micro-expressions in long videos, frames `SAMM_longvideos/006_1/006_1_0001.jpg`.

A row's file name is its video with a number, `006_1_2`. The table codes no emotion: SAMM's own table does, for the
micro-expressions, which carry the same file names in both. Where that table lies under the root the emotions are
taken from it; expressions without one are labelled "unknown", as all macro-expressions are.

Reference:
    Yap et al., SAMM long videos: a spontaneous facial micro- and macro-expressions dataset, FG 2020.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from trainers.annotations import ClipTable, Finding
from trainers.datasets.coding import Coded, Intake, kind_of, repeated
from trainers.datasets.databases import database
from trainers.datasets.layout import Sheet, chosen_home, find_sheets, only_sheet, subject_homes
from trainers.datasets.tables import Row

UNKNOWN = "unknown"
"""Label where nobody coded an emotion."""
_VIDEO = re.compile(r"\d{3}_\d+")
_EXPRESSION = re.compile(r"((\d{3})_\d+)_\d+")
_COLUMNS = ("Subject", "Filename", "Onset", "Apex", "Offset", "Type", "Action Units")
_EMOTION_COLUMNS = ("Filename", "Onset Frame", "Estimated Emotion")
"""Of SAMM's own table."""


def read(root: Path) -> ClipTable:
    """Import SAMM Long Videos.

    Args:
        root: folder with the videos' folders, the coding table and, if there is one, SAMM's coding table.

    Returns:
        A clip for each row that can be kept, and what had to be mended.

    Raises:
        BadInput: in one line, if folders or table are not there or cannot be read, or no row gives a clip.
    """
    known = database("samm-long-videos")
    home = chosen_home(root, subject_homes(root, _VIDEO), known.layout)
    sheet = only_sheet(root, find_sheets(root, _VIDEO, _COLUMNS), _COLUMNS)
    emotions = _emotions(root)
    intake = Intake(known.name, root, sheet.table, known.frame_rate_hz, sheet.name)
    several = repeated(sheet.cell(row, "Filename") for row in sheet.rows)
    for row in sheet.coded("Filename", "Onset"):
        _take(intake, sheet, row, home, emotions, several)
    table = intake.clip_table()
    return table if emotions else replace(table, findings=(_without_emotions(sheet), *table.findings))


def recognises(root: Path) -> bool:
    """Whether folders such as 006_1 lie under a root."""
    return bool(subject_homes(root, _VIDEO))


def _emotions(root: Path) -> dict[str, str]:
    """Emotion of each file name in SAMM's own table; empty without one."""
    sheets = find_sheets(root, _VIDEO, _EMOTION_COLUMNS)
    if not sheets:
        return {}
    sheet = only_sheet(root, sheets, _EMOTION_COLUMNS)
    return {sheet.cell(row, "Filename"): sheet.cell(row, "Estimated Emotion") for row in sheet.rows}


def _without_emotions(sheet: Sheet) -> Finding:
    fault = (
        f'no coding table of SAMM lies beside it: all expressions are labelled "{UNKNOWN}"; put it there for emotions'
    )
    return Finding(outcome="repaired", where=sheet.table.name, clip="", fault=fault)


def _take(
    intake: Intake, sheet: Sheet, row: Row, home: Path, emotions: Mapping[str, str], several: Collection[str]
) -> None:
    subject, file_name, onset, apex, offset, kind_cell, units = (sheet.cell(row, column) for column in _COLUMNS)
    parts, kind = _EXPRESSION.fullmatch(file_name), kind_of(kind_cell)
    if parts is None:
        intake.rejected(row, f"{subject} {file_name}", f"file name {file_name!r} names no video")
        return
    if kind is None:
        intake.rejected(row, f"{subject} {file_name}", f"type {kind_cell!r} is neither micro nor macro")
        return
    coded = Coded(
        subject=parts.group(2),
        name=f"{file_name}_{onset}" if file_name in several else file_name,
        folder=home / parts.group(1),
        onset=onset,
        apex=apex,
        offset=offset,
        label=(emotions.get(file_name) if kind == "micro" else None) or UNKNOWN,
        action_units=units,
        kind=kind,
    )
    if intake.take(row, coded) is None:
        return
    named = f"{coded.subject} {coded.name}"
    if coded.name != file_name:
        intake.repaired(row, named, f"file name {file_name!r} stands in several rows: its onset is added to it")
    if subject.lstrip("0") != coded.subject.lstrip("0"):
        intake.repaired(row, named, f"subject {subject!r} is not the file name's: that one is taken")
    if emotions and kind == "micro" and not emotions.get(file_name):
        intake.repaired(row, named, f'the coding table of SAMM has no emotion for it: it is labelled "{UNKNOWN}"')
