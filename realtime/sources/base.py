"""What every source of frames has in common, and the faults of live ones."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from engines.errors import OnsetError
from realtime.frames import Frame


class SourceStalled(OnsetError):
    """A live source is still open but has given no frame for longer than it may; raised by `Capture`."""


class SourceLost(OnsetError):
    """A live source went away, cut off or unplugged. Frames read before stay valid."""


class Source(ABC):
    """Frames in time order: `open`, `read` until it gives None, `close`.

    A context manager that opens and closes, and iterable while it is open. Not thread-safe: the thread that
    opened it may hand it to another one, but only one uses it at a time.
    """

    name: str
    """What the user called it: a path, an address or a camera's number."""
    live: bool = False
    """True when frames are lost unless they are read in time."""
    frame_rate_hz: float | None = None
    """Nominal frame rate, None when unknown. For display and for choosing filters, never for times."""
    frame_count: int | None = None
    """Number of frames, maybe an estimate, None when unknown. For a progress bar only."""
    width: int = 0
    """Width of the frames, pixels; known once open."""
    height: int = 0
    """Height of the frames, pixels; known once open."""
    fault: str | None = None
    """What was found damaged while reading, in one line; None as long as everything could be read."""

    @property
    def dropped(self) -> int:
        """Frames known to be lost before they could be read, such as those that a network had no room for."""
        return 0

    @property
    @abstractmethod
    def description(self) -> dict[str, Any]:
        """The source as `session.json` tells it: kind, what was asked for and found; JSON values."""

    @abstractmethod
    def open(self) -> None:
        """Make ready to read.

        Raises:
            BadInput: if it cannot be opened; one line with the reason and the remedy.
        """

    @abstractmethod
    def read(self) -> Frame | None:
        """The next frame, or None after the last one.

        Raises:
            BadInput: if what follows cannot be used; the frames before stay valid.
            SourceLost: if a live source went away.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files, devices and connections; safe to call twice."""

    def interrupt(self) -> None:  # noqa: B027 - most sources return from a read by themselves
        """Make an `open` or `read` that waits return soon; the one method that any thread may call at any time."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self.read()) is not None:
            yield frame
