"""What a piece of work asks of a graphics card, against what the card can do: in figures and in words.

Two limits are worked out: single-precision arithmetic (a multiply-add is two operations; a root, a quotient, a minimum
are one, though the card does fewer of them a second) and the memory's bandwidth. A share is of the time that the card
would need if nothing else held it up, so neither can pass 100 % unless the work was counted too high.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engines.graphics_card import GraphicsCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that is done to every element, so many times."""

    name: str = ""
    """What is done, in the plural: "full-size iterations"; empty where it is done once."""
    times: float = 1.0
    elements: int
    """Pixels, say."""
    element: str
    """What an element is called, in the plural."""
    operations: float
    """Single-precision operations for one element at a time."""
    bytes: float = 0.0
    """Read from and written to the card's memory for one element at a time, at the least."""

    @property
    def all_operations(self) -> float:
        """Operations of the whole step."""
        return self.times * self.elements * self.operations

    @property
    def all_bytes(self) -> float:
        """Bytes of the whole step."""
        return self.times * self.elements * self.bytes

    @property
    def words(self) -> str:
        """The product, written out."""
        repeated = f"{self.times:,.0f} {self.name} × " if self.name else ""
        return (
            f"{repeated}{self.elements:,} {self.element} × {self.operations:,.0f} operations "
            f"= {scaled(self.all_operations)}"
        )


def reached(steps: Sequence[Step], seconds: float, card: GraphicsCard) -> dict[str, Any]:
    """Shares of the card's limits that some work reached.

    Args:
        steps: the work.
        seconds: how long it took.
        card: whose limits.

    Returns:
        `operations`, `bytes`, `seconds`, the card's `operations_per_s` and `bytes_per_s`, `arithmetic_share` and
        `bandwidth_share` (None where the driver does not tell the bandwidth), and the `words`.
    """
    operations, moved = sum(step.all_operations for step in steps), sum(step.all_bytes for step in steps)
    known = card.bandwidth_bytes_per_s > 0
    return {
        "operations": operations,
        "bytes": moved,
        "seconds": seconds,
        "operations_per_s": card.flops_per_s,
        "bytes_per_s": card.bandwidth_bytes_per_s,
        "arithmetic_share": operations / seconds / card.flops_per_s,
        "bandwidth_share": moved / seconds / card.bandwidth_bytes_per_s if known else None,
        "words": _in_words(steps, operations, moved, seconds, card),
    }


def scaled(value: float) -> str:
    """A large number in words: "12.3 billion"."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if value >= size:
            return f"{value / size:.3g} {word}"
    return f"{value:.3g}"


def _in_words(steps: Sequence[Step], operations: float, moved: float, seconds: float, card: GraphicsCard) -> str:
    total = "; ".join(step.words for step in steps if step.all_operations)
    if sum(step.all_operations > 0 for step in steps) > 1:
        total += f"; together {scaled(operations)} operations"
    arithmetic = (
        f"the card could do {scaled(card.flops_per_s)} a second, that is {scaled(operations)} in "
        f"{1e3 * operations / card.flops_per_s:.3g} ms; it took {1e3 * seconds:.3g} ms: reached "
        f"{operations / seconds / card.flops_per_s:.1%} of its arithmetic"
    )
    if not moved:
        return f"{total}; {arithmetic}"
    if not card.bandwidth_bytes_per_s:
        return f"{total}; {arithmetic}; {scaled(moved)} bytes moved at the least, the driver does not tell how fast"
    return (
        f"{total}; {arithmetic}; {scaled(moved)} bytes moved at the least, and the card's memory could move "
        f"{scaled(card.bandwidth_bytes_per_s)} a second: reached {moved / seconds / card.bandwidth_bytes_per_s:.1%} "
        "of its bandwidth"
    )
