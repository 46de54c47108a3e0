"""What a page with a camera sends, as the run reads it; anything else is refused in one line."""

import json
import math
import struct
from typing import Any

from engines.errors import BadInput
from realtime.clock import to_nanoseconds
from realtime.sources.pushed_image import CODINGS, LARGEST_IMAGE_BYTES, ImageCoding, PushedFormat, PushedImage
from realtime.sources.remote_clock import RemoteClock

LARGEST_HEADER_BYTES = 1024
_LENGTH = struct.Struct(">I")


def read_format(hello: dict[str, Any]) -> tuple[str, PushedFormat]:
    """The page's own name and its camera.

    Args:
        hello: the first message.

    Raises:
        BadInput: if something is missing or of another kind.
    """
    try:
        rate_hz = hello.get("frame_rate_hz")
        return str(hello["page"])[:64], PushedFormat(
            width=int(hello["width"]),
            height=int(hello["height"]),
            frame_rate_hz=None if rate_hz is None else float(rate_hz),
            device=str(hello.get("device", ""))[:200],
            coding=_coding_of(hello["coding"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as fault:
        raise BadInput(f"camera page: cannot read what camera it has ({fault}); load the page again") from None


def image_of(message: bytes, there: RemoteClock, received_ns: int) -> PushedImage:
    """An image with its facts.

    Args:
        message: four bytes with the length of the facts, the facts as JSON (`index`, `captured_ms` on the page's clock,
            `coding`, `width`, `height`, for planes `full_range` and `wide_gamut`), the picture.
        there: the page's clock.
        received_ns: when it came; nothing was taken after that.

    Returns:
        The image, its time on this machine's clock.

    Raises:
        BadInput: if it is not put together like that, or too large.
    """
    if len(message) > LARGEST_IMAGE_BYTES + LARGEST_HEADER_BYTES:
        raise BadInput(f"camera page: an image of {len(message)} bytes; choose a smaller picture size")
    try:
        (length,) = _LENGTH.unpack_from(message)
        facts = json.loads(message[_LENGTH.size : _LENGTH.size + min(length, LARGEST_HEADER_BYTES)])
        captured_ms = float(facts["captured_ms"])
        if not math.isfinite(captured_ms):
            raise ValueError("captured_ms")
        return PushedImage(
            index=int(facts["index"]),
            captured_ns=min(there.here_ns(to_nanoseconds(captured_ms / 1e3)), received_ns),
            coding=_coding_of(facts["coding"]),
            width=int(facts["width"]),
            height=int(facts["height"]),
            full_range=bool(facts.get("full_range", False)),
            wide_gamut=bool(facts.get("wide_gamut", False)),
            content=message[_LENGTH.size + length :],
        )
    except (KeyError, TypeError, ValueError, OverflowError, struct.error) as fault:
        raise BadInput(f"camera page: an image without its facts ({fault}); load the page again") from None


def _coding_of(name: Any) -> ImageCoding:
    found = next((coding for coding in CODINGS if coding == name), None)
    if found is None:
        raise ValueError(f"coding {str(name)[:20]!r}, not {', '.join(CODINGS)}")
    return found
