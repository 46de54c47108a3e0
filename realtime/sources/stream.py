"""A video stream from the network through PyAV, read as it comes."""

from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from engines.errors import BadInput
from realtime.clock import Clock, MonotonicClock, to_seconds
from realtime.frames import Frame
from realtime.json_lines import without_password
from realtime.sources.base import Source, SourceLost
from realtime.sources.decoding import PictureReader, PresentationTimes, RgbConverter, picture_stream

SCHEMES = frozenset({"rtsp", "rtsps", "rtp", "http", "https", "tcp", "udp", "rtmp", "rtmps", "srt"})

_BUFFER_BYTES = 8 * 2**20
_BACKWARDS_S = 1.0


def is_stream_address(address: str) -> bool:
    """True for an address such as rtsp://camera/live."""
    scheme, separator, _ = address.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


class Stream(Source):
    """Frames of a network stream with the sender's own presentation times.

    The socket's buffers are made large and RTSP goes over TCP, so that a short delay here loses nothing. The
    decoder uses slice threads only: frame threads would hold back one picture each. A stream has no natural
    end: when the sender goes, `read` raises `SourceLost`, unless a stated duration was reached.

    Name, description and messages are without the name and password that the address may carry.

    Args:
        address: for example rtsp://…, tcp://…, udp://…, http://….
        give_up_s: longest silence once the stream runs. The connection cannot be used after that; shorter
            stalls are for `Capture` to report.
        open_timeout_s: longest wait for the connection and the stream's parameters.
        clock: stamps each frame when it has been decoded.
    """

    live = True

    def __init__(
        self, address: str, *, give_up_s: float = 5.0, open_timeout_s: float = 10.0, clock: Clock | None = None
    ) -> None:
        self._address = address
        self.name = without_password(address)
        self._give_up_s, self._open_timeout_s = give_up_s, open_timeout_s
        self._clock = clock or MonotonicClock()
        self._container: InputContainer | None = None
        self._last_ns, self._frames = -1, 0
        self._description: dict[str, Any] = {"kind": "stream", "name": self.name}

    @property
    def description(self) -> dict[str, Any]:
        """Kind, container, codec, size, nominal rate, and how many frames arrived damaged."""
        lost = self._reader.lost if self._container is not None else self._description.get("damaged_frames", 0)
        return self._description | {"damaged_frames": lost}

    def open(self) -> None:
        """Connect and find the pictures.

        Raises:
            BadInput: if nothing answers, or what answers is no video.
        """
        try:
            container = av.open(self._address, mode="r", options=self._options(), timeout=self._timeouts())
        except av.error.ExitError:
            raise BadInput(
                f"{self.name}: no video came within {self._open_timeout_s:g} s; check that the sender runs"
            ) from None  # the error names the whole address
        except (av.FFmpegError, OSError) as error:
            raise BadInput(f"{self.name}: cannot be opened ({_reason(error)}); check address and sender") from None
        try:
            stream = picture_stream(container, self.name)
            self._prepare(container, stream)
        except BaseException:
            container.close()
            raise
        self._container = container

    def read(self) -> Frame | None:
        """The next frame, or None where a stated duration was reached.

        Raises:
            SourceLost: if no data came for `give_up_s`, the stream was cut off, or its clock or picture size jumped.
        """
        while self._container is not None:
            numbered = self._read_picture()
            if numbered is None:
                return None
            index, picture = numbered
            time_ns = self._times.time_ns(index, picture)
            if time_ns <= self._last_ns:
                self._check_clock(time_ns)
                continue
            image = self._rgb.convert(picture)
            if self.width and image.shape[:2] != (self.height, self.width):
                raise SourceLost(
                    f"{self._so_far()}: the picture changed from {self.width}×{self.height} to "
                    f"{image.shape[1]}×{image.shape[0]} pixels; start again"
                )
            self.height, self.width = image.shape[:2]
            self._last_ns = time_ns
            self._frames += 1
            return Frame(index=index, time_ns=time_ns, captured_ns=self._clock.now_ns(), image=image)
        return None

    def close(self) -> None:
        """Close the connection."""
        if self._container is not None:
            self._description["damaged_frames"] = self._reader.lost
            self._container.close()
            self._container = None

    def _options(self) -> dict[str, str]:
        # Not "nobuffer": it throws away the pictures that were read to find the stream's parameters.
        return {
            "analyzeduration": "500000",
            "rtsp_transport": "tcp",
            "buffer_size": str(_BUFFER_BYTES),
            "recv_buffer_size": str(_BUFFER_BYTES),
            "fifo_size": str(_BUFFER_BYTES // 188),
            "overrun_nonfatal": "0",
        }

    def _timeouts(self) -> tuple[float, float]:
        return (self._open_timeout_s, self._give_up_s)

    def _prepare(self, container: InputContainer, stream: VideoStream) -> None:
        stream.thread_type = "SLICE"
        rate = stream.average_rate or stream.guessed_rate
        self.frame_rate_hz = float(rate) if rate else None
        self.height, self.width = stream.height, stream.width
        self._duration_s = container.duration / av.time_base if container.duration else None
        self._reader = PictureReader(container, stream)
        self._times = PresentationTimes(rate)
        self._rgb = RgbConverter()
        self._last_ns, self._frames = -1, 0
        self._description |= {
            "container": container.format.name,
            "codec": stream.codec_context.name,
            "width": self.width,
            "height": self.height,
            "frame_rate_hz": self.frame_rate_hz,
            "times": "the sender's presentation times",
        }

    def _read_picture(self) -> tuple[int, Any] | None:
        try:
            numbered = self._reader.read()
        except av.error.ExitError:
            raise SourceLost(
                f"{self._so_far()}: nothing more came for {self._give_up_s:g} s; check the sender"
            ) from None
        except (av.FFmpegError, OSError) as error:
            raise SourceLost(f"{self._so_far()}: cut off ({_reason(error)})") from None
        if numbered is None and not self._reached_its_end():
            raise SourceLost(f"{self._so_far()}: cut off, the sender closed the stream")
        return numbered

    def _reached_its_end(self) -> bool:
        return self._duration_s is not None and to_seconds(self._last_ns) > self._duration_s - 1.0

    def _check_clock(self, time_ns: int) -> None:
        back_s = to_seconds(self._last_ns - time_ns)
        if back_s > _BACKWARDS_S:
            raise SourceLost(f"{self._so_far()}: the sender's clock went back by {back_s:.1f} s; start again")

    def _so_far(self) -> str:
        return f"{self.name}: after {self._frames} frames, at {to_seconds(max(self._last_ns, 0)):.3f} s"


def _reason(error: Exception) -> str:
    return without_password(str(getattr(error, "strerror", None) or error))
