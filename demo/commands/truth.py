"""`onset truth`: the annotated long videos of a database in, a folder that replay and score understand out."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro

from trainers.datasets.databases import database, recognise
from trainers.datasets.spotting_truth import SCHEME, SpottingTruth, write_truth


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Write what `onset score` needs to judge the spotting in the long videos of a database.

    The folder gets truth.jsonl, scene.json, and videos/ with a link to each video; the commands that replay and score
    them are printed.
    """

    dataset: tyro.conf.Positional[str] = ""
    """casme-square, samm-long-videos or casme3; recognised by the folder's layout if left out."""
    root: Path
    """Folder of the database as its owners hand it out."""
    out: Path
    """Folder to write."""
    labels: str = SCHEME
    """Label scheme: three-classes, as the shipped recogniser speaks, or emotions, as coded."""
    overwrite: bool = False
    """Allow a folder that already holds a truth file."""
    json: bool = False
    """Print one JSON object instead of text."""

    def run(self) -> int:
        """Import and write."""
        known = database(self.dataset) if self.dataset else recognise(self.root)
        table = known.read(self.root)
        written = write_truth(table, self.out, scheme=self.labels, overwrite=self.overwrite)
        for finding in table.findings:
            print(finding, file=sys.stderr)
        print(json.dumps({**asdict(written), "out": str(self.out)}) if self.json else _told(written))
        return 0


def _told(written: SpottingTruth) -> str:
    counts = f"{written.micro} micro- and {written.macro} macro-expressions"
    # A single recording is replayed into the folder itself.
    sessions = "SESSIONS/*" if written.videos > 1 else "SESSIONS"
    return (
        f"{written.out}: {written.videos} videos, {written.duration_s / 60:.1f} minutes, {counts}; next:\n"
        f"  onset replay {written.out}/videos/* --frame-rate-hz {written.frame_rate_hz:g} --out SESSIONS\n"
        f"  onset score --truth {written.out}/truth.jsonl --events {sessions}"
    )


def defaults(_words: Sequence[str]) -> Truth:
    """Defaults under the flags."""
    return Truth(root=tyro.MISSING, out=tyro.MISSING)


COMMAND = Truth
