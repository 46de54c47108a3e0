"""How long each stage takes, in constant memory however long the run."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from realtime.clock import Clock

_LOWEST_MS = 0.001
_STEPS_A_DECADE = 40
_DECADES = 8


class LatencyHistogram:
    """Counts durations in logarithmic bins about 6 % wide, 1 µs to 100 s."""

    def __init__(self) -> None:
        self._counts = [0] * (_STEPS_A_DECADE * _DECADES + 1)
        self.total = 0
        """Number of durations counted."""

    def add(self, duration_ms: float) -> None:
        """Count one duration, milliseconds."""
        position = math.log10(max(duration_ms, _LOWEST_MS) / _LOWEST_MS) * _STEPS_A_DECADE
        self._counts[min(round(position), len(self._counts) - 1)] += 1
        self.total += 1

    def percentile_ms(self, percent: float) -> float:
        """Duration that `percent` of all counted ones do not exceed, milliseconds; 0 when none was counted."""
        wanted = percent / 100 * self.total
        seen = 0
        for position, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return float(_LOWEST_MS * 10 ** (position / _STEPS_A_DECADE))
        return 0.0


class Telemetry:
    """One histogram a stage; several threads may add."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._stages: dict[str, LatencyHistogram] = {}

    def add(self, stage: str, duration_ms: float) -> None:
        """Count one duration of a stage, milliseconds."""
        with self._lock:
            self._stages.setdefault(stage, LatencyHistogram()).add(duration_ms)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count the time that the body takes."""
        start_ns = self._clock.now_ns()
        yield
        self.add(stage, (self._clock.now_ns() - start_ns) / 1e6)

    def summary(self) -> dict[str, dict[str, float]]:
        """`latency_ms` of `session.json`: p50, p95 and p99 of each stage, milliseconds, and how often it ran."""
        with self._lock:
            return {
                name: {
                    **{f"p{percent}": round(histogram.percentile_ms(percent), 3) for percent in (50, 95, 99)},
                    "count": histogram.total,
                }
                for name, histogram in self._stages.items()
            }
