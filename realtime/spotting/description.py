"""An expression described: which regions moved, where to and how far, and the action units that this suggests."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from realtime.events import ExpressionEvent, RegionalMovement, SuggestedUnit
from realtime.faces.landmarks import REGION_NAMES
from realtime.movement_words import said, unit_words
from realtime.spotting.unit_fit import suggest_units

NAMED_MOVEMENTS = 3
"""Movements that a description names; those left over are counted."""


def described(
    event: ExpressionEvent, displacement: Float[np.ndarray, "regions 2"], limits: Float[np.ndarray, "regions 2"]
) -> ExpressionEvent:
    """Say of an event which regions moved and how.

    Args:
        event: with the names of its regions.
        displacement: of every region at the apex against its rest, canthus-normalised pixels; NaN where unreadable.
        limits: how far each region must move to count, same unit.

    Returns:
        The event with its movements, action units and description.
    """
    movements = regional_movements(event.regions, displacement)
    units = suggest_units(displacement, limits, event.regions)
    return replace(event, movements=movements, action_units=units, description=in_words(movements, units))


def regional_movements(
    regions: Sequence[str], displacement: Float[np.ndarray, "regions 2"]
) -> tuple[RegionalMovement, ...]:
    """Where some regions went, in their order; those that could not be read are left out."""
    rows = [(name, *displacement[REGION_NAMES.index(name)].tolist()) for name in regions]
    return tuple(
        RegionalMovement(region=name, right_px=right_px, down_px=down_px)
        for name, right_px, down_px in rows
        if np.isfinite(right_px + down_px)
    )


def in_words(movements: Sequence[RegionalMovement], units: Sequence[SuggestedUnit]) -> str:
    """One line: "left lip corner up and out, 1.6 px: AU12, one-sided"."""
    words = [str(one) for one in said(movements)]
    named, further = words[:NAMED_MOVEMENTS], len(words) - NAMED_MOVEMENTS
    where = "; ".join(named) + (f" and {further} more" if further > 0 else "")
    return f"{where or 'unreadable at the apex'}: {unit_words(units)}"
