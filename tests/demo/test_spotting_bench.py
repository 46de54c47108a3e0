"""The spotting bench: its plan, its figures and its table, with films replaced by known outcomes."""

import json
from dataclasses import replace

import pytest

from demo.benchmarks import spotting
from demo.benchmarks.spotting import Outcome, Take
from trainers.metrics.spotting import Interval

TRUTHS = ((2.0, 2.2, 2.4), (5.0, 5.15, 5.3))


def played(take: Take, *, shift_s: float = 0.0) -> Outcome:
    """Both expressions spotted, `shift_s` late; nothing on a neutral face."""
    moments = () if take.condition == "neutral" else TRUTHS
    truths = [Interval(video=take.name, onset_s=a, apex_s=b, offset_s=c) for a, b, c in moments]
    late = [
        replace(
            one, onset_s=one.onset_s + shift_s, apex_s=(one.apex_s or 0.0) + shift_s, offset_s=one.offset_s + shift_s
        )
        for one in truths
    ]
    return Outcome(take=take, truths=truths, events=late, rejected=1)


@pytest.fixture
def take() -> Take:
    return Take(condition="still", rate_hz=30.0, seed=1, identity=1, duration_s=10.0)


def test_the_plan_covers_every_condition_and_rate_and_is_as_long_as_asked() -> None:
    takes = spotting.plan(5.5, spotting.RATES_HZ, spotting.CONDITIONS)
    assert len({take.name for take in takes}) == len(takes) == 20
    assert {take.rate_hz for take in takes if take.condition == "neutral"} == set(spotting.RATES_HZ)
    assert sum(take.duration_s for take in takes) == pytest.approx(330.0, abs=1.0)


def test_a_perfect_run_scores_one_and_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spotting, "play", played)
    result = spotting.run(quick=True)
    assert result["overall"]["micro"]["f1"] == 1.0
    assert result["at_rest"]["false_alarms"] == 0
    pairs = result["thirty_against_two_hundred_hz"]
    assert set(pairs) == {"still, h264", "still, h264-lossless", "moving, h264", "moving, h264-lossless"}
    assert all(pair["largest_ms"] == 0.0 for pair in pairs.values())
    assert json.loads(json.dumps(result)) == result
    table = spotting.render(result)
    assert "overall" in table
    assert "2 of 2 expressions within one 30 Hz frame" in table


def test_misses_and_false_alarms_lower_the_score(take: Take) -> None:
    late = spotting.scored([played(take, shift_s=0.2)])
    assert late.true_positives == 0
    assert late.false_positives == late.false_negatives == 2


def test_rates_are_compared_by_their_worst_moment(take: Take) -> None:
    first, second = played(take), played(take, shift_s=0.04)
    assert spotting.rate_differences(first, second) == pytest.approx([40.0, 40.0])
