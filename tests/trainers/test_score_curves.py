"""Peak picking on score curves: by hand, at its edges, and against the published counts of a published network."""

from pathlib import Path

import numpy as np
import pytest

from engines.errors import BadInput
from trainers.metrics.interval_matching import Interval, Matching
from trainers.metrics.score_curves import (
    curve_intervals,
    intervals_from_scores,
    load_score_curves,
    typical_half_length,
)
from trainers.metrics.spotting import score_spotting

BY_HAND = np.array([0, 0, 0, 4, 4, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 1, 0, 0], np.float32)
"""Smoothed over 2k = 4 frames it is 1 2 2 2 1 0 0 0 .75 1.5 1.5 1.5 .75 0 .25 .25 .25: mean 0.868, largest 2."""


def test_a_curve_picked_by_hand() -> None:
    # The plateaus at smoothed places 1–3 and 9–11 have their middles at 2 and 10, which are frames 4 and 12. The last
    # one reaches the end of the curve and is no peak.
    assert intervals_from_scores(BY_HAND, 2, threshold_share=0.5).tolist() == [[2, 4, 6], [10, 12, 14]]
    # T = 0.868 + 0.6 · 1.132 = 1.547 leaves the second one out.
    assert intervals_from_scores(BY_HAND, 2, threshold_share=0.6).tolist() == [[2, 4, 6]]


def picked_by_loops(scores: np.ndarray, k: int, share: float) -> list[int]:
    """Apexes, by the words of the module alone."""
    smooth = {frame: scores[frame - k : frame + k].mean() for frame in range(k, len(scores) - k + 1)}
    mean = np.mean(list(smooth.values()))
    threshold = mean + share * (max(smooth.values()) - mean)
    peaks = [
        frame for frame in list(smooth)[1:-1]
        if smooth[frame] > max(smooth[frame - 1], smooth[frame + 1]) and smooth[frame] >= threshold
    ]  # fmt: skip
    kept: list[int] = []
    for peak in sorted(peaks, key=lambda frame: smooth[frame], reverse=True):
        if all(abs(peak - other) >= k for other in kept):
            kept.append(peak)
    return sorted(kept)


@pytest.mark.parametrize("k", [1, 3, 8])
def test_picking_does_what_its_words_say(k: int) -> None:
    for seed in range(5):
        curve = np.random.default_rng(seed).random(200)
        assert intervals_from_scores(curve, k, threshold_share=0.3)[:, 1].tolist() == picked_by_loops(curve, k, 0.3)


def test_the_ends_of_a_curve_hold_no_peak_and_a_flat_one_counts_as_an_empty_interval() -> None:
    falling = np.linspace(1.0, 0.0, 50)
    assert intervals_from_scores(falling, 5).tolist() == [[0, 0, 0]]
    assert intervals_from_scores(falling, 5, empty_interval=False).shape == (0, 3)


def test_adding_to_a_curve_or_stretching_it_changes_nothing() -> None:
    curve = np.random.default_rng(3).random(400)
    expected = intervals_from_scores(curve, 6)
    assert len(expected) > 1
    assert (np.diff(expected[:, 1]) >= 6).all()
    np.testing.assert_array_equal(intervals_from_scores(curve * 8.0 + 2.0, 6), expected)


def test_k_is_half_the_mean_length_and_one() -> None:
    assert typical_half_length([np.array([[0, 10]]), np.array([[5, 25], [0, 30]])]) == 10  # (20 + 1) / 2
    with pytest.raises(BadInput, match="give the half length"):
        typical_half_length([np.zeros((0, 2), np.int64)])


@pytest.mark.parametrize(
    ("scores", "half_length", "share", "message"),
    [
        (np.ones(9), 5, 0.6, "9 scores are too few to be smoothed over 10"),
        (np.array([0.0, np.nan, 0.0, 1.0]), 1, 0.6, "not finite"),
        (np.ones(9), 0, 0.6, "k ≥ 1"),
        (np.ones(9), 2, 1.5, "0 ≤ p ≤ 1"),
    ],
)
def test_what_cannot_be_picked_is_named(scores: np.ndarray, half_length: int, share: float, message: str) -> None:
    with pytest.raises(BadInput, match=message) as fault:
        intervals_from_scores(scores, half_length, threshold_share=share)
    assert "\n" not in str(fault.value)


def test_a_file_gives_the_curves_of_one_kind(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "curves.npz",
        lab_micro__a__score=BY_HAND, lab_micro__a__gt=np.array([[3, 7]]),
        lab_macro__a__score=BY_HAND, lab_macro__a__gt=np.array([[3, 7]]),
        lab_macro__b__score=BY_HAND, lab_macro__b__gt=np.zeros(0),
    )  # fmt: skip
    macro = load_score_curves(tmp_path / "curves.npz", "macro")
    assert [curve.video for curve in macro] == ["lab_macro__a", "lab_macro__b"]
    truths, events = curve_intervals(macro[0], "macro", 2, threshold_share=0.5, frame_rate_hz=10.0)
    assert truths == [Interval(video="lab_macro__a", onset_s=0.3, offset_s=0.7, kind="macro")]
    assert [(event.onset_s, event.apex_s, event.offset_s) for event in events] == [(0.2, 0.4, 0.6), (1.0, 1.2, 1.4)]
    assert curve_intervals(macro[1], "macro", 2, threshold_share=0.5, frame_rate_hz=10.0)[0] == []
    assert len(load_score_curves(tmp_path / "curves.npz", "micro")) == 1


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"lab_micro__a__score": BY_HAND, "lab_micro__a__gt": np.zeros((1, 2), int)}, "no macro curve"),
        ({"lab__a__score": BY_HAND}, "no true intervals; add lab__a__gt"),
        ({"lab__a__score": np.ones((3, 2)), "lab__a__gt": np.zeros((1, 2), int)}, "one float a frame"),
        ({"lab__a__score": BY_HAND, "lab__a__gt": np.zeros(3, int)}, "give frames"),
        ({"lab__a__score": BY_HAND, "lab__a__gt": np.array([[5, 4]])}, "ends before it begins"),
        ({"lab__a__score": np.array([None], dtype=object)}, "without pickled objects"),
    ],
)
def test_files_that_are_not_curves_are_named(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    np.savez(tmp_path / "curves.npz", **arrays)
    with pytest.raises(BadInput, match=message) as fault:
        load_score_curves(tmp_path / "curves.npz", "macro")
    assert "\n" not in str(fault.value)


def test_no_file_and_another_kind_of_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        load_score_curves(tmp_path / "curves.npz", "macro")
    (tmp_path / "notes.npz").write_text("these are notes")
    np.save(tmp_path / "array.npy", BY_HAND)
    for name in ("notes.npz", "array.npy"):
        with pytest.raises(BadInput, match="cannot be read"):
            load_score_curves(tmp_path / name, "macro")


@pytest.mark.parametrize("matching", ["best", "first"])
def test_the_published_figure_of_sl_swin_comes_out(shared_data: Path, matching: Matching) -> None:
    curves = load_score_curves(shared_data / "spotting_scores_casme_sq_macro.npz", "macro")
    half_length = typical_half_length([curve.truths for curve in curves])
    assert (len(curves), half_length) == (88, 18)
    for empty_interval, false_alarms, f1 in ((True, 258, 0.2236), (False, 257, 0.2240)):
        truths, events = [], []
        for curve in curves:
            own, picked = curve_intervals(
                curve, "macro", half_length, threshold_share=0.6, frame_rate_hz=30.0, empty_interval=empty_interval
            )
            truths += own
            events += picked
        score = score_spotting(truths, events, which="macro", matching=matching)
        assert (score.true_positives, score.false_positives, score.false_negatives) == (70, false_alarms, 228)
        assert round(score.f1, 4) == f1
