"""Who is trained on and who is tested on: indices only. No subject is ever on both sides of a split.

Rows are those of a feature file. A row that is a further view of a clip (`FeatureFile.variant`) may be trained on where
its clip is; only clips themselves validate and test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Int64

from engines.errors import BadInput
from trainers.feature_file import ITSELF, FeatureFile

Rows = Int64[np.ndarray, "_"]
SAME_PEOPLE: Mapping[str, str] = MappingProxyType(
    {"smic-hs": "smic", "smic-vis": "smic", "smic-nir": "smic", "samm-long-videos": "samm"}
)
"""Data sets that show the people of another one under the same names: SMIC's three cameras filmed one group, and SAMM's
clips were cut from its long videos."""


def _nobody() -> Rows:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """One way of dividing the rows."""

    name: str
    """Who is tested: "casme2/sub01", "fold 3", "casme2 → smic-hs", "held out"."""
    train: Rows
    test: Rows
    validation: Rows = field(default_factory=_nobody)
    """Rows of an inner split that may choose the epoch: of subjects who are neither trained nor tested on."""
    target: Rows = field(default_factory=_nobody)
    """Rows whose maps, never labels, may be used to adapt to another database."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clips:
    """What a split needs to know about a feature file's rows."""

    people: np.ndarray
    """Data set and subject of each row, as one name: subjects of two data sets are two people, except `SAME_PEOPLE`."""
    datasets: np.ndarray
    labels: Rows
    scored: Bool[np.ndarray, "rows"]
    """Rows that are clips themselves."""


def clips_of(features: FeatureFile) -> Clips:
    """What splits need of a feature file."""
    groups = np.array([SAME_PEOPLE.get(str(name), str(name)) for name in features.dataset])
    people = np.char.add(np.char.add(groups, "/"), features.subject.astype(str))
    return Clips(people=people, datasets=features.dataset, labels=features.y, scored=features.variant == ITSELF)


def leave_one_subject_out(clips: Clips) -> list[Split]:
    """One split a subject, tested on alone.

    Raises:
        BadInput: if there are fewer than two subjects.
    """
    names = _subjects(clips, 2, "leave-one-subject-out")
    return [_split(clips, name, clips.people == name) for name in names]


def k_fold(clips: Clips, folds: int = 10, *, inner_share: float = 0.2, seed: int = 0) -> list[Split]:
    """Whole subjects dealt into folds with as even labels as can be; of the rest, a share of subjects validates.

    Args:
        clips: what is divided.
        folds: number of splits.
        inner_share: about this share of what is not tested validates; 0 for no inner split.
        seed: of the dealing; the splits are the same for every seed of training.

    Raises:
        BadInput: if there are fewer subjects than folds, or too few for an inner split.
    """
    if folds < 2:
        raise BadInput(f"k-fold: {folds} folds; give 2 or more")
    _subjects(clips, folds, f"k-fold with {folds} folds")
    splits = [
        _split(clips, f"fold {place + 1}", np.isin(clips.people, group))
        for place, group in enumerate(_dealt(clips, clips.scored, folds, seed))
    ]
    return with_inner_splits(clips, splits, inner_share, seed) if inner_share else splits


def hold_out(clips: Clips, *, test_share: float = 0.2, inner_share: float = 0.2, seed: int = 0) -> list[Split]:
    """One split: about a share of the clips, of subjects of their own, is tested.

    Args:
        clips: what is divided.
        test_share: share of the clips, above 0 and at most one half.
        inner_share: about this share of the rest validates; 0 for no inner split.
        seed: of the dealing, and which of the parts dealt is tested.

    Raises:
        BadInput: if there are too few subjects, or the share makes no sense.
    """
    if not 0 < test_share <= 0.5:
        raise BadInput(f"hold-out: a test share of {test_share:g}; give above 0 and at most 0.5")
    parts = min(round(1 / test_share), len(_subjects(clips, 2, "hold-out")))
    tested = _dealt(clips, clips.scored, parts, seed)[seed % parts]
    split = _split(clips, "held out", np.isin(clips.people, tested))
    return with_inner_splits(clips, [split], inner_share, seed) if inner_share else [split]


def cross_database(clips: Clips, tasks: Sequence[tuple[str, str]]) -> list[Split]:
    """One split a task: trained on the source data set, tested on the target, whose maps may be seen unlabelled.

    Args:
        clips: what is divided.
        tasks: source and target data set of each.

    Raises:
        BadInput: if a data set is not there.
    """
    there = sorted(np.unique(clips.datasets))
    splits = []
    for source, target in tasks:
        for name in (source, target):
            if name not in there:
                raise BadInput(f"cross-database: there is no data set {name!r}; the file holds {', '.join(there)}")
        if source == target:
            raise BadInput(f"cross-database: {source} → {target} has one data set on both sides; name two")
        test = np.flatnonzero((clips.datasets == target) & clips.scored)
        train = np.flatnonzero(clips.datasets == source)
        splits.append(Split(name=f"{source} → {target}", train=train, test=test, target=test))
    return splits


def with_inner_splits(clips: Clips, splits: Sequence[Split], share: float, seed: int) -> list[Split]:
    """The same splits with some of the trained subjects of each set aside for validation.

    Which of the parts dealt is set aside goes round from split to split: the first always holds the subject with the
    most clips, who would never be trained on.

    Args:
        clips: what is divided.
        splits: whose test sides stay as they are.
        share: of the training clips, above 0 and at most one half.
        seed: of the dealing.

    Raises:
        BadInput: if a training side has fewer than two subjects, or the share makes no sense.
    """
    if not 0 < share <= 0.5:
        raise BadInput(f"inner split: a share of {share:g}; give above 0 and at most 0.5")
    return [_with_inner_split(clips, split, round(1 / share), place, seed) for place, split in enumerate(splits)]


def _with_inner_split(clips: Clips, split: Split, parts: int, place: int, seed: int) -> Split:
    trained = np.zeros(len(clips.labels), bool)
    trained[split.train] = True
    people = np.unique(clips.people[trained & clips.scored])
    if len(people) < 2:
        raise BadInput(f"{split.name}: an inner split needs two or more subjects to train on, not {len(people)}")
    parts = min(parts, len(people))
    chosen = _dealt(clips, trained & clips.scored, parts, seed)[place % parts]
    aside = np.isin(clips.people, chosen)
    return Split(
        name=split.name,
        train=np.flatnonzero(trained & ~aside),
        test=split.test,
        validation=np.flatnonzero(trained & aside & clips.scored),
        target=split.target,
    )


def _split(clips: Clips, name: str, tested: Bool[np.ndarray, "rows"]) -> Split:
    return Split(name=str(name), train=np.flatnonzero(~tested), test=np.flatnonzero(tested & clips.scored))


def _subjects(clips: Clips, least: int, protocol: str) -> list[str]:
    """Subjects with a clip to score, in order."""
    names = [str(name) for name in np.unique(clips.people[clips.scored])]
    if len(names) < least:
        only = f" ({names[0]})" if len(names) == 1 else ""
        raise BadInput(f"{protocol} needs {least} or more subjects; the data has {len(names)}{only}: add subjects")
    return names


def _dealt(clips: Clips, among: Bool[np.ndarray, "rows"], folds: int, seed: int) -> list[np.ndarray]:
    """Subjects of the given rows dealt into folds: the largest first, each to where its labels are scarcest."""
    people, place = np.unique(clips.people[among], return_inverse=True)
    counts = np.zeros((len(people), int(clips.labels.max()) + 1))
    np.add.at(counts, (place, clips.labels[among]), 1)
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    order = np.random.default_rng(seed).permutation(len(people))
    order = order[np.argsort(-counts.sum(axis=1)[order], kind="stable")]
    held = np.zeros((folds, shares.shape[1]))
    sizes = np.zeros(folds)
    dealt: list[list[str]] = [[] for _ in range(folds)]
    for person in order:
        # How much less even the folds become; an empty fold, having the fewest clips, wins every tie.
        cost = ((held + shares[person]) ** 2 - held**2).sum(axis=1)
        fold = int(np.lexsort((sizes, np.round(cost, 12)))[0])
        held[fold] += shares[person]
        sizes[fold] += counts[person].sum()
        dealt[fold].append(people[person])
    return [np.array(sorted(names)) for names in dealt]
