import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.events import ExpressionEvent, RejectedMovement, intersection_over_union

TIMES = st.integers(min_value=0, max_value=10**12)
INTERVALS = st.tuples(TIMES, TIMES).map(lambda pair: (min(pair), max(pair)))


def event(**changes: object) -> ExpressionEvent:
    base = ExpressionEvent(
        face_id=1, onset_index=10, apex_index=15, offset_index=22,
        onset_ns=100_000_000, apex_ns=150_000_000, offset_ns=220_000_000,
        kind="micro", regions=("chin",), strength=1.5, threshold=0.4, settled_index=40, settled_captured_ns=7,
    )  # fmt: skip
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]  # the fields under test, by name


@given(INTERVALS, INTERVALS)
def test_overlap_is_symmetric_and_between_0_and_1(first: tuple[int, int], second: tuple[int, int]) -> None:
    overlap = intersection_over_union(first, second)
    assert 0.0 <= overlap <= 1.0
    assert overlap == intersection_over_union(second, first)
    assert intersection_over_union(first, first) == 1.0


@given(INTERVALS, INTERVALS, st.integers(min_value=-(10**12), max_value=10**12))
def test_overlap_does_not_depend_on_when(first: tuple[int, int], second: tuple[int, int], shift: int) -> None:
    moved = [(start + shift, end + shift) for start, end in (first, second)]
    assert intersection_over_union(*moved) == pytest.approx(intersection_over_union(first, second))


def test_overlap_of_known_intervals() -> None:
    assert intersection_over_union((0, 2), (1, 3)) == pytest.approx(1 / 3)
    assert intersection_over_union((0, 1), (2, 3)) == 0.0
    assert intersection_over_union((0, 0), (0, 1)) == 0.0


@pytest.mark.parametrize("times", [(2, 1, 3), (1, 3, 2), (3, 2, 1)])
def test_times_out_of_order_are_refused(times: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="out of order"):
        event(onset_ns=times[0], apex_ns=times[1], offset_ns=times[2])


def test_a_record_has_what_the_contract_names() -> None:
    record = event(event_id=3, label="surprise", probabilities={"surprise": 1.0}, latency_ms=12.0).as_record()
    assert set(record) >= {
        "event_id", "face_id", "onset_index", "apex_index", "offset_index", "onset_s", "apex_s", "offset_s", "kind",
        "label", "probabilities", "regions", "strength", "latency_ms", "checkpoint",
    }  # fmt: skip
    assert record["onset_s"] == pytest.approx(0.1)
    assert event().duration_s == pytest.approx(0.12)


def test_a_rejected_movement_says_why() -> None:
    rejected = RejectedMovement(
        face_id=1, onset_index=0, apex_index=1, offset_index=2, onset_ns=0, apex_ns=1, offset_ns=2,
        regions=("chin",), strength=0.5, threshold=0.4, reason="the eyes blinked",
    )  # fmt: skip
    assert rejected.as_record()["reason"] == "the eyes blinked"
