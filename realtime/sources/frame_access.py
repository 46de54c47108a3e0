"""Any picture of a recording by its time, not only the next one: the very pictures that reading in order gives."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from jaxtyping import UInt8

from engines.errors import BadInput
from realtime.clock import NANOSECONDS, to_seconds
from realtime.sources.decoding import PictureReader, PresentationTimes, RgbConverter, decode_threads, picture_stream
from realtime.sources.image_folder import ImageFolder, read_image

_WALK_ON_S = 1.0
"""A picture so little ahead is reached by decoding on, without a search for the key frame before it."""
_STEPS_BACK_S = (0.0, 2.0, 15.0)
"""How much earlier to look for a key frame from which the wanted picture can be decoded."""
_KEPT_BYTES = 48 << 20
"""Decoded pictures that are kept, so that a step back costs nothing."""
_MOST_KEPT = 240


class FrameAccess(ABC):
    """Pictures of one recording by their time. A context manager; one thread at a time."""

    @abstractmethod
    def at(self, time_ns: int) -> UInt8[np.ndarray, "H W 3"]:
        """The picture of that time, as reading the source in order gives it.

        Args:
            time_ns: `Frame.time_ns` of the picture.

        Raises:
            BadInput: if the recording has no picture at that time, or cannot be read.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the file; safe to call twice. The next `at` opens it again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class VideoFrames(FrameAccess):
    """Pictures of a video file: from the key frame before the wanted one, decoding forwards.

    A picture is known by its presentation time, counted from the first picture as `VideoFile` counts it. So edit
    lists, variable rates and pictures without a time of their own come out alike. Where a search does not lead to
    the very picture, the file is read from its beginning, just as `VideoFile` does.

    Args:
        path: the file.
        starts_ns: time of the file's first picture, in the times that `at` is asked for.
        slack_ns: how far a picture may be from the time asked for, for files that round their times.
    """

    def __init__(self, path: Path, *, starts_ns: int = 0, slack_ns: int = 0) -> None:
        self._path = path
        self._starts_ns = starts_ns
        self._slack_ns = slack_ns
        self._container: InputContainer | None = None
        self._kept: deque[tuple[int, VideoFrame]] = deque(maxlen=_MOST_KEPT)
        self._rgb = RgbConverter()

    def at(self, time_ns: int) -> UInt8[np.ndarray, "H W 3"]:
        """The picture of that time."""
        wanted_ns = time_ns - self._starts_ns
        try:
            picture = self._kept_at(wanted_ns) or self._find(wanted_ns)
        except (av.FFmpegError, OSError) as fault:
            self.close()
            reason = getattr(fault, "strerror", None) or str(fault)
            raise BadInput(f"{self._path}: cannot be read ({reason}); put the video back where it was") from fault
        if picture is None:
            raise BadInput(f"{self._path}: has no picture at {to_seconds(time_ns):.6f} s; is it the same video?")
        return self._rgb.convert(picture)

    def close(self) -> None:
        """Close the file and forget its pictures."""
        self._kept.clear()
        container, self._container = self._container, None
        if container is not None:
            container.close()

    def _find(self, wanted_ns: int) -> VideoFrame | None:
        if self._container is None:
            self._start()
        elif self._kept and 0 < wanted_ns - self._kept[-1][0] <= _WALK_ON_S * NANOSECONDS:
            return self._walk(wanted_ns) or self._search(wanted_ns)
        return self._search(wanted_ns)

    def _search(self, wanted_ns: int) -> VideoFrame | None:
        for back_s in _STEPS_BACK_S if self._timed else ():
            self._seek(wanted_ns - round(back_s * NANOSECONDS))
            if (found := self._walk(wanted_ns)) is not None:
                return found
        self._start()
        return self._walk(wanted_ns)

    def _start(self) -> None:
        """Open the file anew and read it in order."""
        self.close()
        self._container = container = av.open(str(self._path), mode="r")
        self._stream = stream = picture_stream(container, str(self._path))
        stream.thread_type, stream.codec_context.thread_count = "AUTO", decode_threads()
        # As in `VideoFile`, so that the times are the same.
        self._times = PresentationTimes(stream.guessed_rate or stream.average_rate)
        self._ahead = self._in_order(container, stream)
        with suppress(StopIteration):
            self._ahead = _put_back(next(self._ahead), self._ahead)
        self._timed = not self._times.basis.startswith("frame number")

    def _in_order(self, container: InputContainer, stream: VideoStream) -> Iterator[tuple[int, VideoFrame]]:
        reader = PictureReader(container, stream)
        while (numbered := reader.read()) is not None:
            yield self._times.time_ns(*numbered), numbered[1]

    def _seek(self, wanted_ns: int) -> None:
        assert self._container is not None
        self._kept.clear()
        base = self._stream.time_base
        place_s = self._times.origin_s + to_seconds(max(wanted_ns, 0))
        try:
            self._container.seek(round(place_s / base) if base else 0, stream=self._stream, backward=True)
        except av.FFmpegError:  # a container without an index; the next attempt goes on from wherever it is
            self._ahead = iter(())
            return
        self._ahead = self._from_key(self._container, self._stream)

    def _from_key(self, container: InputContainer, stream: VideoStream) -> Iterator[tuple[int, VideoFrame]]:
        """Pictures from the next key frame on; those shown before it may lean on pictures that were skipped."""
        begun = False
        for packet in container.demux(stream):
            try:
                pictures = packet.decode()
            except av.FFmpegError:
                return  # damaged: only reading in order knows which pictures are whole
            for picture in pictures:
                begun = begun or bool(picture.key_frame)
                if picture.is_corrupt or (picture.pts is None and picture.dts is None):
                    return
                if begun:
                    yield self._times.time_ns(0, picture), picture

    def _walk(self, wanted_ns: int) -> VideoFrame | None:
        """Decode on to the picture; None where the pictures ahead begin after it or end before it."""
        for time_ns, picture in self._ahead:
            if not self._kept and time_ns > wanted_ns + self._slack_ns:
                return None
            self._keep(time_ns, picture)
            if time_ns >= wanted_ns:
                break
        return self._kept_at(wanted_ns)

    def _keep(self, time_ns: int, picture: VideoFrame) -> None:
        if self._kept and time_ns <= self._kept[-1][0]:
            return  # no player would show it
        self._kept.append((time_ns, picture))
        most = max(2, _KEPT_BYTES // max(1, 2 * picture.width * picture.height))
        while len(self._kept) > most:
            self._kept.popleft()

    def _kept_at(self, wanted_ns: int) -> VideoFrame | None:
        if not self._kept:
            return None
        time_ns, picture = min(self._kept, key=lambda one: abs(one[0] - wanted_ns))
        return picture if abs(time_ns - wanted_ns) <= self._slack_ns else None


class ImageFolderFrames(FrameAccess):
    """Pictures of a folder of images.

    Args:
        path: the folder.
        frame_rate_hz: the rate at which it was read.
    """

    def __init__(self, path: Path, *, frame_rate_hz: float) -> None:
        self._source = ImageFolder(path, frame_rate_hz=frame_rate_hz)
        self._open = False

    def at(self, time_ns: int) -> UInt8[np.ndarray, "H W 3"]:
        """The picture of that time."""
        if not self._open:
            self._source.open()
            self._open = True
        file = self._source.file_at(time_ns)
        if file is None:
            raise BadInput(f"{self._source.name}: has no image at {to_seconds(time_ns):.6f} s; is it the same folder?")
        return read_image(file)

    def close(self) -> None:
        """Forget the list of files."""
        self._source.close()
        self._open = False


def _put_back(
    first: tuple[int, VideoFrame], following: Iterator[tuple[int, VideoFrame]]
) -> Iterator[tuple[int, VideoFrame]]:
    yield first
    yield from following
