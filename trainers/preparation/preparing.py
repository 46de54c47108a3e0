"""`onset prepare`: databases in, one feature file and its report out."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from engines.errors import BadInput
from realtime.json_lines import write_atomically
from trainers.annotations import ClipTable
from trainers.datasets.databases import Database, database, recognise
from trainers.feature_file import save_features
from trainers.labels import LABEL_SCHEMES, Labelled, label_scheme, labelled
from trainers.preparation.clip_maps import ClipJob, PreparedClip, prepare_clip
from trainers.preparation.parts import Parts
from trainers.preparation.report import DatasetReport, Preparation, Used
from trainers.preparation.settings import PreparationSettings
from trainers.workers import LocalWorkers, Workers

Kinds = Literal["micro", "macro", "both"]
ClipsDone = Callable[[int, int], None]
"""Called with clips done and clips in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """The clips that are to be in the file, over all tables."""

    tables: tuple[ClipTable, ...]
    scheme: str
    labelled: Labelled
    other_kind: Mapping[str, int]
    """Clips of the kind that was not asked for, by data set."""


def prepare(
    roots: Sequence[Path],
    out: Path,
    datasets: Sequence[str] = (),
    *,
    settings: PreparationSettings | None = None,
    labels: str | None = None,
    kinds: Kinds = "micro",
    workers: Workers | None = None,
    overwrite: bool = False,
    progress: ClipsDone | None = None,
) -> Preparation:
    """Make a feature file of one database, or of several as a composite.

    Each finished clip is kept beside the output until the whole is there: after a stop, however hard, the same call
    goes on where it was, and the arrays are the same to the byte.

    Args:
        roots: folder of each data set, in their order; or fewer folders, in which the named data sets lie together.
        out: feature file to write, ending in .npz; beside it goes `NAME.report.txt`, which says what became of each
            row of the tables.
        datasets: names in `DATABASES`; recognised by the folders' layout if empty.
        settings: recipe, size, apex and views.
        labels: a label scheme; if None the first one that speaks of all these data sets (see `usual_scheme`).
        kinds: which expressions to take.
        workers: do the clips; all cores of this machine if None.
        overwrite: allow a feature file to be replaced.
        progress: told after each clip, and once at the start what an earlier call has left.

    Returns:
        What was made.

    Raises:
        BadInput: in one line; then no feature file was written.
    """
    _check_output(out, overwrite)
    settings = settings or PreparationSettings()
    if labels is not None:
        label_scheme(labels)
    tables = tuple(source.read(root) for source, root in _sources(roots, datasets))
    chosen = _chosen(tables, labels, kinds)
    parts = Parts(out)
    jobs = [ClipJob(clip=clip, settings=settings) for clip in chosen.labelled.clips]
    prepared = _prepared(jobs, parts, workers or LocalWorkers(), progress or (lambda _done, _total: None))
    if not any(one.variants for one in prepared):
        parts.remove()
        first = next(finding for one in prepared for finding in one.findings)
        raise BadInput(f"none of {len(prepared)} clips can be prepared; the first reason is: {first}")
    save_features(out, _arrays(chosen, prepared, settings))
    preparation = _preparation(out, chosen, prepared, settings)
    write_atomically(preparation.report, preparation.as_text().encode())
    parts.remove()
    return preparation


def usual_scheme(datasets: Sequence[str]) -> str:
    """The first label scheme that speaks of all data sets: "composite-2019" for its three.

    The owners' own emotions are taken of one data set alone: several have other words for the same ("sad" and
    "sadness"), or speak of valence instead.

    Args:
        datasets: short names.
    """
    several = len(set(datasets)) > 1
    return next(
        name
        for name, scheme in LABEL_SCHEMES.items()
        if scheme.labels.keys() >= set(datasets) or not (scheme.labels or several)
    )


def report_path(out: Path) -> Path:
    """Where the report of a feature file lies."""
    return out.with_name(f"{out.stem}.report.txt")


def _check_output(out: Path, overwrite: bool) -> None:
    if out.suffix != ".npz":
        raise BadInput(f"feature file {out}: its name must end in .npz")
    if out.exists() and not overwrite:
        raise BadInput(f"feature file {out} is there already: give another name, or allow it to be replaced")


def _sources(roots: Sequence[Path], datasets: Sequence[str]) -> Iterator[tuple[Database, Path]]:
    """Each data set with its folder, each data set once."""
    if not roots:
        raise BadInput("no folder is given: name the folder of each database")
    databases = [database(name) for name in datasets] or [recognise(root) for root in roots]
    names = [one.name for one in databases]
    if len(set(names)) < len(names):
        raise BadInput(f"data sets {', '.join(names)}: each may be named once")
    if len(roots) == len(databases):
        return zip(databases, roots, strict=True)
    if len(roots) > len(databases):
        raise BadInput(f"{len(databases)} data sets and {len(roots)} folders: name a data set for each folder")
    return ((one, roots[0] if len(roots) == 1 else _folder_of(one, roots)) for one in databases)


def _folder_of(one: Database, roots: Sequence[Path]) -> Path:
    """The folder that holds a data set, of fewer folders than data sets."""
    found = [root for root in roots if one.recognises(root)]
    if len(found) != 1:
        held = f"by {len(found)} of" if found else "by none of"
        folders = ", ".join(map(str, roots))
        raise BadInput(f"data set {one.name} is held {held} the folders {folders}: give one folder for each data set")
    return found[0]


def _chosen(tables: Sequence[ClipTable], scheme: str | None, kinds: Kinds) -> _Chosen:
    wanted = [clip for table in tables for clip in table.clips if kinds in (clip.kind, "both")]
    names = [table.dataset for table in tables]
    if not wanted:
        raise BadInput(f"{', '.join(names)}: holds no {kinds}-expression; ask for another kind")
    scheme = scheme or usual_scheme(names)
    taken = {name: sum(clip.dataset == name for clip in wanted) for name in names}
    return _Chosen(
        tables=tuple(tables),
        scheme=scheme,
        labelled=labelled(wanted, scheme),
        other_kind={table.dataset: len(table.clips) - taken[table.dataset] for table in tables},
    )


def _prepared(jobs: Sequence[ClipJob], parts: Parts, workers: Workers, progress: ClipsDone) -> list[PreparedClip]:
    """Every clip, in the order of the jobs; those that an earlier call has finished are read."""
    done = {place: part for place, job in enumerate(jobs) if (part := parts.load(job)) is not None}
    progress(len(done), len(jobs))
    left = [place for place in range(len(jobs)) if place not in done]
    for at, prepared in workers.run(prepare_clip, [jobs[place] for place in left]):
        parts.save(jobs[left[at]], prepared)
        done[left[at]] = prepared
        progress(len(done), len(jobs))
    return [done[place] for place in range(len(jobs))]


def _arrays(chosen: _Chosen, prepared: Sequence[PreparedClip], settings: PreparationSettings) -> dict[str, np.ndarray]:
    """The fields of the feature file, one row a map."""
    rows = [
        (clip, int(label), one, view)
        for clip, label, one in zip(chosen.labelled.clips, chosen.labelled.labels, prepared, strict=True)
        for view in range(len(one.variants))
    ]
    said = {"settings": asdict(settings), "label_scheme": chosen.scheme}
    return {
        "x": np.stack([one.maps[view] for _, _, one, view in rows]),
        "y": np.array([label for _, label, _, _ in rows], np.int64),
        "subject": np.array([clip.subject for clip, *_ in rows]),
        "dataset": np.array([clip.dataset for clip, *_ in rows]),
        "clip": np.array([clip.name for clip, *_ in rows]),
        "variant": np.array([one.variants[view] for _, _, one, view in rows]),
        "onset": np.array([one.onset for _, _, one, _ in rows], np.int64),
        "apex": np.array([one.apexes[view] for _, _, one, view in rows], np.int64),
        "offset": np.array([one.offset for _, _, one, _ in rows], np.int64),
        "apex_method": np.array([one.apex_method for _, _, one, _ in rows]),
        "action_units": np.array([clip.action_units for clip, *_ in rows]),
        "kind": np.array([clip.kind for clip, *_ in rows]),
        "label_names": np.array(chosen.labelled.label_names),
        "recipe": np.array(settings.recipe),
        "preparation": np.array(json.dumps(said, sort_keys=True)),
    }


def _preparation(
    out: Path, chosen: _Chosen, prepared: Sequence[PreparedClip], settings: PreparationSettings
) -> Preparation:
    return Preparation(
        path=out,
        report=report_path(out),
        recipe=settings.recipe,
        size=settings.map_size,
        scheme=chosen.scheme,
        views=sum(max(0, len(one.variants) - 1) for one in prepared),
        datasets=tuple(_dataset_report(table, chosen, prepared) for table in chosen.tables),
    )


def _dataset_report(table: ClipTable, chosen: _Chosen, prepared: Sequence[PreparedClip]) -> DatasetReport:
    names = chosen.labelled.label_names
    own = [
        (clip, names[label], one)
        for clip, label, one in zip(chosen.labelled.clips, chosen.labelled.labels, prepared, strict=True)
        if clip.dataset == table.dataset
    ]
    read = {(str(clip.folder), f"{clip.subject} {clip.name}") for clip in table.clips}
    published = label_scheme(chosen.scheme).published.get(table.dataset, ())
    return DatasetReport(
        name=table.dataset,
        root=table.root,
        rows=table.rows,
        read=len(table.clips),
        used=tuple(
            Used(clip=clip, label=label, apex_method=one.apex_method) for clip, label, one in own if one.variants
        ),
        other_kind=chosen.other_kind[table.dataset],
        dropped=tuple(finding for finding in chosen.labelled.findings if (finding.where, finding.clip) in read),
        findings=(*table.findings, *(finding for _, _, one in own for finding in one.findings)),
        published=dict(sorted(zip(names, published, strict=True))) if published else {},
    )
