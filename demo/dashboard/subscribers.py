"""Who listens to the live run: each with a queue of its own, so that nobody waits for anybody."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Message = dict[str, Any]

MOST_WAITING = 1000
"""Messages that may wait for one listener; who is further behind is let go, and gets everything when it comes back."""
TOO_SLOW = "too slow: more messages waited than are kept; connect again"
CLOSING = "the dashboard is closing"


class Subscriber:
    """Messages for one listener, in order. Thread-safe; nothing in it ever waits.

    Args:
        wake: called, in any thread, when there is something to take; must be quick.
        most_waiting: messages that may wait.
    """

    def __init__(self, wake: Callable[[], None], *, most_waiting: int = MOST_WAITING) -> None:
        self.closed: str | None = None
        """Why nothing more comes, in words; None while it does."""
        self._wake = wake
        self._most = most_waiting
        self._waiting: deque[Message] = deque()
        self._lock = threading.Lock()

    def post(self, message: Message) -> None:
        """Add a message; a listener that has too many waiting is closed instead."""
        with self._lock:
            if self.closed is not None:
                return
            if len(self._waiting) >= self._most:
                self.closed = TOO_SLOW
                self._waiting.clear()
            else:
                self._waiting.append(message)
        self.wake()

    def take(self) -> list[Message]:
        """All that waits, oldest first."""
        with self._lock:
            taken = list(self._waiting)
            self._waiting.clear()
        return taken

    def close(self, reason: str = CLOSING) -> None:
        """Say that nothing more comes; what waits can still be taken."""
        with self._lock:
            self.closed = self.closed or reason
        self.wake()

    def wake(self) -> None:
        """Tell the listener to look."""
        with suppress(RuntimeError):  # its event loop has ended
            self._wake()


class Subscribers:
    """Everybody who listens to one thing; thread-safe."""

    def __init__(self) -> None:
        self._all: tuple[Subscriber, ...] = ()
        self._lock = threading.Lock()

    def add(self, subscriber: Subscriber) -> None:
        """Let one more listen."""
        with self._lock:
            self._all = (*self._all, subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """Let one go; unknown ones are no fault."""
        with self._lock:
            self._all = tuple(one for one in self._all if one is not subscriber)

    def post(self, message: Message) -> None:
        """Give a message to everybody."""
        for subscriber in self._all:
            subscriber.post(message)

    def close(self) -> None:
        """Tell everybody that nothing more comes, and forget them."""
        with self._lock:
            everybody, self._all = self._all, ()
        for subscriber in everybody:
            subscriber.close()

    def __len__(self) -> int:
        """How many listen."""
        return len(self._all)
