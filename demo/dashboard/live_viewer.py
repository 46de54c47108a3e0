"""Somebody who looks at the live view: messages in order, and of the preview the newest frame only."""

import threading
from collections.abc import Callable

from demo.dashboard.subscribers import MOST_WAITING, Subscriber

UNDER_WAY = 2
"""Frames on their way to a viewer that it has not yet drawn; no more are sent before it says so."""


class LiveViewer(Subscriber):
    """One page that shows the live view.

    Args:
        wake: called when there is something to take.
        most_waiting: messages that may wait.
    """

    def __init__(self, wake: Callable[[], None], *, most_waiting: int = MOST_WAITING) -> None:
        super().__init__(wake, most_waiting=most_waiting)
        self.last_row = -1
        """Number of the last sample that a frame has brought it."""
        self._picture: tuple[int, bytes] | None = None
        self._under_way: list[int] = []
        self._on_want: Callable[[], None] = lambda: None
        self._pictures = threading.Lock()

    @property
    def wants_picture(self) -> bool:
        """Whether the next frame of the preview would reach it at once."""
        with self._pictures:
            return self.closed is None and self._picture is None and len(self._under_way) < UNDER_WAY

    def when_wanting(self, tell: Callable[[], None]) -> None:
        """Have somebody told when the viewer can take a frame again.

        Args:
            tell: called in any thread; must be quick.
        """
        self._on_want = tell

    def show(self, index: int, picture: bytes) -> None:
        """Offer a frame of the preview; one that was not taken yet gives way.

        Args:
            index: number of the frame.
            picture: message to send.
        """
        with self._pictures:
            self._picture = index, picture
        self.wake()

    def take_picture(self) -> bytes | None:
        """The newest frame, if there is one; it then counts as under way."""
        with self._pictures:
            if self._picture is None or len(self._under_way) >= UNDER_WAY:
                return None
            (index, picture), self._picture = self._picture, None
            self._under_way.append(index)
        self._on_want()
        return picture

    def seen(self, index: int) -> None:
        """The viewer has drawn a frame, and with it all before."""
        with self._pictures:
            self._under_way = [one for one in self._under_way if one > index]
        self.wake()
        self._on_want()

    def start_again(self) -> None:
        """A new run begins: its frames count from 0 again."""
        with self._pictures:
            self._under_way.clear()
            self._picture = None
            self.last_row = -1
