"""Protocols by name: from a feature file to the splits that a published number is measured on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from engines.errors import BadInput
from trainers.feature_file import FeatureFile
from trainers.splits import (
    Clips,
    Split,
    clips_of,
    cross_database,
    hold_out,
    k_fold,
    leave_one_subject_out,
    with_inner_splits,
)

COMPOSITE_LABELS = ("negative", "positive", "surprise")
TYPE_I = (
    ("smic-hs", "smic-vis"),
    ("smic-vis", "smic-hs"),
    ("smic-hs", "smic-nir"),
    ("smic-nir", "smic-hs"),
    ("smic-vis", "smic-nir"),
    ("smic-nir", "smic-vis"),
)
"""Tasks within SMIC. Its three parts filmed partly the same people at the same time: that is the protocol's own."""
TYPE_II = tuple(task for part in ("smic-hs", "smic-vis", "smic-nir") for task in (("casme2", part), (part, "casme2")))
"""Tasks between CASME II and SMIC."""


@dataclass(frozen=True, kw_only=True)
class ProtocolParameters:
    """What a protocol leaves open."""

    folds: int = 10
    """Of k-fold."""
    inner_share: float | None = None
    """Share of the training clips, of subjects of their own, that may choose the epoch. If left out: 0.2 in k-fold and
    hold-out where the training has patience and so makes use of it, none elsewhere."""
    test_share: float = 0.2
    """Share of the clips that hold-out tests on."""
    split_seed: int = 0
    """Of dealing subjects into folds; the splits are the same for every seed of training."""
    tasks: tuple[str, ...] = ()
    """Of cross-database: "type-1", "type-2", or source:target. All of the twelve that the file's data sets allow, or
    else every ordered pair of them, if left out."""


def leave_one_out(features: FeatureFile, parameters: ProtocolParameters) -> list[Split]:
    """Every subject tested once by what learned from all others; scores pooled over subjects."""
    clips = clips_of(features)
    return _with_inner(clips, leave_one_subject_out(clips), parameters)


def composite(features: FeatureFile, parameters: ProtocolParameters) -> list[Split]:
    """MEGC 2019: leave one subject out over the composite set with its three labels.

    Raises:
        BadInput: if the file's labels are not the composite's.

    Reference:
        See, Yap, Li, Hong and Wang, MEGC 2019 – the second facial micro-expressions grand challenge, FG 2019.
    """
    if features.label_names is not None and set(features.label_names) != set(COMPOSITE_LABELS):
        raise BadInput(
            f"feature file {features.path}: MEGC 2019's composite has the labels {', '.join(COMPOSITE_LABELS)}, not "
            f"{', '.join(features.label_names)}: prepare it with --labels composite-2019"
        )
    return leave_one_out(features, parameters)


def folds(features: FeatureFile, parameters: ProtocolParameters) -> list[Split]:
    """Subjects dealt into folds, each tested once; of the others a share may choose the epoch."""
    share = 0.2 if parameters.inner_share is None else parameters.inner_share
    return k_fold(clips_of(features), parameters.folds, inner_share=share, seed=parameters.split_seed)


def held_out(features: FeatureFile, parameters: ProtocolParameters) -> list[Split]:
    """One part of the subjects tested, the others trained on; of these a share may choose the epoch."""
    share = 0.2 if parameters.inner_share is None else parameters.inner_share
    seed = parameters.split_seed
    return hold_out(clips_of(features), test_share=parameters.test_share, inner_share=share, seed=seed)


def across_databases(features: FeatureFile, parameters: ProtocolParameters) -> list[Split]:
    """Trained on one data set, tested on another whose maps may be seen without labels; scored a task.

    Reference:
        Zong, Zheng, Huang, Shi, Cui and Zhao, Domain regeneration for cross-database micro-expression recognition,
        IEEE Transactions on Image Processing 2018, for TYPE-I and TYPE-II.
    """
    clips = clips_of(features)
    return _with_inner(clips, cross_database(clips, tasks_of(features, parameters.tasks)), parameters)


def tasks_of(features: FeatureFile, named: tuple[str, ...]) -> list[tuple[str, str]]:
    """Source and target of every task that is meant.

    Args:
        features: whose data sets are at hand.
        named: as in `ProtocolParameters.tasks`.

    Raises:
        BadInput: if a name is not understood, or the file holds one data set alone.
    """
    there = {str(name) for name in np.unique(features.dataset)}
    if len(there) < 2:
        raise BadInput(
            f"feature file {features.path}: cross-database needs two or more data sets; it holds {', '.join(there)}"
        )
    if not named:
        known = [task for task in (*TYPE_I, *TYPE_II) if set(task) <= there]
        return known or [(source, target) for source in sorted(there) for target in sorted(there) if source != target]
    tasks: list[tuple[str, str]] = []
    for name in named:
        tasks += _task(name)
    return list(dict.fromkeys(tasks))


def _task(name: str) -> list[tuple[str, str]]:
    if name in ("type-1", "type-2"):
        return list(TYPE_I if name == "type-1" else TYPE_II)
    source, colon, target = name.partition(":")
    if not (source and colon and target):
        raise BadInput(f"cross-database task {name!r}: give type-1, type-2, or SOURCE:TARGET such as casme2:smic-hs")
    return [(source, target)]


def _with_inner(clips: Clips, splits: list[Split], parameters: ProtocolParameters) -> list[Split]:
    if not parameters.inner_share:
        return splits
    return with_inner_splits(clips, splits, parameters.inner_share, parameters.split_seed)


PROTOCOLS: Mapping[str, Callable[[FeatureFile, ProtocolParameters], list[Split]]] = MappingProxyType(
    {
        "leave-one-subject-out": leave_one_out,
        "megc-2019-composite": composite,
        "k-fold": folds,
        "cross-database": across_databases,
        "hold-out": held_out,
    }
)
"""Every protocol by the name that the command line and a run's record use."""


def splits_of(protocol: str, features: FeatureFile, parameters: ProtocolParameters | None = None) -> list[Split]:
    """The splits of a protocol.

    Args:
        protocol: a name in `PROTOCOLS`.
        features: what is divided.
        parameters: what the protocol leaves open.

    Raises:
        BadInput: if there is no such protocol, or the data cannot be divided by it.
    """
    if protocol not in PROTOCOLS:
        raise BadInput(f"protocol {protocol!r} is unknown: use one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[protocol](features, parameters or ProtocolParameters())
