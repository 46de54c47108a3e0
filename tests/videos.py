"""Real video files for tests, written with PyAV: whole, variable in rate, turned, cut off, damaged."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

TIME_BASE = Fraction(1, 90_000)


def numbered_image(index: int, width: int = 160, height: int = 120) -> UInt8[np.ndarray, "H W 3"]:
    """A picture that carries its number: 16 black or white cells above, texture below."""
    image = np.full((height, width, 3), 128, np.uint8)
    cell_width, cell_height = width // 8, height // 4
    for bit in range(16):
        row, column = divmod(bit, 8)
        level = 235 if index >> bit & 1 else 20
        image[row * cell_height : (row + 1) * cell_height, column * cell_width : (column + 1) * cell_width] = level
    texture = np.random.default_rng(0).integers(90, 166, (height - height // 2, width, 1), dtype=np.uint8)
    image[height // 2 :] = texture
    return image


def number_of(image: UInt8[np.ndarray, "H W 3"]) -> int:
    """The number that `numbered_image` put into a picture."""
    height, width = image.shape[:2]
    cell_width, cell_height = width // 8, height // 4
    number = 0
    for bit in range(16):
        row, column = divmod(bit, 8)
        cell = image[row * cell_height : (row + 1) * cell_height, column * cell_width : (column + 1) * cell_width]
        number |= int(cell.mean() > 128) << bit
    return number


def write_video(
    path: Path,
    images: Sequence[UInt8[np.ndarray, "H W 3"]],
    *,
    frame_rate: Fraction | int = 30,
    ticks: Sequence[int] | None = None,
    codec: str = "libx264",
    key_frame_every: int = 30,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encode pictures; `ticks` are presentation times in units of 1/90000 s, else they follow the rate."""
    if ticks is None:
        ticks = [round(index / Fraction(frame_rate) / TIME_BASE) for index in range(len(images))]
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=Fraction(frame_rate))
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = TIME_BASE
        stream.codec_context.gop_size = key_frame_every
        stream.codec_context.thread_count = 1  # the same bytes on every machine
        preset = {"preset": "veryfast"} if codec == "libx264" else {}
        stream.codec_context.options = preset | (options or {})
        for image, tick in zip(images, ticks, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = tick, TIME_BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_numbered(path: Path, count: int = 60, *, width: int = 160, height: int = 120, **settings: object) -> Path:
    """A video of `numbered_image`; settings as for `write_video`."""
    images = [numbered_image(index, width, height) for index in range(count)]
    return write_video(path, images, **settings)  # type: ignore[arg-type]  # forwarded as they are


def write_sound(path: Path) -> Path:
    """A file with half a second of sound and no picture."""
    rate = 44_100
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=rate)
        stream.layout = "mono"
        for begin in range(0, rate // 2, 1024):
            tone = np.sin(2 * np.pi * 440 * np.arange(begin, begin + 1024) / rate).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, begin
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def turned(source: Path, path: Path, quarter_turns: int) -> Path:
    """A copy of an mp4 whose metadata asks to show it turned clockwise by so many quarter turns."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarter_turns % 4]
    matrix = b"".join(
        (value % 2**32).to_bytes(4, "big")
        for value in (cosine << 16, sine << 16, 0, -sine << 16, cosine << 16, 0, 0, 0, 1 << 30)
    )
    content = bytearray(source.read_bytes())
    header = content.index(b"tkhd")
    # Version 0 of the track header: the matrix begins 40 bytes after the version byte that follows the name.
    begin = header + 4 + 40
    content[begin : begin + 36] = matrix
    path.write_bytes(content)
    return path


def cut_off(source: Path, path: Path, share: float) -> Path:
    """A copy that ends after a share of the bytes."""
    content = source.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def damaged(source: Path, path: Path, share: float, byte_count: int) -> Path:
    """A copy with zeros over some bytes."""
    content = bytearray(source.read_bytes())
    begin = int(len(content) * share)
    content[begin : begin + byte_count] = bytes(byte_count)
    path.write_bytes(content)
    return path
