"""What `onset train` needs around a run: features from one of three places, a bar, a table."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from demo.progress_bar import bar_of
from engines.errors import BadInput
from realtime.json_lines import write_atomically
from realtime.report.wording import counted
from trainers.datasets.synthetic_clips import SyntheticClipParameters, synthetic_features
from trainers.feature_conversion import fitting
from trainers.feature_file import FeatureFile, load_features, save_features
from trainers.fold_record import FoldRecord
from trainers.metrics.pooled import SCORES
from trainers.models.registry import ModelEntry
from trainers.preparation import PreparationSettings, prepare
from trainers.training_run import FEATURES_FILE, TrainingRun, refuse_foreign
from trainers.training_run import Progress as Told
from trainers.workers import Workers

CROSSED = ("casme2", "smic-hs", "smic-vis", "smic-nir")
"""Cameras that stand for the data sets of the twelve cross-database tasks where clips are synthesised."""


@dataclass(frozen=True, kw_only=True)
class TrainingSource:
    """Where the clips come from: exactly one of the three."""

    features: Path | None = None
    data: tuple[Path, ...] = ()
    synthetic: bool = False
    datasets: tuple[str, ...] = ()
    """Names of those in `data` that are meant; recognised if empty."""
    labels: str | None = None
    """Label scheme of `data`; the usual one if None."""
    clips: SyntheticClipParameters = field(default_factory=SyntheticClipParameters)
    """What is synthesised."""
    size: tuple[int, int] | None = None
    """Height and width of the maps that are made; the model's own if None."""

    def __post_init__(self) -> None:
        """Refuse none and several.

        Raises:
            BadInput: saying what to give.
        """
        given = (self.features is not None) + bool(self.data) + self.synthetic
        if given != 1:
            raise BadInput(
                "train: give one of --features FILE.npz, --data FOLDER (a database as its owners hand it out) and "
                f"--synthetic, not {('none', 'one', 'two', 'three')[given]} of them"
            )
        if not self.data and (self.datasets or self.labels is not None):
            raise BadInput("train: --datasets and --labels say how --data is read; give them with --data alone")

    @property
    def origin(self) -> str:
        """Where the clips come from, in words that a report and a checkpoint may pass on: names, no paths."""
        if self.synthetic:
            return "synthesised clips: faces in the public domain, moved by known action units; nothing real"
        if self.data:
            named = f"{', '.join(self.datasets)} in " if self.datasets else ""
            return f"prepared from {named}{', '.join(folder.resolve().name for folder in self.data)}"
        return f"feature file {self.features.name if self.features else ''}"


def load_source(
    source: TrainingSource,
    entry: ModelEntry,
    protocol: str,
    out: Path,
    workers: Workers,
    *,
    overwrite: bool = False,
) -> FeatureFile:
    """The features that a model learns from; those that are made are kept in the run's folder.

    Args:
        source: where from.
        entry: of the model, whose recipe, size and views are made.
        protocol: cross-database asks for several data sets.
        out: the run's folder.
        workers: who makes them.
        overwrite: make them anew where an earlier run left some.

    Raises:
        BadInput: if they cannot be read or made.
    """
    if source.features is not None:
        return fitting(load_features(source.features), entry.recipe)
    kept, clips = out / FEATURES_FILE, source.clips
    if protocol == "cross-database" and len(clips.datasets) < 2:
        clips = replace(clips, datasets=CROSSED)
    wanted = replace(source, clips=clips, size=source.size or entry.input_shape[1:])
    _refuse_strangers(kept)
    if not overwrite and _are_there(kept, wanted, entry):
        return load_features(kept)
    # Noted before they are made: maps without a note are not ours, and a stop in between leaves none of the old ones.
    kept.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(_note_path(kept), _made_of(wanted, entry).encode())
    try:
        _make(wanted, entry, kept, workers)
    except BadInput:
        _note_path(kept).unlink()
        with suppress(OSError):  # there may be more in it than what was just made
            out.rmdir()
        raise
    return load_features(kept)


def _refuse_strangers(kept: Path) -> None:
    """Refuse a folder of something else before minutes of work go into it, and maps that no run of it made."""
    refuse_foreign(kept.parent)
    if kept.exists() and not _note_path(kept).is_file():
        raise BadInput(f"{kept} is there and was made by something else: train on it by --features, or another --out")


def _make(source: TrainingSource, entry: ModelEntry, kept: Path, workers: Workers) -> None:
    if source.data:
        settings = PreparationSettings(recipe=entry.recipe, size=source.size, views=entry.views)
        with bar_of("preparing clips") as show:
            prepared = prepare(
                source.data,
                kept,
                source.datasets,
                settings=settings,
                labels=source.labels,
                workers=workers,
                overwrite=True,
                progress=show,
            )
        print(f"{prepared.summary}\nreport: {prepared.report}", file=sys.stderr)
        return
    made = synthetic_features(entry.recipe, source.clips, size=source.size, views=entry.views, workers=workers)
    save_features(kept, made.arrays())


def _are_there(kept: Path, source: TrainingSource, entry: ModelEntry) -> bool:
    """Whether an earlier call has made these very features.

    Raises:
        BadInput: if it has made others.
    """
    note = _note_path(kept)
    if not kept.is_file() or not note.is_file():
        return False
    said, wanted = json.loads(note.read_text(encoding="utf-8")), json.loads(_made_of(source, entry))
    # What an earlier version did not know of, and so did not note, was left out.
    if any((said.get(name) or None) != (value or None) for name, value in wanted.items()):
        raise BadInput(f"{kept} was made of other clips (see {note.name}): choose another --out, or --overwrite")
    return True


def _note_path(kept: Path) -> Path:
    return kept.with_suffix(".source.json")


def _made_of(source: TrainingSource, entry: ModelEntry) -> str:
    return json.dumps({"recipe": entry.recipe, "views": entry.views, **asdict(source)}, indent=2, default=str) + "\n"


@contextmanager
def progress_over(run: TrainingRun) -> Iterator[Told]:
    """A progress bar over the folds of a run."""
    seeds = run.parameters.seeds
    with bar_of(f"{run.entry.name}, {counted(len(run.splits), 'fold')} × {counted(seeds, 'seed')}") as show:

        def tell(done: int, total: int, _record: FoldRecord | None) -> None:
            show(done, total)

        yield tell


def training_table(metrics: Mapping[str, Any]) -> Table:
    """The scores of a run, the leaky ones beside the honest ones.

    Args:
        metrics: what `metrics.json` holds.

    Returns:
        A table for Rich's console.
    """
    seeds, tasks = len(metrics["seeds"]), metrics.get("tasks")
    table = Table(
        title=f"{metrics['model']}, {metrics['protocol']}: {counted(metrics['folds'], 'task' if tasks else 'fold')} × "
        f"{counted(seeds, 'seed')}, {metrics['seconds']:.0f} s of training",
        # A row for each data set must fit into the 80 columns of a terminal.
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for heading in ("clips of", "n", "UF1", "UAR", "accuracy", "leaky*"):
        table.add_column(heading, justify="left" if heading == "clips of" else "right", no_wrap=True)
    leaky = metrics["leaky_best_epoch"]
    whole = "mean of tasks" if tasks else "all"
    table.add_row(whole, str(metrics["clips_scored"]), *_figures(metrics), f"{leaky['mean']['uf1']:.3f}")
    parts = tasks or metrics["datasets"]
    for name, scores in parts.items() if len(parts) > 1 else ():
        own = "" if tasks else f"{leaky['datasets'][name]['mean']['uf1']:.3f}"
        table.add_row(name, str(scores["clips"]), *_figures(scores), own)
    if seeds > 1:
        together = metrics["ensemble_of_seeds"]
        table.add_row("seeds averaged", "", *(f"{together[score]:.3f}" for score in SCORES), "")
    spread = "mean ± sd over seeds\n" if seeds > 1 else ""
    table.caption = f"{spread}* UF1, best epoch picked on the tested subject: not a result"
    return table


def _figures(scores: Mapping[str, Any]) -> list[str]:
    return [
        f"{scores['mean'][score]:.3f}" + ("" if scores["sd"][score] is None else f" ± {scores['sd'][score]:.3f}")
        for score in SCORES
    ]
