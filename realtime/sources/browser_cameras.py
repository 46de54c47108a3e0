"""Tickets with which a page brings its browser's camera to a run that waits for it."""

import secrets
import threading
from collections.abc import Callable

from engines.errors import BadInput
from realtime.clock import Clock, MonotonicClock, to_nanoseconds
from realtime.sources.pushed import PushedSource

EXPIRES_S = 120.0


class BrowserCameras:
    """The runs that wait for a browser's camera, or have one. Thread-safe.

    Args:
        expires_s: how long a ticket may wait for its first use.
        clock: tells when it has.
        make_source: makes the source of a ticket; a test passes one with little patience.
    """

    def __init__(
        self,
        *,
        expires_s: float = EXPIRES_S,
        clock: Clock | None = None,
        make_source: Callable[[], PushedSource] | None = None,
    ) -> None:
        self._expires_ns = to_nanoseconds(expires_s)
        self._clock = clock or MonotonicClock()
        self._make_source = make_source or (lambda: PushedSource(open_timeout_s=expires_s, clock=self._clock))
        self._lock = threading.Lock()
        self._offered: dict[str, tuple[PushedSource, int]] = {}

    def offer(self) -> tuple[str, PushedSource]:
        """A new ticket, and the source that gives what its bearer sends."""
        with self._lock:
            self._forget()
            ticket, source = secrets.token_urlsafe(24), self._make_source()
            self._offered[ticket] = source, self._clock.now_ns()
            return ticket, source

    def source(self, ticket: str) -> PushedSource:
        """The source of a ticket; it lets in one sender at a time.

        Raises:
            BadInput: if nobody offered the ticket, or its run has ended.
        """
        with self._lock:
            self._forget()
            offered = self._offered.get(ticket)
        if offered is None:
            raise BadInput("camera ticket: unknown, expired or of a run that has ended; start a new run")
        return offered[0]

    def close(self) -> None:
        """End every source."""
        with self._lock:
            sources = [source for source, _ in self._offered.values()]
            self._offered.clear()
        for source in sources:
            source.interrupt()

    def _forget(self) -> None:
        now_ns = self._clock.now_ns()
        for ticket, (source, offered_ns) in list(self._offered.items()):
            if source.state == "waiting" and now_ns - offered_ns >= self._expires_ns:
                source.interrupt()
            if source.state == "ended":
                del self._offered[ticket]
