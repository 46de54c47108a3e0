"""Which spotted interval hits which true one: MEGC's rule, and two ways to settle it where several could.

A spotted interval hits a true one of the same video when their intersection over union is at least 0.5; a truth
counts for one event and an event for one truth. Lengths are time, offset − onset: counting frames inclusively,
offset − onset + 1 as some published code does, makes every overlap a little larger.

Reference:
    Li et al., MEGC2022: ACM Multimedia 2022 Micro-Expression Grand Challenge, 2022.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import linear_sum_assignment

from realtime.events import Kind, intersection_over_union

MINIMUM_IOU = 0.5
"""Intersection over union from which a spotted interval is a hit."""

Which = Literal["micro", "macro", "all"]

Matching = Literal["best", "first"]
"""How truths and events are paired: "best" takes the pairing with the most hits and, among those, the largest summed
overlap (an assignment problem, solved exactly), so that the order of the intervals does not matter. "first" is the
greedy way of published code: in the order of their onsets, each event takes the truth that it overlaps most, and is a
false alarm where an earlier event took that one."""


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
class Hit:
    """A truth with the event that hit it."""

    truth: Interval
    event: Interval
    iou: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What became of every truth and every event."""

    hits: tuple[Hit, ...]
    missed: tuple[Interval, ...]
    """Truths that no event hit."""
    false_alarms: tuple[Interval, ...]
    """Events that hit no truth."""


def match_intervals(
    truths: Sequence[tuple[float, float]],
    events: Sequence[tuple[float, float]],
    minimum_iou: float = MINIMUM_IOU,
    matching: Matching = "best",
) -> list[Match]:
    """Pair spotted intervals with true ones of one video.

    Args:
        truths: onset and offset, any one unit of time.
        events: onset and offset, the same unit.
        minimum_iou: intersection over union from which a pair is a hit.
        matching: how to choose where an interval could go with several; see `Matching`.

    Returns:
        The hits, in order of truths.
    """
    if not truths or not events:
        return []
    overlap = np.array([[intersection_over_union(truth, event) for event in events] for truth in truths])
    # 1/2 and its like must not fail by a rounding error of the division.
    hit = overlap >= minimum_iou - 1e-9
    if matching == "best":
        pairs = _best(overlap, hit)
    else:
        pairs = _first(overlap, hit, order=sorted(range(len(events)), key=lambda event: events[event]))
    return [Match(truth, event, float(overlap[truth, event])) for truth, event in sorted(pairs)]


def pair_up(
    truths: Sequence[Interval],
    events: Sequence[Interval],
    *,
    which: Which = "all",
    minimum_iou: float = MINIMUM_IOU,
    matching: Matching = "best",
) -> Pairing:
    """Pair the events of any number of videos with the truths of the same videos.

    Args:
        truths: true expressions.
        events: spotted expressions.
        which: "micro" or "macro" takes truths of that kind and events reported as that kind alone; "all" ignores
            kinds.
        minimum_iou: intersection over union from which an event is a hit.
        matching: how to choose where an interval could go with several.

    Returns:
        Hits, missed truths and false alarms, video by video in the order of their names.
    """
    hits: list[Hit] = []
    missed: list[Interval] = []
    false_alarms: list[Interval] = []
    for video in sorted({interval.video for interval in (*truths, *events)}):
        own_truths = [truth for truth in truths if truth.video == video and which in ("all", truth.kind)]
        own_events = [event for event in events if event.video == video and which in ("all", event.kind)]
        matches = match_intervals(
            [(truth.onset_s, truth.offset_s) for truth in own_truths],
            [(event.onset_s, event.offset_s) for event in own_events],
            minimum_iou,
            matching,
        )
        hits += [Hit(truth=own_truths[one.truth], event=own_events[one.event], iou=one.iou) for one in matches]
        found, used = {one.truth for one in matches}, {one.event for one in matches}
        missed += [truth for place, truth in enumerate(own_truths) if place not in found]
        false_alarms += [event for place, event in enumerate(own_events) if place not in used]
    return Pairing(hits=tuple(hits), missed=tuple(missed), false_alarms=tuple(false_alarms))


def _best(overlap: Float[np.ndarray, "T E"], hit: Bool[np.ndarray, "T E"]) -> list[tuple[int, int]]:
    """Most hits and, among those, the largest summed overlap."""
    # One hit more outweighs any gain in overlap.
    gain = np.where(hit, min(overlap.shape) + 1.0 + overlap, 0.0)
    pairs = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    return [(int(truth), int(event)) for truth, event in pairs if hit[truth, event]]


def _first(
    overlap: Float[np.ndarray, "T E"], hit: Bool[np.ndarray, "T E"], order: Sequence[int]
) -> list[tuple[int, int]]:
    """Each event in turn takes the truth that it overlaps most, unless that one is taken."""
    taken: dict[int, int] = {}
    for event in order:
        truth = int(overlap[:, event].argmax())
        if hit[truth, event]:
            taken.setdefault(truth, event)
    return list(taken.items())
