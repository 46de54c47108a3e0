"""Where frames come from: video files, streams, image folders and cameras."""

from pathlib import Path

from engines.errors import BadInput
from realtime.clock import Clock
from realtime.sources.base import Source, SourceLost, SourceStalled
from realtime.sources.camera import Camera, CameraFormat
from realtime.sources.image_folder import ImageFolder
from realtime.sources.scripted import ScriptedSource
from realtime.sources.stream import Stream, is_stream_address
from realtime.sources.video_file import VideoFile

__all__ = [
    "Camera",
    "CameraFormat",
    "ImageFolder",
    "ScriptedSource",
    "Source",
    "SourceLost",
    "SourceStalled",
    "Stream",
    "VideoFile",
    "is_stream_address",
    "open_source",
]


def open_source(
    address: str | int | Path,
    *,
    frame_rate_hz: float | None = None,
    width: int | None = None,
    height: int | None = None,
    give_up_s: float = 5.0,
    clock: Clock | None = None,
) -> Source:
    """Choose the source for an address; it is not opened yet, use it with `with` or call `open`.

    A whole number or a video device is a camera, an address with a scheme a stream, a folder an image folder,
    anything else a video file.

    Args:
        address: what the user gave.
        frame_rate_hz: the rate of an image folder (required there), the wanted rate of a camera.
        width: wanted width of a camera's frames, pixels.
        height: wanted height of a camera's frames, pixels.
        give_up_s: how long a stream may be silent before it counts as lost.
        clock: stamps the frames.

    Returns:
        The source, closed.

    Raises:
        BadInput: if there is no such file, or a folder comes without its frame rate.
    """
    text = str(address)
    if isinstance(address, int) or text.isdecimal() or text.startswith("/dev/video"):
        device: int | str = int(text) if text.isdecimal() else text
        wanted = CameraFormat(width=width, height=height, frame_rate_hz=frame_rate_hz)
        return Camera(device, requested=wanted, clock=clock)
    if isinstance(address, str) and is_stream_address(address):
        return Stream(address, give_up_s=give_up_s, clock=clock)
    path = Path(address)
    if path.is_dir():
        if frame_rate_hz is None:
            raise BadInput(f"{path}: a folder of images has no times of its own; give --frame-rate-hz")
        return ImageFolder(path, frame_rate_hz=frame_rate_hz, clock=clock)
    if not path.exists():
        raise BadInput(f"{path}: there is no such file or folder")
    return VideoFile(path, clock=clock)
