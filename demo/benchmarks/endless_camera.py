"""A camera that films one synthesised face for hours in minutes: as fast as the run takes its frames."""

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jaxtyping import UInt8

from realtime.clock import MonotonicClock, to_nanoseconds
from realtime.frames import Frame
from realtime.sources.base import Source
from trainers.datasets.action_units import ActionUnitActivation
from trainers.datasets.synthetic_rendering import Scene, frame_times_ns
from trainers.datasets.synthetic_scenes import Movement, SceneParameters

RATE_HZ = 30.0
QUIET_S, MOVING_S = 4.0, 3.0
EVENT_EVERY_S = 60.0
AHEAD = 150
"""Frames that may wait for the run: fewer than it would begin to drop."""
_PAUSE_S = 0.002


class EndlessCamera(Source):
    """A face at rest, and a micro-expression every minute of its own time.

    Args:
        duration_s: of its own time; then it ends.
        taken: number of frames that the run has taken so far.
    """

    live = True
    name = "camera 0"
    frame_rate_hz = RATE_HZ

    def __init__(self, duration_s: float, taken: Callable[[], int]) -> None:
        self._frames = round(duration_s * RATE_HZ)
        self._taken = taken
        self._clock = MonotonicClock()
        self._ended = threading.Event()
        self._index = 0
        self._pictures: Iterator[UInt8[np.ndarray, "H W 3"]] = iter(())

    @property
    def description(self) -> dict[str, Any]:
        """Kind and rate."""
        return {"kind": "scripted", "name": self.name, "frame_rate_hz": RATE_HZ}

    def open(self) -> None:
        """Film the pieces that are shown again and again."""
        self._pictures = _minutes(_filmed(MOVING_S, moving=True), _filmed(QUIET_S, moving=False))

    def read(self) -> Frame | None:
        """The next frame, once the run has room for it."""
        while self._index - self._taken() >= AHEAD and not self._ended.wait(_PAUSE_S):
            pass
        if self._index >= self._frames or self._ended.is_set():
            return None
        index, self._index = self._index, self._index + 1
        image = next(self._pictures)
        self.height, self.width = image.shape[:2]
        time_ns = to_nanoseconds(index / RATE_HZ)
        return Frame(index=index, time_ns=time_ns, captured_ns=self._clock.now_ns(), image=image)

    def close(self) -> None:
        """Let the pictures go."""
        self._pictures = iter(())

    def interrupt(self) -> None:
        """End."""
        self._ended.set()


def _filmed(duration_s: float, *, moving: bool) -> list[UInt8[np.ndarray, "H W 3"]]:
    """A close-up that begins and ends at rest, so that pieces can follow one another without a jump."""
    units = tuple(ActionUnitActivation(unit=unit, left=1.0, right=1.0) for unit in (1, 2))
    smile = Movement(
        label="surprise", kind="micro", activations=units, amplitude_px=2.0,
        start_s=duration_s / 2, rise_s=0.15, hold_s=0.0, fall_s=0.2,
    )  # fmt: skip
    parameters = SceneParameters(duration_s=duration_s, width=320, height=288, noise_sd=1.0)
    scene = Scene.plan(parameters, 1, (smile,) if moving else ())
    return [scene.frame(time_ns / 1e9) for time_ns in frame_times_ns(duration_s, RATE_HZ)]


def _minutes(
    moving: list[UInt8[np.ndarray, "H W 3"]], quiet: list[UInt8[np.ndarray, "H W 3"]]
) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    rest = round(EVENT_EVERY_S * RATE_HZ) - len(moving)
    while True:
        yield from itertools.islice(itertools.cycle(quiet), rest)
        yield from moving
