"""A card, and none, for tests of what is printed about them."""

from dataclasses import replace

from engines.graphics_card import NoCard
from tests.made_up_card import CARD as MADE_UP

CARD = replace(MADE_UP, name="stand-in")
"""2.56 trillion operations and 100 billion bytes a second."""
NO_CARD = NoCard(detail="no card here", remedy="none needed")
