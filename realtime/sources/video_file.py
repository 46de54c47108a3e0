"""Video files through PyAV: exact presentation times, variable rate, rotation, plain words about faults."""

import re
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from engines.errors import BadInput
from realtime.clock import Clock, MonotonicClock, to_seconds
from realtime.frames import Frame
from realtime.sources.base import Source
from realtime.sources.decoding import (
    PictureReader,
    PresentationTimes,
    RgbConverter,
    damage_report,
    decode_threads,
    picture_stream,
)

_MISSING_SHARE = 0.02
"""A container may promise a few pictures more than it holds; beyond this share the file was cut off."""


def _why_unreadable(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        beginning = file.read(12)
    if beginning[4:8] == b"ftyp":
        return f"{path}: the video is cut off, its index is missing; copy or record it again"
    reason = getattr(error, "strerror", None) or str(error)
    return f"{path}: not a video that can be read ({reason}); give a video file"


def _stated_duration_s(stream: VideoStream) -> float:
    """Duration that Matroska writes beside a stream when a recording is finished, 0 if there is none."""
    found = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    return 0.0 if found is None else int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])


class VideoFile(Source):
    """Every whole picture of a video file, upright, in RGB, with its exact presentation time.

    Damage never ends in an exception: frames that cannot be trusted are left out, their numbers are a gap,
    and `fault` says at which time. A file with nothing readable at all is `BadInput` at `open`.

    Args:
        path: the file.
        clock: stamps each frame when it has been decoded.
    """

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self.name = str(path)
        self._path = path
        self._clock = clock or MonotonicClock()
        self._container: InputContainer | None = None
        self._ahead: Frame | None = None
        self._description: dict[str, Any] = {"kind": "video file", "name": self.name}

    @property
    def description(self) -> dict[str, Any]:
        """Kind, container, codec, size, nominal rate, rotation and where the times come from."""
        return dict(self._description)

    def open(self) -> None:
        """Open the file and decode its first picture.

        Raises:
            BadInput: if it is missing, empty, no video, cut off before anything could be read, or has only
                sound.
        """
        self._container = self._open_container()
        try:
            stream = picture_stream(self._container, self.name)
            self._prepare(self._container, stream)
            self._ahead = self._decode()
            if self._ahead is None:
                raise BadInput(f"{self.name}: no picture can be decoded; the file is empty or damaged throughout")
        except BaseException:
            self.close()
            raise
        self._describe(stream, self._ahead)

    def read(self) -> Frame | None:
        """The next frame, or None after the last that can be read; then `fault` tells what was damaged."""
        frame, self._ahead = self._ahead, None
        return frame or self._decode()

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
            self._container = None
        self._ahead = None

    def _open_container(self) -> InputContainer:
        try:
            if not self._path.exists():
                raise BadInput(f"{self.name}: there is no such file")
            if self._path.is_file() and self._path.stat().st_size == 0:
                raise BadInput(f"{self.name}: the file is empty (0 bytes); copy or record it again")
            container = av.open(str(self._path), mode="r")
        except PermissionError as error:
            raise BadInput(f"{self.name}: no permission to read it; change its permissions") from error
        except (av.FFmpegError, OSError) as error:
            raise BadInput(_why_unreadable(self._path, error)) from error
        if container.format.name == "tty":  # any text passes as "ANSI art"
            container.close()
            raise BadInput(f"{self.name}: text, not a video; give a video file")
        return container

    def _prepare(self, container: InputContainer, stream: VideoStream) -> None:
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = decode_threads()
        rate = stream.average_rate or stream.guessed_rate
        self.frame_rate_hz = float(rate) if rate else None
        self._promised = stream.frames
        self._promised_s = _stated_duration_s(stream)
        self.frame_count = stream.frames or self._estimate(container, stream)
        self._reader = PictureReader(container, stream)
        # A file without any times has only a made-up average; the codec's own rate is then the better guess.
        self._times = PresentationTimes(stream.guessed_rate or rate)
        self._rgb = RgbConverter()
        self._last_ns = -1
        self._out_of_order = 0
        self._damage_ns: dict[str, int] = {}
        self.fault = None

    def _estimate(self, container: InputContainer, stream: VideoStream) -> int | None:
        if self.frame_rate_hz is None:
            return None
        if stream.duration is not None and stream.time_base is not None:
            return round(float(stream.duration * stream.time_base) * self.frame_rate_hz)
        if container.duration is not None:
            return round(container.duration / av.time_base * self.frame_rate_hz)
        return None

    def _decode(self) -> Frame | None:
        while self._container is not None:
            try:
                numbered = self._reader.read()
            except av.FFmpegError as error:
                self.fault = f"{self._until()} ({error.strerror})"
                return None
            if numbered is None:
                self._finish()
                return None
            index, picture = numbered
            time_ns = self._times.time_ns(index, picture)
            if time_ns <= self._last_ns:
                self._out_of_order += 1  # no player would show it: it has no time of its own
                continue
            self._note_damage(time_ns)
            self._last_ns = time_ns
            image = self._rgb.convert(picture)
            if self.width and image.shape[:2] != (self.height, self.width):
                self.fault = f"{self._until()}: its size changes to {image.shape[1]}×{image.shape[0]} pixels"
                return None
            self.height, self.width = image.shape[:2]
            return Frame(index=index, time_ns=time_ns, captured_ns=self._clock.now_ns(), image=image)
        return None

    def _note_damage(self, time_ns: int) -> None:
        if self._reader.lost == 0:
            self._damage_ns["before"] = time_ns
        else:
            self._damage_ns.setdefault("after", time_ns)
            self.fault = damage_report(self.name, self._reader, self._damage_ns)

    def _finish(self) -> None:
        missing = self._promised - self._reader.packets
        if self._promised and missing > max(2, _MISSING_SHARE * self._promised):
            cut_off = f"{missing} of {self._promised} frames are missing, the file was cut off"
        elif self._times.origin_s + to_seconds(self._last_ns) < self._promised_s * (1 - _MISSING_SHARE) - 0.5:
            cut_off = f"it should last {self._promised_s:.3f} s, the file was cut off"
        else:
            cut_off = ""
        # Damage with good pictures after it is not the end of the file; it explains what is missing.
        damage = damage_report(self.name, self._reader, self._damage_ns)
        self.fault = f"{self._until()}: {cut_off}" if cut_off and "after" not in self._damage_ns else damage
        self._description["out_of_order"] = self._out_of_order
        self._description["times"] = self._times.basis

    def _until(self) -> str:
        return f"{self.name}: can be read until {to_seconds(max(self._last_ns, 0)):.3f} s only"

    def _describe(self, stream: VideoStream, first: Frame) -> None:
        turned = first.image.shape[:2] != (stream.height, stream.width)
        self._description |= {
            "container": stream.container.format.name if stream.container else None,
            "codec": stream.codec_context.name,
            "width": self.width,
            "height": self.height,
            "turned": turned,
            "frame_rate_hz": self.frame_rate_hz,
            "frame_count": self.frame_count,
            "times": self._times.basis,
        }
