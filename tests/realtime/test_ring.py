"""The ring against a plain list, and its counts."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import BadInput
from realtime.ring import Ring


@given(
    capacity=st.integers(1, 8),
    capacity_bytes=st.none() | st.integers(1, 200),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("push"), st.integers(1, 4), st.integers(0, 90)),
            st.tuples(st.just("take"), st.just(0), st.just(0)),
            st.tuples(st.just("discard"), st.integers(0, 60), st.just(0)),
        ),
        max_size=60,
    ),
)
def test_ring_is_a_list_that_lets_go_of_its_oldest(
    capacity: int, capacity_bytes: int | None, steps: list[tuple[str, int, int]]
) -> None:
    ring: Ring[str] = Ring(capacity, capacity_bytes)
    model: list[tuple[int, int]] = []
    index, dropped, skipped = -1, 0, 0
    for verb, number, size in steps:
        if verb == "push":
            skipped += number - 1 if index >= 0 else 0
            index = index + number if index >= 0 else 0
            ring.push(index, f"item {index}", size)
            model.append((index, size))
            while len(model) > 1 and (
                len(model) > capacity
                or (capacity_bytes is not None and sum(size for _, size in model) > capacity_bytes)
            ):
                model.pop(0)
                dropped += 1
        elif verb == "take":
            expected = f"item {model.pop(0)[0]}" if model else None
            assert ring.take() == expected
        else:
            ring.discard_before(number)
            model = [held for held in model if held[0] >= number]
        assert len(ring) == len(model)
        assert ring.byte_count == sum(size for _, size in model)
        assert ring.oldest_index == (model[0][0] if model else None)
        held_indices = {held for held, _ in model}
        for asked in range(-1, index + 2):
            assert ring.get(asked) == (f"item {asked}" if asked in held_indices else None)
    assert (ring.dropped, ring.skipped) == (dropped, skipped)


@given(capacity=st.integers(1, 5), takes=st.lists(st.booleans(), max_size=100))
def test_gaps_in_what_is_taken_equal_the_drop_count(capacity: int, takes: list[bool]) -> None:
    ring: Ring[int] = Ring(capacity)
    taken = []
    for index, take in enumerate(takes):
        ring.push(index, index)
        if take:
            taken.append(ring.take())
    while (item := ring.take()) is not None:
        taken.append(item)
    gaps = sum(later - item - 1 for item, later in pairwise([-1, *[item for item in taken if item is not None]]))
    assert gaps == ring.dropped


def test_would_drop_tells_before_it_happens() -> None:
    ring: Ring[str] = Ring(2, 100)
    assert not ring.would_drop(1000), "one item is always taken"
    ring.push(0, "a", 60)
    assert not ring.would_drop(40)
    assert ring.would_drop(41)
    ring.push(1, "b", 10)
    assert ring.would_drop(1)


def test_indices_must_rise_and_capacity_be_positive() -> None:
    ring: Ring[str] = Ring(2)
    ring.push(3, "a")
    with pytest.raises(BadInput, match="index 3 after 3"):
        ring.push(3, "b")
    with pytest.raises(BadInput, match="at least 1"):
        Ring(0)


def test_clear_keeps_the_counts() -> None:
    ring: Ring[str] = Ring(1)
    ring.push(0, "a", 5)
    ring.push(2, "b", 5)
    ring.clear()
    assert (len(ring), ring.byte_count, ring.dropped, ring.skipped, ring.newest_index) == (0, 0, 1, 1, 2)


def test_pushing_and_taking_from_two_threads_loses_nothing() -> None:
    ring: Ring[int] = Ring(16)
    taken: list[int] = []
    finished = threading.Event()

    def consume() -> None:
        while not finished.is_set() or len(ring):
            item = ring.take()
            if item is not None:
                taken.append(item)

    consumer = threading.Thread(target=consume, name="onset-test-consumer")
    consumer.start()
    for index in range(5000):
        ring.push(index, index)
    finished.set()
    consumer.join()
    assert taken == sorted(taken)
    assert len(taken) + ring.dropped == 5000
