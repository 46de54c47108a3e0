"""Curves of the report: thinned without losing a peak, broken where nothing was seen; and its words."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.report import curves
from realtime.report.wording import (
    clock_time,
    counted,
    length,
    milliseconds,
    short_time,
    without_numbers,
)

SPAN = curves.Span(0.0, 10.0)


@given(seed=st.integers(0, 2**16), rows=st.integers(1, 3000), buckets=st.integers(1, 300), missing=st.floats(0.0, 0.9))
def test_thinning_keeps_every_peak_and_nothing_unseen(seed: int, rows: int, buckets: int, missing: float) -> None:
    noise = np.random.default_rng(seed)
    time_s = np.sort(noise.uniform(0, 10, rows))
    values = noise.gamma(1.0, 1.0, rows)
    values[noise.random(rows) < missing] = np.nan
    kept = curves.thinned(time_s, values, SPAN, buckets)
    seen = values[np.isfinite(values)]
    assert len(kept) <= max(2 * buckets, 1)
    assert (np.diff(kept) > 0).all()
    assert np.isfinite(values[kept]).all()
    if len(seen):
        assert values[kept].max() == seen.max()
        assert values[kept].min() == seen.min()


def test_a_single_frame_peak_is_in_the_path() -> None:
    time_s = np.arange(60_000) / 100
    values = np.full(60_000, 0.1)
    values[31_415] = 2.0
    path = curves.path(time_s, values, curves.Span(0.0, 600.0), 2.0, buckets=1000)
    heights = [float(pair.split()[1]) for pair in re.findall(r"\d+ [\d.]+", path)]
    assert min(heights) == 0.0
    assert len(heights) < 2010


def test_a_gap_breaks_the_curve_and_a_short_one_does_not() -> None:
    time_s = np.arange(1000) / 100
    values = np.ones(1000)
    values[100:110] = np.nan  # 0.1 s
    values[500:600] = np.nan  # 1 s
    assert curves.path(time_s, values, SPAN, 2.0).count("M") == 2
    assert curves.path(time_s, values, SPAN, 2.0, filled=False).count("M") == 2
    assert curves.path(time_s, np.full(1000, np.nan), SPAN, 2.0) == ""


def test_read_out_tells_the_highest_and_the_unseen() -> None:
    time_s, values = np.array([0.1, 0.2, 5.5, 9.9]), np.array([0.5, 0.75, np.nan, 0.25])
    assert curves.highest(time_s, values, SPAN, 4) == [0.75, None, None, 0.25]


def test_intervals_close_up_when_near() -> None:
    time_s = np.arange(100) / 10
    on = np.zeros(100, bool)
    on[[10, 11, 13, 50]] = True
    assert curves.intervals(time_s, on, 0.25) == [(1.0, 1.3), (5.0, 5.0)]
    assert curves.intervals(time_s, np.zeros(100, bool), 0.25) == []


@given(st.floats(0, 5000), st.floats(0.01, 40_000))
def test_ticks_are_few_and_inside(start_s: float, length_s: float) -> None:
    span = curves.Span(start_s, start_s + length_s)
    ticks = curves.ticks(span)
    assert len(ticks) <= 11
    assert all(span.start_s - 1e-6 <= tick <= span.end_s + 1e-6 for tick in ticks)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (clock_time(4.2), "0:04.20"),
        (clock_time(59.999), "1:00.00"),
        (clock_time(3723.4, decimals=0), "1:02:03"),
        (length(5.04), "5.0 s"),
        (length(603.2), "10 min 3 s"),
        (length(3720.0), "1 h 2 min"),
        (short_time(0.2401), "240 ms"),
        (short_time(1.35), "1.35 s"),
        (milliseconds(0.0113), "11 µs"),
        (milliseconds(2.94), "2.94 ms"),
        (milliseconds(1234.5), "1,234 ms"),
        (milliseconds(None), "–"),
        (counted(0, "event"), "no events"),
        (counted(1, "event"), "1 event"),
        (
            without_numbers("the eyes blinked from 1.20 s to 1.40 s; the light jumped from 1.10 s to 1.30 s"),
            "the eyes blinked; the light jumped",
        ),
    ],
)
def test_words(said: str, wanted: str) -> None:
    assert said == wanted
