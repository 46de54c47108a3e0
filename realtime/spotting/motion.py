"""From aligned faces to the movement of each facial region, with the head's own movement taken out."""

import math
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32, Float64

from realtime.clock import NANOSECONDS
from realtime.faces import landmarks as named
from realtime.faces.observation import AlignedFace
from realtime.spotting.gates import GateParameters, Gates
from realtime.spotting.head_kernel import POSE, fit_head, project, regional_movement
from realtime.spotting.motion_kernel import track_patches
from realtime.spotting.reference import (
    PATCHES,
    REGION_BOUNDS,
    RIGID_FROM,
    NeutralReference,
    PatchLevel,
    picture_levels,
)
from realtime.spotting.sample import MotionSample

_REGIONS = len(named.REGIONS)


@dataclass(frozen=True, kw_only=True)
class MotionParameters:
    """How movement is measured and when the neutral reference is renewed."""

    patch_px: int = 16
    """Side of a patch, crop pixels."""
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
    soft_trust: float = 0.15
    """Weight of the expressive patches in the head's fit, against 1 for the rigid ones."""
    quiet_px: float = 0.4
    """A face is at rest while no region strays further than this from where it was, canthus-normalised pixels."""
    quiet_s: float = 0.5
    """Rest before the reference may be renewed."""
    renewal_s: float = 2.0
    """A reference of this age is renewed at the next rest."""
    event_px: float = 0.6
    """While a region stands this far from neutral it is in an event: no renewal …"""
    settled_s: float = 4.5
    """… until it has rested there for so long that this is the new neutral."""
    offset_decay_s: float = 5.0
    """Time constant with which movement carried over a renewal fades."""
    turned_deg: float = 7.0
    """A head turned further than this from its reference has it renewed at the next rest."""
    longest_gap_s: float = 0.5
    """After a longer gap measurement starts afresh."""
    gates: GateParameters = field(default_factory=GateParameters)
    """When a frame may be misread."""


class MotionExtractor:
    """Aligned faces in, regional movement out. One extractor a face; it adds no delay and no smoothing.

    Movement is measured against a neutral reference. When that is renewed, the movement of the moment is carried
    over and fades with `offset_decay_s`, so the signal never steps; noise of the old and new reference cancels.
    """

    def __init__(self, parameters: MotionParameters | None = None) -> None:
        """Start without a reference: the first face becomes it.

        Args:
            parameters: how movement is measured.
        """
        self._parameters = parameters or MotionParameters()
        self._reference: NeutralReference | None = None
        self._gates = Gates(self._parameters.gates)
        self._displacements = np.zeros((len(PATCHES), 2))
        self._likeness = np.zeros(len(PATCHES))
        self._pose = np.zeros(POSE)
        self._offset = np.zeros((_REGIONS, 2))
        self._anchor = np.zeros((_REGIONS, 2))
        self._quiet_since_ns = 0
        self._provisional = True
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
        if self._reference is None or not 0 < gap_s <= self._parameters.longest_gap_s:
            self._restart(aligned, levels)
            gap_s = 0.0
        self._time_ns = aligned.time_ns
        movement, readable = self._measure(levels)
        gates = self._gates.push(aligned.quality, _place(aligned), gap_s, aligned.time_ns)
        if np.count_nonzero(readable) * 2 < len(readable):
            gates += (named.GATE_OCCLUDED,)
        displacement = movement + self._offset
        self._keep_reference(aligned, levels, displacement, gates, gap_s)
        return MotionSample(
            index=aligned.index,
            time_ns=aligned.time_ns,
            captured_ns=aligned.captured_ns,
            face_id=aligned.face_id,
            displacement=displacement.astype(np.float32),
            gates=gates,
        )

    def _restart(
        self,
        aligned: AlignedFace,
        levels: tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "h w"]],
    ) -> None:
        self._gates = Gates(self._parameters.gates)
        self._offset[:] = 0.0
        self._provisional = True
        self._renew(aligned, levels)
        self._rest_from(np.zeros((_REGIONS, 2)), aligned.time_ns)

    def _renew(
        self,
        aligned: AlignedFace,
        levels: tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "h w"]],
    ) -> None:
        self._reference = NeutralReference.take(aligned, *levels, self._parameters.patch_px)
        self._displacements[:] = 0.0
        self._pose[:] = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    def _measure(
        self, levels: tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "h w"]]
    ) -> tuple[Float64[np.ndarray, "regions 2"], Bool[np.ndarray, "P"]]:
        """Movement of the regions against the reference, and which patches could be read."""
        reference = self._reference
        assert reference is not None
        parameters = self._parameters
        fine, coarse = levels
        self._displacements *= 0.5
        self._track(coarse, reference.coarse, parameters.coarse_rounds)
        self._displacements *= 2.0
        self._track(fine, reference.fine, parameters.fine_rounds)
        readable = reference.textured & (self._likeness >= parameters.least_likeness)
        trust = np.where(readable, reference.trust, 0.0)
        trust[:RIGID_FROM] *= parameters.soft_trust
        places = reference.fine.centres - reference.origin + self._displacements
        fit_head(reference.head, places, trust, self._pose, 6, parameters.turning, 0.05)
        rigid = np.empty_like(places)
        project(reference.head, self._pose, rigid)
        # An unreadable patch starts the next search where the head has taken it.
        lost = ~readable
        self._displacements[lost] += (rigid - places)[lost]
        movement = np.empty((_REGIONS, 2))
        regional_movement(
            places - rigid, reference.fine.hessians, readable, REGION_BOUNDS, movement, 0.5 / reference.unit
        )
        return movement * reference.unit, readable

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

    def _keep_reference(
        self,
        aligned: AlignedFace,
        levels: tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "h w"]],
        displacement: Float64[np.ndarray, "regions 2"],
        gates: tuple[str, ...],
        gap_s: float,
    ) -> None:
        """Renew the reference at rest; let what was carried over fade while nothing happens."""
        parameters = self._parameters
        known = np.where(np.isnan(displacement), self._anchor, displacement)
        strayed = np.abs(known - self._anchor).max() > parameters.quiet_px
        if gates or strayed:
            self._rest_from(known, aligned.time_ns)
        rested_s = (aligned.time_ns - self._quiet_since_ns) / NANOSECONDS
        in_event = np.hypot(*known.T).max() > parameters.event_px and rested_s < parameters.settled_s
        if not in_event:
            faded = (1.0 - math.exp(-gap_s / parameters.offset_decay_s)) * self._offset
            self._offset = self._offset - faded
            self._anchor = self._anchor - faded
        if rested_s >= parameters.quiet_s and not in_event and self._outdated(aligned):
            self._renew(aligned, levels)
            self._offset = known
            self._provisional = False
            self._rest_from(known, aligned.time_ns)

    def _outdated(self, aligned: AlignedFace) -> bool:
        reference = self._reference
        assert reference is not None
        turned = max(
            abs(aligned.quality.yaw_deg - reference.yaw_deg),
            abs(aligned.quality.pitch_deg - reference.pitch_deg),
        )
        return (
            self._provisional
            or reference.age_s(aligned.time_ns) >= self._parameters.renewal_s
            or turned > self._parameters.turned_deg
        )

    def _rest_from(self, displacement: Float64[np.ndarray, "regions 2"], time_ns: int) -> None:
        self._anchor = displacement.copy()
        self._quiet_since_ns = time_ns


def _place(aligned: AlignedFace) -> tuple[float, float]:
    """Where the middle of the crop lies in the source, canthus-normalised pixels."""
    a, b = float(aligned.to_crop[0, 0]), float(aligned.to_crop[1, 0])
    x, y = aligned.to_crop[:, 2] - (128.0, 76.0)
    square = max(a * a + b * b, 1e-12)
    unit = 64.0 / max(aligned.quality.width_px, 1e-6)
    return -(a * float(x) + b * float(y)) / square * unit, -(a * float(y) - b * float(x)) / square * unit
