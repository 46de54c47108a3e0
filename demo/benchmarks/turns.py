"""Methods measured side by side: each in its turn, so that what else the machine does falls on all of them alike."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

MOST_CALLS = 50
"""In one turn."""
FEWEST_TURNS = 3


def in_turns(
    methods: Mapping[str, Callable[[], Any]],
    *,
    turns: int,
    turn_s: float = 0.0,
    limit_s: float = 60.0,
    before: Mapping[str, Callable[[], Any]] | None = None,
) -> dict[str, list[float]]:
    """Call every method in every turn; one turn more goes before them that is not counted.

    Args:
        methods: what to call, by name.
        turns: rounds at most, and at least `FEWEST_TURNS` where as many are asked for.
        turn_s: a method is called again in its turn until this is over, so that short calls are measured warm.
        limit_s: no further turn is begun after this.
        before: what to call, unmeasured, before a method's turn.

    Returns:
        Seconds of every counted call, by name.
    """
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    begun = time.perf_counter()
    for turn in range(turns + 1):
        if turn > FEWEST_TURNS and time.perf_counter() - begun > limit_s:
            break
        for name, call in methods.items():
            if before and name in before:
                before[name]()
            taken = _one_turn(call, turn_s)
            if turn:
                seconds[name] += taken
    return seconds


def _one_turn(call: Callable[[], Any], turn_s: float) -> list[float]:
    taken: list[float] = []
    while not taken or (sum(taken) < turn_s and len(taken) < MOST_CALLS):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return taken


def median_ms(seconds: list[float]) -> float:
    """Median, milliseconds."""
    return 1e3 * float(np.median(seconds))


def percentile_ms(seconds: list[float], percent: float) -> float:
    """A percentile, milliseconds."""
    return 1e3 * float(np.percentile(seconds, percent))
