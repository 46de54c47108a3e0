"""Small trees with the headers, names and quirks of the databases, for tests of importers and of what follows them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import openpyxl
from jaxtyping import UInt8

Image = UInt8[np.ndarray, "H W 3"] | UInt8[np.ndarray, "H W"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What one frame is to show."""

    subject: str
    clip: str
    number: int
    onset: int
    apex: int
    """The middle of onset and offset where the table gives none."""
    offset: int
    emotion: str

    @property
    def strength(self) -> float:
        """Of the expression: 0 at onset and offset and outside, 1 at the apex."""
        return float(np.interp(self.number, (self.onset, self.apex, self.offset), (0.0, 1.0, 0.0)))


Draw = Callable[[Shot], Image]
Cell = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRow:
    """A row of CASME II's or SAMM's table, and the frames that are there."""

    subject: Cell
    name: str
    onset: Cell
    apex: Cell
    offset: Cell
    emotion: str
    action_units: str = "4"
    frames: Sequence[int] | None = None
    """None for onset to offset; () for a folder without images."""
    folder: bool = True
    """Whether its folder is there at all."""

    @property
    def numbers(self) -> Sequence[int]:
        """Frames to write."""
        if self.frames is not None:
            return self.frames
        return range(int(self.onset or 0), int(self.offset or 0) + 1)

    def shot(self, number: int) -> Shot:
        """What a frame is to show; cells that hold no number stand for the ends of the frames."""
        numbers = self.numbers
        onset, offset = _number(self.onset, numbers[0]), _number(self.offset, numbers[-1])
        apex = _number(self.apex, (onset + offset) // 2)
        apex = apex if onset < apex < offset else (onset + offset) // 2
        return Shot(
            subject=str(self.subject), clip=self.name, number=number, onset=onset, apex=apex, offset=offset,
            emotion=self.emotion,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SmicRow:
    """A row of SMIC's table: up to three micro-expressions."""

    subject: int
    name: str
    spans: Sequence[tuple[int, int]]
    emotion: str
    first: int | None = None
    """First file of the long clip; None for two frames before the first onset."""
    last: int | None = None
    """Last file of the long clip; None for two frames after the last offset."""
    missing: frozenset[int] = field(default_factory=frozenset)
    digits: int = 6

    @property
    def files(self) -> list[int]:
        """Frames of the long clip."""
        first = self.spans[0][0] - 2 if self.first is None else self.first
        last = self.spans[-1][1] + 2 if self.last is None else self.last
        return [number for number in range(first, last + 1) if number not in self.missing]

    def shot(self, number: int) -> Shot:
        """What a frame is to show: the expression that it lies nearest to."""
        onset, offset = min(self.spans, key=lambda span: max(span[0] - number, number - span[1], 0))
        return Shot(
            subject=f"s{self.subject:02d}", clip=self.name, number=number, onset=onset, apex=(onset + offset) // 2,
            offset=offset, emotion=self.emotion,
        )  # fmt: skip


CASME2_HEADER = (
    "Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None, "Action Units", "Estimated Emotion",
)  # fmt: skip
CASME2_EMOTIONS = {
    "others": 99, "disgust": 63, "happiness": 32, "repression": 27, "surprise": 25, "sadness": 7, "fear": 2,
}  # fmt: skip
SAMM_HEADER = (
    "Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration", "Micro",
    "Action Units", "Estimated Emotion", "Objective Classes", "Notes",
)  # fmt: skip
SAMM_EMOTIONS = {
    "Anger": 57, "Other": 26, "Happiness": 26, "Surprise": 15, "Contempt": 12, "Disgust": 9, "Fear": 8, "Sadness": 6,
}  # fmt: skip
SMIC_HEADER = (
    "Subject", "Filename", None, "OnsetF", "OffsetF", "Onset2F", "Offset2F", "Onset3F", "Offset3F", None, "FirstF",
    "LastF", "TotalMF1", "TotalMF2", "TotalMF3", "TotalVL", "Emotion",
)  # fmt: skip
SMIC_EMOTIONS = {"negative": 70, "positive": 51, "surprise": 43}
SMIC_SHORT_NAMES = {"negative": "ne", "positive": "po", "surprise": "sur"}

CASME2_ROWS = (
    ClipRow(subject="01", name="EP02_01f", onset=46, apex=59, offset=86, emotion="happiness", action_units="12"),
    ClipRow(subject="03", name="EP01_2", onset=6, apex=10, offset=16, emotion="surprise", action_units="1+2"),
    ClipRow(subject="04", name="EP12_01f", onset=21, apex="/", offset=31, emotion="disgust"),
    ClipRow(subject="05", name="EP09_05f", onset=81, apex=81, offset=91, emotion="repression", action_units="L14"),
    ClipRow(subject="07", name="EP06_02_01", onset=91, apex=99, offset=106, emotion="disgust", action_units="4+7"),
    ClipRow(subject="09", name="EP09f", onset=96, apex=101, offset=111, emotion="others"),
    ClipRow(subject="12", name="EP09_06", onset=41, apex=51, offset=51, emotion="sadness", action_units="15"),
)
"""CASME II in little: `/` for an apex, an apex at the onset and one at the offset, the odd file names."""

SAMM_ROWS = (
    ClipRow(subject="006", name="006_1_2", onset=95, apex=103, offset=112, emotion="Anger", action_units="7B+ ref(43)"),
    ClipRow(subject="006", name="006_5_9", onset=9, apex=15, offset=22, emotion="Surprise", action_units="A/L12"),
    ClipRow(subject="028", name="028_4_1", onset=113, apex=143, offset=134, emotion="Happiness", action_units="12"),
    ClipRow(
        subject="032", name="032_3_1", onset=496, apex=193, offset=505, emotion="Other", action_units="(R6 or R12)+R15",
    ),
)  # fmt: skip
"""SAMM in little: an apex after its offset, one before its onset, action units that no grammar holds."""

SMIC_ROWS = (
    SmicRow(subject=1, name="s1_ne_01", spans=[(1068, 1080)], emotion="negative"),
    SmicRow(subject=3, name="s3_ne_02", spans=[(2000, 2010), (2020, 2032)], emotion="negative"),
    SmicRow(subject=4, name="s4_ne_04", spans=[(300, 309), (315, 322), (330, 341)], emotion="negative"),
    SmicRow(subject=9, name="s09_sur_01", spans=[(7581039, 7581050)], emotion="surprise", digits=8),
    SmicRow(subject=20, name="s20_po_01", spans=[(17581039, 17581049)], emotion="positive", digits=8),
)
"""SMIC in little: two and three micro-expressions in a row, both ways of naming, numbers of six and of eight digits."""


def full_casme2() -> list[ClipRow]:
    """A table with the real counts: 255 clips of 26 subjects, of three frames each."""
    rows = [
        ClipRow(subject="04", name="EP12_01f", onset=21, apex="/", offset=23, emotion="disgust"),
        ClipRow(subject="05", name="EP09_05f", onset=81, apex=81, offset=83, emotion="repression"),
    ]
    left = {
        **CASME2_EMOTIONS,
        "disgust": CASME2_EMOTIONS["disgust"] - 1,
        "repression": CASME2_EMOTIONS["repression"] - 1,
    }
    for place, emotion in enumerate(_each(left)):
        name = f"EP{place // 26 + 20:02d}_{place % 26:02d}"
        rows.append(ClipRow(subject=f"{place % 26 + 1:02d}", name=name, onset=5, apex=6, offset=7, emotion=emotion))
    return rows


def full_samm() -> list[ClipRow]:
    """A table with the real counts: 159 clips of 29 subjects, of three frames each."""
    return [
        ClipRow(subject=f"{place % 29 + 6:03d}", name=f"{place % 29 + 6:03d}_{place // 29 + 1}_1", onset=5, apex=6,
                offset=7, emotion=emotion)
        for place, emotion in enumerate(_each(SAMM_EMOTIONS))
    ]  # fmt: skip


def full_smic() -> list[SmicRow]:
    """A table with the real counts: 157 rows, of which five hold two and one three of the 164 micro-expressions."""
    rows: list[SmicRow] = []
    several = {0: 3, 1: 2, 2: 2, 3: 2, 4: 2, 80: 2}
    emotions = list(_each(SMIC_EMOTIONS))
    while emotions:
        count, emotion, number = several.get(len(rows), 1), emotions[0], len(rows)
        assert emotions[:count] == [emotion] * count
        del emotions[:count]
        spans = [(100 * number + 10 * place, 100 * number + 10 * place + 2) for place in range(1, count + 1)]
        name = f"s{number % 16 + 1:02d}_{SMIC_SHORT_NAMES[emotion]}_{number:02d}"
        rows.append(SmicRow(subject=number % 16 + 1, name=name, spans=spans, emotion=emotion))
    return rows


def write_casme2(
    root: Path,
    rows: Iterable[ClipRow] = CASME2_ROWS,
    *,
    draw: Draw | None = None,
    layout: str = "Cropped",
    table: str = "CASME2-coding-20140508.xlsx",
    objective_classes: bool = False,
) -> Path:
    """CASME II under a root, as `Cropped` or `CASME2_RAW_selected`; the table of 2019 with `objective_classes`."""
    rows = list(rows)
    name = "reg_img{}.jpg" if layout == "Cropped" else "img{}.jpg"
    for row in rows:
        _write_clip(root / layout / f"sub{row.subject}" / row.name, row, name, draw)
    extra = (("Objective Classes",), (1,)) if objective_classes else ((), ())
    cells = [
        (row.subject, row.name, None, row.onset, row.apex, row.offset, None, row.action_units, row.emotion, *extra[1])
        for row in rows
    ]
    return write_table(root / table, [(*CASME2_HEADER, *extra[0]), *cells])


def write_samm(
    root: Path,
    rows: Iterable[ClipRow] = SAMM_ROWS,
    *,
    draw: Draw | None = None,
    table: str = "SAMM_Micro_FACS_Codes_v2.xlsx",
) -> Path:
    """SAMM under a root: five-digit frame numbers, four for the last clip; the header in row 14."""
    rows = list(rows)
    for row in rows:
        digits = 4 if row is rows[-1] else 5
        _write_clip(root / "SAMM" / f"{row.subject}" / row.name, row, f"{row.subject}_{{:0{digits}d}}.jpg", draw)
    above = [("Spontaneous Micro-Facial Movement Dataset",), *[(None,)] * 11, ("See the paper for the codes",)]
    cells = [
        (row.subject, row.name, 1, row.onset, row.apex, row.offset, 100, "Micro - 1/2", row.action_units, row.emotion,
         1, None)
        for row in rows
    ]  # fmt: skip
    return write_table(root / table, [*above, SAMM_HEADER, *cells])


def write_smic(
    root: Path,
    rows: Iterable[SmicRow] = SMIC_ROWS,
    *,
    draw: Draw | None = None,
    part: str = "HS",
    layout: str = "long",
    table: str | None = "SMIC-{part}-E_annotation.xlsx",
) -> Path | None:
    """A part of SMIC under a root, in the long or the short layout; no table where `table` is None."""
    rows = list(rows)
    for row in rows:
        if layout == "long":
            folder = root / f"{part}_long" / f"SMIC_{part}_E" / f"s{row.subject:02d}" / row.name
            _write_smic_clip(folder, row, row.files, draw)
        else:
            _write_short(root / part, row, draw)
    if table is None:
        return None
    return write_smic_table(root / table.format(part=part), rows)


def write_smic_table(file: Path, rows: Iterable[SmicRow]) -> Path:
    """SMIC's table alone, with a row of sums below."""
    sums = (*[None] * 12, 4321, 210, 30, 23456, None)
    return write_table(file, [SMIC_HEADER, *map(_smic_cells, rows), (None,), sums])


def write_table(file: Path, rows: Iterable[Sequence[Cell]]) -> Path:
    """A workbook with one sheet."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    file.parent.mkdir(parents=True, exist_ok=True)
    workbook.save(file)
    return file


def write_frames(files: Iterable[tuple[Path, Shot]], draw: Draw | None = None) -> None:
    """Image files; without anything to draw all are one small gray picture."""
    plain = cv2.imencode(".jpg", np.full((4, 4), 128, np.uint8))[1].tobytes()
    for file, shot in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        if draw is None:
            file.write_bytes(plain)
        else:
            cv2.imwrite(str(file), draw(shot), [cv2.IMWRITE_JPEG_QUALITY, 95])


def _write_clip(folder: Path, row: ClipRow, name: str, draw: Draw | None) -> None:
    if row.folder:
        folder.mkdir(parents=True, exist_ok=True)
        write_frames(((folder / name.format(number), row.shot(number)) for number in row.numbers), draw)


def _write_smic_clip(folder: Path, row: SmicRow, numbers: Iterable[int], draw: Draw | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = ((folder / f"image{number:0{row.digits}d}.jpg", row.shot(number)) for number in numbers)
    write_frames(files, draw)


def _write_short(home: Path, row: SmicRow, draw: Draw | None) -> None:
    """The owners number a row's second and third clip on: s3_ne_02, s3_ne_03."""
    stem, number = row.name.rsplit("_", 1)
    for place, (onset, offset) in enumerate(row.spans):
        clip = home / f"s{row.subject}" / "micro" / row.emotion / f"{stem}_{int(number) + place:02d}"
        present = [frame for frame in range(onset, offset + 1) if frame not in row.missing]
        _write_smic_clip(clip, row, present, draw)


def _smic_cells(row: SmicRow) -> Sequence[Cell]:
    spans = [cell for span in row.spans for cell in span]
    counts = [offset - onset + 1 for onset, offset in row.spans]
    return (
        row.subject, row.name, None, *spans, *[None] * (6 - len(spans)), None, row.files[0], row.files[-1],
        *counts, *[None] * (3 - len(counts)), len(row.files), row.emotion,
    )  # fmt: skip


def _each(counts: dict[str, int]) -> Iterable[str]:
    for name, count in counts.items():
        yield from [name] * count


def _number(cell: Cell, otherwise: int) -> int:
    return cell if isinstance(cell, int) else otherwise
