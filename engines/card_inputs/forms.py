"""Which models' inputs are made on the card, and out of what."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engines.card import ModelCard
from engines.inputs import RECIPES

MAGNITUDE, U, V, STRAIN = 0, 1, 2, 3
"""Order of the planes that the channels are taken from. What the host wants back lies together, last."""
NORMALISATION = "centred-flow-log-strain"
"""The one normalisation that the card knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardForm:
    """The channels of a recipe as the card makes them: a plane each, reduced, stretched and normalised."""

    planes: tuple[int, ...]
    """Plane of each channel."""
    mirrored: tuple[int, ...]
    """Channels that change sign in a mirror."""

    @property
    def logarithmic(self) -> tuple[bool, ...]:
        """Channels that the normalisation takes for strain: every third, whatever it holds."""
        return tuple(channel % 3 == 2 for channel in range(len(self.planes)))


_PLANES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"flow-strain": (U, V, STRAIN), "dual-branch": (U, V, MAGNITUDE, U, V, STRAIN)}
)


def card_form(card: ModelCard) -> CardForm | None:
    """How the card makes a model's input.

    Args:
        card: of the checkpoint.

    Returns:
        None where the recipe needs more than the flow from onset to apex, or the normalisation is another one.
    """
    planes = _PLANES.get(card.recipe)
    mirrored = RECIPES[card.recipe].mirrored
    if planes is None or mirrored is None or card.normalisation != NORMALISATION:
        return None
    return CardForm(planes=planes, mirrored=mirrored)
