"""From a video to the same video with its small movements magnified: constant memory, the same times."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from jaxtyping import UInt8

from engines.errors import BadInput
from engines.magnification import MagnificationParameters, StreamingMagnifier
from realtime.clock import NANOSECONDS, to_seconds
from realtime.sources import Source

Progress = Callable[[int, int | None], None]

TIME_BASE = Fraction(1, 90_000)
"""Fine enough that every usual frame rate keeps its times within 6 µs."""

_USUAL_RATE_HZ = 30.0


@dataclass(frozen=True, kw_only=True)
class MagnifiedVideo:
    """What `magnify_video` made."""

    frames: int
    """Frames written."""
    band_hz: tuple[float, float]
    """Temporal band that was amplified; lower than asked for where the frame rate did not reach."""
    fault: str | None
    """What was damaged in the input, None if nothing was."""


def magnify_video(
    source: Source,
    out: Path,
    parameters: MagnificationParameters | None = None,
    *,
    replace: bool = False,
    progress: Progress | None = None,
) -> MagnifiedVideo:
    """Read a source, magnify it frame by frame and write it as H.264 with the same presentation times.

    The filter runs forwards only, so that memory stays constant. A file that cannot be finished is removed.
    Frames of odd size lose their last row or column: the coding needs even numbers.

    Args:
        source: closed; a video file or an image folder.
        out: the video to write; its suffix says the container (mp4, mkv, mov).
        parameters: of the magnification; by default those of EDSSNet.
        replace: write over an existing file.
        progress: called after each frame with the number of frames done and, where known, of all.

    Raises:
        BadInput: if the source or the output cannot be used, or the frame rate is too low for the band.
    """
    _check_output(source, out, replace)
    with source:
        magnifier = StreamingMagnifier(source.frame_rate_hz or _USUAL_RATE_HZ, parameters or MagnificationParameters())
        part = out.with_name(f".{out.stem}.part{out.suffix}")
        try:
            frames = _magnify_frames(source, magnifier, part, progress)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
        return MagnifiedVideo(frames=frames, band_hz=magnifier.band_hz, fault=source.fault)


def _check_output(source: Source, out: Path, replace: bool) -> None:
    if out.suffix.lower() not in (".mp4", ".mkv", ".mov"):
        raise BadInput(f"{out}: the output must end in .mp4, .mkv or .mov")
    if not out.parent.is_dir():
        raise BadInput(f"{out}: the folder {out.parent} does not exist; make it first")
    if out.exists() and Path(source.name).exists() and out.samefile(source.name):
        raise BadInput(f"{out}: input and output are the same file; give another name")
    if out.exists() and not replace:
        raise BadInput(f"{out}: exists already; give another name or allow it to be replaced")


def _magnify_frames(source: Source, magnifier: StreamingMagnifier, part: Path, progress: Progress | None) -> int:
    try:
        container = av.open(str(part), "w")
    except (av.FFmpegError, OSError) as error:
        raise BadInput(f"{part.parent}: cannot be written to ({error.strerror}); choose another") from error
    with container:
        stream: VideoStream | None = None
        previous_ns, count = 0, 0
        for frame in source:
            step_s = to_seconds(frame.time_ns - previous_ns) if count else None
            magnified = magnifier.push(frame.image, step_s=step_s)
            stream = stream or _add_stream(container, magnified, source.frame_rate_hz)
            _write(container, stream, magnified, frame.time_ns)
            previous_ns, count = frame.time_ns, count + 1
            if progress is not None:
                progress(count, source.frame_count)
        if stream is not None:
            container.mux(stream.encode(None))
    return count


def _add_stream(
    container: OutputContainer, image: UInt8[np.ndarray, "H W 3"], frame_rate_hz: float | None
) -> VideoStream:
    rate = Fraction(frame_rate_hz or _USUAL_RATE_HZ).limit_denominator(1001)
    stream = container.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "18"})
    stream.height, stream.width = (size - size % 2 for size in image.shape[:2])
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = TIME_BASE
    return stream


def _write(container: OutputContainer, stream: VideoStream, image: UInt8[np.ndarray, "H W 3"], time_ns: int) -> None:
    even = np.ascontiguousarray(image[: stream.height, : stream.width])
    picture = av.VideoFrame.from_ndarray(even, format="rgb24")
    picture.pts, picture.time_base = round(time_ns / TIME_BASE / NANOSECONDS), TIME_BASE
    container.mux(stream.encode(picture))
