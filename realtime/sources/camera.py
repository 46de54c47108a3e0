"""Cameras through OpenCV: what was asked for, what came of it, and frames stamped as they are grabbed."""

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import UInt8

from engines.errors import BadInput
from realtime.clock import Clock, MonotonicClock, to_nanoseconds, to_seconds
from realtime.frames import Frame
from realtime.sources.base import Source, SourceLost

_MJPG = cv2.VideoWriter.fourcc(*"MJPG")
_RETRY_S = 0.01


@dataclass(frozen=True, kw_only=True)
class CameraFormat:
    """Size, rate and coding of a camera's frames; None leaves the choice to the camera."""

    width: int | None = None
    """Pixels."""
    height: int | None = None
    """Pixels."""
    frame_rate_hz: float | None = None
    """As the driver states it."""
    coding: str | None = None
    """Four letters, such as MJPG or YUYV."""


@runtime_checkable
class CaptureDevice(Protocol):
    """The part of `cv2.VideoCapture` that a camera needs."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether the device answers."""

    def grab(self) -> bool:
        """Wait for the next frame; False if there is none."""

    def retrieve(self) -> tuple[bool, Any]:
        """Decode the frame that was grabbed."""

    def get(self, propId: int) -> float:
        """Read a property."""

    def set(self, propId: int, value: float) -> bool:
        """Ask for a property."""

    def release(self) -> None:
        """Let go of the device."""


def _open_capture(device: int | str) -> CaptureDevice:
    # OpenCV writes its own lines about a missing camera; ours is the one that the user shall see.
    level = cv2.getLogLevel()
    cv2.setLogLevel(0)
    try:
        return cv2.VideoCapture(device)
    finally:
        cv2.setLogLevel(level)


def _why_closed(device: int | str) -> str:
    path = Path(f"/dev/video{device}" if isinstance(device, int) else device)
    if not sys.platform.startswith("linux") or path.exists():
        return "cannot be opened; close other programs that use it and check the permission to use cameras"
    found = ", ".join(sorted(str(other) for other in Path("/dev").glob("video*"))) or "none"
    return f"there is no such camera (found: {found}); plug it in or choose another with --camera"


class Camera(Source):
    """Frames of a camera, stamped with the monotonic clock right after they are grabbed.

    Asks for size and rate, reads back what the driver made of it, and takes Motion JPEG only where that
    raises the rate: uncoded video often does not fit through USB. Times count from the first frame.

    Args:
        device: the camera's number or its device file.
        requested: what to ask for.
        patience_s: how long failed grabs are tried again before the camera counts as gone.
        clock: stamps the frames.
        capture_factory: opens the device; tests pass a scripted one.
    """

    live = True

    def __init__(
        self,
        device: int | str = 0,
        *,
        requested: CameraFormat | None = None,
        patience_s: float = 0.5,
        clock: Clock | None = None,
        capture_factory: Callable[[int | str], CaptureDevice] = _open_capture,
    ) -> None:
        self.name = f"camera {device}"
        self._device = device
        self._requested = requested or CameraFormat()
        self._patience_ns = to_nanoseconds(patience_s)
        self._clock = clock or MonotonicClock()
        self._factory = capture_factory
        self._capture: CaptureDevice | None = None
        self._format = CameraFormat()
        self._index = 0
        self._first_ns = 0

    @property
    def description(self) -> dict[str, Any]:
        """Kind, number, what was asked for and what the driver gave."""
        return {
            "kind": "camera",
            "name": self.name,
            "requested": asdict(self._requested),
            "format": asdict(self._format),
            "times": "monotonic clock after each grab",
        }

    def open(self) -> None:
        """Open the camera, ask for the format and read back what came of it.

        Raises:
            BadInput: if there is no such camera or it cannot be opened.
        """
        if self._factory is _open_capture and not _device_may_exist(self._device):
            raise BadInput(f"{self.name}: {_why_closed(self._device)}")
        capture = self._factory(self._device)
        if not capture.isOpened():
            capture.release()
            raise BadInput(f"{self.name}: {_why_closed(self._device)}")
        self._capture, self._index = capture, 0
        self._format = self._negotiate(capture)
        self.frame_rate_hz = self._format.frame_rate_hz
        self.width, self.height = self._format.width or 0, self._format.height or 0

    def read(self) -> Frame | None:
        """The next frame; waits for it.

        Raises:
            SourceLost: if the camera gave no frame for `patience_s` although it was asked again and again.
        """
        if self._capture is None:
            return None
        image, captured_ns = self._grab(self._capture)
        if self._index == 0:
            self._first_ns = captured_ns
        self.height, self.width = image.shape[:2]
        index, self._index = self._index, self._index + 1
        return Frame(index=index, time_ns=captured_ns - self._first_ns, captured_ns=captured_ns, image=image)

    def close(self) -> None:
        """Let go of the camera."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _grab(self, capture: CaptureDevice) -> tuple[UInt8[np.ndarray, "H W 3"], int]:
        started_ns = self._clock.now_ns()
        while True:
            if capture.grab():
                captured_ns = self._clock.now_ns()
                whole, image = capture.retrieve()
                if whole:
                    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)), captured_ns
            waited_ns = self._clock.now_ns() - started_ns
            if waited_ns >= self._patience_ns:
                raise SourceLost(
                    f"{self.name}: gave no frame for {to_seconds(waited_ns):.1f} s after frame "
                    f"{self._index - 1}; check its cable"
                )
            self._clock.sleep_until(self._clock.now_ns() + to_nanoseconds(_RETRY_S))

    def _negotiate(self, capture: CaptureDevice) -> CameraFormat:
        if self._requested.coding is not None:
            self._ask(capture, self._requested.coding)
            return self._read_back(capture)
        self._ask(capture, None)
        plain = self._read_back(capture)
        wanted_hz = self._requested.frame_rate_hz
        if wanted_hz is None or (plain.frame_rate_hz or 0) >= wanted_hz or plain.coding == "MJPG":
            return plain
        self._ask(capture, "MJPG")
        coded = self._read_back(capture)
        if (coded.frame_rate_hz or 0) > (plain.frame_rate_hz or 0):
            return coded
        self._ask(capture, plain.coding)
        return self._read_back(capture)

    def _ask(self, capture: CaptureDevice, coding: str | None) -> None:
        # The coding first: drivers list sizes and rates per coding.
        if coding is not None:
            capture.set(cv2.CAP_PROP_FOURCC, _MJPG if coding == "MJPG" else cv2.VideoWriter.fourcc(*coding))
        for prop, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, self._requested.width),
            (cv2.CAP_PROP_FRAME_HEIGHT, self._requested.height),
            (cv2.CAP_PROP_FPS, self._requested.frame_rate_hz),
        ):
            if value is not None:
                capture.set(prop, float(value))

    @staticmethod
    def _read_back(capture: CaptureDevice) -> CameraFormat:
        code = int(capture.get(cv2.CAP_PROP_FOURCC))
        letters = "".join(chr((code >> shift) & 0xFF) for shift in (0, 8, 16, 24))
        rate = capture.get(cv2.CAP_PROP_FPS)
        return CameraFormat(
            width=round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)) or None,
            height=round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) or None,
            frame_rate_hz=rate if rate > 0 else None,
            coding=letters if letters.isascii() and letters.isprintable() and letters.strip() else None,
        )


def _device_may_exist(device: int | str) -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return Path(f"/dev/video{device}" if isinstance(device, int) else device).exists()
