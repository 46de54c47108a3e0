"""A graphics card that is not there, for tests of what is said and chosen about one."""

from engines.graphics_card import GraphicsCard

CARD = GraphicsCard(
    name="Card of the tests",
    compute_capability=(8, 9),
    multiprocessors=10,
    memory_bytes=8 << 30,
    clock_hz=1e9,
    bandwidth_bytes_per_s=1e11,
    l2_bytes=32 << 20,
    cuda_version=(13, 0),
)
"""2.56 trillion operations and 100 billion bytes a second."""
