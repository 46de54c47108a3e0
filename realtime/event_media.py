"""Pictures of one event (onset, apex, offset, flow, strain) and its slow-motion clip."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import av
import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from engines.errors import BadInput
from realtime.clock import to_seconds
from realtime.event_pictures import flow_on_face, strain_on_face
from realtime.events import ExpressionEvent
from realtime.faces.landmarks import LEFT_EYE_INNER, RIGHT_EYE_INNER
from realtime.faces.observation import CANTHUS_DISTANCE, AlignedFace

Item = TypeVar("Item")

CLIP_NAME = "clip.mp4"
CLIP_RATE_HZ = 30
SLOW_DOWN = 5.0
"""How much slower than life the clip runs."""
LONGEST_CLIP_S = 8.0
"""Long movements are slowed down less, so that no clip plays longer than this."""
MOST_CROPS = 150
"""Crops that a clip is made of, at most."""
_COMPRESSION = {"crf": "23", "preset": "veryfast"}


def write_event_media(
    folder: Path,
    event: ExpressionEvent,
    crops: Sequence[AlignedFace],
    flow: Float32[np.ndarray, "2 h w"] | None = None,
    strain: Float32[np.ndarray, "h w"] | None = None,
) -> Path:
    """Write the pictures and the clip of one event, all of them or none.

    Args:
        folder: the event's own.
        event: whose onset, apex and offset are shown: the crops nearest to them.
        crops: the movement and some 0.2 s around it, in order of time.
        flow: onset to apex, pixels of the canonical crop, on any grid that covers it whole.
        strain: of that flow.

    Returns:
        The folder.

    Raises:
        BadInput: if there is no crop.
        OSError: if the disk is full.
    """
    if not crops:
        raise BadInput(f"event {event.event_id}: no crops to draw; keep the frames around it")
    partial = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write_pictures(partial, event, crops, flow, strain)
        write_clip(partial / CLIP_NAME, crops)
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _write_pictures(
    folder: Path,
    event: ExpressionEvent,
    crops: Sequence[AlignedFace],
    flow: Float32[np.ndarray, "2 h w"] | None,
    strain: Float32[np.ndarray, "h w"] | None,
) -> None:
    moments = {"onset": event.onset_ns, "apex": event.apex_ns, "offset": event.offset_ns}
    shown = {name: min(crops, key=lambda crop: abs(crop.time_ns - time_ns)) for name, time_ns in moments.items()}
    for name, crop in shown.items():
        _write_png(folder / f"{name}.png", crop.image)
    apex = shown["apex"]
    if flow is not None:
        _write_png(folder / "flow.png", flow_on_face(_in_canthus_pixels(flow, apex), apex.image))
    if strain is not None:
        _write_png(folder / "strain.png", strain_on_face(strain, apex.image))


def write_clip(path: Path, crops: Sequence[AlignedFace]) -> float:
    """Write crops as slow motion, H.264 that every browser plays, the movement as it is beside it magnified.

    Returns:
        How much slower than life it runs.

    Raises:
        OSError: if the disk is full.
    """
    crops = spread(crops, MOST_CROPS)
    times_s = np.array([to_seconds(crop.time_ns) for crop in crops])
    return write_loop(path, np.stack([crop.image for crop in crops]), times_s)


def write_loop(
    path: Path,
    images: UInt8[np.ndarray, "T H W 3"],
    times_s: Float64[np.ndarray, " T"],
    alpha: float | None = None,
) -> float:
    """Write pictures as slow motion, as they are and magnified, side by side.

    Args:
        path: the video.
        images: the pictures, of even width and height.
        times_s: time of each, rising.
        alpha: amplification, a movement becomes 1 + α times as large; by default gently.

    Returns:
        How much slower than life it runs.

    Raises:
        OSError: if the disk is full.
    """
    length_s = float(times_s[-1] - times_s[0])
    slow_down = min(SLOW_DOWN, max(1.0, LONGEST_CLIP_S / max(length_s, 1e-9)))
    shown_s = times_s[0] + np.arange(max(1, round(length_s * slow_down * CLIP_RATE_HZ))) / CLIP_RATE_HZ / slow_down
    # Brings SciPy's filters in, which take a second to load: not at the start of every run.
    from engines.magnification import LOOP_PARAMETERS, magnified_loop

    parameters = None if alpha is None else replace(LOOP_PARAMETERS, alpha=alpha)
    with suppress(BadInput):  # too few frames a second for the band: the movement as it is, alone
        images = np.concatenate([images, magnified_loop(images, times_s, parameters)], axis=2)
    _encode(path, images, _nearest(times_s, shown_s))
    return slow_down


def spread(items: Sequence[Item], most: int) -> Sequence[Item]:
    """At most so many crops, evenly spread: magnification holds all of them in memory."""
    if len(items) <= most:
        return items
    return [items[round(place)] for place in np.linspace(0, len(items) - 1, most)]


def _encode(path: Path, panels: UInt8[np.ndarray, "T H W 3"], order: Sequence[int]) -> None:
    height, width = panels.shape[1:3]
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=CLIP_RATE_HZ, options=_COMPRESSION)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.thread_count = 1  # the other core belongs to the capture
        for number, place in enumerate(order):
            frame = av.VideoFrame.from_ndarray(panels[place], format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, CLIP_RATE_HZ)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _nearest(times_s: np.ndarray, wanted_s: np.ndarray) -> list[int]:
    """Place of the time nearest to each wanted one."""
    after = np.clip(np.searchsorted(times_s, wanted_s), 1, max(1, len(times_s) - 1))
    before = after - 1
    after = np.minimum(after, len(times_s) - 1)
    nearer = np.where(wanted_s - times_s[before] <= times_s[after] - wanted_s, before, after)
    return [int(place) for place in nearer]


def _in_canthus_pixels(flow: Float32[np.ndarray, "2 h w"], face: AlignedFace) -> Float32[np.ndarray, "2 h w"]:
    """Flow in the unit of `strength`: pixels of a face whose inner canthi are `CANTHUS_DISTANCE` apart."""
    inner_right, inner_left = face.landmarks[RIGHT_EYE_INNER], face.landmarks[LEFT_EYE_INNER]
    distance = float(np.hypot(*(inner_left - inner_right)))
    return (flow * np.float32(CANTHUS_DISTANCE / max(distance, 1e-6))).astype(np.float32)


def _write_png(path: Path, image: UInt8[np.ndarray, "H W 3"]) -> None:
    encoded, content = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not encoded:
        raise BadInput(f"{path.name}: the picture cannot be encoded; expected RGB uint8, got {image.shape}")
    path.write_bytes(content.tobytes())
