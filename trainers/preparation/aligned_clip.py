"""One clip through the tracking and alignment of the live path."""

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median_low

import cv2
import numpy as np
from jaxtyping import UInt8

from realtime.clock import NANOSECONDS
from realtime.faces.alignment import FaceAligner
from realtime.faces.observation import AlignedFace
from realtime.faces.tracker import FaceTracker
from realtime.frames import Frame
from realtime.sources.image_folder import read_image
from trainers.annotations import Clip, numbered_frames

NEAREST_S = 0.05
"""The nearest frame that shows the face stands for one that does not, if it is no further away."""
_PADDING = 0.5
"""Border round a picture in which no face was found, share of its longer side."""


def clip_frames(clip: Clip, lead_in_s: float, lead_out_s: float) -> Mapping[int, Path]:
    """The files of a clip by frame number, in rising order.

    Args:
        clip: with its folder.
        lead_in_s: seconds before the onset that are taken too, where the folder has them.
        lead_out_s: the same after the offset.
    """
    first = clip.onset - _numbers_in(clip, lead_in_s)
    last = clip.offset + _numbers_in(clip, lead_out_s)
    return {number: file for number, file in numbered_frames(clip.folder).items() if first <= number <= last}


def aligned_clip(clip: Clip, files: Mapping[int, Path]) -> list[AlignedFace]:
    """Track and align the face of a clip, as a replay of its folder would.

    Pictures that were cut close round the face (CASME II's `Cropped`) may leave the detector too little: where the
    face is missing at onset or offset, the clip is tried again with a border round each picture, and the try that
    shows the face in more frames counts.

    Args:
        clip: the clip.
        files: as from `clip_frames`.

    Returns:
        The face in each frame that shows it, in time order; `index` is the frame's number.

    Raises:
        BadInput: if an image cannot be read.
    """
    faces = _aligned(_frames(clip, files, padding=0.0))
    if all(nearest_face(clip, faces, number) for number in (clip.onset, clip.offset)):
        return faces
    padded = _aligned(_frames(clip, files, padding=_PADDING))
    return padded if len(padded) > len(faces) else faces


def nearest_face(clip: Clip, faces: Sequence[AlignedFace], number: int) -> AlignedFace | None:
    """The face at a frame, or the nearest one within `NEAREST_S`; None where there is none.

    Args:
        clip: the clip.
        faces: as from `aligned_clip`.
        number: of the frame.
    """
    nearest = min(faces, key=lambda face: abs(face.index - number), default=None)
    if nearest is None or abs(nearest.index - number) > _numbers_in(clip, NEAREST_S):
        return None
    return nearest


def _numbers_in(clip: Clip, seconds: float) -> int:
    """By how much frame numbers rise in a time, rounded up to whole frames."""
    return math.ceil(seconds * clip.frame_rate_hz) * _step(clip)


def _step(clip: Clip) -> int:
    """From one frame's number to the next: 1, but owners may number otherwise."""
    numbers = list(numbered_frames(clip.folder))
    return median_low(following - number for number, following in pairwise(numbers)) if len(numbers) > 1 else 1


def _frames(clip: Clip, files: Mapping[int, Path], padding: float) -> Iterator[Frame]:
    """The pictures, one at a time, at the times that a replay of the whole folder gives them."""
    rate, step = Fraction(str(clip.frame_rate_hz)), _step(clip)
    first = next(iter(numbered_frames(clip.folder)))
    for number, file in files.items():
        time_ns = round(Fraction(number - first, step) * NANOSECONDS / rate)
        yield Frame(index=number, time_ns=time_ns, captured_ns=time_ns, image=_padded(read_image(file), padding))


def _padded(image: UInt8[np.ndarray, "H W 3"], share: float) -> UInt8[np.ndarray, "padded_H padded_W 3"]:
    border = round(share * max(image.shape))
    if not border:
        return image
    return np.asarray(cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE))


def _aligned(frames: Iterator[Frame]) -> list[AlignedFace]:
    aligner = FaceAligner()
    with FaceTracker() as tracker:
        return [aligner.push(frame, seen) for frame in frames for seen in tracker.push(frame)]
