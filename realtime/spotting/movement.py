"""A measured candidate of one or more regions, and which candidates are one expression."""

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.events import intersection_over_union
from realtime.spotting.parameters import TICK_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One movement of one or more regions; times are ticks of the window's grid, and fractions of one."""

    regions: tuple[int, ...]
    """Numbers of the regions, strongest first."""
    onset: float
    apex: float
    offset: float
    strength_px: float
    """Rise of the strongest region."""
    threshold_px: float
    """What that region had to exceed."""
    residual: float
    """Rest level after the movement over the one before it, fraction of the rise."""
    opened: int
    """When the first region passed its threshold."""
    low: int
    """When the last region fell below the return fraction of its peak."""
    frames: int = 2
    """Frames that show it."""
    seen_from_start: bool = True
    """False where the stream begins in the middle of it."""
    departure: bool = False
    """Whether it was found as a departure from a movement that goes on, and measured against that."""
    reason: str | None = None
    """Why it cannot be an expression; None while nothing speaks against it."""

    @property
    def interval(self) -> tuple[float, float]:
        """Onset and offset."""
        return self.onset, self.offset

    @property
    def duration_s(self) -> float:
        """Onset to offset, seconds."""
        return (self.offset - self.onset) * TICK_S


def overlap_of_shorter(first: Movement, second: Movement) -> float:
    """Common time over the shorter duration, 0 to 1."""
    common = min(first.offset, second.offset) - max(first.onset, second.onset)
    shorter = min(first.offset - first.onset, second.offset - second.onset)
    return max(0.0, common) / max(shorter, 1e-9)


def belong_together(first: Movement, second: Movement, merge_overlap: float) -> bool:
    """Whether two regions' movements are one expression: they begin and end more or less together."""
    return intersection_over_union(first.interval, second.interval) > merge_overlap


def group(movements: Sequence[Movement], merge_overlap: float) -> list[list[Movement]]:
    """Movements that are one expression, strongest first in each group; chains of overlap count as one."""
    groups: list[list[Movement]] = []
    for movement in sorted(movements, key=lambda one: (-one.strength_px, one.onset)):
        joined = [g for g in groups if any(belong_together(movement, other, merge_overlap) for other in g)]
        groups = [g for g in groups if g not in joined]
        members = [movement, *(other for g in joined for other in g)]
        groups.append(sorted(members, key=lambda one: (-one.strength_px, one.onset)))
    return groups
