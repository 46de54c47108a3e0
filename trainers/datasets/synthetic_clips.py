"""Feature files of synthesised clips with known labels, for every input recipe: what `--synthetic` trains on.

Gray sequences are filmed (`synthetic_sequences`) and go the way of a real clip: TV-L1 with the head held still, optical
strain, magnification of the whole sequence, the recipe's map. Nothing is drawn straight into a map.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import UInt8

from engines.errors import BadInput
from engines.inputs import RECIPES, EventImages, feature_map
from trainers.datasets.action_units import LABEL_NAMES
from trainers.datasets.synthetic_sequences import CAMERAS, GraySequence, SequenceParameters, subject_sequences
from trainers.feature_file import ITSELF, FeatureFile
from trainers.workers import LocalWorkers, Workers

Views = Literal["none", "neighbours", "middle"]
"""Further frames of a clip taken as its apex, for training only: the two beside it, or the middle fifth of the clip."""
Size = tuple[int, int]
_MIDDLE_SHARE = 0.2
CLIPS_VERSION = "1"
"""Raised whenever the same seed gives other clips."""


@dataclass(frozen=True, kw_only=True)
class SyntheticClipParameters:
    """Which clips are synthesised."""

    subjects: int = 10
    """In each data set."""
    clips_per_subject: int = 12
    datasets: tuple[str, ...] = ("synthetic",)
    """Names in `synthetic_sequences.CAMERAS`: what stands for which database in protocols that go across them."""
    sequence: SequenceParameters = field(default_factory=SequenceParameters)

    def __post_init__(self) -> None:
        """Refuse what gives no clips.

        Raises:
            BadInput: naming the field.
        """
        for name in ("subjects", "clips_per_subject"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}: give 1 or more")
        unknown = [name for name in self.datasets if name not in CAMERAS]
        if unknown or not self.datasets or len(set(self.datasets)) < len(self.datasets):
            given = ", ".join(self.datasets) or "none"
            raise BadInput(f"synthetic data sets {given}: choose different ones among {', '.join(CAMERAS)}")


def synthetic_features(
    recipe: str,
    parameters: SyntheticClipParameters | None = None,
    *,
    size: Size | None = None,
    seed: int = 0,
    views: Views = "none",
    processes: int = 1,
    workers: Workers | None = None,
) -> FeatureFile:
    """Synthesise clips and shape them for a model.

    Args:
        recipe: a name in `engines.inputs.RECIPES`.
        parameters: which clips.
        size: height and width of the maps; the recipe's own if None.
        seed: the same arguments give the same maps, however many processes make them; a subject's clips do not depend
            on the other subjects and data sets asked for.
        views: further rows for training, named in `variant` as "apex-1", "apex+1", "middle-1" and so on.
        processes: that work at it, where no workers are given.
        workers: who works at it.

    Returns:
        As if read from a feature file: subject after subject, a clip's views behind it. Its path is no file's.

    Raises:
        BadInput: if the recipe is unknown.
    """
    if recipe not in RECIPES:
        raise BadInput(f"input recipe {recipe!r} is unknown: use one of {', '.join(sorted(RECIPES))}")
    parameters = parameters or SyntheticClipParameters()
    jobs = [
        _Job(recipe, size or RECIPES[recipe].size, dataset, number, seed, views, parameters)
        for dataset in parameters.datasets
        for number in range(1, parameters.subjects + 1)
    ]
    parts = dict((workers or LocalWorkers(processes)).run(_subject_rows, jobs))
    rows = [row for place in range(len(jobs)) for row in parts[place]]
    return FeatureFile(
        path=Path(f"synthetic-{recipe}"),
        x=np.stack([row.x for row in rows]),
        y=np.array([row.y for row in rows], np.int64),
        label_names=LABEL_NAMES,
        recipe=recipe,
        **{name: np.array([getattr(row, name) for row in rows]) for name in ("subject", "dataset", "clip", "variant")},
    )


class _Job(NamedTuple):
    """One subject's clips."""

    recipe: str
    size: Size
    dataset: str
    number: int
    seed: int
    views: Views
    parameters: SyntheticClipParameters


class _Row(NamedTuple):
    x: UInt8[np.ndarray, "H W C"]
    y: int
    subject: str
    dataset: str
    clip: str
    variant: str


def _subject_rows(job: _Job) -> list[_Row]:
    clips = subject_sequences(
        job.dataset, job.number, job.parameters.clips_per_subject, job.seed, job.parameters.sequence
    )
    return [
        _Row(x, clip.label, clip.subject, job.dataset, clip.name, variant)
        for clip in clips
        for variant, x in _maps(clip, job)
    ]


def _maps(clip: GraySequence, job: _Job) -> list[tuple[str, UInt8[np.ndarray, "H W C"]]]:
    """The clip's own map and its further views'."""
    onset, offset = clip.frame(0), clip.frame(clip.frame_count - 1)
    magnified = _magnified(clip) if job.recipe == "edssnet" else None
    maps = []
    for variant, index in ((ITSELF, clip.apex), *views_of(clip.frame_count, clip.apex, job.views)):
        images = EventImages(
            onset=onset,
            apex=clip.frame(index),
            offset=offset,
            magnified_apex=None if magnified is None else magnified[index],
        )
        maps.append((variant, feature_map(job.recipe, images, job.size)))
    return maps


def views_of(frames: int, apex: int, views: Views) -> list[tuple[str, int]]:
    """Further frames of a clip that are taken as its apex.

    Args:
        frames: of the clip, the onset the first and the offset the last.
        apex: 0-based.
        views: which.

    Returns:
        Names and 0-based indices, without the apex itself and without the onset, from which nothing has moved.

    Reference:
        The frames beside the apex: EDSSNet; the middle fifth: MADTN.
    """
    named: list[tuple[str, int]] = []
    if views == "neighbours":
        named = [("apex-1", apex - 1), ("apex+1", apex + 1)]
    if views == "middle":
        count = max(1, round(_MIDDLE_SHARE * frames))
        begin = max(1, (frames - count) // 2)
        middle = [index for index in range(begin, begin + count) if index != apex]
        named = [(f"middle-{number}", index) for number, index in enumerate(middle, start=1)]
    return [(name, index) for name, index in named if 0 < index < frames]


def _magnified(clip: GraySequence) -> UInt8[np.ndarray, "T 304 256"]:
    # Brings SciPy's filters in, which take a second to load, and only EDSSNet comes here.
    from engines.magnification import magnify

    magnified: np.ndarray = magnify(clip.frames(), clip.camera.frame_rate_hz)
    return magnified
