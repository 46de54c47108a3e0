"""Values that jump from one level to the next: where the eyes look, what the camera's exposure is."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True, eq=False)
class Jumps:
    """Levels held for a while, with short smooth ways between them."""

    times_s: Float64[np.ndarray, " jumps"]
    """When each way begins, increasing."""
    levels: Float64[np.ndarray, "levels values"]
    """One more than jumps."""
    way_s: float
    """How long a way takes."""

    def at(self, time_s: float) -> Float64[np.ndarray, " values"]:
        """Values at a time."""
        following = int(np.searchsorted(self.times_s, time_s, side="right"))
        if following == 0:
            return np.asarray(self.levels[0])
        share = min((time_s - self.times_s[following - 1]) / self.way_s, 1.0)
        share = 0.5 * (1.0 - float(np.cos(np.pi * share)))
        return np.asarray((1.0 - share) * self.levels[following - 1] + share * self.levels[following])


def never(values: int) -> Jumps:
    """No jump at all: all values stay 0."""
    return Jumps(np.zeros(0), np.zeros((1, values)), 1.0)


def _times(
    per_minute: float, duration_s: float, shortest_s: float, generator: np.random.Generator
) -> Float64[np.ndarray, " jumps"]:
    times_s: list[float] = []
    time_s = 0.0
    while per_minute > 0:
        time_s += shortest_s + float(generator.exponential(max(60.0 / per_minute - shortest_s, 0.01)))
        if time_s >= duration_s:
            break
        times_s.append(time_s)
    return np.array(times_s)


def plan_gaze(per_minute: float, spread_px: float, duration_s: float, generator: np.random.Generator) -> Jumps:
    """Saccades and the fixations between them.

    Args:
        per_minute: how many saccades; 0 for eyes that stay.
        spread_px: standard deviation of the pupils' sideways place, canthus-normalised pixels.
        duration_s: of the scene.
        generator: source of chance.

    Returns:
        Shift of the pupils to the right and down, canthus-normalised pixels.
    """
    times_s = _times(per_minute, duration_s, 0.2, generator)
    levels = generator.normal(0.0, 1.0, (len(times_s) + 1, 2)) * spread_px * np.array([1.0, 0.4])
    levels[0] = 0.0  # at first the eyes are as in the portrait
    return Jumps(times_s, np.clip(levels, -2.0 * spread_px, 2.0 * spread_px), 0.04)


def plan_exposure(per_minute: float, size: float, duration_s: float, generator: np.random.Generator) -> Jumps:
    """Jumps of a camera's exposure.

    Args:
        per_minute: how many.
        size: relative change of a jump; the next one goes back.
        duration_s: of the scene.
        generator: source of chance.

    Returns:
        Relative change of the light, 0 at first.
    """
    times_s = _times(per_minute, duration_s, 1.0, generator)
    sizes = size * generator.uniform(0.6, 1.4, len(times_s)) * generator.choice([-1.0, 1.0], len(times_s))
    levels = np.concatenate([[0.0], np.where(np.arange(len(times_s)) % 2 == 0, sizes, 0.0)])
    return Jumps(times_s, levels[:, None], 0.07)
