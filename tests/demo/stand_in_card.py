"""A card, and none, for tests of what is printed about them."""

from engines.graphics_card import GraphicsCard, NoCard

CARD = GraphicsCard(
    name="stand-in",
    compute_capability=(8, 9),
    multiprocessors=10,
    memory_bytes=1 << 30,
    clock_hz=1e9,
    bandwidth_bytes_per_s=1e11,
    l2_bytes=1 << 20,
    cuda_version=(13, 0),
)
"""2.56 trillion operations and 100 billion bytes a second."""
NO_CARD = NoCard(detail="no card here", remedy="none needed")
