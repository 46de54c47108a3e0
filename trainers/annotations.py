"""The clip table: what a database's owners wrote about each expression, and what had to be mended to read it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from realtime.events import Kind

Outcome = Literal["repaired", "rejected"]
IMAGES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff"})
"""Suffixes of the files that are frames."""
_LAST_INTEGER = re.compile(r"(\d+)\D*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One annotated expression of a database.

    Frame numbers are those of the file names, as the owners coded them; onset ≤ apex ≤ offset holds.
    """

    dataset: str
    """Short name, such as "casme2" or "smic-hs"."""
    subject: str
    """As text, as the owners write it; unique only together with the data set."""
    name: str
    """Unique together with data set and subject."""
    folder: Path
    """Where the frames lie, one image file a frame; see `numbered_frames`."""
    onset: int
    apex: int | None
    """None where the database gives none."""
    offset: int
    frame_rate_hz: float
    label: str
    """Emotion as the owners coded it, in lower case."""
    action_units: str = ""
    """As coded, unparsed."""
    kind: Kind = "micro"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing in a database that could not be taken as it stands."""

    outcome: Outcome
    where: str
    """Table or folder, and the row as a spreadsheet numbers it (from 1) where there is one: "CASME2.xlsx row 12"."""
    clip: str
    """Subject and clip as the owners name them; "" where the row does not tell."""
    fault: str
    """What is wrong, and what was done: "apex 1143 lies outside onset 1100 to offset 1134: it is to be found"."""

    def __str__(self) -> str:
        named = f" ({self.clip})" if self.clip else ""
        return f"{self.outcome}: {self.where}{named}: {self.fault}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTable:
    """What an importer read."""

    dataset: str
    root: Path
    clips: tuple[Clip, ...]
    findings: tuple[Finding, ...] = ()
    """The import report: every repaired and every rejected row, in the order of the table."""
    rows: int = 0
    """Rows of the table, rejected ones included."""
    labels: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """How many clips carry each label; filled in by `table_of`."""


def table_of(dataset: str, root: Path, clips: Iterable[Clip], findings: Iterable[Finding], *, rows: int) -> ClipTable:
    """A clip table with its labels counted."""
    kept = tuple(clips)
    counts: dict[str, int] = {}
    for clip in kept:
        counts[clip.label] = counts.get(clip.label, 0) + 1
    return ClipTable(
        dataset=dataset,
        root=root,
        clips=kept,
        findings=tuple(findings),
        rows=rows,
        labels=MappingProxyType(dict(sorted(counts.items()))),
    )


def last_integer(name: str) -> int | None:
    """The last whole number in a file's name without its suffix: 46 of "reg_img46.jpg"; None without any."""
    found = _LAST_INTEGER.search(Path(name).stem)
    return int(found.group(1)) if found else None


@lru_cache(maxsize=256)
def numbered_frames(folder: Path) -> Mapping[int, Path]:
    """Image files of a folder by the last integer in their names, in rising order.

    Args:
        folder: of one clip or one long video.

    Returns:
        File by frame number; empty where the folder is not there or holds no numbered image.
    """
    if not folder.is_dir():
        return MappingProxyType({})
    numbered = {
        number: file
        for file in sorted(folder.iterdir())
        # Files that begin with a dot are another system's leavings, not images.
        if file.suffix.lower() in IMAGES
        and not file.name.startswith(".")
        and (number := last_integer(file.name)) is not None
    }
    return MappingProxyType(dict(sorted(numbered.items())))
