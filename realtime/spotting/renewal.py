"""When the neutral reference is renewed, and how the signal goes on over a renewal."""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from realtime.clock import NANOSECONDS
from realtime.faces import landmarks as named
from realtime.faces.observation import AlignedFace
from realtime.spotting.reference import NeutralReference


@dataclass(frozen=True, kw_only=True)
class RenewalParameters:
    """When the neutral reference is renewed."""

    quiet_px: float = 0.4
    """A face is at rest while no region strays further than this from where it was, canthus-normalised pixels."""
    quiet_s: float = 0.5
    """Rest before the reference may be renewed."""
    interval_s: float = 2.0
    """A reference of this age is renewed at the next rest."""
    event_px: float = 0.6
    """While a region stands further than this from neutral it is in an event, and there is no renewal …"""
    settled_s: float = 4.5
    """… until it has stood there for so long that this is the new neutral."""
    fade_s: float = 5.0
    """Time constant with which movement carried over a renewal fades."""
    turned_deg: float = 9.0
    """A head that has turned further than this from its reference has it renewed without rest …"""
    readable_share: float = 0.6
    """… and so has a face of which fewer patches than this are readable, after `quiet_s`."""
    changed_share: float = 0.9
    """A face that has moved by more than `changed_px` and so changed its shape that fewer patches fit, as in a broad
    smile, is taken up after `changed_s`. A hand that comes over the face has not moved it first."""
    changed_s: float = 0.06
    changed_px: float = 3.0
    smoothing_s: float = 0.08
    """Rest is judged on a low-passed signal, so that noise is not taken for movement."""


class Renewal:
    """Decides on renewals and keeps the movement that is carried over them. One object a face.

    At a renewal the movement of that frame becomes the offset, so the signal is continuous: what the new reference
    shows is added to it. The offset fades slowly, but not within an event.
    """

    def __init__(self, parameters: RenewalParameters, regions: int) -> None:
        """Start at rest.

        Args:
            parameters: when to renew.
            regions: number of regions.
        """
        self._parameters = parameters
        self._smooth = np.zeros((regions, 2))
        self._anchor = np.zeros((regions, 2))
        self._quiet_since_ns: int | None = None
        self._neutral_ns = 0
        self._readable_ns = 0
        self._fitting_ns = 0
        self._first = True
        self.offset: Float64[np.ndarray, "regions 2"] = np.zeros((regions, 2))
        """Movement carried over from earlier references, canthus-normalised pixels."""

    def due(
        self,
        displacement: Float64[np.ndarray, "regions 2"],
        aligned: AlignedFace,
        reference: NeutralReference,
        gates: Collection[str],
        readable_share: float,
        gap_s: float,
    ) -> bool:
        """Take the next frame; true when it should become the reference, its movement now being the offset.

        Args:
            displacement: movement of the regions with the present offset; NaN where unreadable.
            aligned: the face.
            reference: the present reference.
            gates: why the frame may be misread.
            readable_share: share of the patches that could be read.
            gap_s: time since the frame before.
        """
        now_ns = aligned.time_ns
        known = np.where(np.isnan(displacement), self._smooth, displacement)
        self._smooth += _share(gap_s, self._parameters.smoothing_s) * (known - self._smooth)
        in_event = self._in_event(now_ns)
        rested = self._rested_s(now_ns, bool(gates)) >= self._parameters.quiet_s
        if readable_share >= self._parameters.readable_share:
            self._readable_ns = now_ns
        changed = self._parameters.readable_share <= readable_share < self._parameters.changed_share
        if not changed or np.hypot(*self._smooth.T).max() <= self._parameters.changed_px:
            self._fitting_ns = now_ns
        if not in_event:
            self._fade(gap_s)
        at_rest = rested and not in_event and (self._first or self._aged(reference, now_ns))
        if not at_rest and (named.GATE_HEAD_TURN in gates or not self._outgrown(aligned, reference)):
            return False
        self.offset = np.nan_to_num(displacement) if named.GATE_OCCLUDED in gates else known
        self._first = False
        self._readable_ns = now_ns
        self._fitting_ns = now_ns
        self._rest_from(now_ns)
        return True

    def _in_event(self, now_ns: int) -> bool:
        if np.hypot(*self._smooth.T).max() <= self._parameters.event_px:
            self._neutral_ns = now_ns
        return now_ns - self._neutral_ns > 0 and now_ns - self._neutral_ns < self._parameters.settled_s * NANOSECONDS

    def _rested_s(self, now_ns: int, gated: bool) -> float:
        strayed = np.abs(self._smooth - self._anchor).max() > self._parameters.quiet_px
        if gated or strayed or self._quiet_since_ns is None:
            self._rest_from(now_ns)
        return (now_ns - (self._quiet_since_ns or 0)) / NANOSECONDS

    def _rest_from(self, now_ns: int) -> None:
        self._anchor = self._smooth.copy()
        self._quiet_since_ns = now_ns

    def _fade(self, gap_s: float) -> None:
        faded = _share(gap_s, self._parameters.fade_s) * self.offset
        self.offset = self.offset - faded
        self._smooth -= faded
        self._anchor -= faded

    def _aged(self, reference: NeutralReference, now_ns: int) -> bool:
        return reference.age_s(now_ns) >= self._parameters.interval_s

    def _outgrown(self, aligned: AlignedFace, reference: NeutralReference) -> bool:
        """The head has turned, or the face changed, so much that the reference no longer fits."""
        turned_deg = max(
            abs(aligned.quality.yaw_deg - reference.yaw_deg), abs(aligned.quality.pitch_deg - reference.pitch_deg)
        )
        unread_s = (aligned.time_ns - self._readable_ns) / NANOSECONDS
        if aligned.time_ns - self._fitting_ns >= self._parameters.changed_s * NANOSECONDS:
            return True
        return reference.age_s(aligned.time_ns) >= self._parameters.quiet_s and (
            turned_deg > self._parameters.turned_deg or unread_s >= self._parameters.quiet_s
        )


def _share(gap_s: float, time_constant_s: float) -> float:
    """How far a first-order low-pass goes towards a constant input in a gap."""
    return 1.0 - math.exp(-gap_s / time_constant_s)
