"""What all importers share: cells into frame numbers, and the judgement of a coded expression against its frames.

A coding table is taken as its owners wrote it. Where it contradicts itself or the images, the rules below decide,
and each decision becomes a finding of the import report:

- no folder, no numbered image, no readable onset, no end: the row is rejected;
- an offset that is missing or lies before the onset: the apex is the last frame known, and is taken;
- an apex that is not coded, lies outside onset to offset, or is the onset itself: it is to be found (None), since
  nothing tells which of the three numbers is the mistyped one;
- frames missing at either end or within: the nearest that are there are taken, as long as half of them are.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from engines.errors import BadInput
from realtime.events import Kind
from trainers.annotations import Clip, ClipTable, Finding, Outcome, numbered_frames, table_of
from trainers.datasets.layout import described
from trainers.datasets.tables import Row

Name = TypeVar("Name")

LEAST_SHARE = 0.5
"""Share of the frames from onset to offset that must be there."""


class Rejected(Exception):
    """A row that cannot become a clip; the message says why, as in `Finding.fault`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """One expression as a row has it: frame numbers still text, nothing judged."""

    subject: str
    name: str
    """Unique together with the subject: the importer adds the onset where one video holds several."""
    folder: Path
    onset: str
    apex: str | None
    """The cell; None where the database codes no apex at all, so that its absence is no finding."""
    offset: str
    label: str
    action_units: str = ""
    kind: Kind = "micro"
    frame_rate_hz: float | None = None
    """None for that of the whole database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Frame numbers that have files, onset < offset and onset < apex ≤ offset, and what it took to get there."""

    onset: int
    apex: int | None
    offset: int
    repairs: tuple[str, ...]
    """One sentence each, as in `Finding.fault`; empty where the row stands as it is."""


def frame_number(text: str) -> int | None:
    """Frame number in a cell.

    Args:
        text: of the cell; .csv files of a spreadsheet may write "46.0".

    Returns:
        The number; None where the cell holds none, as in "", "/", "-1" or "46.5".
    """
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() and number >= 0 else None


def kind_of(text: str) -> Kind | None:
    """Kind of expression in a cell such as "macro-expression" or "Micro - 1/2"; None where it says neither."""
    word = text.casefold()
    if word.startswith("micro"):
        return "micro"
    return "macro" if word.startswith("macro") else None


def repeated(names: Iterable[Name]) -> frozenset[Name]:
    """Names that stand in several rows, so that the onset must tell one expression from another."""
    return frozenset(name for name, count in Counter(names).items() if count > 1)


def judge(onset: str, apex: str | None, offset: str, frames: Collection[int]) -> Judgement:
    """Judge an onset, an apex and an offset against each other and against the frames on disk.

    Args:
        onset: as in `Coded`.
        apex: as in `Coded`.
        offset: as in `Coded`.
        frames: numbers of the frames that are there.

    Returns:
        What holds, and the repairs.

    Raises:
        Rejected: if no rule of this module saves the row.
    """
    repairs: list[str] = []
    first, last = _interval(onset, apex, offset, repairs)
    peak = None if apex is None else _apex(apex, first, last, repairs)
    there = sorted(number for number in frames if first <= number <= last)
    _check_share(there, first, last, frames)
    if len(there) < last - first + 1:
        repairs.append(_missing(there, first, last))
    if peak is not None:
        peak = _nearest(peak, there, repairs)
    return Judgement(onset=there[0], apex=peak, offset=there[-1], repairs=tuple(repairs))


class Intake:
    """Gathers clips and findings while one table is walked."""

    def __init__(self, dataset: str, root: Path, table: Path | None, frame_rate_hz: float, sheet: str = "") -> None:
        """Begin an import.

        Args:
            dataset: short name, as in `Clip`.
            root: folder that the user gave.
            table: the coding table; findings name it and the row. None where the folders alone tell.
            frame_rate_hz: of all clips, unless an expression brings its own.
            sheet: name of the sheet, where the table has several that count.
        """
        self.dataset, self.root, self.table, self.frame_rate_hz = dataset, root, table, frame_rate_hz
        self._source = described(table, sheet) if table else ""
        self._rows: set[int | Path] = set()
        self._taken: dict[tuple[str, str], str] = {}
        self._clips: list[Clip] = []
        self._findings: list[Finding] = []

    def repaired(self, row: Row | Path, clip: str, fault: str) -> None:
        """Report what was wrong with a row that is kept, and what was done.

        Args:
            row: of the table, or the folder that takes a row's place.
            clip: subject and clip; "" where the row does not tell.
            fault: as in `Finding`.
        """
        self._find("repaired", row, clip, fault)

    def rejected(self, row: Row | Path, clip: str, fault: str) -> None:
        """Report a row, or one of its expressions, that gives no clip; the arguments are those of `repaired`."""
        self._find("rejected", row, clip, fault)

    def without_row(self, folder: Path, clip: str) -> None:
        """Report images that no row of the table speaks of."""
        fault = f"images without a row in {self._source}: left out"
        self._findings.append(Finding(outcome="rejected", where=self._where(folder), clip=clip, fault=fault))

    def take(self, row: Row | Path, coded: Coded) -> Clip | None:
        """Judge one expression, report what its row lacks, and keep it if it can be kept.

        Args:
            row: it stands in, or the folder that takes a row's place.
            coded: the expression.

        Returns:
            The clip, also kept for `clip_table`; None where the row is rejected.
        """
        named = f"{coded.subject} {coded.name}"
        try:
            judgement = self._judge(coded)
        except Rejected as fault:
            self.rejected(row, named, str(fault))
            return None
        for repair in judgement.repairs:
            self.repaired(row, named, repair)
        self._rows.add(_key(row))
        self._taken[coded.subject, coded.name] = self._where(row)
        self._clips.append(self._clip(coded, judgement))
        return self._clips[-1]

    def clip_table(self) -> ClipTable:
        """What was gathered.

        Raises:
            BadInput: if no row gave a clip.
        """
        if not self._clips:
            first = f"; the first fault is {self._findings[0]}" if self._findings else ""
            source = f"table {self.table}" if self.table else f"folder {self.root}"
            raise BadInput(f"{source} gives no clip: give the folder {self.root} as its owners lay it out{first}")
        return table_of(self.dataset, self.root, self._clips, self._findings, rows=len(self._rows))

    def _find(self, outcome: Outcome, row: Row | Path, clip: str, fault: str) -> None:
        self._rows.add(_key(row))
        self._findings.append(Finding(outcome=outcome, where=self._where(row), clip=clip, fault=fault))

    def _where(self, row: Row | Path) -> str:
        if isinstance(row, Row):
            return f"{self._source} row {row.number}"
        return str(row.relative_to(self.root)) if row.is_relative_to(self.root) else str(row)

    def _judge(self, coded: Coded) -> Judgement:
        before = self._taken.get((coded.subject, coded.name))
        if before:
            raise Rejected(f"stands in {before} already: the first one is kept")
        if not coded.folder.is_dir():
            raise Rejected(f"folder {coded.folder} is not there")
        frames = numbered_frames(coded.folder)
        if not frames:
            raise Rejected(f"folder {coded.folder} holds no numbered image")
        return judge(coded.onset, coded.apex, coded.offset, frames)

    def _clip(self, coded: Coded, judgement: Judgement) -> Clip:
        return Clip(
            dataset=self.dataset,
            subject=coded.subject,
            name=coded.name,
            folder=coded.folder,
            onset=judgement.onset,
            apex=judgement.apex,
            offset=judgement.offset,
            frame_rate_hz=coded.frame_rate_hz or self.frame_rate_hz,
            label=coded.label.strip().lower(),
            action_units=coded.action_units,
            kind=coded.kind,
        )


def _key(row: Row | Path) -> int | Path:
    return row.number if isinstance(row, Row) else row


def _interval(onset: str, apex: str | None, offset: str, repairs: list[str]) -> tuple[int, int]:
    first, last = frame_number(onset), frame_number(offset)
    if first is None:
        raise Rejected(f"onset {onset!r} is no frame number")
    if last is None or last < first:
        peak = None if apex is None else frame_number(apex)
        if peak is None or peak <= first:
            raise Rejected(f"offset {offset!r} does not end what onset {first} begins")
        repairs.append(f"offset {offset!r} does not end what onset {first} begins: the apex {peak} is taken as offset")
        last = peak
    if last == first:
        raise Rejected(f"onset and offset are the same frame {first}: nothing moves")
    return first, last


def _apex(apex: str, first: int, last: int, repairs: list[str]) -> int | None:
    peak = frame_number(apex)
    if peak is None:
        repairs.append(f"apex {apex!r} is no frame number: it is to be found")
    elif not first <= peak <= last:
        repairs.append(f"apex {peak} lies outside onset {first} to offset {last}: it is to be found")
    elif peak == first:
        repairs.append(f"apex {peak} is the onset, from which nothing has moved yet: it is to be found")
    else:
        return peak
    return None


def _check_share(there: list[int], first: int, last: int, frames: Collection[int]) -> None:
    if len(there) < 2 or len(there) < LEAST_SHARE * (last - first + 1):
        raise Rejected(
            f"{len(there)} of {last - first + 1} frames from onset {first} to offset {last} are there "
            f"(the folder has {min(frames)} to {max(frames)})"
        )


def _missing(there: list[int], first: int, last: int) -> str:
    count = last - first + 1 - len(there)
    fault = f"{count} of {last - first + 1} frames from onset {first} to offset {last} are missing"
    ends = [
        f"{end} {taken} is taken"
        for end, taken, coded in (("onset", there[0], first), ("offset", there[-1], last))
        if taken != coded
    ]
    return f"{fault}: {' and '.join(ends) or 'the others are taken'}"


def _nearest(peak: int, there: list[int], repairs: list[str]) -> int | None:
    nearest = min(there, key=lambda number: abs(number - peak))
    if nearest == there[0]:
        repairs.append(f"apex {peak} has no file and its neighbour is the onset: it is to be found")
        return None
    if nearest != peak:
        repairs.append(f"apex {peak} has no file: {nearest} is taken")
    return nearest
