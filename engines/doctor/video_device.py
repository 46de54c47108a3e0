"""What a camera offers, asked of Video4Linux: name, codings, sizes and frame rates, without a single picture.

Run as `python -m engines.doctor.video_device /dev/video0`, it prints the answer as JSON: the questions go to a driver,
which may hang, so the doctor asks them in a process of its own.

Reference:
    Linux kernel documentation, Video for Linux API: VIDIOC_QUERYCAP, ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS.
"""

import json
import os
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

CAPTURES, HAS_DEVICE_CAPABILITIES = 0x00000001, 0x80000000
_VIDEO_CAPTURE, _DISCRETE = 1, 1  # v4l2_buf_type, v4l2_frm*types
_MOST = 256
"""Entries of one list that are read; a driver that never ends its list would hold us forever."""

# Direction, size of the structure, the letter V and the number, as asm-generic/ioctl.h puts them together.
QUERY_CAPABILITY = 2 << 30 | 104 << 16 | ord("V") << 8 | 0
ENUMERATE_CODINGS = 3 << 30 | 64 << 16 | ord("V") << 8 | 2
ENUMERATE_SIZES = 3 << 30 | 44 << 16 | ord("V") << 8 | 74
ENUMERATE_INTERVALS = 3 << 30 | 52 << 16 | ord("V") << 8 | 75

Control = Callable[[int, bytearray], object]
"""Puts a request to the driver, which answers in the bytes; OSError where it refuses, as at the end of a list."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mode:
    """One size of one coding."""

    width: int
    """Pixels; the largest where the camera takes any size between two."""
    height: int
    """Pixels."""
    rate_hz: float
    """Highest frame rate; 0 where the driver does not tell."""
    coding: str
    """Four letters, such as MJPG or YUYV."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoDevice:
    """What stands behind a device file."""

    name: str
    captures: bool
    """Whether pictures come out of it; a camera often has a second device file for metadata alone."""
    modes: tuple[Mode, ...]


def describe(control: Control) -> VideoDevice:
    """Ask a device for everything that it offers.

    Args:
        control: puts requests to the device.

    Raises:
        OSError: if it is no video device.
    """
    answer = bytearray(104)
    control(QUERY_CAPABILITY, answer)
    _, name, _, _, whole, own = struct.unpack_from("<16s32s32sIII", answer)
    captures = bool((own if whole & HAS_DEVICE_CAPABILITIES else whole) & CAPTURES)
    modes = (mode for code in _codings(control) for mode in _modes(control, code)) if captures else ()
    return VideoDevice(name=name.split(b"\0")[0].decode(errors="replace"), captures=captures, modes=tuple(modes))


def _codings(control: Control) -> Iterator[int]:
    for answer in _listed(control, ENUMERATE_CODINGS, 64, "<II", _VIDEO_CAPTURE):
        yield struct.unpack_from("<I", answer, 44)[0]


def _modes(control: Control, code: int) -> Iterator[Mode]:
    letters = struct.pack("<I", code & 0x7FFFFFFF).decode(errors="replace").strip()
    for answer in _listed(control, ENUMERATE_SIZES, 44, "<II", code):
        (kind,) = struct.unpack_from("<I", answer, 8)
        # Between a smallest and a largest size in steps, the largest is told: minimum, maximum, step of either side.
        width, height = struct.unpack_from("<II" if kind == _DISCRETE else "<4xI8xI", answer, 12)
        yield Mode(width=width, height=height, rate_hz=_fastest(control, code, width, height), coding=letters)
        if kind != _DISCRETE:
            return


def _fastest(control: Control, code: int, width: int, height: int) -> float:
    """Highest frame rate of a size.

    The driver lists the seconds between two frames as fractions; of a range, the shortest comes first.
    """
    rates = [0.0]
    for answer in _listed(control, ENUMERATE_INTERVALS, 52, "<IIII", code, width, height):
        kind, numerator, denominator = struct.unpack_from("<III", answer, 16)
        rates.append(denominator / numerator if numerator else 0.0)
        if kind != _DISCRETE:
            break
    return max(rates)


def _listed(control: Control, request: int, size: int, fields: str, *values: int) -> Iterator[bytearray]:
    for index in range(_MOST):
        answer = bytearray(size)
        struct.pack_into(fields, answer, 0, index, *values)
        try:
            control(request, answer)
        except OSError:
            return
        yield answer


def _main(path: str) -> None:
    import fcntl  # Linux and its kin alone

    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        found = describe(lambda request, answer: fcntl.ioctl(handle, request, answer))
    finally:
        os.close(handle)
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    _main(sys.argv[1])
