"""The apex as the live spotter sees it."""

from collections.abc import Sequence
from statistics import median

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d

from realtime.clock import NANOSECONDS
from realtime.events import ExpressionEvent, RejectedMovement
from realtime.faces.landmarks import LID_REGIONS, REGION_NAMES
from realtime.faces.observation import AlignedFace
from realtime.spotting.motion import MotionExtractor
from realtime.spotting.sample import MotionSample
from realtime.spotting.spotter import Spotter, SpottingParameters

_COUNTED = [place for place, name in enumerate(REGION_NAMES) if name not in LID_REGIONS]
"""Lids are left out of the strength: a blink would outdo every expression."""


def spotted_apex(faces: Sequence[AlignedFace], onset: int, offset: int) -> int:
    """Run movement and spotter over the clip as live and take what they settle.

    The strongest event with its apex between onset and offset gives the apex. A clip is short: where no event was
    settled there, the frame of the greatest strength is taken (see `strongest_frame`). Movements that the spotter
    rejected have no say, they may be blinks.

    Args:
        faces: as for `find_apex`; with less than about half a second before the onset the spotter knows no rest, and
            the strength decides.
        onset: as for `find_apex`.
        offset: with at least one frame between it and the onset.

    Returns:
        Index of the apex, between the two.
    """
    extractor, spotter = MotionExtractor(), Spotter()
    samples: list[MotionSample] = []
    settled: list[ExpressionEvent | RejectedMovement] = []
    for face in faces:
        samples.append(extractor.push(face))
        settled += spotter.push(samples[-1])
    settled += spotter.flush()
    events = [one for one in settled if isinstance(one, ExpressionEvent) and onset < one.apex_index < offset]
    if events:
        return max(events, key=lambda event: event.strength).apex_index
    return strongest_frame([sample for sample in samples if onset <= sample.index <= offset])


def strongest_frame(samples: Sequence[MotionSample]) -> int:
    """The frame that departs most from the way between the first and the last one.

    Strength is the root of the sum of squares over all regions but the lids, of the movement beyond the straight line
    from the first sample to the last, low-passed as the spotter does. Regions that cannot be read count as still.

    Args:
        samples: regional movement from onset to offset, three or more.

    Returns:
        Index of a sample between the two.
    """
    movement = np.nan_to_num(np.stack([sample.displacement[_COUNTED] for sample in samples]).astype(np.float64))
    times_s = np.array([sample.time_ns for sample in samples]) / NANOSECONDS
    beyond = movement - _straight_way(movement, times_s)
    smooth = gaussian_filter1d(beyond, SpottingParameters().smoothing_s / median(np.diff(times_s)), axis=0)
    strength = np.sqrt((smooth**2).sum(axis=(1, 2)))
    return samples[1 + int(np.argmax(strength[1:-1]))].index


def _straight_way(
    movement: Float64[np.ndarray, "T regions 2"], times_s: Float64[np.ndarray, " T"]
) -> Float64[np.ndarray, "T regions 2"]:
    share = ((times_s - times_s[0]) / (times_s[-1] - times_s[0]))[:, None, None]
    way: np.ndarray = movement[0] * (1 - share) + movement[-1] * share
    return way
