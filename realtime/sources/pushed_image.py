"""One image as another program hands it over, and how it becomes RGB."""

import struct
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from jaxtyping import UInt8

from engines.errors import BadInput
from realtime.sources.decoding import RgbConverter

ImageCoding = Literal["i420", "nv12", "jpeg"]
"""Planes as the camera gave them (luminance, then colour at half the size), or JPEG."""
CODINGS: tuple[ImageCoding, ...] = get_args(ImageCoding)
LARGEST_SIDE_PX = 4096
LARGEST_PICTURE_PX = 4096 * 2304
LARGEST_IMAGE_BYTES = LARGEST_PICTURE_PX * 3 // 2
HIGHEST_RATE_HZ = 240.0
_PLANE_FORMATS = {"i420": "yuv420p", "nv12": "nv12"}
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that begin a JPEG's picture and state its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedFormat:
    """What the sender says of its camera before the first image."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    frame_rate_hz: float | None = None
    """As the camera states it."""
    device: str = ""
    """What the camera is called there."""
    coding: ImageCoding = "jpeg"

    def check(self) -> None:
        """Refuse what is no camera of ours.

        Raises:
            BadInput: if size or rate are out of bounds.
        """
        if not self._fits():
            raise BadInput(
                f"{self.width}×{self.height} pixels: a camera's picture has at least 64 pixels a side, at most "
                f"{LARGEST_SIDE_PX}, and {LARGEST_PICTURE_PX / 1e6:.1f} megapixels in all; choose a smaller size"
            )
        if self.frame_rate_hz is not None and not 1 <= self.frame_rate_hz <= HIGHEST_RATE_HZ:
            raise BadInput(f"{self.frame_rate_hz:g} frames a second: give 1 to {HIGHEST_RATE_HZ:g}")

    def _fits(self) -> bool:
        sides = self.width, self.height
        return min(sides) >= 64 and max(sides) <= LARGEST_SIDE_PX and self.width * self.height <= LARGEST_PICTURE_PX

    def as_record(self) -> dict[str, Any]:
        """As `session.json` tells it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedImage:
    """One image with its number and the time at which the camera took it."""

    index: int
    """0-based number at the sender; what it could not send leaves a gap."""
    captured_ns: int
    """When the camera took it, on the monotonic clock of this machine."""
    coding: ImageCoding
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    content: bytes
    full_range: bool = False
    """Planes: luminance from 0 to 255 instead of 16 to 235."""
    wide_gamut: bool = False
    """Planes: colours as in BT.709 instead of BT.601."""


class ImageDecoder:
    """Images as RGB arrays. Planes go through the converter that files go through: the same values, the same pixels."""

    def __init__(self) -> None:
        self._rgb = RgbConverter()

    def decode(self, image: PushedImage) -> UInt8[np.ndarray, "H W 3"] | None:
        """The picture; None where the bytes are damaged or another size than was said."""
        if image.coding == "jpeg":
            return _decode_jpeg(image)
        return self._decode_planes(image, _PLANE_FORMATS[image.coding])

    def _decode_planes(self, image: PushedImage, layout: str) -> UInt8[np.ndarray, "H W 3"] | None:
        width, height = image.width, image.height
        if width % 2 or height % 2 or len(image.content) != width * height * 3 // 2:
            return None
        planes = np.frombuffer(image.content, np.uint8).reshape(height * 3 // 2, width)
        picture = av.VideoFrame.from_ndarray(planes, format=layout)
        picture.colorspace = Colorspace.ITU709 if image.wide_gamut else Colorspace.ITU601
        picture.color_range = ColorRange.JPEG if image.full_range else ColorRange.MPEG
        return self._rgb.convert(picture)


def _decode_jpeg(image: PushedImage) -> UInt8[np.ndarray, "H W 3"] | None:
    # The size is read off the header first: a few kilobytes can claim to be a picture of gigabytes.
    if jpeg_size(image.content) != (image.width, image.height):
        return None
    try:
        picture = cv2.imdecode(np.frombuffer(image.content, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    return None if picture is None else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Width and height that a JPEG states, pixels; None where it is none."""
    place = 2
    while content[:2] == b"\xff\xd8" and place + 9 <= len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], struct.unpack_from(">H", content, place + 2)[0]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        place += 2 + length
    return None
