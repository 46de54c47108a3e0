"""The arrays of one face's sliding window, as the kernels take them.

The names of their columns are the constants of `window_kernel`.
"""

from typing import NamedTuple

import numpy as np


class WindowState(NamedTuple):
    """All arrays of one face's window: R regions, N ticks of memory, x and y interleaved along 2R."""

    raw: np.ndarray
    """(N, 2R) float32: displacement on the grid, 0 where unreadable, pixels."""
    valid: np.ndarray
    """(N, 2R) float32: 1 where readable."""
    smooth: np.ndarray
    """(N, 2R) float32: low-passed displacement, NaN where unreadable, pixels."""
    taps: np.ndarray
    """(2H + 1,) float32: the low-pass."""
    last: np.ndarray
    """(2R,) float32: the latest sample."""
    clock: np.ndarray
    """(8,) int64: ORIGIN and LAST_TIME in nanoseconds, then tick and sample counters; HOLE is the latest tick at which
    anything was unreadable."""
    samples: np.ndarray
    """(M, 3) int64: index, time_ns and captured_ns of the samples seen."""
    rest: np.ndarray
    """(2, 2R) float32: rest position by bank, pixels."""
    rest_entries: np.ndarray
    """(2, 2R, B) float32: what `rest` is the median of, a ring."""
    rest_ordered: np.ndarray
    """(2, 2R, B) float32: the same in rising order."""
    rest_count: np.ndarray
    """(2, R) int64: entries ever written."""
    noise_entries: np.ndarray
    """(2, 2R, E) float32: by bank, how far quiet movement departs from the line between its neighbours, pixels; a
    ring."""
    noise_count: np.ndarray
    """(2, R) int64: entries ever written."""
    limit: np.ndarray
    """(2, 2R) float32: by bank, how far x and y must move to count, pixels; an edge pins down one of them only."""
    magnitude: np.ndarray
    """(2, R + 1) float32: movement from rest at the settled tick, 1 at the limit."""
    phase: np.ndarray
    """(2, R + 1) int64: IDLE, OPEN or LOW."""
    ticks: np.ndarray
    """(2, R + 1, 7) int64: OPENED, PEAK_TICK, LOW_TICK, LOWEST_TICK, UNREAD, BUSY, QUIET."""
    levels: np.ndarray
    """(2, R + 1, 2) float32: PEAK, LOWEST, 1 at the limit."""
    closings: np.ndarray
    """(Q, 7) int64: candidates that closed during the latest call."""
    taps_out: np.ndarray
    """(2,) float32: strength and threshold of the latest sample."""
    durations: np.ndarray
    """(16,) int64."""
    fractions: np.ndarray
    """(7,) float32."""
