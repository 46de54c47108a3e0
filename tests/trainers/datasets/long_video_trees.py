"""Trees with the headers, names, counts and quirks of CAS(ME)², SAMM Long Videos, CAS(ME)³ part A and MMEW."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import openpyxl

from tests.trainers.datasets.database_trees import SAMM_HEADER

Cell = str | int | None
Cells = tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Sheets of a workbook, and the videos or clips beside it."""

    sheets: Mapping[str, Sequence[Cells]]
    frames: Mapping[str, Iterable[int]]
    """Numbers of the files of each folder, relative to the root."""
    file_name: str
    """Of a frame, with a place for its number."""


SUBJECTS = dict(enumerate((15, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 40), 1))
"""CAS(ME)²: number in the coding table → number in the folders' names."""
FILMS = {
    "disgust1": "0101disgustingteeth", "disgust2": "0102eatingworms", "anger1": "0401girlcrashing",
    "anger2": "0402beatingpregnantwoman", "happy1": "0502funnyerrors", "happy2": "0503unnyfarting",
    "happy3": "0505funnyinnovations", "happy4": "0507climbingthewall", "happy5": "0508funnydunkey",
}  # fmt: skip
NAMING_RULES: Mapping[str, Sequence[Cells]] = {
    "naming rule1": [(folder, f"s{folder}", number) for number, folder in SUBJECTS.items()],
    "naming rule2": [(folder[:4], film) for film, folder in FILMS.items()],
}
SAMM_LONG_HEADER = (
    "Subject", "Filename", "Inducement Code", "Onset", "Apex", "Offset", "Duration", "Type", "Action Units", "Notes",
)  # fmt: skip
CASME3_HEADER = ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion")
MMEW_HEADER = (
    "Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion", "remarks",
)  # fmt: skip
MMEW_EMOTIONS = {
    "surprise": 89, "disgust": 72, "others": 66, "happiness": 36, "fear": 16, "sadness": 13, "anger": 8,
}  # fmt: skip


def casme_square_folder(number: int, film: str) -> str:
    """Where the frames of a subject's film lie."""
    return f"rawpic/s{SUBJECTS[number]}/{SUBJECTS[number]}_{FILMS[film]}"


def casme_square(rows: Sequence[Cells], frames: int = 100) -> Tables:
    """Rows of the coding table, with a folder for each film that they speak of."""
    films = {(row[0], str(row[1]).rsplit("_", 1)[0]) for row in rows}
    folders = [casme_square_folder(number, film) for number, film in films if isinstance(number, int)]
    return Tables(
        sheets={"CASFEcode_final": rows, **NAMING_RULES},
        frames={folder: range(1, frames + 1) for folder in folders},
        file_name="img{:03d}.jpg",
    )


def full_casme_square() -> Tables:
    """357 rows, 57 of them micro, in 98 videos of 22 subjects: 44 offsets 0, one apex 0, three after the offset."""
    videos = [(number, film) for film in FILMS for number in SUBJECTS][:98]
    rows: list[Cells] = []
    for place, (number, film) in enumerate(islice(cycle(videos), 357)):
        onset, turn = 3 + 8 * (place // 98), place // 98 + 1
        apex = {50: 0, 60: onset + 7, 61: onset + 7, 62: onset + 7}.get(place, onset + 2)
        kind = "micro-expression" if place >= 300 else "macro-expression"
        emotion = ("negative", "positive", "surprise", "others")[place % 4]
        offset = 0 if place < 44 else onset + 5
        rows.append((number, f"{film}_{turn}", onset, apex, offset, "4+7", emotion, kind, "disgust"))
    return casme_square(rows, frames=34)


def samm_long_videos(rows: Sequence[Cells], frames: int = 100) -> Tables:
    """Rows of the coding table under its nine rows of explanation, with a folder for each video."""
    videos = {str(row[1]).rsplit("_", 1)[0] for row in rows}
    above = [("SAMM Long Videos Dataset",), *[(None,)] * 7, ("Micro - 1/2: at most half a second",)]
    return Tables(
        sheets={"FACS_Movement_Only": [*above, SAMM_LONG_HEADER, *rows]},
        frames={f"SAMM_longvideos/{video}": range(1, frames + 1) for video in videos},
        file_name="{video}_{{:04d}}.jpg",
    )


def full_samm_long_videos() -> Tables:
    """502 rows, 343 macro and 159 micro, in 147 videos of 30 subjects; the apex is -1 in six of them."""
    videos = [(6 + place % 30, 1 + place // 30) for place in range(147)]
    rows: list[Cells] = []
    for place, (subject, video) in enumerate(islice(cycle(videos), 502)):
        onset = 3 + 8 * (place // 147)
        name, apex = f"{subject:03d}_{video}_{place // 147 + 1}", -1 if place % 84 == 0 else onset + 2
        kind = "Macro" if place < 343 else "Micro - 1/2"
        rows.append((f"{subject:03d}", name, video, onset, apex, onset + 5, 6, kind, "4 + 7", None))
    return samm_long_videos(rows, frames=34)


def samm_rows(rows: Iterable[Cells], emotion: str = "Anger") -> list[Cells]:
    """SAMM's own table for the micro-expressions among rows of SAMM Long Videos."""
    above: list[Cells] = [(None,)] * 13
    micro = (row for row in rows if str(row[7]).startswith("Micro"))
    return [
        *above,
        SAMM_HEADER,
        *((row[0], row[1], 1, 100, 105, 110, 11, "Micro - 1/2", "4", emotion, 1, None) for row in micro),
    ]


def casme3(rows: Sequence[Cells], frames: int = 45) -> Tables:
    """Rows of the coding table, with the pictures of each video that they speak of in small letters."""
    videos = {(str(row[0]), str(row[1]).lower()) for row in rows}
    return Tables(
        sheets={"label": [CASME3_HEADER, *rows]},
        frames={f"part_A/{subject}/{video}/color": range(1, frames + 1) for subject, video in videos},
        file_name="{}.jpg",
    )


def full_casme3() -> Tables:
    """860 rows in 463 videos: one video is written `J`, one onset is 0, in 55 rows the apex is the onset."""
    videos = [(f"spNO.{1 + place % 100}", "abcdefghijklm"[place // 100]) for place in range(463)]
    emotions = ("Others", "others", "disgust", "surprise", "fear", "sad", "anger", "happy")
    rows: list[Cells] = []
    for place, (subject, video) in enumerate(islice(cycle(videos), 860)):
        onset = 0 if place == 0 else 3 + 8 * (place // 463)
        apex = onset if 100 <= place < 155 else onset + 2
        name = "J" if place == 462 else video
        rows.append((subject, name, onset, apex, onset + 5, "4", "III", emotions[place % 8]))
    return casme3(rows, frames=18)


def mmew(rows: Sequence[Cells], frames: int = 12) -> Tables:
    """Rows of the coding table, with a folder for each clip."""
    return Tables(
        sheets={"Sheet1": [MMEW_HEADER, *rows]},
        frames={f"Micro_Expression/{row[6]}/{row[1]}": range(1, frames + 1) for row in rows},
        file_name="{}.jpg",
    )


def full_mmew() -> Tables:
    """300 rows of 30 subjects, counted by emotion as the survey counts them."""
    emotions = [emotion for emotion, count in MMEW_EMOTIONS.items() for _ in range(count)]
    numbers = {emotion: place + 1 for place, emotion in enumerate(MMEW_EMOTIONS)}
    rows: list[Cells] = []
    for place, emotion in enumerate(emotions):
        subject, sample = f"S{place % 30 + 1:02d}", place // 30 + 1
        name = f"{subject}-{numbers[emotion]:02d}-{sample:03d}"
        rows.append((subject, name, 1, 6, 12, "4", emotion, None))
    return mmew(rows)


def write(root: Path, tables: Tables, table: str) -> Path:
    """The folders with empty files for frames, and the table: a workbook, or a .csv file a sheet.

    Returns:
        The file of the first sheet.
    """
    for name, numbers in tables.frames.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        file_name = tables.file_name.format(video=folder.name) if "{video}" in tables.file_name else tables.file_name
        for number in numbers:
            (folder / file_name.format(number)).touch()
    return write_sheets(root / table, tables.sheets)


def write_sheets(file: Path, sheets: Mapping[str, Sequence[Cells]]) -> Path:
    """A workbook, or a .csv file for each sheet: the first under the name itself, the others under theirs."""
    if file.suffix == ".csv":
        for place, (name, rows) in enumerate(sheets.items()):
            with (file if place == 0 else file.with_name(f"{name}.csv")).open("w", newline="") as stream:
                csv.writer(stream).writerows(rows)
        return file
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    workbook.save(file)
    return file
