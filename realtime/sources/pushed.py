"""A source whose frames are handed in by another program, such as the page that holds a browser's camera."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from engines.errors import BadInput
from realtime.clock import NANOSECONDS, Clock, MonotonicClock, to_nanoseconds, to_seconds
from realtime.frames import Frame
from realtime.sources.base import Source, SourceLost
from realtime.sources.pushed_image import HIGHEST_RATE_HZ, ImageDecoder, PushedFormat, PushedImage

PushedState = Literal["waiting", "connected", "away", "ended"]
"""Nobody has come yet; images come; the connection is cut and may come back; no more will come."""

QUEUE_IMAGES = 128
QUEUE_BYTES = 96 * 2**20
_POLL_S = 0.1
_NEVER_CAME = "ended before the camera came; start again"


class SenderRefused(BadInput):
    """Another sender is connected just now; this one may try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What a sender wants to hear of its images; called in any thread, so it must be quick and never raise."""

    taken: Callable[[int], None] = lambda _index: None
    """An image with this number has left the queue, and with it all before."""
    ended: Callable[[str | None], None] = lambda _reason: None
    """No more images are wanted; with the reason where something is wrong."""


class PushedSource(Source):
    """Images from a sender, decoded in the thread that reads; numbers and capture times are the sender's.

    What the sender could not send, what did not fit into the queue, what was taken no later than the image before and
    what cannot be decoded is missing from the indices that `read` gives, and counted in `dropped`: nothing is lost
    silently. A sender may go away and come back;
    numbers and times go on.

    Args:
        name: what the user calls it.
        open_timeout_s: how long `open` waits for the sender; a person may have to allow the camera first.
        patience_s: how long a sender that went away may stay away.
        queue_images: most images waiting for `read`.
        queue_bytes: most bytes waiting.
        clock: tells how long the sender has been away, and how many images come in a second.
    """

    live = True

    def __init__(
        self,
        name: str = "browser camera",
        *,
        open_timeout_s: float = 120.0,
        patience_s: float = 20.0,
        queue_images: int = QUEUE_IMAGES,
        queue_bytes: int = QUEUE_BYTES,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._open_timeout_s, self._patience_s = open_timeout_s, patience_s
        self._queue_images, self._queue_bytes = queue_images, queue_bytes
        self._clock = clock or MonotonicClock()
        self._changed = threading.Condition()
        self._decoder = ImageDecoder()
        self._format: PushedFormat | None = None
        self._delivery: Delivery | None = None
        self._state: PushedState = "waiting"
        self._reason: str | None = None
        self._away_ns = 0
        self._connections = 0
        self._waiting: deque[PushedImage] = deque()
        self._waiting_bytes = 0
        self._lately_ns: deque[int] = deque()
        self._expected = 0
        self._newest_ns: int | None = None
        self._first_ns: int | None = None
        self._read_to = 0
        self._given = 0

    @property
    def state(self) -> PushedState:
        """How it stands with the sender."""
        return self._state

    @property
    def dropped(self) -> int:
        """Numbers of the sender that `read` went past without giving a frame."""
        return self._read_to - self._given

    @property
    def description(self) -> dict[str, Any]:
        """Kind, the sender's camera, and how often it connected."""
        camera = self._format.as_record() if self._format is not None else {}
        return {
            "kind": "browser camera",
            "name": self.name,
            "format": camera,
            "connections": self._connections,
            "times": "the browser's capture times, its clock set by this machine's",
        }

    def open(self) -> None:
        """Wait until a sender has connected.

        Raises:
            BadInput: if none came in time, or the run was ended meanwhile.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._state != "waiting", self._open_timeout_s)
            if self._state == "waiting":
                self._finish("no camera came")
                raise BadInput(
                    f"{self.name}: no camera came within {self._open_timeout_s:g} s; allow the camera on the page and "
                    "start again"
                )
            if self._state == "ended":
                raise BadInput(f"{self.name}: {self._reason or _NEVER_CAME}")

    def read(self) -> Frame | None:
        """The next frame; waits for it. None when the sender has ended.

        Raises:
            SourceLost: if the sender went away for longer than it may, or sent what cannot be used.
        """
        while (image := self._take()) is not None:
            self._read_to = image.index + 1
            picture = self._decoder.decode(image)
            if picture is None:
                continue
            self._given += 1
            self.height, self.width = picture.shape[:2]
            self._first_ns = image.captured_ns if self._first_ns is None else self._first_ns
            return Frame(
                index=image.index,
                time_ns=image.captured_ns - self._first_ns,
                captured_ns=image.captured_ns,
                image=picture,
            )
        return None

    def close(self) -> None:
        """Take no more images; the sender is told."""
        with self._changed:
            self._finish(None)
            self._waiting.clear()

    def interrupt(self) -> None:
        """Make an `open` or `read` that waits return; no more images are taken."""
        with self._changed:
            self._finish(_NEVER_CAME if self._state == "waiting" else None)

    def connect(self, camera: PushedFormat, page: str, listener: Listener | None = None) -> "Delivery":
        """A sender comes, or comes back.

        Args:
            camera: what it will send.
            page: names the sender; the same one may replace its own connection that is cut without our knowing.
            listener: hears what becomes of the images.

        Returns:
            Where it hands its images in.

        Raises:
            SenderRefused: if another sender is connected.
            BadInput: if the run has ended, or the camera is another size than before.
        """
        camera.check()
        with self._changed:
            self._admit(camera, page)
            self._format, self._state = camera, "connected"
            self._connections += 1
            self.width, self.height, self.frame_rate_hz = camera.width, camera.height, camera.frame_rate_hz
            self._delivery = Delivery(self, page, listener or Listener(), self._expected)
            self._changed.notify_all()
            return self._delivery

    def lose(self, reason: str) -> None:
        """The camera cannot be used any more: `read` gives what came before and raises `SourceLost` then.

        Args:
            reason: what is wrong and what to do, one line.
        """
        with self._changed:
            self._finish(reason)

    def _admit(self, camera: PushedFormat, page: str) -> None:
        if self._state == "ended":
            raise BadInput(f"{self.name}: this run has ended; start a new one")
        if self._state == "connected" and self._delivery is not None and self._delivery.page != page:
            raise SenderRefused(
                f"{self.name}: another page sends its camera to this run; close that page or start a new run"
            )
        before = self._format
        if before is not None and (camera.width, camera.height) != (before.width, before.height):
            raise BadInput(
                f"{self.name}: {camera.width}×{camera.height} pixels after {before.width}×{before.height}; a run keeps "
                "one size, start a new one"
            )

    def _take(self) -> PushedImage | None:
        """The oldest image waiting; None at the end."""
        with self._changed:
            while not self._waiting:
                if self._state == "ended":
                    self._end_of_images()
                    return None
                self._give_up_if_away()
                self._changed.wait(_POLL_S)
            image = self._waiting.popleft()
            self._waiting_bytes -= len(image.content)
            delivery = self._delivery
        if delivery is not None:
            delivery.listener.taken(image.index)
        return image

    def _end_of_images(self) -> None:
        self._read_to = max(self._read_to, self._expected)
        if self._reason is not None:
            raise SourceLost(f"{self.name}: {self._reason}")

    def _give_up_if_away(self) -> None:
        away_ns = self._clock.now_ns() - self._away_ns
        if self._state == "away" and away_ns >= to_nanoseconds(self._patience_s):
            self._finish(
                f"{self._reason or 'the connection was cut'} and it did not come back within "
                f"{to_seconds(away_ns):.0f} s; open the page and start again"
            )

    def _finish(self, reason: str | None) -> None:
        if self._state != "ended":
            self._state, self._reason = "ended", reason
            if self._delivery is not None:
                self._delivery.listener.ended(reason)
        self._changed.notify_all()

    # What a delivery does, under the lock of the source.

    def _receive(self, delivery: "Delivery", image: PushedImage) -> bool:
        with self._changed:
            if self._state == "ended":
                return False
            self._check(delivery, image)
            self._expected = image.index + 1
            if self._newest_ns is not None and image.captured_ns <= self._newest_ns:
                # The sender's clock was set anew. It must hear of the image, or it waits for room for ever.
                delivery.listener.taken(image.index)
                return False
            self._newest_ns = image.captured_ns
            if self._too_many():
                return False
            self._waiting.append(image)
            self._waiting_bytes += len(image.content)
            while len(self._waiting) > 1 and self._over():
                self._waiting_bytes -= len(self._waiting.popleft().content)
            self._changed.notify_all()
            return True

    def _check(self, delivery: "Delivery", image: PushedImage) -> None:
        if delivery is not self._delivery or self._state != "connected":
            raise BadInput(f"{self.name}: this connection was replaced by a newer one")
        if image.index < self._expected:
            self._refuse(f"image {image.index} came after {self._expected - 1}, numbers must rise; start again")
        known = self._format
        if known is not None and (image.width, image.height) != (known.width, known.height):
            self._refuse(
                f"the picture changed from {known.width}×{known.height} to {image.width}×{image.height} pixels; "
                "start again"
            )

    def _refuse(self, reason: str) -> NoReturn:
        self._finish(reason)
        raise BadInput(f"{self.name}: {reason}")

    def _too_many(self) -> bool:
        now_ns = self._clock.now_ns()
        while self._lately_ns and now_ns - self._lately_ns[0] >= NANOSECONDS:
            self._lately_ns.popleft()
        self._lately_ns.append(now_ns)
        return len(self._lately_ns) > HIGHEST_RATE_HZ

    def _over(self) -> bool:
        return len(self._waiting) > self._queue_images or self._waiting_bytes > self._queue_bytes

    def _leave(self, delivery: "Delivery", reason: str) -> None:
        with self._changed:
            if delivery is self._delivery and self._state == "connected":
                self._state, self._reason, self._away_ns = "away", reason, self._clock.now_ns()
                self._changed.notify_all()

    def _complete(self, delivery: "Delivery", frames: int) -> None:
        with self._changed:
            if delivery is self._delivery and self._state == "connected":
                self._expected = max(self._expected, frames)
                self._finish(None)


class Delivery:
    """The sender's hand: one connection to a `PushedSource`, used from any one thread."""

    def __init__(self, source: PushedSource, page: str, listener: Listener, next_index: int) -> None:
        self.source = source
        self.page = page
        self.listener = listener
        self.next_index = next_index
        """Where the numbers go on; a sender that has counted on by itself may be further."""

    def push(self, image: PushedImage) -> bool:
        """Hand in an image.

        Returns:
            False where it was let go: the run has ended, no camera films so many a second, or its time does not rise.

        Raises:
            BadInput: if this connection was replaced; if numbers do not rise or the size changed, which also
                ends the source.
        """
        return self.source._receive(self, image)

    def leave(self, reason: str) -> None:
        """The connection is cut; the sender may come back.

        Args:
            reason: what happened, in words that go on with "and it did not come back".
        """
        self.source._leave(self, reason)

    def complete(self, frames: int) -> None:
        """The sender has ended.

        Args:
            frames: how many it numbered in all; the last ones may not have been sent.
        """
        self.source._complete(self, frames)
