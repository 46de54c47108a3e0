"""Facial movements and action units in plain words; left and right are the subject's."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from realtime.events import RegionalMovement, Side, SuggestedUnit

STILL_PX = 0.15
"""Movement along one axis under this is not worth a word."""
ALIKE = 0.4
"""Two sides are one movement when neither departs from what they have in common by more than this share of it."""
SURE = 0.9
"""Action units of a lower score, of which some third is wrong, are said with a "perhaps"."""
_OTHER = {"left": "right", "right": "left"}


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = [*words] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def together(regions: Sequence[str]) -> list[str]:
    """Regions of both sides in one word, in order: "left cheek", "right cheek" becomes "both cheeks"."""
    return list(dict.fromkeys(_both(region) if _mirror(region) in regions else region for region in regions))


def direction(region: str, right_px: float, down_px: float) -> str:
    """Where a region went: "up and out", as seen on the subject's face; empty where it hardly moved.

    Args:
        region: its name.
        right_px: movement to the image's right, canthus-normalised pixels.
        down_px: movement down, same unit.
    """
    least = max(STILL_PX, 0.4 * max(abs(right_px), abs(down_px)))
    words = []
    if abs(down_px) >= least:
        words.append("down" if down_px > 0 else "up")
    if abs(right_px) >= least:
        # The subject's left is the image's right.
        outward = {"left": 1.0, "right": -1.0}.get(region.partition(" ")[0])
        if outward is None:
            words.append("to the subject's left" if right_px > 0 else "to the subject's right")
        else:
            words.append("out" if right_px * outward > 0 else "in")
    return listed(words)


@dataclass(frozen=True, slots=True)
class SaidMovement:
    """One region, or the same region of both sides, and where it went."""

    name: str
    """As in "left cheek" or "both cheeks"."""
    way: str
    """As in "up and out"; empty where it hardly moved."""
    length_px: float
    """Mean of the two sides where it is both, canthus-normalised pixels."""

    def __str__(self) -> str:
        """As in "left cheek up and out, 1.2 px"."""
        return f"{f'{self.name} {self.way}'.strip()}, {self.length_px:.1f} px"


def said(movements: Sequence[RegionalMovement]) -> Iterator[SaidMovement]:
    """Movements in their order; two sides that do alike are one, with their mean."""
    left = {movement.region: movement for movement in movements}
    while left:
        movement = left.pop(next(iter(left)))
        other = left.get(_mirror(movement.region))
        mean = None if other is None else _mean(movement, other)
        if other is None or mean is None:
            yield SaidMovement(movement.region, _way(movement), movement.amplitude_px)
        else:
            del left[other.region]
            yield SaidMovement(_both(movement.region), _way(mean), mean.amplitude_px)


def unit_words(units: Sequence[SuggestedUnit]) -> str:
    """Action units in few words: "AU12, one-sided", "AU4 + AU10 (left)", "AU1 + AU2, perhaps AU4"."""
    if not units:
        return "suggests no single action unit"
    sides: set[Side] = {unit.side for unit in units}
    one_sided = len(sides) == 1 and sides != {"both"}
    names = [(unit, f"AU{unit.unit}{'' if one_sided or unit.side == 'both' else f' ({unit.side})'}") for unit in units]
    sure = " + ".join(name for unit, name in names if unit.score >= SURE)
    doubtful = " + ".join(name for unit, name in names if unit.score < SURE)
    said_so = [sure, doubtful and f"perhaps {doubtful}", "one-sided" if one_sided else ""]
    return ", ".join(words for words in said_so if words)


def _way(movement: RegionalMovement) -> str:
    return direction(movement.region, movement.right_px, movement.down_px)


def _mean(one: RegionalMovement, other: RegionalMovement) -> RegionalMovement | None:
    """What the two sides of a region have in common, as the first one's movement; None where they do not do alike."""
    right_px, down_px = (one.right_px - other.right_px) / 2, (one.down_px + other.down_px) / 2
    mean = RegionalMovement(region=one.region, right_px=right_px, down_px=down_px)
    departure_px = math.hypot(one.right_px - right_px, one.down_px - down_px)
    return mean if departure_px <= ALIKE * mean.amplitude_px else None


def _mirror(region: str) -> str:
    """The region on the other side of the face; nothing in the middle of it."""
    side, _, part = region.partition(" ")
    return f"{_OTHER[side]} {part}" if side in _OTHER else ""


def _both(region: str) -> str:
    return f"both {region.partition(' ')[2]}s"
