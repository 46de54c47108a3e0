"""How well spotted intervals meet the true ones: MEGC's interval matching, and what a live user feels.

A spotted interval hits a true one of the same video when their intersection over union is at least 0.5; a truth
counts for one event and an event for one truth. Among all ways of pairing them the one with the most hits is taken
and, among those, the one with the largest overlap (an assignment problem, solved exactly), so the result does
not depend on the order of the intervals. Hits, false alarms and misses are pooled over all videos.

Reference:
    Li et al., MEGC2022: ACM Multimedia 2022 Micro-Expression Grand Challenge, 2022.
    Yap et al., 3D-CNN for facial micro- and macro-expression spotting on long video sequences using temporal
    oriented reference frame, 2021, for the pooled F1 of micro, macro and all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from realtime.events import Kind, intersection_over_union

MINIMUM_IOU = 0.5
"""Intersection over union from which a spotted interval is a hit."""

Which = Literal["micro", "macro", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A true or a spotted expression."""

    video: str
    onset_s: float
    offset_s: float
    apex_s: float | None = None
    kind: Kind = "micro"
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A hit: positions of the truth and of the event in their lists."""

    truth: int
    event: int
    iou: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingError:
    """Absolute error of one moment over the hits, milliseconds; NaN without hits."""

    median_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Labels of the hits: precision and recall averaged over the classes that occur among them."""

    precision: float
    recall: float
    accuracy: float
    hits: int
    """Hits that carry a true and a spotted label."""

    @property
    def f1(self) -> float:
        """Harmonic mean of the averaged precision and the averaged recall."""
        return _harmonic(self.precision, self.recall)


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
    """None where no hit carries labels."""
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

    def as_record(self) -> dict[str, Any]:
        """The score as plain values for JSON; NaN becomes None."""
        analysis = self.analysis
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
            "analysis": None
            if analysis is None
            else {
                "hits": analysis.hits,
                "accuracy": analysis.accuracy,
                "precision": analysis.precision,
                "recall": analysis.recall,
                "f1": analysis.f1,
            },
            "strs": self.strs,
        }


def match_intervals(
    truths: Sequence[tuple[float, float]],
    events: Sequence[tuple[float, float]],
    minimum_iou: float = MINIMUM_IOU,
) -> list[Match]:
    """Pair spotted intervals with true ones of one video.

    Args:
        truths: onset and offset, any one unit of time.
        events: onset and offset, the same unit.
        minimum_iou: intersection over union from which a pair is a hit.

    Returns:
        The pairing with the most hits, among those the one with the largest summed overlap; in order of truths.
    """
    if not truths or not events:
        return []
    overlap = np.array([[intersection_over_union(truth, event) for event in events] for truth in truths])
    # 1/2 and its like must not fail by a rounding error of the division.
    hit = overlap >= minimum_iou - 1e-9
    # One hit more outweighs any gain in overlap.
    gain = np.where(hit, min(len(truths), len(events)) + 1.0 + overlap, 0.0)
    pairs = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    return [Match(int(t), int(e), float(overlap[t, e])) for t, e in pairs if hit[t, e]]


def score_spotting(
    truths: Sequence[Interval],
    events: Sequence[Interval],
    *,
    which: Which = "all",
    durations_s: Mapping[str, float] | None = None,
    minimum_iou: float = MINIMUM_IOU,
) -> SpottingScore:
    """Score spotted expressions against the true ones.

    Args:
        truths: true expressions of any number of videos.
        events: spotted expressions of the same videos.
        which: "micro" or "macro" takes truths of that kind and events reported as that kind alone, so that a
            micro-expression reported as macro is a miss and a false alarm there; "all" ignores kinds.
        durations_s: length of each video, for the false alarms a minute.
        minimum_iou: intersection over union from which an event is a hit.

    Returns:
        The pooled score.
    """
    kept_truths = [truth for truth in truths if which in ("all", truth.kind)]
    kept_events = [event for event in events if which in ("all", event.kind)]
    hits: list[tuple[Interval, Interval, float]] = []
    for video in sorted({interval.video for interval in (*kept_truths, *kept_events)}):
        own_truths = [truth for truth in kept_truths if truth.video == video]
        own_events = [event for event in kept_events if event.video == video]
        matches = match_intervals(
            [(truth.onset_s, truth.offset_s) for truth in own_truths],
            [(event.onset_s, event.offset_s) for event in own_events],
            minimum_iou,
        )
        hits += [(own_truths[match.truth], own_events[match.event], match.iou) for match in matches]
    return SpottingScore(
        true_positives=len(hits),
        false_positives=len(kept_events) - len(hits),
        false_negatives=len(kept_truths) - len(hits),
        onset=_timing([event.onset_s - truth.onset_s for truth, event, _ in hits]),
        apex=_timing(
            [
                event.apex_s - truth.apex_s
                for truth, event, _ in hits
                if event.apex_s is not None and truth.apex_s is not None
            ]
        ),
        offset=_timing([event.offset_s - truth.offset_s for truth, event, _ in hits]),
        mean_iou=float(np.mean([iou for *_, iou in hits])) if hits else float("nan"),
        analysis=_analyse([(t.label, e.label) for t, e, _ in hits if t.label and e.label]),
        duration_s=sum(durations_s.values()) if durations_s else None,
    )


def _analyse(labels: Sequence[tuple[str | None, str | None]]) -> Analysis | None:
    if not labels:
        return None
    classes = sorted({str(label) for pair in labels for label in pair})
    precisions, recalls = [], []
    for name in classes:
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
