"""Time is integer nanoseconds inside and seconds at the edges."""

import time
from typing import Protocol, runtime_checkable

NANOSECONDS = 1_000_000_000


@runtime_checkable
class Clock(Protocol):
    """What stamps a frame; tests pass one that they move by hand."""

    def now_ns(self) -> int:
        """Nanoseconds since an arbitrary start, never going back."""

    def sleep_until(self, time_ns: int) -> None:
        """Return when `now_ns` has reached `time_ns`."""


class MonotonicClock:
    """The operating system's monotonic clock."""

    def now_ns(self) -> int:
        """Nanoseconds since an arbitrary start, never going back."""
        return time.monotonic_ns()

    def sleep_until(self, time_ns: int) -> None:
        """Return when `now_ns` has reached `time_ns`."""
        remaining_ns = time_ns - self.now_ns()
        if remaining_ns > 0:
            time.sleep(remaining_ns / NANOSECONDS)


def to_seconds(time_ns: int) -> float:
    """Nanoseconds as seconds."""
    return time_ns / NANOSECONDS


def to_nanoseconds(time_s: float) -> int:
    """Seconds as the nearest whole number of nanoseconds."""
    return round(time_s * NANOSECONDS)
