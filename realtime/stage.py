"""What every stage of the pipeline keeps to: samples in, settled results out, a stated latency."""

from collections.abc import Iterator
from typing import Protocol, TypeVar, runtime_checkable

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)


@runtime_checkable
class Stage(Protocol[Input, Output]):
    """A plain object without threads, clock or library in sight; the same inputs give the same outputs."""

    @property
    def latency_s(self) -> float:
        """Longest wait between a sample and the result that it settles, seconds."""

    def push(self, sample: Input) -> Iterator[Output]:
        """Take the next sample, in time order."""

    def flush(self) -> Iterator[Output]:
        """Settle what is still open: the stream has ended."""
