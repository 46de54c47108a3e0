"""Spotting metrics: the matcher by brute force, the scores by hand and against scikit-learn."""

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from realtime.events import Kind, intersection_over_union
from trainers.metrics.interval_matching import pair_up
from trainers.metrics.spotting import MINIMUM_IOU, Interval, Which, match_intervals, score_spotting

SPAN = st.tuples(st.integers(0, 30), st.integers(1, 12)).map(lambda pair: (float(pair[0]), float(sum(pair))))
SPANS = st.lists(SPAN, max_size=5)


def interval(
    onset_s: float,
    offset_s: float,
    *,
    video: str = "a",
    kind: Kind = "micro",
    label: str | None = None,
    apex_s: float | None = None,
) -> Interval:
    return Interval(video=video, onset_s=onset_s, offset_s=offset_s, apex_s=apex_s, kind=kind, label=label)


def best_by_trying(truths: list[tuple[float, float]], events: list[tuple[float, float]]) -> tuple[int, float]:
    """Most hits and, with those, the largest overlap, over all pairings."""
    few, many = sorted((truths, events), key=len)
    best = (0, 0.0)
    for chosen in permutations(many, len(few)):
        overlaps = [intersection_over_union(first, second) for first, second in zip(few, chosen, strict=True)]
        hits = [overlap for overlap in overlaps if overlap >= MINIMUM_IOU]
        best = max(best, (len(hits), sum(hits)))
    return best


@settings(max_examples=80, deadline=None)
@given(truths=SPANS, events=SPANS)
def test_no_pairing_is_better(truths: list[tuple[float, float]], events: list[tuple[float, float]]) -> None:
    matches = match_intervals(truths, events)
    assert len({match.truth for match in matches}) == len({match.event for match in matches}) == len(matches)
    for match in matches:
        assert match.iou == intersection_over_union(truths[match.truth], events[match.event])
        assert match.iou >= MINIMUM_IOU - 1e-9
    hits, overlap = best_by_trying(truths, events)
    assert len(matches) == hits
    assert sum(match.iou for match in matches) == pytest.approx(overlap)


@settings(max_examples=50, deadline=None)
@given(truths=SPANS, events=SPANS, shift=st.integers(-1000, 1000), data=st.data())
def test_order_and_time_do_not_matter(
    truths: list[tuple[float, float]], events: list[tuple[float, float]], shift: int, data: st.DataObject
) -> None:
    moved = [(onset + shift, offset + shift) for onset, offset in data.draw(st.permutations(events))]
    assert len(match_intervals([(a + shift, b + shift) for a, b in truths], moved)) == len(
        match_intervals(truths, events)
    )


def test_greedy_pairing_would_lose_a_hit() -> None:
    # The first event overlaps the first truth most, but only it can hit the second.
    truths, events = [(0.0, 10.0), (6.0, 14.0)], [(2.0, 12.0), (0.0, 8.0)]
    assert [(match.truth, match.event) for match in match_intervals(truths, events)] == [(0, 1), (1, 0)]


def test_half_an_overlap_is_a_hit_and_less_is_not() -> None:
    assert match_intervals([(0.0, 1.0)], [(0.0, 2.0)])
    assert match_intervals([(0.1, 0.4)], [(0.1, 0.7)])  # 0.5 up to rounding
    assert not match_intervals([(0.0, 1.0)], [(0.0, 2.01)])


def test_counts_pool_over_videos_and_never_cross_them() -> None:
    truths = [interval(1.0, 1.4), interval(5.0, 5.4), interval(1.0, 1.4, video="b"), interval(9.0, 10.0, kind="macro")]
    events = [
        interval(1.0, 1.5), interval(1.1, 1.4), interval(5.0, 5.4, video="b"), interval(9.0, 10.0, kind="macro"),
        interval(1.0, 1.4, video="c"),
    ]  # fmt: skip
    micro = score_spotting(truths, events, which="micro", durations_s={"a": 20.0, "b": 20.0, "c": 20.0})
    assert (micro.true_positives, micro.false_positives, micro.false_negatives) == (1, 3, 2)
    assert micro.precision == 1 / 4
    assert micro.recall == 1 / 3
    assert micro.f1 == pytest.approx(2 / 7)
    assert micro.false_alarms_per_minute == pytest.approx(3.0)
    both = score_spotting(truths, events)
    assert (both.true_positives, both.false_positives, both.false_negatives) == (2, 3, 2)
    assert both.false_alarms_per_minute is None


def test_a_micro_expression_reported_as_macro_is_a_miss_and_a_false_alarm() -> None:
    truths, events = [interval(1.0, 1.48)], [interval(1.0, 1.52, kind="macro")]
    micro, macro = (score_spotting(truths, events, which=which) for which in ("micro", "macro"))
    assert (micro.false_negatives, micro.false_positives) == (1, 0)
    assert (macro.false_negatives, macro.false_positives) == (0, 1)
    assert score_spotting(truths, events).f1 == 1.0


def test_errors_are_those_of_the_hits_alone() -> None:
    truths = [interval(1.0, 1.5, apex_s=1.2), interval(3.0, 3.5, apex_s=3.2), interval(8.0, 8.4, apex_s=8.2)]
    events = [interval(1.02, 1.46, apex_s=1.21), interval(2.96, 3.5, apex_s=3.23), interval(6.0, 6.4, apex_s=6.1)]
    score = score_spotting(truths, events)
    assert score.onset.median_ms == pytest.approx(30.0)
    assert score.apex.median_ms == pytest.approx(20.0)
    assert score.apex.p95_ms == pytest.approx(29.0)
    assert score.offset.median_ms == pytest.approx(20.0)
    record = score_spotting(truths, []).as_record()
    assert record["apex_error_ms"] == {"median": None, "p95": None}
    assert record["f1"] == 0.0
    assert record["strs"] is None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=20))
def test_analysis_averages_over_classes_as_scikit_learn_does(pairs: list[tuple[str, str]]) -> None:
    truths = [interval(float(at), at + 0.4, label=truth) for at, (truth, _) in enumerate(pairs)]
    events = [interval(float(at), at + 0.4, label=event) for at, (_, event) in enumerate(pairs)]
    missed = interval(900.0, 900.4, label="a")
    score = score_spotting([*truths, missed], events)
    precision, recall, _, _ = precision_recall_fscore_support(
        [truth for truth, _ in pairs], [event for _, event in pairs], average="macro", zero_division=0
    )
    assert score.analysis is not None
    assert score.analysis.precision == pytest.approx(precision)
    assert score.analysis.recall == pytest.approx(recall)
    harmonic = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    assert score.strs == pytest.approx(score.f1 * harmonic)
    assert score.f1 < 1.0


def test_a_class_that_is_never_hit_counts_nothing_among_all_labels() -> None:
    truths = [interval(1.0, 1.4, label="a"), interval(3.0, 3.4, label="b"), interval(5.0, 5.4, label="c")]
    events = [interval(1.0, 1.4, label="a"), interval(3.0, 3.4, label="a"), interval(9.0, 9.4, label="d")]
    score = score_spotting(truths, events)
    assert score.analysis is not None
    assert score.analysis_of_all_labels is not None
    # Two hits, both called a, one rightly: precision 1/2 and recall 1 for a; b, c and d have none.
    assert (score.analysis.precision, score.analysis.recall) == (1 / 4, 1 / 2)
    assert (score.analysis_of_all_labels.precision, score.analysis_of_all_labels.recall) == (1 / 8, 1 / 4)
    assert score.strs == pytest.approx(2 / 3 * 1 / 3)
    assert score.strs_of_all_labels == pytest.approx(2 / 3 * 1 / 6)
    assert score.as_record()["strs_of_all_labels"] == score.strs_of_all_labels


def test_the_first_event_keeps_the_truth_that_it_overlaps_most() -> None:
    # The later event overlaps the first truth most too, and does not go on to the second one, which it would hit.
    truths, events = [(0.0, 10.0), (6.0, 14.0)], [(2.0, 12.0), (0.0, 8.0)]
    assert [(one.truth, one.event) for one in match_intervals(truths, events, matching="first")] == [(0, 1)]
    assert len(match_intervals(truths, events)) == 2
    score = score_spotting([interval(*one) for one in truths], [interval(*one) for one in events], matching="first")
    assert (score.true_positives, score.false_positives, score.false_negatives) == (1, 1, 1)


@settings(max_examples=50, deadline=None)
@given(truths=SPANS, events=SPANS, data=st.data())
def test_greedy_pairing_never_finds_more_and_does_not_depend_on_the_order(
    truths: list[tuple[float, float]], events: list[tuple[float, float]], data: st.DataObject
) -> None:
    greedy = match_intervals(truths, events, matching="first")
    assert len({match.truth for match in greedy}) == len({match.event for match in greedy}) == len(greedy)
    assert len(greedy) <= len(match_intervals(truths, events))
    shuffled = data.draw(st.permutations(events))
    assert len(match_intervals(truths, shuffled, matching="first")) == len(greedy)


@settings(max_examples=50, deadline=None)
@given(truths=SPANS, events=SPANS, which=st.sampled_from(["micro", "macro", "all"]))
def test_every_truth_and_every_event_ends_in_one_place(
    truths: list[tuple[float, float]], events: list[tuple[float, float]], which: Which
) -> None:
    kinds: tuple[Kind, Kind] = ("micro", "macro")
    all_truths = [interval(*one, video="ab"[at % 2], kind=kinds[at % 2]) for at, one in enumerate(truths)]
    all_events = [interval(*one, video="ab"[at // 2 % 2], kind=kinds[at % 2]) for at, one in enumerate(events)]
    pairing = pair_up(all_truths, all_events, which=which)
    kept = [[one for one in side if which in ("all", one.kind)] for side in (all_truths, all_events)]
    assert Counter([*(hit.truth for hit in pairing.hits), *pairing.missed]) == Counter(kept[0])
    assert Counter([*(hit.event for hit in pairing.hits), *pairing.false_alarms]) == Counter(kept[1])
    assert all(hit.truth.video == hit.event.video for hit in pairing.hits)
