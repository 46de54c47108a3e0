"""Another computer's clock, read on this one's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import BadInput
from realtime.sources.remote_clock import SETTLED, RemoteClock

AHEAD_NS = 123_456_789_000
SECOND_NS = 1_000_000_000


def exchange(clock: RemoteClock, at_ns: int, out_ns: int, home_ns: int, *, ahead_ns: int = AHEAD_NS) -> None:
    """One question and answer, with the way out and the way home of given lengths."""
    there_ns = at_ns + out_ns + ahead_ns
    clock.add(
        sent_ns=at_ns, there_ns=there_ns, back_ns=there_ns + 50_000, received_ns=at_ns + out_ns + 50_000 + home_ns
    )


@given(st.lists(st.tuples(st.integers(1, 10**8), st.integers(1, 10**8)), min_size=SETTLED, max_size=12))
def test_the_map_is_as_good_as_it_says(ways: list[tuple[int, int]]) -> None:
    clock = RemoteClock()
    for number, (out_ns, home_ns) in enumerate(ways[:SETTLED]):
        exchange(clock, number * SECOND_NS, out_ns, home_ns)
    error_ns = clock.here_ns(AHEAD_NS + 5 * SECOND_NS) - 5 * SECOND_NS
    assert clock.uncertainty_ns is not None
    assert abs(error_ns) <= clock.uncertainty_ns + 1
    assert clock.uncertainty_ns <= min(out_ns + home_ns for out_ns, home_ns in ways[:SETTLED]) // 2 + 1


def test_one_quick_exchange_is_worth_more_than_many_slow_ones() -> None:
    clock = RemoteClock()
    for number in range(SETTLED - 1):
        exchange(clock, number * SECOND_NS, 90_000_000, 1_000_000)
    exchange(clock, SETTLED * SECOND_NS, 200_000, 200_000)
    assert clock.here_ns(AHEAD_NS) == 0


def test_a_drift_is_followed_without_bending_intervals() -> None:
    clock = RemoteClock()
    drift = 50e-6
    mapped = []
    for step in range(600):
        at_ns = 2 * SECOND_NS * step
        exchange(clock, at_ns, 300_000, 300_000, ahead_ns=AHEAD_NS + round(drift * at_ns))
        mapped.append(clock.here_ns(at_ns + AHEAD_NS + round(drift * at_ns)) - at_ns)
    assert max(abs(one) for one in mapped[SETTLED:]) < 2_500_000, "twenty minutes on, a drift of 60 ms is followed"
    steps = [abs(later - one) for one, later in zip(mapped[SETTLED:], mapped[SETTLED + 1 :], strict=False)]
    assert max(steps) <= 2 * SECOND_NS * (200e-6 + drift)


def test_a_clock_that_stood_still_while_its_computer_slept_is_set_anew() -> None:
    clock = RemoteClock()
    for number in range(2 * SETTLED):
        exchange(clock, number * SECOND_NS, 100_000, 100_000)
    slept_ns = 600 * SECOND_NS
    exchange(clock, 1000 * SECOND_NS, 100_000, 100_000, ahead_ns=AHEAD_NS - slept_ns)
    assert clock.here_ns(AHEAD_NS - slept_ns + 1001 * SECOND_NS) == 1001 * SECOND_NS


def test_before_the_first_exchange_and_out_of_order_it_says_so() -> None:
    clock = RemoteClock()
    with pytest.raises(BadInput, match="not set yet"):
        clock.here_ns(5)
    with pytest.raises(BadInput, match="out of order"):
        clock.add(sent_ns=10, there_ns=5, back_ns=4, received_ns=20)
    with pytest.raises(BadInput, match="out of order"):
        clock.add(sent_ns=10, there_ns=5, back_ns=5_000_100, received_ns=20)
    assert clock.uncertainty_ns is None


def test_an_exchange_that_a_coarse_clock_makes_shorter_than_nothing_is_left_out() -> None:
    clock = RemoteClock()
    clock.add(sent_ns=0, there_ns=AHEAD_NS, back_ns=AHEAD_NS + 1_000_000, received_ns=400_000)
    assert clock.uncertainty_ns is None
    exchange(clock, SECOND_NS, 200_000, 200_000)
    clock.add(sent_ns=0, there_ns=AHEAD_NS, back_ns=AHEAD_NS + 5_000_000, received_ns=1)
    assert clock.here_ns(AHEAD_NS) == 0
    assert clock.uncertainty_ns == 200_000
