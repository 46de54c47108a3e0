"""What the spotter gives for a settled movement: an expression, or a rejection with its reason."""

from typing import Any

from realtime.events import ExpressionEvent, Kind, RejectedMovement
from realtime.faces.landmarks import REGION_NAMES
from realtime.spotting.movement import Movement
from realtime.spotting.sample import MotionSample
from realtime.spotting.window import SampleStamp

Settled = ExpressionEvent | RejectedMovement
Stamps = tuple[SampleStamp, SampleStamp, SampleStamp]
"""The frames of onset, apex and offset."""


def expression(movement: Movement, stamps: Stamps, kind: Kind, newest: MotionSample) -> ExpressionEvent:
    """The event of a movement.

    Args:
        movement: nothing speaks against it.
        stamps: its frames.
        kind: by how long they span.
        newest: the sample that settled it.
    """
    return ExpressionEvent(
        face_id=newest.face_id,
        **_measured(movement, stamps),
        kind=kind,
        settled_index=newest.index,
        settled_captured_ns=newest.captured_ns,
    )


def rejection(movement: Movement, stamps: Stamps, reason: str, newest: MotionSample) -> RejectedMovement:
    """The account of a movement that is no expression.

    Args:
        movement: what was measured of it.
        stamps: its frames.
        reason: what speaks against it, in words.
        newest: the sample that settled it.
    """
    return RejectedMovement(
        face_id=newest.face_id,
        **_measured(movement, stamps),
        reason=reason,
    )


def _measured(movement: Movement, stamps: Stamps) -> dict[str, Any]:
    """What an expression and a rejection both say of a movement."""
    onset, apex, offset = stamps
    return {
        "onset_index": onset.index,
        "apex_index": apex.index,
        "offset_index": offset.index,
        "onset_ns": onset.time_ns,
        "apex_ns": apex.time_ns,
        "offset_ns": offset.time_ns,
        "regions": tuple(REGION_NAMES[region] for region in movement.regions),
        "strength": movement.strength_px,
        "threshold": movement.threshold_px,
    }
