"""`onset prepare`: a database's clips in, a feature file to train on out."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import tyro

from demo.progress_bar import bar_of
from engines.errors import BadInput
from trainers.apex import ApexMethod
from trainers.datasets.synthetic_clips import Views
from trainers.preparation import PreparationSettings, prepare, settings_of_model
from trainers.preparation.preparing import Kinds
from trainers.workers import LocalWorkers

INTERRUPTED = 130


@dataclass(frozen=True, kw_only=True)
class Prepare:
    """Align, magnify and measure every clip of a database as live, and write its maps as one feature file.

    Several databases make a composite: onset prepare casme2 smic-hs --root FOLDER FOLDER --out FILE.npz. A run that
    was stopped goes on where it was when the same command is given again.
    """

    datasets: tyro.conf.Positional[tuple[str, ...]] = ()
    """casme2, smic-hs, smic-vis, smic-nir, samm, casme-square, samm-long-videos, casme3, mmew, or own
    (folders of frames and a table of one's own); recognised by the folder's layout if left out."""
    root: tuple[Path, ...]
    """Folder of each database as its owners hand it out; one folder for all where they lie together."""
    out: Path
    """Feature file (.npz) to write; a report of every repaired or rejected row goes beside it."""
    recipe: str | None = None
    """Input recipe: flow-strain, dual-branch, edssnet, madtn or apex; flow-strain if left out."""
    model: str | None = None
    """A model whose recipe, input size and views are taken instead, such as edssnet."""
    size: tuple[int, int] | None = None
    """Height and width of the maps; those of the recipe or the model if left out."""
    labels: str | None = None
    """Label scheme: composite-2019, cross-database, casme2-five, emotions or three-classes; if left out the first of
    them that speaks of all the data sets, of several never emotions."""
    apex: Literal["annotated", "pixel-difference", "spotter", "middle"] = "annotated"
    """Apex of every clip: the database's own where it gives one, or found anew."""
    missing_apex: ApexMethod = "spotter"
    """How the apex is found where the database gives none."""
    views: Views | None = None
    """Further views of each clip to train on: apexes one frame before and after, or the middle 20 % of its frames; none
    or those of the model if left out."""
    kinds: Kinds = "micro"
    """Which expressions to take."""
    workers: int | None = None
    """Processes; as many as there are cores if left out."""
    overwrite: bool = False
    """Replace a feature file that is already there."""
    json: bool = False
    """Print one JSON object instead of text."""

    def run(self) -> int:
        """Import, measure, write."""
        done = [0, 0]
        try:
            with bar_of("preparing clips") as show:

                def tell(clips: int, total: int) -> None:
                    done[:] = clips, total
                    show(clips, total)

                made = prepare(
                    self.root,
                    self.out,
                    self.datasets,
                    settings=self._settings(),
                    labels=self.labels,
                    kinds=self.kinds,
                    workers=self._workers(),
                    overwrite=self.overwrite,
                    progress=tell,
                )
        except KeyboardInterrupt:
            kept = f"{done[0]} of {done[1]} clips are kept; " if done[1] else ""
            print(f"onset: stopped with Ctrl-C; {kept}the same command goes on from here", file=sys.stderr)
            return INTERRUPTED
        print(json.dumps(made.as_record()) if self.json else f"{made.summary}\nreport: {made.report}")
        return 0

    def _settings(self) -> PreparationSettings:
        if self.model is not None and self.recipe is not None:
            raise BadInput("prepare: --model brings its own recipe; give either --model or --recipe")
        base = settings_of_model(self.model) if self.model else PreparationSettings(recipe=self.recipe or "flow-strain")
        return replace(
            base,
            size=self.size or base.size,
            apex=self.apex,
            missing_apex=self.missing_apex,
            views=self.views or base.views,
        )

    def _workers(self) -> LocalWorkers:
        if self.workers is not None and self.workers < 1:
            raise BadInput(f"prepare: {self.workers} workers cannot do anything; give 1 or more")
        return LocalWorkers(self.workers)


def defaults(_words: Sequence[str]) -> Prepare:
    """Defaults under the flags."""
    return Prepare(root=tyro.MISSING, out=tyro.MISSING)


COMMAND = Prepare
