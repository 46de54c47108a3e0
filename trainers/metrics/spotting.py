"""How well spotted intervals meet the true ones: MEGC's counts and scores, and what a live user feels.

Intervals are paired as `trainers.metrics.interval_matching` says; hits, false alarms and misses are pooled over all
videos. STRS multiplies the F1 of spotting with the F1 of naming what was spotted, the harmonic mean of precision and
recall averaged over the classes, counted over the hits alone.

Reference:
    Li et al., MEGC2022: ACM Multimedia 2022 Micro-Expression Grand Challenge, 2022.
    Yap et al., 3D-CNN for facial micro- and macro-expression spotting on long video sequences using temporal
    oriented reference frame, 2021, for the pooled F1 of micro, macro and all.
    Liong, See and Chan, Spot-then-recognize: a micro-expression analysis network for seamless evaluation of long
    videos, Signal Processing: Image Communication 110, 2023, for STRS.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainers.metrics.interval_matching import (
    MINIMUM_IOU,
    Interval,
    Match,
    Matching,
    Pairing,
    Which,
    match_intervals,
    pair_up,
)

__all__ = [
    "MINIMUM_IOU",
    "Analysis",
    "Interval",
    "Match",
    "Matching",
    "SpottingScore",
    "TimingError",
    "Which",
    "match_intervals",
    "score_pairing",
    "score_spotting",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingError:
    """Absolute error of one moment over the hits, milliseconds; NaN without hits."""

    median_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Labels of the hits: precision and recall averaged over classes."""

    precision: float
    recall: float
    accuracy: float
    hits: int
    """Hits that carry a true and a spotted label."""

    @property
    def f1(self) -> float:
        """Harmonic mean of the averaged precision and the averaged recall."""
        return _harmonic(self.precision, self.recall)

    def as_record(self) -> dict[str, Any]:
        """The figures as plain values for JSON."""
        return {
            "hits": self.hits,
            "accuracy": self.accuracy,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SpottingScore:
    """Spotting of one kind of expression, pooled over all videos."""

    true_positives: int
    false_positives: int
    false_negatives: int
    onset: TimingError
    apex: TimingError
    offset: TimingError
    mean_iou: float
    """Mean intersection over union of the hits; NaN without hits."""
    analysis: Analysis | None
    """Averaged over the classes that occur among the hits; None where no hit carries labels."""
    analysis_of_all_labels: Analysis | None
    """Averaged over every class that occurs among truths and events, as the challenge's own script does: a class
    without a hit counts 0. None where no hit carries labels."""
    duration_s: float | None
    """Length of all videos; None where it is not known."""

    @property
    def precision(self) -> float:
        """Share of events that hit; 0 without events."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """Share of truths that were hit; 0 without truths."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where there is no hit."""
        return _harmonic(self.precision, self.recall)

    @property
    def false_alarms_per_minute(self) -> float | None:
        """Events that hit nothing, a minute of video; None where the length is not known."""
        return None if not self.duration_s else self.false_positives * 60.0 / self.duration_s

    @property
    def strs(self) -> float | None:
        """Spot-then-recognise score of MEGC: F1 of spotting times F1 of analysis; None without labels."""
        return None if self.analysis is None else self.f1 * self.analysis.f1

    @property
    def strs_of_all_labels(self) -> float | None:
        """The same with `analysis_of_all_labels`: lower as soon as a class is never hit."""
        return None if self.analysis_of_all_labels is None else self.f1 * self.analysis_of_all_labels.f1

    def as_record(self) -> dict[str, Any]:
        """The score as plain values for JSON; NaN becomes None."""
        return {
            "true_positives": self.true_positives,
            "false_positives": self.false_positives,
            "false_negatives": self.false_negatives,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "mean_iou": _plain(self.mean_iou),
            **{
                f"{moment}_error_ms": {"median": _plain(error.median_ms), "p95": _plain(error.p95_ms)}
                for moment, error in (("onset", self.onset), ("apex", self.apex), ("offset", self.offset))
            },
            "false_alarms_per_minute": self.false_alarms_per_minute,
            "analysis": None if self.analysis is None else self.analysis.as_record(),
            "strs": self.strs,
            "analysis_of_all_labels": None
            if self.analysis_of_all_labels is None
            else self.analysis_of_all_labels.as_record(),
            "strs_of_all_labels": self.strs_of_all_labels,
        }


def score_spotting(
    truths: Sequence[Interval],
    events: Sequence[Interval],
    *,
    which: Which = "all",
    durations_s: Mapping[str, float] | None = None,
    minimum_iou: float = MINIMUM_IOU,
    matching: Matching = "best",
) -> SpottingScore:
    """Score spotted expressions against the true ones.

    Args:
        truths: true expressions of any number of videos.
        events: spotted expressions of the same videos.
        which: "micro" or "macro" takes truths of that kind and events reported as that kind alone, so that a
            micro-expression reported as macro is a miss and a false alarm there; "all" ignores kinds.
        durations_s: length of each video, for the false alarms a minute.
        minimum_iou: intersection over union from which an event is a hit.
        matching: how to choose where an interval could go with several.

    Returns:
        The pooled score.
    """
    pairing = pair_up(truths, events, which=which, minimum_iou=minimum_iou, matching=matching)
    return score_pairing(pairing, sum(durations_s.values()) if durations_s else None)


def score_pairing(pairing: Pairing, duration_s: float | None = None) -> SpottingScore:
    """Score truths and events that are already paired.

    Args:
        pairing: what became of each.
        duration_s: length of all videos, for the false alarms a minute.

    Returns:
        The pooled score.
    """
    hits = pairing.hits
    apexes = [(hit.event.apex_s, hit.truth.apex_s) for hit in hits]
    labels = [(hit.truth.label, hit.event.label) for hit in hits if hit.truth.label and hit.event.label]
    everything = (*(side for hit in hits for side in (hit.truth, hit.event)), *pairing.missed, *pairing.false_alarms)
    return SpottingScore(
        true_positives=len(hits),
        false_positives=len(pairing.false_alarms),
        false_negatives=len(pairing.missed),
        onset=_timing([hit.event.onset_s - hit.truth.onset_s for hit in hits]),
        apex=_timing([event - truth for event, truth in apexes if event is not None and truth is not None]),
        offset=_timing([hit.event.offset_s - hit.truth.offset_s for hit in hits]),
        mean_iou=float(np.mean([hit.iou for hit in hits])) if hits else float("nan"),
        analysis=_analyse(labels, (label for pair in labels for label in pair)),
        analysis_of_all_labels=_analyse(labels, (one.label for one in everything if one.label)),
        duration_s=duration_s,
    )


def _analyse(labels: Sequence[tuple[str, str]], classes: Iterable[str]) -> Analysis | None:
    """Precision and recall of true and spotted labels, each class weighing the same."""
    if not labels:
        return None
    precisions, recalls = [], []
    for name in sorted(set(classes)):
        right = sum(truth == event == name for truth, event in labels)
        precisions.append(_share(right, sum(event == name for _, event in labels)))
        recalls.append(_share(right, sum(truth == name for truth, _ in labels)))
    return Analysis(
        precision=float(np.mean(precisions)),
        recall=float(np.mean(recalls)),
        accuracy=sum(truth == event for truth, event in labels) / len(labels),
        hits=len(labels),
    )


def _timing(errors_s: Sequence[float]) -> TimingError:
    if not errors_s:
        return TimingError(median_ms=float("nan"), p95_ms=float("nan"))
    milliseconds = np.abs(np.asarray(errors_s)) * 1000.0
    return TimingError(median_ms=float(np.median(milliseconds)), p95_ms=float(np.percentile(milliseconds, 95.0)))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _harmonic(first: float, second: float) -> float:
    return 2.0 * first * second / (first + second) if first + second > 0 else 0.0


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value
