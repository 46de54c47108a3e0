"""Talking, as far as the skin shows it: syllables that open the jaw and shape the lips, in bursts, with nods.

Syllables come at 3 to 6 Hz, the rate of speech in all languages; stressed ones may take a nod along.

Reference:
    Chandrasekaran et al., The natural statistics of audiovisual speech, PLoS Computational Biology 5, 2009, for
    the rates of mouth and voice.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

JAW_UNIT, LIPS_UNIT = 26, 20
"""Action units whose skin movement opens the jaw and draws the lips apart; rounded lips are the latter reversed."""
_RATE_HZ = (3.0, 6.0)
_BURST_S = (0.8, 2.4)


@dataclass(frozen=True, eq=False)
class Speech:
    """Syllables in time order."""

    middle_s: Float64[np.ndarray, " syllables"]
    half_s: Float64[np.ndarray, " syllables"]
    """Half the length of each; neighbours overlap, so that the mouth seldom closes within a burst."""
    opening: Float64[np.ndarray, " syllables"]
    """How far the jaw opens, 0–1."""
    lips: Float64[np.ndarray, " syllables"]
    """Lips drawn apart are positive, rounded ones negative, −1 to 1."""
    nod: Float64[np.ndarray, " syllables"]
    """Nod of a stressed syllable, 0–1."""

    def at(self, time_s: float) -> tuple[float, float, float]:
        """Opening of the jaw, lips and nod at a time; all 0 in a pause."""
        since = np.abs(time_s - self.middle_s)
        shape = np.where(since < self.half_s, 0.5 * (1.0 + np.cos(np.pi * since / self.half_s)), 0.0)
        slow = np.where(since < 0.25, 0.5 * (1.0 + np.cos(np.pi * since / 0.25)), 0.0)
        return float(shape @ self.opening), float(shape @ self.lips), float(slow @ self.nod)

    def talking(self, time_s: float) -> bool:
        """Whether a syllable is under way."""
        return bool(np.any(np.abs(time_s - self.middle_s) < self.half_s))


def plan_speech(share: float, duration_s: float, generator: np.random.Generator) -> Speech:
    """Draw what a face says.

    Args:
        share: of the time that it talks, 0–1.
        duration_s: of the scene.
        generator: source of chance.

    Returns:
        The syllables; none where `share` is 0.
    """
    rows: list[tuple[float, ...]] = []
    time_s = float(generator.uniform(0.3, 1.5))
    while share > 0 and time_s < duration_s:
        burst_s = float(generator.uniform(*_BURST_S))
        said = _burst(time_s, time_s + burst_s, generator)
        middle_s, half_s = said[-1][:2]
        rows += said
        time_s = middle_s + half_s + burst_s * (1.0 / min(share, 0.95) - 1.0) * float(generator.uniform(0.6, 1.4))
    return Speech(*np.array(rows).reshape(-1, 5).T)


def _burst(start_s: float, end_s: float, generator: np.random.Generator) -> list[tuple[float, ...]]:
    rows: list[tuple[float, ...]] = []
    time_s = start_s
    pace_hz = generator.uniform(*_RATE_HZ)
    while time_s < end_s:
        length_s = 1.0 / float(np.clip(pace_hz * generator.uniform(0.8, 1.25), *_RATE_HZ))
        stressed = generator.random() < 0.3
        opening = generator.uniform(0.25, 0.7) + 0.3 * stressed
        nod = float(stressed * generator.uniform(0.4, 1.0))
        rows.append((time_s + length_s / 2, 0.65 * length_s, opening, generator.uniform(-0.6, 0.6), nod))
        time_s += length_s
    return rows
