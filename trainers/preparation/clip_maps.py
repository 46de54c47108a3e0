"""From one clip to its maps: the work that runs in parallel, once a clip."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from engines.errors import BadInput
from engines.inputs import EventImages, feature_map
from engines.magnification import magnify
from realtime.clock import NANOSECONDS
from realtime.faces.observation import AlignedFace
from trainers.annotations import Clip, Finding, Outcome, numbered_frames
from trainers.apex import find_apex
from trainers.datasets.synthetic_clips import views_of
from trainers.feature_file import ITSELF
from trainers.preparation.aligned_clip import aligned_clip, clip_frames, nearest_face
from trainers.preparation.settings import PreparationSettings

ANNOTATED = "annotated"
"""Apex method of a clip whose database gives the apex."""
LEAST_SHARE = 0.5
"""Share of the frames from onset to offset that must show the face."""
_MAGNIFIED_RECIPE = "edssnet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipJob:
    """One clip to prepare."""

    clip: Clip
    settings: PreparationSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedClip:
    """What came of one clip: a map for itself and for each further view, or none where it had to be left out."""

    maps: UInt8[np.ndarray, "views H W C"]
    variants: tuple[str, ...] = ()
    """Of each map, as in a feature file; the clip itself first."""
    onset: int = 0
    """Frame number that was taken."""
    apexes: tuple[int, ...] = ()
    """Frame number of each map's apex."""
    offset: int = 0
    apex_method: str = ""
    """`ANNOTATED`, or the name of the method that found it."""
    findings: tuple[Finding, ...] = ()


def prepare_clip(job: ClipJob) -> PreparedClip:
    """Align a clip, find its apex where it has none, and make its maps.

    Args:
        job: the clip and how to prepare it.

    Returns:
        Its maps. A clip that cannot be prepared has none, and a finding that says why.
    """
    try:
        return _prepared(job.clip, job.settings)
    except BadInput as fault:
        size = job.settings.map_size
        finding = _finding(job.clip, "rejected", str(fault))
        return PreparedClip(maps=np.zeros((0, *size, 0), np.uint8), findings=(finding,))


def _prepared(clip: Clip, settings: PreparationSettings) -> PreparedClip:
    faces = aligned_clip(clip, clip_frames(clip, settings.lead_in_s, settings.lead_out_s))
    if not faces:
        raise BadInput("no face is found in any of its frames: it is left out")
    findings: list[Finding] = []
    onset = _taken(clip, faces, "onset", clip.onset, findings)
    offset = _taken(clip, faces, "offset", clip.offset, findings)
    within = _within(clip, faces, onset.index, offset.index)
    if settings.apex == "annotated" and clip.apex is not None:
        method, apex = ANNOTATED, _taken(clip, within[1:], "apex", clip.apex, findings).index
    else:
        found_by = settings.missing_apex if settings.apex == "annotated" else settings.apex
        method, apex = str(found_by), find_apex(found_by, faces, onset.index, offset.index)
    indices = [face.index for face in within]
    further = views_of(len(indices), indices.index(apex), settings.views)
    views = {ITSELF: apex} | {name: indices[place] for name, place in further}
    return PreparedClip(
        maps=_maps(faces, onset, offset, list(views.values()), settings),
        variants=tuple(views),
        onset=onset.index,
        apexes=tuple(views.values()),
        offset=offset.index,
        apex_method=method,
        findings=tuple(findings),
    )


def _taken(clip: Clip, faces: Sequence[AlignedFace], what: str, number: int, findings: list[Finding]) -> AlignedFace:
    face = nearest_face(clip, faces, number)
    if face is None:
        raise BadInput(f"no face is found at the {what}, frame {number}, nor near it: it is left out")
    if face.index != number:
        findings.append(_finding(clip, "repaired", f"no face at the {what}, frame {number}: {face.index} is taken"))
    return face


def _within(clip: Clip, faces: Sequence[AlignedFace], onset: int, offset: int) -> list[AlignedFace]:
    """The faces from onset to offset."""
    within = [face for face in faces if onset <= face.index <= offset]
    frames = sum(clip.onset <= number <= clip.offset for number in numbered_frames(clip.folder))
    if len(within) < max(2, LEAST_SHARE * frames):
        raise BadInput(f"the face is seen in {len(within)} of {frames} frames from onset to offset: it is left out")
    return within


def _maps(
    faces: Sequence[AlignedFace],
    onset: AlignedFace,
    offset: AlignedFace,
    apexes: Sequence[int],
    settings: PreparationSettings,
) -> UInt8[np.ndarray, "views H W C"]:
    gray = {face.index: cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY) for face in faces}
    magnified = _magnified(faces, gray) if settings.recipe == _MAGNIFIED_RECIPE else {}
    events = (
        EventImages(
            onset=gray[onset.index],
            apex=gray[apex],
            offset=gray[offset.index],
            magnified_apex=magnified.get(apex),
        )
        for apex in apexes
    )
    return np.stack([feature_map(settings.recipe, images, settings.map_size) for images in events])


def _magnified(
    faces: Sequence[AlignedFace], gray: dict[int, UInt8[np.ndarray, "304 256"]]
) -> dict[int, UInt8[np.ndarray, "304 256"]]:
    """Eulerian magnification of the whole clip with its lead-in and lead-out, as EDSSNet asks."""
    times_s = np.array([face.time_ns for face in faces]) / NANOSECONDS
    frames = magnify(np.stack([gray[face.index] for face in faces]), times_s)
    return dict(zip(gray, frames, strict=True))


def _finding(clip: Clip, outcome: Outcome, fault: str) -> Finding:
    return Finding(outcome=outcome, where=str(clip.folder), clip=f"{clip.subject} {clip.name}", fault=fault)
