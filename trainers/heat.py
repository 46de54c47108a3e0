"""What an explanation says: where on a map a model looked, and how much the model needed it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt8

Method = Literal["grad-cam", "occlusion"]

COVERED_SHARE = 0.2
"""Of the map: its hottest part, covered to see whether the model needed it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heat:
    """Where a model looked on one clip, as one method tells it."""

    method: Method
    layer: str
    """What Grad-CAM was taken at: "fusion.0 (7 × 7)"; empty for occlusion."""
    values: Float32[np.ndarray, "H W"]
    """Evidence for the answer over the map, 0–1; all 0 where there is none."""
    regions: tuple[tuple[str, float], ...]
    """Parts of the face by their share of the heat, the largest first."""
    covered_probability: float
    """Of the same answer, with the hottest `COVERED_SHARE` of the map replaced by its medians: what the heat is
    worth."""
    picture: UInt8[np.ndarray, "h w 3"]
    """RGB, canonical crop: the heat over the apex, or over the size of the flow."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """What a model answered on one clip, and where it looked."""

    row: int
    """Of the feature file."""
    target: str
    """The model's answer, whose evidence is drawn."""
    probability: float
    """That the model gives to its answer."""
    shown: UInt8[np.ndarray, "h w 3"]
    """RGB, canonical crop: the gray apex where the map holds it, the flow's directions as hues otherwise."""
    heats: tuple[Heat, ...]
    """One a method."""
