"""The video of a session with its events drawn in: streamed picture by picture, with the times of the source.

The pictures come from the source where it can still be found, else from what a live run recorded itself, else from the
slow-motion clips of the events, one after the other. Nothing is drawn over the face: words, curve and timeline stand
under it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from jaxtyping import UInt8

from engines.errors import BadInput
from realtime.clock import NANOSECONDS, to_seconds
from realtime.event_media import CLIP_NAME
from realtime.export.material import Material, Progress
from realtime.export.video_strip import SMALLEST_WIDTH, Strip
from realtime.json_lines import Record
from realtime.report.cards import CLIP_MARGIN_S
from realtime.session_frames import Recording, find_footage
from realtime.sources import ImageFolder, Source, VideoFile

MADE_VIDEO = "{name}.annotated.mp4"
TIME_BASE = Fraction(1, 90_000)
"""Fine enough that every usual frame rate keeps its times within 6 µs."""
_CODING = {"preset": "veryfast", "crf": "20"}
_USUAL_RATE_HZ = 30.0
_BLACK_STEP_NS = 200_000_000
"""Step of the pictures that stand for what was not filmed."""

Picture = UInt8[np.ndarray, "H W 3"]


@dataclass(frozen=True, slots=True)
class _Shown:
    """One picture of the video to be made."""

    image: Picture
    shown_ns: int
    """When in the video."""
    time_s: float
    """When in the session."""
    done: float
    """How much of the session is done with it, 0 to 1."""


def write(material: Material, folder: Path, progress: Progress) -> list[Path]:
    """Write `NAME.annotated.mp4`, H.264 that every browser plays.

    Args:
        material: the session.
        folder: where to.
        progress: told how much is done.

    Raises:
        BadInput: if there are no pictures at all, neither of the session nor of its events.
    """
    path = folder / MADE_VIDEO.format(name=material.name)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        frames = _encode(part, _pictures(material), material, progress)
        if not frames:
            raise BadInput(f"{material.name}: neither its video nor clips of its events are there; no video was made")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return [path]


def _pictures(material: Material) -> Iterator[_Shown]:
    session = material.session
    footage = find_footage(session, material.recordings)
    length_s = max(float(session.record.get("duration_s") or 0.0), 1e-6)
    if footage.recordings:
        yield from _recorded(footage.recordings, length_s)
    elif footage.path is not None:
        with _source(footage.path, session.record) as source:
            yield from _from(source, 0, length_s)
    else:
        yield from _clips(material)


def _recorded(recordings: Sequence[Recording], length_s: float) -> Iterator[_Shown]:
    """What a live run filmed, black before and between, so that the video keeps the times of the session."""
    reached_ns = 0
    for recording in recordings:
        with VideoFile(recording.path) as source:
            black = np.zeros((source.height, source.width, 3), np.uint8)
            for time_ns in range(reached_ns, recording.starts_ns, _BLACK_STEP_NS):
                yield _shown(black, time_ns, length_s)
            for shown in _from(source, recording.starts_ns, length_s):
                yield shown
                reached_ns = shown.shown_ns + _BLACK_STEP_NS


def _from(source: Source, starts_ns: int, length_s: float) -> Iterator[_Shown]:
    for frame in source:
        yield _shown(frame.image, starts_ns + frame.time_ns, length_s)


def _shown(image: Picture, time_ns: int, length_s: float) -> _Shown:
    time_s = to_seconds(time_ns)
    return _Shown(image, time_ns, time_s, min(1.0, time_s / length_s))


def _source(path: Path, record: Record) -> Source:
    if not path.is_dir():
        return VideoFile(path)
    rate_hz = (record.get("source_format") or {}).get("frame_rate_hz")
    if not rate_hz:
        raise BadInput(f"{path.name}: the session does not say at which rate its images were taken; no video was made")
    return ImageFolder(path, frame_rate_hz=float(rate_hz))


def _clips(material: Material) -> Iterator[_Shown]:
    """The events' clips, one after the other; their time in the session runs as slowly as they do."""
    session, begins_ns = material.session, 0
    ordered = sorted(session.events, key=lambda event: event["onset_s"])
    for number, event in enumerate(ordered, start=1):
        path = session.media(int(event["event_id"])) / CLIP_NAME
        if not path.exists():
            continue
        last_ns, step_ns = 0, round(NANOSECONDS / _USUAL_RATE_HZ)
        first_s, last_s = event["onset_s"] - CLIP_MARGIN_S, event["offset_s"] + CLIP_MARGIN_S
        length_s = _length_s(path)
        with VideoFile(path) as source:
            for frame in source:
                time_s = first_s + (last_s - first_s) * min(1.0, to_seconds(frame.time_ns) / length_s)
                yield _Shown(frame.image, begins_ns + frame.time_ns, time_s, number / len(ordered))
                last_ns = frame.time_ns
        begins_ns += last_ns + step_ns


def _length_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return max((container.duration or 0) / av.time_base, 1e-3)


def _encode(part: Path, pictures: Iterator[_Shown], material: Material, progress: Progress) -> int:
    """Draw and write; gives how many pictures there were."""
    stream: VideoStream | None = None
    strip: Strip | None = None
    count, size = 0, (0, 0)
    try:
        with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            for shown in pictures:
                if stream is None or strip is None:
                    size = _picture_size(shown.image)
                    strip = Strip(material, width=size[0])
                    stream = _add_stream(container, size[0], size[1] + strip.height)
                image = np.concatenate([_fitted(shown.image, size), strip.drawn(shown.time_s)])
                _put(container, stream, image, shown.shown_ns)
                count += 1
                progress(shown.done)
            if stream is not None:
                container.mux(stream.encode(None))
    except (av.FFmpegError, OSError) as fault:
        raise BadInput(f"{part.parent}: the video cannot be written ({fault.strerror}); free some space") from fault
    return count


def _picture_size(image: Picture) -> tuple[int, int]:
    """Width and height in the video: small pictures are enlarged, so that the words under them can be read."""
    height, width = image.shape[:2]
    factor = max(1, -(-SMALLEST_WIDTH // width))
    return factor * width // 2 * 2, factor * height // 2 * 2


def _fitted(image: Picture, size: tuple[int, int]) -> UInt8[np.ndarray, "height width 3"]:
    """The picture at that size; one of other proportions (a clip without its magnified half) on black."""
    width, height = size
    if image.shape[1] == width and image.shape[0] - height in (0, 1):
        return image[:height]
    scale = min(width / image.shape[1], height / image.shape[0])
    scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)[:height, :width]
    if scaled.shape[:2] == (height, width):
        return scaled.astype(np.uint8, copy=False)
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - scaled.shape[0]) // 2, (width - scaled.shape[1]) // 2
    canvas[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return canvas


def _add_stream(container: OutputContainer, width: int, height: int) -> VideoStream:
    stream = container.add_stream("libx264", rate=Fraction(_USUAL_RATE_HZ), options=_CODING)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.time_base = TIME_BASE
    return stream


def _put(container: OutputContainer, stream: VideoStream, image: Picture, time_ns: int) -> None:
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    picture.pts, picture.time_base = round(time_ns / TIME_BASE / NANOSECONDS), TIME_BASE
    container.mux(stream.encode(picture))
