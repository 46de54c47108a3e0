"""A folder of numbered images at a stated rate: the form in which the databases come."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from engines.errors import BadInput
from realtime.clock import NANOSECONDS, Clock, MonotonicClock
from realtime.frames import Frame
from realtime.sources.base import Source

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"})


def natural_order(path: Path) -> tuple[int, str]:
    """Sort key: the last whole number in the file's name, then the name; those without one come first."""
    numbers = re.findall(r"\d+", path.stem)
    return (int(numbers[-1]) if numbers else -1, path.name)


class ImageFolder(Source):
    """Images of one folder as frames, in the order of the last number in their names.

    Args:
        path: the folder.
        frame_rate_hz: the rate at which the images were taken; frame i is at exactly i / rate.
        clock: stamps each frame when it has been read.
    """

    def __init__(self, path: Path, *, frame_rate_hz: float, clock: Clock | None = None) -> None:
        if not (np.isfinite(frame_rate_hz) and frame_rate_hz > 0):
            raise BadInput(f"{path}: a frame rate of {frame_rate_hz} Hz is not possible; give a positive number")
        self.name = str(path)
        self.frame_rate_hz = float(frame_rate_hz)
        self._path = path
        self._clock = clock or MonotonicClock()
        self._rate = Fraction(str(frame_rate_hz))  # 29.97 means 2997/100, not its nearest binary fraction
        self._files: list[Path] = []
        self._index = 0

    @property
    def description(self) -> dict[str, Any]:
        """Kind, folder, number and size of the images, the stated rate."""
        return {
            "kind": "image folder",
            "name": self.name,
            "frame_count": self.frame_count,
            "frame_rate_hz": self.frame_rate_hz,
            "width": self.width,
            "height": self.height,
            "times": "image number / stated frame rate",
        }

    def open(self) -> None:
        """List the images and look at the first.

        Raises:
            BadInput: if there is no such folder, no image in it, or the first is unreadable.
        """
        if not self._path.is_dir():
            raise BadInput(f"{self.name}: there is no such folder")
        files = (file for file in self._path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        # Files that begin with a dot are another system's leavings, not images.
        self._files = sorted((file for file in files if not file.name.startswith(".")), key=natural_order)
        if not self._files:
            raise BadInput(f"{self.name}: the folder holds no image (jpg, png, bmp or tif)")
        self.frame_count, self._index = len(self._files), 0
        self.height, self.width = read_image(self._files[0]).shape[:2]

    def read(self) -> Frame | None:
        """The next image, or None after the last.

        Raises:
            BadInput: if the image is unreadable or of another size than the first.
        """
        if self._index >= len(self._files):
            return None
        file = self._files[self._index]
        image = read_image(file)
        if image.shape[:2] != (self.height, self.width):
            raise BadInput(
                f"{file}: {image.shape[1]}×{image.shape[0]} pixels where the images before have "
                f"{self.width}×{self.height}; give a folder with images of one size"
            )
        index, self._index = self._index, self._index + 1
        return Frame(
            index=index,
            time_ns=round(index * NANOSECONDS / self._rate),
            captured_ns=self._clock.now_ns(),
            image=image,
        )

    def file_at(self, time_ns: int) -> Path | None:
        """The image whose frame has that time, None if there is none; only while open."""
        index = round(time_ns * self._rate / NANOSECONDS)
        if not 0 <= index < len(self._files) or round(index * NANOSECONDS / self._rate) != time_ns:
            return None
        return self._files[index]

    def close(self) -> None:
        """Forget the list of files."""
        self._files = []


def read_image(file: Path) -> UInt8[np.ndarray, "H W 3"]:
    """An image file as an RGB picture; a gray one has three equal channels.

    Raises:
        BadInput: naming the file, if it cannot be read.
    """
    try:
        encoded = np.fromfile(file, np.uint8)
    except OSError as error:
        raise BadInput(f"{file}: cannot be read ({error.strerror}); check the file") from error
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    if image is None:
        raise BadInput(f"{file}: not a readable image; replace or remove it")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
