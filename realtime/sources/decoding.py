"""Whole pictures and exact times out of a PyAV container: what video files and streams have in common."""

import os
from collections.abc import Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from jaxtyping import UInt8

from engines.errors import BadInput
from realtime.clock import NANOSECONDS, to_seconds

PATIENCE_PICTURES = 300
"""After damage, pictures left out while waiting for a key frame; some encoders refresh without one."""

_KEYS_KEPT = 64
"""More key pictures than a decoder holds back."""

_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


def picture_stream(container: InputContainer, name: str) -> VideoStream:
    """The first stream of moving pictures; the cover of a song is none.

    Raises:
        BadInput: if there is none, or no decoder for it.
    """
    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic:
            continue
        if stream.codec_context is None:
            raise BadInput(f"{name}: its pictures are coded in a way that cannot be read; convert it to H.264")
        return stream
    if container.streams.audio:
        raise BadInput(f"{name}: holds sound but no picture; give a video")
    raise BadInput(f"{name}: holds no picture; give a video")


def decode_threads() -> int:
    """Threads for the decoder: the machine's cores, no more than four."""
    return min(4, os.cpu_count() or 1)


class PictureReader:
    """Decodes one stream of pictures in presentation order and leaves out what is damaged.

    From the first sign of damage (a broken packet, a picture that the decoder calls corrupt) to the next key
    frame pictures are left out but counted: a concealed picture shows movement that never was. Pictures
    before the first key frame cannot be decoded and do not count at all.

    Args:
        container: open for reading.
        stream: what to decode.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._container, self._stream = container, stream
        self._source = self._pictures()
        self._sent = 0
        self._suspect_from: int | None = None
        self._waited = 0
        # Number of a key picture by its time stamp: all that is shown before it was sent before it.
        self._key_numbers: dict[int, int] = {}
        self.index = 0
        """Number of the next picture."""
        self.lost = 0
        """Damaged pictures left out so far."""
        self.lost_from: int | None = None
        """Number of the first picture left out."""
        self.packets = 0
        """Packets that the container gave."""

    def read(self) -> tuple[int, VideoFrame] | None:
        """The next whole picture with its number, or None after the last.

        Raises:
            av.FFmpegError: what the container raised; no picture comes after it.
        """
        for picture in self._source:
            if self._usable(picture):
                self.index += 1
                return self.index - 1, picture
        if self._suspect_from is not None and self.packets > self.index:
            self._lose(self.packets - self.index)
        return None

    def _usable(self, picture: VideoFrame) -> bool:
        if picture.is_corrupt:
            if self.index == 0:
                return False  # before the first key frame
            self._suspect(self.index)
        if self._suspect_from is None or self.index < self._suspect_from:
            return True
        if not picture.is_corrupt and (picture.key_frame or self._waited >= PATIENCE_PICTURES):
            self._resume(picture)
            return True
        self._lose(1)
        self._waited += 1
        return False

    def _resume(self, picture: VideoFrame) -> None:
        """Number the first whole picture after damage; for some before it the decoder gave nothing."""
        number = self.index if picture.pts is None else self._key_numbers.get(picture.pts, self.index)
        if number > self.index:
            self._lose(number - self.index)
        self._suspect_from, self._waited = None, 0

    def _pictures(self) -> Iterator[VideoFrame]:
        for packet in self._container.demux(self._stream):
            if packet.is_keyframe and packet.pts is not None:
                self._key_numbers[packet.pts] = self.packets
                if len(self._key_numbers) > _KEYS_KEPT:
                    del self._key_numbers[next(iter(self._key_numbers))]
            self.packets += packet.size > 0
            if packet.is_corrupt:
                # What was sent before is whole and still to come out of the decoder.
                self._suspect(self._sent)
                continue
            try:
                pictures = packet.decode()
            except av.FFmpegError:
                self._suspect(self.index)
                continue
            self._sent += 1
            yield from pictures

    def _suspect(self, index: int) -> None:
        self._suspect_from = index if self._suspect_from is None else min(index, self._suspect_from)

    def _lose(self, pictures: int) -> None:
        self.lost_from = self.index if self.lost_from is None else self.lost_from
        self.index += pictures
        self.lost += pictures


class PresentationTimes:
    """Exact times of pictures since the first one, integer nanoseconds; no floating point anywhere.

    Args:
        rate: nominal frames per second, used only where a container gives no times.
    """

    def __init__(self, rate: Fraction | None) -> None:
        self._rate = rate or Fraction(25)
        self._first: int | None = None
        self._first_index: int | None = None
        self._decoding_times = False
        self.origin_s = 0.0
        """Where the first picture stands on the container's own time axis."""
        self.basis = "presentation times"
        """Where the times come from, in words."""

    def time_ns(self, index: int, picture: VideoFrame) -> int:
        """Time of a picture since the first."""
        if self._first_index is None:
            self._begin(index, picture)
        stamp = picture.dts if self._decoding_times else picture.pts
        if self._first is None or stamp is None or picture.time_base is None:
            if self._first is not None:
                self.basis = "presentation times, where missing the frame number / nominal frame rate"
            return round((index - (self._first_index or 0)) * NANOSECONDS / self._rate)
        base = picture.time_base
        numerator, denominator = (stamp - self._first) * base.numerator * NANOSECONDS, base.denominator
        return (2 * numerator + denominator) // (2 * denominator)

    def _begin(self, index: int, picture: VideoFrame) -> None:
        self._first_index = index
        self._decoding_times = picture.pts is None and picture.dts is not None
        self._first = picture.dts if self._decoding_times else picture.pts
        if self._first is None:
            self.basis = f"frame number / nominal frame rate ({float(self._rate):g} Hz): the file has no times"
            return
        self.origin_s = float(self._first * (picture.time_base or 0))
        if self._decoding_times:
            self.basis = "decoding times: the file has no presentation times"


class RgbConverter:
    """Pictures as upright RGB arrays; the conversion is set up once, not once a frame."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def convert(self, picture: VideoFrame) -> UInt8[np.ndarray, "H W 3"]:
        """The picture as RGB, turned as its metadata says.

        Raises:
            BadInput: if the metadata turns it by something else than quarter turns.
        """
        # One thread: for a picture of this size more of them cost more than they save.
        image: np.ndarray = self._reformatter.reformat(picture, format="rgb24", threads=1).to_ndarray()
        turn = picture.rotation % 360
        if turn == 0:
            return image
        if turn not in _TURNS:
            raise BadInput(f"a picture turned by {turn}° cannot be shown upright; only quarter turns can")
        return np.asarray(cv2.rotate(image, _TURNS[turn]))


def damage_report(name: str, reader: PictureReader, times_ns: dict[str, int]) -> str | None:
    """One line about the pictures that were left out, None if there were none.

    Args:
        name: of the source.
        reader: has counted them.
        times_ns: "before" the time of the last whole picture before the damage, "after" of the first one
            after it.
    """
    if not reader.lost:
        return None
    begin = f"{to_seconds(times_ns.get('before', 0)):.3f} s"
    if "after" in times_ns:
        rest = f"read on from {to_seconds(times_ns['after']):.3f} s"
    else:
        rest = "nothing can be read after that"
    return f"{name}: damaged after {begin}, {reader.lost} frames left out, {rest}"
