"""From the emotions as the owners coded them to the labels that a protocol is scored on.

Every database has emotions of its own; studies over several of them unify or leave out. A scheme says for each data set
which coded emotion becomes which label; clips that it has no label for are dropped, and each is reported.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from engines.errors import BadInput
from trainers.annotations import Clip, ClipTable, Finding

COMPOSITE_LABELS = ("negative", "positive", "surprise")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScheme:
    """A mapping of coded emotions to labels, for each data set that it speaks of."""

    name: str
    about: str
    citation: str
    label_names: tuple[str, ...]
    """In the order of the label indices; () where the emotions themselves are the labels."""
    labels: Mapping[str, Mapping[str, str]]
    """Data set → coded emotion → label. Empty where the emotions themselves are the labels, of any data set."""
    dropped: Mapping[tuple[str, str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    """Data set, subject and clip → why it is left out although its emotion has a label."""
    published: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Data set → clips of each label as the study counts them, where it does: another release of a table, or frames
    that are missing, give other counts, which a report must say."""


class Labelled(NamedTuple):
    """Clips that a scheme has a label for."""

    clips: tuple[Clip, ...]
    labels: Int64[np.ndarray, "N"]
    """Index into `label_names`, one a clip."""
    label_names: tuple[str, ...]
    findings: tuple[Finding, ...]
    """A rejection for every clip that was dropped."""


_OWN = {name: name for name in COMPOSITE_LABELS}
_THREE = {
    **dict.fromkeys(("anger", "contempt", "disgust", "fear", "repression", "sad", "sadness"), "negative"),
    **dict.fromkeys(("happiness", "happy"), "positive"),
    "surprise": "surprise",
}
"""The emotions of all databases; no two of them mean different things by one word."""

_KNOWN = (
    LabelScheme(
        name="composite-2019",
        about="negative, positive, surprise over CASME II (88/32/25), SAMM (92/26/15) and SMIC HS (70/51/43)",
        citation="See et al., MEGC 2019: the second facial micro-expressions grand challenge, FG 2019",
        label_names=COMPOSITE_LABELS,
        labels={
            "casme2": {
                "disgust": "negative", "repression": "negative", "happiness": "positive", "surprise": "surprise",
            },
            "samm": {
                "anger": "negative", "contempt": "negative", "disgust": "negative", "fear": "negative",
                "sadness": "negative", "happiness": "positive", "surprise": "surprise",
            },
            "smic-hs": _OWN,
        },
        dropped={
            ("casme2", "sub04", "EP12_01f"): "its apex is not coded",
            ("casme2", "sub05", "EP09_05f"): "its apex is coded at its onset",
        },
        published={"casme2": (88, 32, 25), "samm": (92, 26, 15), "smic-hs": (70, 51, 43)},
    ),
    LabelScheme(
        name="cross-database",
        about="positive, negative, surprise between CASME II and the parts of SMIC. The paper counts 32/73/25 clips of "
        "CASME II; the table as it is handed out (63 disgust, 7 sadness, 2 fear) gives 32/72/25",
        citation="Zong et al., Domain regeneration for cross-database micro-expression recognition, IEEE Transactions "
        "on Image Processing 27(5), 2018",
        label_names=COMPOSITE_LABELS,
        labels={
            "casme2": {
                "disgust": "negative", "sadness": "negative", "fear": "negative", "happiness": "positive",
                "surprise": "surprise",
            },
            "smic-hs": _OWN,
            "smic-vis": _OWN,
            "smic-nir": _OWN,
        },
        published={"casme2": (73, 32, 25), "smic-hs": (70, 51, 43)},
    ),
    LabelScheme(
        name="casme2-five",
        about="happiness, surprise, disgust, repression, others of CASME II, without its 2 clips of fear and 7 of "
        "sadness; of EDSSNet and the dual-branch network",
        citation="Yan et al., CASME II: an improved spontaneous micro-expression database and the baseline evaluation, "
        "PLoS ONE 9(1), 2014",
        label_names=("happiness", "surprise", "disgust", "repression", "others"),
        labels={
            "casme2": {name: name for name in ("happiness", "surprise", "disgust", "repression", "others")},
        },
        published={"casme2": (32, 25, 63, 27, 99)},
    ),
    LabelScheme(
        name="emotions",
        about="the owners' own emotions, all of them, in alphabetical order; of any data set",
        citation="as the database",
        label_names=(),
        labels={},
    ),
    LabelScheme(
        name="three-classes",
        about="negative, positive, surprise of every database, after MEGC 2019 for those that it does not "
        "speak of; fear and sadness are negative everywhere",
        citation="See et al., MEGC 2019: the second facial micro-expressions grand challenge, FG 2019",
        label_names=COMPOSITE_LABELS,
        labels={
            "casme2": _THREE, "samm": _THREE, "casme3": _THREE, "mmew": _THREE, "samm-long-videos": _THREE,
            "casme-square": _OWN, "smic-hs": _OWN, "smic-vis": _OWN, "smic-nir": _OWN, "own": _THREE | _OWN,
        },
    ),
)  # fmt: skip

LABEL_SCHEMES: Mapping[str, LabelScheme] = MappingProxyType({known.name: known for known in _KNOWN})
"""Every scheme by its name."""


def label_scheme(name: str) -> LabelScheme:
    """A scheme by its name.

    Raises:
        BadInput: listing the names, if it is none of them.
    """
    if name not in LABEL_SCHEMES:
        raise BadInput(f"label scheme {name!r} is unknown; choose among {', '.join(LABEL_SCHEMES)}")
    return LABEL_SCHEMES[name]


def labelled(clips: ClipTable | Iterable[Clip], scheme: str) -> Labelled:
    """Give clips the labels of a scheme.

    Args:
        clips: a table, or clips of several data sets.
        scheme: name of one of `LABEL_SCHEMES`.

    Returns:
        Those that have a label, in their order, and a finding for each that has none.

    Raises:
        BadInput: if the scheme is unknown, does not speak of one of the data sets, or drops every clip.
    """
    given = clips.clips if isinstance(clips, ClipTable) else tuple(clips)
    chosen = label_scheme(scheme)
    _check_datasets(chosen, {clip.dataset for clip in given})
    names = chosen.label_names or tuple(sorted({clip.label for clip in given if clip.label}))
    kept: list[Clip] = []
    labels: list[int] = []
    findings: list[Finding] = []
    for clip in given:
        label, fault = _label(chosen, clip)
        if label:
            kept.append(clip)
            labels.append(names.index(label))
        else:
            findings.append(_dropped(clip, fault))
    if not kept:
        raise BadInput(f"label scheme {scheme} has a label for none of {len(given)} clips: choose another scheme")
    return Labelled(tuple(kept), np.array(labels, dtype=np.int64), names, tuple(findings))


def _check_datasets(scheme: LabelScheme, datasets: set[str]) -> None:
    unknown = sorted(datasets - scheme.labels.keys()) if scheme.labels else []
    if unknown:
        known = ", ".join(scheme.labels)
        fault = f"has no labels for {', '.join(unknown)}, only for {known}"
        raise BadInput(f"label scheme {scheme.name} {fault}: choose another scheme")


def _label(scheme: LabelScheme, clip: Clip) -> tuple[str | None, str]:
    """The label, or None and why there is none."""
    reason = scheme.dropped.get((clip.dataset, clip.subject, clip.name))
    if reason:
        return None, f"label scheme {scheme.name} leaves this clip out: {reason}"
    emotions = scheme.labels.get(clip.dataset)
    label = clip.label if emotions is None else emotions.get(clip.label)
    return label or None, f"emotion {clip.label!r} has no label in label scheme {scheme.name}"


def _dropped(clip: Clip, fault: str) -> Finding:
    return Finding(outcome="rejected", where=str(clip.folder), clip=f"{clip.subject} {clip.name}", fault=fault)
