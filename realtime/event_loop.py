"""One event again, magnified as much as the viewer likes: from the recording, or from the event's own clip."""

from pathlib import Path

import av
import numpy as np
from jaxtyping import Float64, UInt8

from engines.errors import BadInput
from realtime.clock import to_nanoseconds, to_seconds
from realtime.event_media import CLIP_NAME, LONGEST_CLIP_S, MOST_CROPS, SLOW_DOWN, spread, write_loop
from realtime.faces.alignment import FaceAligner
from realtime.faces.observation import AlignedFace
from realtime.faces.tracker import FaceTracker
from realtime.frames import Frame
from realtime.json_lines import Record
from realtime.session_frames import SessionFrames

MARGIN_S = 0.3
"""Shown before the onset and after the offset; the filter needs some rest at both ends."""
LEAST_FACTOR, LARGEST_FACTOR = 2.0, 50.0

Loop = tuple[UInt8[np.ndarray, "T H W 3"], Float64[np.ndarray, " T"]]


def write_magnified(path: Path, frames: SessionFrames, event_id: int, factor: float) -> None:
    """Write an event as a slow loop: as it was, and its movement so many times as large, side by side.

    Args:
        path: the video, H.264 in MP4.
        frames: of the session.
        event_id: the event.
        factor: how many times as large, 2 to 50.

    Raises:
        BadInput: if there is no such event, nothing is left to show it with, or the factor is none.
    """
    if not LEAST_FACTOR <= factor <= LARGEST_FACTOR:
        raise BadInput(f"magnified {factor:g} times: give {LEAST_FACTOR:g} to {LARGEST_FACTOR:g}")
    event = next((one for one in frames.session.events if one.get("event_id") == event_id), None)
    if event is None:
        raise BadInput(f"{frames.session.folder.name}: there is no event {event_id}; choose one of the list")
    images, times_s = _from_recording(frames, event) if frames.footage.path else _from_clip(frames, event)
    write_loop(path, images, times_s, alpha=factor - 1)


def _from_recording(frames: SessionFrames, event: Record) -> Loop:
    """The aligned face of every frame round the event; of at most `MOST_CROPS`."""
    time_s = frames.table.time_s
    near = np.flatnonzero((time_s >= event["onset_s"] - MARGIN_S) & (time_s <= event["offset_s"] + MARGIN_S))
    aligner, crops = FaceAligner(), list[AlignedFace]()
    with FaceTracker() as tracker:
        for place in spread(near.tolist(), MOST_CROPS):
            frame = Frame(
                index=int(frames.table.index[place]),
                time_ns=to_nanoseconds(float(time_s[place])),
                captured_ns=0,
                image=frames.picture(int(frames.table.index[place])),
            )
            crops += [aligner.push(frame, face) for face in tracker.push(frame)[:1]]
    if len(crops) < 2:
        raise BadInput(f"event {event['event_id']}: the recording shows no face there; is it the same recording?")
    return np.stack([crop.image for crop in crops]), np.array([to_seconds(crop.time_ns) for crop in crops])


def _from_clip(frames: SessionFrames, event: Record) -> Loop:
    """The left half of the event's slow-motion clip, in its true time; each picture once."""
    path = frames.session.media(int(event["event_id"])) / CLIP_NAME
    if not path.is_file():
        raise BadInput(f"event {event['event_id']}: {frames.footage.missing}, and the event has no clip")
    with av.open(str(path)) as container:
        shown = [
            (float(picture.pts * picture.time_base), picture.to_ndarray(format="rgb24"))
            for picture in container.decode(video=0)
            if picture.pts is not None and picture.time_base is not None
        ]
    length_s = event["offset_s"] - event["onset_s"] + 2 * 0.2
    slow_down = min(SLOW_DOWN, max(1.0, LONGEST_CLIP_S / max(length_s, 1e-9)))
    images = np.stack([picture for _, picture in shown])
    # As it is and magnified stand side by side: a face is taller than it is wide.
    width = images.shape[2] // 2 if images.shape[2] > images.shape[1] else images.shape[2]
    return np.ascontiguousarray(images[:, :, :width]), np.array([time_s / slow_down for time_s, _ in shown])
