"""Images as a page pushes them, with a number in the picture."""

from typing import Any

import av
import cv2
import numpy as np

from realtime.sources.pushed_image import PushedFormat, PushedImage
from tests.videos import numbered_image

WIDTH, HEIGHT = 160, 120
PERIOD_NS = 33_333_333
CAMERA = PushedFormat(width=WIDTH, height=HEIGHT, frame_rate_hz=30.0, device="a webcam", coding="jpeg")


def jpeg(index: int, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A JPEG that shows its number."""
    whole, content = cv2.imencode(".jpg", cv2.cvtColor(numbered_image(index, width, height), cv2.COLOR_RGB2BGR))
    assert whole
    return content.tobytes()


def planes(image: np.ndarray, layout: str = "yuv420p") -> bytes:
    """A picture as the planes of a camera."""
    return av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=layout).to_ndarray().tobytes()


def pushed(index: int, content: bytes | None = None, *, time_ns: int | None = None, **facts: Any) -> PushedImage:
    """An image; taken at its time in a cadence of 30 Hz, unless said otherwise."""
    return PushedImage(
        index=index,
        captured_ns=7_000_000_000 + (index * PERIOD_NS if time_ns is None else time_ns),
        content=jpeg(index) if content is None else content,
        **{"coding": "jpeg", "width": WIDTH, "height": HEIGHT, **facts},
    )
