"""From aligned faces to the movement of each facial region, with the head's own movement taken out."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32, Float64

from realtime.clock import NANOSECONDS
from realtime.faces import landmarks as named
from realtime.faces.observation import CANTHUS_DISTANCE, CROP_HEIGHT, CROP_WIDTH, PUPIL_HEIGHT, AlignedFace, FaceQuality
from realtime.spotting.gates import GateParameters, Gates
from realtime.spotting.gaze import GazeParameters, SaccadeGate
from realtime.spotting.head_kernel import POSE, fit_head, project, regional_movement
from realtime.spotting.motion_kernel import track_patches
from realtime.spotting.picture_edges import beyond_edges
from realtime.spotting.reference import (
    BROW_PATCHES,
    LID_PATCHES,
    MOUTH_PATCHES,
    PATCH_REACH,
    PATCHES,
    REGION_BOUNDS,
    RIGID_FROM,
    NeutralReference,
    PatchLevel,
    patch_places,
    picture_levels,
)
from realtime.spotting.renewal import Renewal, RenewalParameters
from realtime.spotting.sample import MotionSample
from realtime.spotting.speech import SpeechGate, SpeechParameters

_REGIONS = len(named.REGIONS)
_RIGHT_LID, _LEFT_LID = (named.REGION_NAMES.index(f"{side} upper lid") for side in ("right", "left"))
_NO_TURN = np.array((1.0, 0.0, 0.0, 0.0, 0.0, 0.0))
_POSE_LIMITS = np.array((0.15, 0.15, 15.0, 15.0, 0.22, 0.22))
"""The crop is upright and centred, so a pose that departs further from what the landmarks say is a mistake."""
_OCCLUDED_BELOW = 0.5
"""Share of readable patches below which something lies over the face …"""
_BLIND_BELOW = 0.35
"""… and below which nothing is read at all."""
_HEAD_ROUNDS = 5
_PATCH_SPREAD_PX = 1.0
"""Patches of a region that disagree by more lose weight, canthus-normalised pixels."""

Levels = tuple[Float32[np.ndarray, "304 256"], Float32[np.ndarray, "152 128"]]


@dataclass(frozen=True, kw_only=True)
class MotionParameters:
    """How movement is measured."""

    patch_px: int = 16
    """Side of a patch, crop pixels."""
    weak_patch_px: int = 24
    """Side of a patch of a small or dark face: more pixels against the noise, at half again the cost."""
    small_px: float = 36.0
    """A face whose inner canthi are closer together than this in the source is small, pixels."""
    dark: float = 70.0
    """A face of a lower mean gray value is dark, 0–255."""
    coarse_rounds: int = 4
    """Lucas–Kanade steps on the half-size crop, at most."""
    fine_rounds: int = 10
    """Lucas–Kanade steps on the crop itself, at most."""
    tolerance_px: float = 0.005
    """A step shorter than this ends the search."""
    least_likeness: float = 0.75
    """A patch that correlates less with its template is unreadable."""
    turning: bool = True
    """Take out pitch and yaw too, by the depth of the points; a similarity alone otherwise."""
    soft_trust: float = 0.3
    """Weight of the expressive patches in the head's fit, against 1 for the rigid ones."""
    brow_trust: float = 0.05
    """The same for the brows: they often move all together, as a nod would move them."""
    lid_trust: float = 0.12
    """The same for the lids: they move together with every glance, and the picture of the iris with them."""
    mouth_trust: float = 0.2
    """The same for lips and chin: they speak."""
    longest_gap_s: float = 0.5
    """After a longer gap measurement starts afresh."""
    renewal: RenewalParameters = field(default_factory=RenewalParameters)
    """When the neutral reference is renewed."""
    gates: GateParameters = field(default_factory=GateParameters)
    """When a frame may be misread."""
    speech: SpeechParameters = field(default_factory=SpeechParameters)
    """When the mouth counts as speaking."""
    gaze: GazeParameters = field(default_factory=GazeParameters)
    """When the eyes count as jumping."""


class MotionExtractor:
    """Aligned faces in, regional movement out. One extractor a face; it adds no delay and no smoothing.

    Movement is measured against a neutral reference. When that is renewed, the movement of the moment is carried
    over and fades within seconds, so the signal never steps; noise of the old and the new reference cancels.
    """

    def __init__(self, parameters: MotionParameters | None = None) -> None:
        """Start without a reference: the first face becomes it.

        Args:
            parameters: how movement is measured.
        """
        self._parameters = parameters or MotionParameters()
        self._reference: NeutralReference | None = None
        self._weights = np.ones((len(PATCHES), 1))
        self._weights[:RIGID_FROM] = self._parameters.soft_trust
        self._weights[BROW_PATCHES] = self._parameters.brow_trust
        self._weights[LID_PATCHES] = self._parameters.lid_trust
        self._weights[MOUTH_PATCHES] = self._parameters.mouth_trust
        self._gates = Gates(self._parameters.gates)
        self._speech = SpeechGate(self._parameters.speech)
        self._saccade = SaccadeGate(self._parameters.gaze)
        self._renewal = Renewal(self._parameters.renewal, _REGIONS)
        self._displacements = np.zeros((len(PATCHES), 2))
        self._likeness = np.zeros(len(PATCHES))
        self._departed = np.zeros(len(PATCHES))
        self._pose = np.zeros(POSE)
        self._time_ns = 0

    @property
    def reference(self) -> NeutralReference | None:
        """The neutral reference in use; None before the first face."""
        return self._reference

    def push(self, aligned: AlignedFace) -> MotionSample:
        """Movement of the next frame, in time order.

        Args:
            aligned: the face in the canonical crop.

        Returns:
            Its regional movement; zero for the very first face.
        """
        levels = picture_levels(aligned.image)
        gap_s = (aligned.time_ns - self._time_ns) / NANOSECONDS
        reference = self._reference
        if reference is None or not 0 < gap_s <= self._parameters.longest_gap_s:
            reference = self._restart(aligned, levels)
            gap_s = 0.0
        self._time_ns = aligned.time_ns
        patch_px = reference.fine.templates.shape[-1]
        outside, cut_off = beyond_edges(aligned, patch_places(aligned.landmarks), patch_px)
        followed = reference.textured & ~outside
        movement, readable = self._measure(levels, reference, followed, aligned.quality)
        gates = self._gates.push(aligned.quality, _lids(movement), _place(aligned), gap_s, aligned.time_ns)
        readable_share = np.count_nonzero(readable) / max(1, np.count_nonzero(followed))
        if readable_share < _OCCLUDED_BELOW:
            gates += (named.GATE_OCCLUDED,)
        if readable_share < _BLIND_BELOW:
            movement[:] = np.nan
        displacement = movement + self._renewal.offset
        # These concern a part of the face and need not keep the reference from being renewed.
        in_part = cut_off + self._busy_parts(levels, aligned, displacement, gap_s)
        if self._renewal.due(displacement, aligned, reference, gates, readable_share, gap_s):
            self._renew(aligned, levels)
        return MotionSample(
            index=aligned.index,
            time_ns=aligned.time_ns,
            captured_ns=aligned.captured_ns,
            face_id=aligned.face_id,
            displacement=displacement.astype(np.float32),
            gates=gates + in_part,
        )

    def _busy_parts(
        self, levels: Levels, aligned: AlignedFace, displacement: Float64[np.ndarray, "regions 2"], gap_s: float
    ) -> tuple[str, ...]:
        """Gates of what the eyes and the mouth are doing beside expressions."""
        jumping = self._saccade.push(levels[0], aligned.landmarks, aligned.time_ns)
        speaking = self._speech.push(displacement, gap_s, aligned.time_ns)
        return (named.GATE_SACCADE,) * jumping + (named.GATE_SPEECH,) * speaking

    def _restart(self, aligned: AlignedFace, levels: Levels) -> NeutralReference:
        seen_before = self._reference is not None
        self._speech = SpeechGate(self._parameters.speech)
        self._saccade = SaccadeGate(self._parameters.gaze)
        self._gates = Gates(self._parameters.gates, aligned.time_ns if seen_before else None)
        self._renewal = Renewal(self._parameters.renewal, _REGIONS)
        return self._renew(aligned, levels)

    def _renew(self, aligned: AlignedFace, levels: Levels) -> NeutralReference:
        parameters, quality = self._parameters, aligned.quality
        weak = quality.width_px < parameters.small_px or quality.brightness < parameters.dark
        patch_px = parameters.weak_patch_px if weak else parameters.patch_px
        self._reference = NeutralReference.take(aligned, *levels, patch_px)
        self._displacements[:] = 0.0
        self._departed[:] = 0.0
        self._pose[:] = _NO_TURN
        return self._reference

    def _measure(
        self,
        levels: Levels,
        reference: NeutralReference,
        followed: Bool[np.ndarray, " P"],
        quality: FaceQuality,
    ) -> tuple[Float64[np.ndarray, "regions 2"], Bool[np.ndarray, " P"]]:
        """Movement of the regions against the reference, and which patches could be read."""
        fine, coarse = levels
        self._displacements *= 0.5
        self._track(coarse, reference.coarse, self._parameters.coarse_rounds)
        self._displacements *= 2.0
        self._track(fine, reference.fine, self._parameters.fine_rounds)
        readable = followed & (self._likeness >= self._parameters.least_likeness)
        places = reference.fine.centres - reference.origin + self._displacements
        rigid = self._head(reference, places, readable, quality)
        beyond = places - rigid
        self._departed = np.hypot(beyond[:, 0], beyond[:, 1])
        readable &= self._departed * reference.unit <= PATCH_REACH
        # An unreadable patch starts the next search where the head has taken it.
        self._displacements[~readable] -= beyond[~readable]
        self._departed[~readable] = 0.0
        movement = np.empty((_REGIONS, 2))
        regional_movement(
            beyond,
            reference.fine.hessians,
            readable,
            REGION_BOUNDS,
            movement,
            _PATCH_SPREAD_PX / reference.unit,
        )
        return movement * reference.unit, readable

    def _head(
        self,
        reference: NeutralReference,
        places: Float64[np.ndarray, "P 2"],
        readable: Bool[np.ndarray, " P"],
        quality: FaceQuality,
    ) -> Float64[np.ndarray, "P 2"]:
        """Where the head alone has taken the patches; none of them stays readable when that cannot be told."""
        trust = np.where(readable[:, None], reference.trust * self._weights, 0.0)
        fitted = fit_head(
            reference.head,
            places,
            trust,
            self._pose,
            self._departed,
            _HEAD_ROUNDS,
            self._parameters.turning,
        )
        # Landmarks turn coarsely, but never as far astray as a fit to mistaken patches.
        turned_deg = (reference.pitch_deg - quality.pitch_deg, reference.yaw_deg - quality.yaw_deg)
        expected = np.array((*_NO_TURN[:4], *np.radians(turned_deg)))
        if not fitted or not np.all(np.abs(self._pose - expected) < _POSE_LIMITS):
            self._pose[:] = _NO_TURN
            readable[:] = False
        rigid = np.empty_like(places)
        project(reference.head, self._pose, rigid)
        return rigid

    def _track(self, picture: Float32[np.ndarray, "H W"], level: PatchLevel, rounds: int) -> None:
        track_patches(
            picture,
            level.centres,
            level.templates,
            level.steepest,
            self._displacements,
            self._likeness,
            rounds,
            self._parameters.tolerance_px,
        )


def _lids(movement: Float64[np.ndarray, "regions 2"]) -> tuple[float, float]:
    """How far the upper lids have come down, the eye on the image's left first."""
    return float(movement[_RIGHT_LID, 1]), float(movement[_LEFT_LID, 1])


def _place(aligned: AlignedFace) -> tuple[float, float]:
    """Where the middle of the eyes lies in the source, canthus-normalised pixels."""
    (a, _, x), (b, _, y) = aligned.to_crop
    from_x, from_y = CROP_WIDTH / 2 - x, PUPIL_HEIGHT * CROP_HEIGHT - y
    unit = CANTHUS_DISTANCE / max(aligned.quality.width_px, 1e-6) / max(a * a + b * b, 1e-12)
    return float((a * from_x + b * from_y) * unit), float((a * from_y - b * from_x) * unit)
