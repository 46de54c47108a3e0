"""Order statistics of the latest entries: read off a window kept in order, or counted out where they are seldom asked.

Rest is asked for with every entry and its windows are short, noise once in many entries and its windows are long.
"""

import numpy as np

from engines.compilation import compiled

_OCTAVE = 1 << 23
"""What doubling adds to the bits of a float32."""


@compiled(inline=True)
def enter(recent: np.ndarray, ordered: np.ndarray, number: int, length: int, value: float) -> None:
    """Let `value` take the place of the oldest of the latest `length` entries, also among them in rising order.

    So each order statistic of the window is read off at its place: it is never sorted or searched through.

    Args:
        recent: entries in order of arrival, a ring.
        ordered: the same entries, rising.
        number: entries ever written before this one.
        length: entries that are kept.
        value: the new entry, not NaN.
    """
    position, hole, last = number % length, number, number
    if number >= length:
        hole, last, leaving = 0, length - 1, recent[position]
        while ordered[hole] < leaving:
            hole += 1
    while hole > 0 and ordered[hole - 1] > value:
        ordered[hole] = ordered[hole - 1]
        hole -= 1
    while hole < last and ordered[hole + 1] < value:
        ordered[hole] = ordered[hole + 1]
        hole += 1
    ordered[hole] = value
    recent[position] = value


@compiled(inline=True)
def _count_up_to(bits: np.ndarray, highest: int) -> int:
    """Number of entries that are not above `highest`."""
    count = 0
    for place in range(len(bits)):
        count += bits[place] <= highest
    return count


@compiled(inline=True)
def at_rank(entries: np.ndarray, rank: int, least: float) -> float:
    """The entry that has `rank` others below it, found by bisection without sorting, or `least` if that is more.

    Bits of floats that are not negative rise with them; counting is as quick as reading.

    Args:
        entries: float32 (N,), not negative.
        rank: 0 to N − 1.
        least: the search begins here, and goes on by doubling.
    """
    bits = entries.view(np.int32)
    low = high = int(np.float32(least).view(np.int32))
    while _count_up_to(bits, high) <= rank:
        low, high = high + 1, high + _OCTAVE
    while low < high:
        middle = (low + high) // 2
        if _count_up_to(bits, middle) > rank:
            high = middle
        else:
            low = middle + 1
    return float(np.int32(low).view(np.float32))
