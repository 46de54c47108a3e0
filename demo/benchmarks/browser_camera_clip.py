"""A film for a fake webcam: every picture carries its number, so that what became of each can be told."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import UInt8

from demo.benchmarks.spotting_takes import CONDITIONS, FIRST_SEED, NATURAL, as_benched, true_intervals
from realtime.clock import NANOSECONDS
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_videos import truth_records
from trainers.metrics.spotting import Interval

BITS = 13
CELL_PX = 32
STRIP_PX = 16
DARK, BRIGHT = 80, 176
"""Far enough apart for any codec, near enough to cost it little."""
LEAD_IN_S = 4.0
"""Neutral time before the first expression: the browser needs a moment from the camera's start to the first image."""


def write_number(image: UInt8[np.ndarray, "H W 3"], number: int) -> None:
    """Draw a number over the upper edge: a strip of cells, one of which changes from each picture to the next."""
    code = number ^ (number >> 1)
    for bit in range(BITS):
        image[:STRIP_PX, bit * CELL_PX : (bit + 1) * CELL_PX] = BRIGHT if code >> bit & 1 else DARK


def read_number(image: UInt8[np.ndarray, "H W 3"]) -> int:
    """The number that `write_number` drew."""
    number = 0
    for bit in reversed(range(BITS)):
        cell = image[2 : STRIP_PX - 2, bit * CELL_PX + 4 : (bit + 1) * CELL_PX - 4]
        number = number << 1 | (int(cell.mean() > (DARK + BRIGHT) / 2) ^ number & 1)
    return number


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A film with its truth."""

    path: Path
    """Uncompressed, .y4m: the form that Chromium takes for a webcam, and the same pixels for a replay."""
    frame_rate_hz: float
    """Of the scene."""
    speed: float
    """How fast the file plays it; 1 is its own time."""
    frames: int
    truths: tuple[Interval, ...]
    amplitudes_px: tuple[float, ...]


def write_clip(folder: Path, *, identity: int, frame_rate_hz: float, duration_s: float, speed: float = 1.0) -> Clip:
    """Film a scene of the spotting bench.

    Args:
        folder: where the film goes.
        identity: which face.
        frame_rate_hz: frames a second.
        duration_s: length of the scene.
        speed: below 1 the file shows it slowed down.
    """
    name = f"{identity}-{frame_rate_hz:.0f}"
    parameters = replace(
        as_benched(CONDITIONS[NATURAL].scene), identity=identity, duration_s=duration_s, lead_in_s=LEAD_IN_S
    )
    scene = Scene.plan(parameters, FIRST_SEED + identity)
    times_ns = [round(index * NANOSECONDS / frame_rate_hz) for index in range(int(duration_s * frame_rate_hz))]
    path = folder / f"{name}.y4m"
    with av.open(str(path), "w", format="yuv4mpegpipe") as container:
        stream: Any = container.add_stream("rawvideo", rate=Fraction(frame_rate_hz * speed).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = parameters.width, parameters.height, "yuv420p"
        for index, time_ns in enumerate(times_ns):
            image = scene.frame(time_ns / NANOSECONDS).copy()
            write_number(image, index)
            picture = av.VideoFrame.from_ndarray(image, format="rgb24")
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    records = truth_records(scene, times_ns, path.name)
    return Clip(
        path=path,
        frame_rate_hz=frame_rate_hz,
        speed=speed,
        frames=len(times_ns),
        truths=tuple(true_intervals(records, name)),
        amplitudes_px=tuple(record["amplitude_px"] for record in records),
    )
