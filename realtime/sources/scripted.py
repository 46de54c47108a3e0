"""A source with frames made beforehand, so that the live path can be run without a camera."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from jaxtyping import UInt8

from realtime.clock import Clock, MonotonicClock
from realtime.frames import Frame
from realtime.sources.base import Source


class ScriptedSource(Source):
    """Gives images at set times; as a live source it waits for each one's time on its clock.

    Args:
        images: time since the first frame in nanoseconds and RGB image, in time order; read as needed.
        live: play the part of a camera: wait for each time, and lose what is not read.
        clock: the clock to wait on; a test passes one that it moves by hand.
        name: what the source is called.
        frame_rate_hz: nominal frame rate to state.
        frame_count: number of frames to state.
    """

    def __init__(
        self,
        images: Iterable[tuple[int, UInt8[np.ndarray, "H W 3"]]],
        *,
        live: bool = False,
        clock: Clock | None = None,
        name: str = "scripted",
        frame_rate_hz: float | None = None,
        frame_count: int | None = None,
    ) -> None:
        self.name, self.live = name, live
        self.frame_rate_hz, self.frame_count = frame_rate_hz, frame_count
        self._images = images
        self._clock = clock or MonotonicClock()
        self._left: Iterator[tuple[int, UInt8[np.ndarray, "H W 3"]]] = iter(())
        self._index = 0
        self._started_ns = 0

    @property
    def description(self) -> dict[str, Any]:
        """Kind, name, size and stated rate."""
        return {
            "kind": "scripted",
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "frame_rate_hz": self.frame_rate_hz,
        }

    def open(self) -> None:
        """Start the clock at the first image."""
        self._left, self._index, self._started_ns = iter(self._images), 0, self._clock.now_ns()

    def read(self) -> Frame | None:
        """The next image; a live source waits for its time."""
        following = next(self._left, None)
        if following is None:
            return None
        time_ns, image = following
        if self.live:
            self._clock.sleep_until(self._started_ns + time_ns)
        self.height, self.width = image.shape[:2]
        index, self._index = self._index, self._index + 1
        return Frame(index=index, time_ns=time_ns, captured_ns=self._clock.now_ns(), image=image)

    def close(self) -> None:
        """Forget the images that were not read."""
        self._left = iter(())
