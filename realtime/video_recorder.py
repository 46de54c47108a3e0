"""The frames of a live run as a video beside its results, with their exact times, never in the run's way."""

import errno
import json
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from realtime.clock import to_seconds
from realtime.frames import Frame

_LOG = logging.getLogger(__name__)
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

RECORDING_NAME = "recording.mp4"
"""The first recording of a session; the next ones are called recording-2.mp4 and so on."""
MICROSECOND = Fraction(1, 1_000_000)
QUEUE_BYTES = 128 * 2**20
"""Frames that wait for the encoder: some 4 s of 640×480 at 30 Hz; beyond that they are left out and counted."""
KEY_FRAME_EVERY = 60
"""So much of a recording a crash may cost, and so far a reader seeks back, frames."""
QUALITY = {"preset": "ultrafast", "crf": "10", "tune": "zerolatency"}
"""On synthesised films at 640×480 and 30 Hz, against the same frames uncoded: every event found again, six in seven on
the very same frames, movement off by at most 0.06 px in 99 of 100 readings, for 2.6 ms a frame and 9 GB an hour.
A crf of 14 halves the size and keeps four in seven on the very same frames; without any loss it is 44 GB an hour."""
# Fragments can be read up to the last whole one after a crash; Matroska would round times to milliseconds.
_CONTAINER = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}


@dataclass(kw_only=True)
class RecordedVideo:
    """One recording: from a switching on to the next switching off."""

    name: str
    first_index: int
    """Of the first frame in it, in the source."""
    first_s: float
    """Its time in the session; the times in the file count from there, to the microsecond."""
    frames: int = 0
    dropped: int = 0
    """Frames that were left out because the encoder or the disk did not keep up."""


class VideoWriter:
    """One video file.

    Args:
        path: to write.
        first: the frame that gives size and start; it is not yet written.
    """

    def __init__(self, path: Path, first: Frame) -> None:
        self._first_ns = first.time_ns
        height, width = first.image.shape[:2]
        self._shape = first.image.shape
        self._container: OutputContainer = av.open(str(path), "w", options=_CONTAINER)
        start = {"first_index": first.index, "first_s": to_seconds(first.time_ns)}
        self._container.metadata["comment"] = json.dumps(start)
        self._stream: VideoStream = self._container.add_stream("libx264", options=QUALITY)
        self._stream.width, self._stream.height = width, height
        # Full range keeps all 256 shades; half the colour is enough for what is measured in gray.
        self._stream.pix_fmt = "yuvj444p" if width % 2 or height % 2 else "yuvj420p"
        self._stream.codec_context.color_range = ColorRange.JPEG
        self._stream.time_base = self._stream.codec_context.time_base = MICROSECOND
        self._stream.codec_context.gop_size = KEY_FRAME_EVERY
        self._stream.thread_count = 1  # the other core belongs to the run

    def write(self, frame: Frame) -> bool:
        """Append a frame; False if its size is another one than the first's.

        Raises:
            OSError: if the disk is full.
        """
        if frame.image.shape != self._shape:
            return False
        picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
        picture.pts, picture.time_base = (frame.time_ns - self._first_ns + 500) // 1000, MICROSECOND
        self._container.mux(self._stream.encode(picture))
        return True

    def close(self) -> None:
        """Write what the encoder holds back, and end the file.

        Raises:
            OSError: if the disk is full; what was written before can be read.
        """
        try:
            self._container.mux(self._stream.encode())
        finally:
            self._container.close()


class VideoRecorder:
    """Writes frames in a thread of its own while it is switched on.

    Args:
        folder: of the session.
        on_notice: is told, in one line, when frames are left out or the disk is full.
        writer: opens a file; tests pass one that fails.
        queue_bytes: most bytes of frames that wait.
    """

    def __init__(
        self,
        folder: Path,
        on_notice: Callable[[str], None] = lambda _text: None,
        *,
        writer: Callable[[Path, Frame], VideoWriter] = VideoWriter,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        self.videos: list[RecordedVideo] = []
        """Every recording so far, the one under way too."""
        self._folder = folder
        self._on_notice = on_notice
        self._open_writer = writer
        self._queue_bytes = queue_bytes
        self._waiting: deque[Frame | None] = deque()
        self._waiting_bytes = 0
        self._left_out = 0
        self._changed = threading.Condition()
        self._on = self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def on(self) -> bool:
        """Whether frames are being recorded."""
        return self._on

    def switch(self, on: bool) -> None:
        """Begin a recording, or end the one under way; at any time, from any thread."""
        with self._changed:
            if self._closed or on == self._on:
                return
            self._on = on
            if not on:
                self._waiting.append(None)
                self._changed.notify()

    def push(self, frame: Frame) -> None:
        """Take the next frame; returns at once, leaves it out when too many wait."""
        with self._changed:
            if not self._on:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="onset-video", daemon=True)
                self._thread.start()
            if self._waiting and self._waiting_bytes + frame.image.nbytes > self._queue_bytes:
                self._left_out += 1
                return
            self._waiting.append(frame)
            self._waiting_bytes += frame.image.nbytes
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, end the recording and the thread."""
        self.switch(False)
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def as_record(self) -> dict[str, object]:
        """What `session.json` says of it."""
        return {
            "recording": self.videos[0].name if self.videos else None,
            "recordings": [asdict(video) for video in self.videos],
        }

    def _run(self) -> None:
        writer: VideoWriter | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                frame = self._waiting.popleft()
                self._waiting_bytes -= 0 if frame is None else frame.image.nbytes
                left_out, self._left_out = self._left_out, 0
            writer = self._next(writer, frame, left_out)

    def _next(self, writer: VideoWriter | None, frame: Frame | None, left_out: int) -> VideoWriter | None:
        """Write one frame, opening or ending a file as needed; a fault ends the recording and nothing else."""
        try:
            if frame is None:
                self._count(left_out)
                if writer is not None:
                    writer.close()
                return None
            writer = self._begin(frame) if writer is None else writer
            self._count(left_out)
            if not writer.write(frame):
                raise ValueError(f"the picture changed to {frame.image.shape[1]}×{frame.image.shape[0]} pixels")
            self.videos[-1].frames += 1
            return writer
        except Exception as fault:
            self._give_up(writer, frame, fault)
            return None

    def _begin(self, frame: Frame) -> VideoWriter:
        number = len(self.videos) + 1
        name = RECORDING_NAME if number == 1 else RECORDING_NAME.replace(".", f"-{number}.")
        writer = self._open_writer(self._folder / name, frame)
        self.videos.append(RecordedVideo(name=name, first_index=frame.index, first_s=to_seconds(frame.time_ns)))
        return writer

    def _count(self, left_out: int) -> None:
        if not left_out or not self.videos:
            return
        if not self.videos[-1].dropped:
            self._on_notice(
                "recording: frames are left out, the machine or its disk does not keep up; spotting goes on"
            )
        self.videos[-1].dropped += left_out

    def _give_up(self, writer: VideoWriter | None, frame: Frame | None, fault: Exception) -> None:
        _LOG.info("recording ended: %s", fault)
        if writer is not None and frame is not None:
            try:
                writer.close()
            except Exception as further:  # the same fault once more, most likely
                _LOG.info("recording could not be ended well: %s", further)
        with self._changed:
            self._on = False
            self._waiting.clear()
            self._waiting_bytes = 0
        why = "the disk is full" if isinstance(fault, OSError) and fault.errno in DISK_FULL else str(fault)
        self._on_notice(f"recording stopped: {why}; what was recorded is kept, spotting goes on")
