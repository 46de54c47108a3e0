"""Pictures and clips inside the page, as data addresses, within a budget of bytes."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from jaxtyping import UInt8

CLIP_BYTES = 6_000_000
"""Clips in one page together; later events point to their folder."""
PICTURE_BYTES = 6_000_000
"""Pictures in one page together, at full size; beyond it they are left to the folder too."""
_QUALITY = 82


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A clip with what the page has to know of it."""

    address: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    length_s: float
    """Playing time."""

    @property
    def magnified(self) -> bool:
        """Whether the magnified movement stands beside the natural one."""
        return self.width > 1.2 * self.height


class Embedder:
    """Turns files of a session into data addresses until the budget is spent.

    Args:
        clip_bytes: budget of all clips together.
        picture_bytes: budget of all pictures together.
    """

    def __init__(self, clip_bytes: int = CLIP_BYTES, picture_bytes: int = PICTURE_BYTES) -> None:
        self._clip_bytes = clip_bytes
        self._picture_bytes = picture_bytes

    def picture(self, path: Path) -> str | None:
        """A picture as WebP of the same size; None where there is none or no room for it."""
        if self._picture_bytes <= 0 or not path.is_file():
            return None
        # OpenCV's stubs forget that a damaged file gives None.
        image = cast("UInt8[np.ndarray, 'h w 3'] | None", cv2.imread(str(path), cv2.IMREAD_COLOR))
        if image is None:
            return None
        _, content = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
        if len(content) > self._picture_bytes:
            self._picture_bytes = 0  # all later ones too, without the work of encoding them
            return None
        self._picture_bytes -= len(content)
        return _address("image/webp", np.asarray(content).tobytes())

    def clip(self, path: Path) -> Clip | None:
        """A clip as it is; None where there is none, no room for it, or it cannot be read."""
        if not path.is_file() or path.stat().st_size > self._clip_bytes:
            return None
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                width, height = stream.width, stream.height
                length_s = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
        except (av.error.FFmpegError, IndexError):
            return None
        self._clip_bytes -= path.stat().st_size
        address = _address("video/mp4", path.read_bytes())
        return Clip(address=address, width=width, height=height, length_s=length_s)


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
