"""What each action unit does to the facial regions: the patterns in which a movement is recognised.

One side of the face is written down, the other is its mirror. A movement is (outward, down): away from the middle of
the face and down, relative to the unit's peak anywhere on the skin. The synthesiser's `trainers.datasets.action_units`
holds the same knowledge as fields over the whole face; a test samples them at the regions and holds the two together.

Reference:
    Ekman, Friesen and Hager, Facial Action Coding System: the manual, 2002.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from realtime.events import Side
from realtime.faces.landmarks import LID_REGIONS, REGION_NAMES


@dataclass(frozen=True, slots=True)
class ActionUnit:
    """One muscle or group of muscles, and the regions that it moves."""

    number: int
    """In the Facial Action Coding System."""
    name: str
    effect: Mapping[str, tuple[float, float]]
    """Part of the face to (outward, down) where one side acts: "lip corner" means that side's, "chin" the chin."""
    two_sided: bool = True
    """Whether either side can act alone; the middle of lips and jaw cannot."""

    @property
    def lids_alone(self) -> bool:
        """Whether it moves nothing but the lids."""
        return all(f"left {part}" in LID_REGIONS for part in self.effect)

    def pattern(self, side: Side) -> Float64[np.ndarray, "regions 2"]:
        """Movement of every region, x to the image's right and y down, relative to the unit's peak.

        Args:
            side: the subject's left or right alone, or both alike.
        """
        if side == "both":
            return np.add(self.pattern("left"), self.pattern("right"))
        moved = np.zeros((len(REGION_NAMES), 2))
        to_image = 1.0 if side == "left" else -1.0  # the subject's left is the image's right
        for part, (outward, down) in self.effect.items():
            region = part if part in REGION_NAMES else f"{side} {part}"
            moved[REGION_NAMES.index(region)] = to_image * outward, down
        return moved


ACTION_UNITS: tuple[ActionUnit, ...] = (
    ActionUnit(1, "inner brow raiser",
               {"inner brow": (0.0, -0.6), "middle brow": (0.0, -0.15), "upper lid": (0.0, -0.1)}),
    ActionUnit(2, "outer brow raiser",
               {"inner brow": (0.0, -0.55), "middle brow": (0.05, -0.95), "outer brow": (0.05, -0.75),
                "upper lid": (0.0, -0.3)}),
    ActionUnit(4, "brow lowerer",
               {"inner brow": (-0.5, 0.65), "middle brow": (-0.3, 0.35), "outer brow": (-0.15, 0.15),
                "upper lid": (-0.2, 0.2)}),
    ActionUnit(5, "upper lid raiser",
               {"upper lid": (0.0, -0.85), "lower lid": (0.0, -0.15)}),
    ActionUnit(6, "cheek raiser",
               {"lower lid": (-0.05, -0.45), "nose wing": (0.0, -0.2), "cheek": (0.05, -0.7)}),
    ActionUnit(7, "lid tightener",
               {"upper lid": (0.0, 0.55), "lower lid": (-0.05, -0.5)}),
    ActionUnit(9, "nose wrinkler",
               {"inner brow": (-0.05, 0.15), "nose wing": (0.05, -0.75), "cheek": (0.0, -0.15),
                "upper lip": (0.0, -0.15)}),
    ActionUnit(10, "upper lip raiser",
               {"nose wing": (0.1, -0.6), "cheek": (0.0, -0.1), "lip corner": (0.0, -0.2), "upper lip": (0.0, -0.35)}),
    ActionUnit(12, "lip corner puller",
               {"nose wing": (0.15, -0.15), "cheek": (0.3, -0.25), "lip corner": (0.65, -0.55),
                "upper lip": (0.2, -0.15)}),
    ActionUnit(14, "dimpler",
               {"lip corner": (0.85, 0.0), "upper lip": (0.05, 0.0)}),
    ActionUnit(15, "lip corner depressor",
               {"lip corner": (0.1, 0.8), "upper lip": (0.0, 0.1), "lower lip": (0.0, 0.15)}),
    ActionUnit(17, "chin raiser",
               {"lip corner": (0.0, -0.1), "lower lip": (0.0, -0.4), "chin": (0.0, -0.35)}, two_sided=False),
    ActionUnit(20, "lip stretcher",
               {"lip corner": (0.9, 0.15), "upper lip": (0.15, 0.0), "lower lip": (0.15, 0.05)}),
    ActionUnit(24, "lip presser",
               {"lip corner": (-0.25, -0.1), "upper lip": (0.0, 0.15), "lower lip": (0.0, -0.3), "chin": (0.0, -0.15)},
               two_sided=False),
    ActionUnit(25, "lips part",
               {"lip corner": (0.0, 0.1), "upper lip": (0.0, -0.05), "lower lip": (0.0, 0.25)}, two_sided=False),
    ActionUnit(26, "jaw drop",
               {"lip corner": (0.0, 0.3), "upper lip": (0.0, 0.15), "lower lip": (0.0, 0.45), "chin": (0.0, 0.3)},
               two_sided=False),
    ActionUnit(45, "blink",
               {"upper lid": (0.0, 1.0)}),
)  # fmt: skip
"""In the order of their numbers; 45, the blink, is here so that lids that close are not taken for 7."""
