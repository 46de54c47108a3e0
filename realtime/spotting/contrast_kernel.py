"""How far a group of regions stands out of its own restlessness, on every duration of a micro-expression.

The contrast of a region is how far it departs, at a moment, from the line between where it was a little before and
a little after. A bump on a drift, on a turn of the head or on a long smile shows its full height; drift itself does
not. What counts is the contrast against what this face has shown in the last seconds, and against what most of the
face shows at the same moment, which is the head.
"""

from typing import NamedTuple

import numpy as np

from engines.compilation import compiled
from realtime.spotting.order_kernel import at_rank

STEP = 2
"""Ticks between moments that are looked at."""
REACHES = (14, 20, 28, 38, 50)
"""Ticks to either side at which the line is held: 0.07 to 0.25 s, half of the durations of micro-expressions."""
LONGEST = REACHES[-1]
AROUND = 30
"""Ticks around a moment in which most of the face must be quiet, and in which no higher contrast may lie."""
ENTRY = 10
"""Ticks between entries of the restlessness."""
ENTRIES = 80
"""Entries that are remembered: 4 s."""
FEWEST = 8
"""Of fewer entries the restlessness is not known."""
RENEWAL = 20
"""The restlessness is renewed in so many turns, some columns in each."""
SHARE = 0.6
"""Share of the entries that lie under the restlessness: an expression now and then does not raise it."""

STRONGEST = 3
"""Regions of a group that count: those that stand out most."""
ANY_WAY = 0.5
"""How much a movement counts whatever way it goes; the rest counts only as far as action units move the face so."""

# columns of the clock
DONE, STARTED, FOUND = range(3)
# columns of a find
F_MOMENT, F_GROUP, F_REACH = range(3)
# factors
FLOOR, OWN, COMMON, LEAST = range(4)


class ContrastState(NamedTuple):
    """Arrays of one face's contrast: S reaches, R regions, G groups, N ticks of memory."""

    entries: np.ndarray
    """(S, 2R, ENTRIES) float32: contrasts of the last seconds, pixels; a ring."""
    counts: np.ndarray
    """(S, R) int64: entries ever written."""
    restlessness: np.ndarray
    """(S, 2R) float32: what SHARE of the entries stay under, pixels; NaN until it is known."""
    common: np.ndarray
    """(S, 2, N) float32: contrast of the middlemost region, x and y, pixels."""
    score: np.ndarray
    """(G, N) float32: how many times over its limit each group's contrast is; 0 where it cannot be told."""
    reach: np.ndarray
    """(G, N) int64: place in REACHES at which that was."""
    largest: np.ndarray
    """(G, N) float32: the largest contrast of any region of the group, pixels."""
    regions_to: np.ndarray
    """(G,) int64: where each group's regions end; the next group's begin there."""
    patterns: np.ndarray
    """(K, R, 2) float32: how action units move the regions of one group, any length; in the order of the groups."""
    patterns_to: np.ndarray
    """(G,) int64: where each group's patterns end."""
    found: np.ndarray
    """(R, 4) float32: contrast of each region over its limit, x and y, and one over the limit; at the latest moment."""
    clock: np.ndarray
    """(3,) int64: DONE, the last moment looked at; STARTED, first tick of the run; FOUND, finds of the latest call."""
    finds: np.ndarray
    """(F, 3) int64: F_MOMENT, F_GROUP, F_REACH of moments at which a group stands out most."""
    factors: np.ndarray
    """(4,) float32: FLOOR, pixels; OWN and COMMON, times the restlessness and the common contrast; LEAST, score of a
    find."""


@compiled(inline=True)
def _contrast(smooth: np.ndarray, moment: int, reach: int, column: int) -> float:
    """Departure of one column from the line between its places before and after, pixels; NaN where unreadable."""
    mask = smooth.shape[0] - 1
    ends = smooth[(moment - reach) & mask, column] + smooth[(moment + reach) & mask, column]
    return float(smooth[moment & mask, column] - np.float32(0.5) * ends)


@compiled(inline=True)
def _enter(state: ContrastState, smooth: np.ndarray, moment: int, scale: int, entering: bool) -> None:
    """Note what most of the face does at a moment, and, now and then, what each region does."""
    regions = state.counts.shape[1]
    found = np.empty((2, regions), np.float32)
    count = 0
    for region in range(regions):
        x = _contrast(smooth, moment, REACHES[scale], 2 * region)
        y = _contrast(smooth, moment, REACHES[scale], 2 * region + 1)
        if np.isnan(x) or np.isnan(y):
            continue
        x, y = abs(x), abs(y)
        found[0, count], found[1, count] = x, y
        count += 1
        if entering:
            number = state.counts[scale, region]
            state.entries[scale, 2 * region, number % ENTRIES] = x
            state.entries[scale, 2 * region + 1, number % ENTRIES] = y
            state.counts[scale, region] = number + 1
    row = moment & (smooth.shape[0] - 1)
    for axis in range(2):
        state.common[scale, axis, row] = at_rank(found[axis, :count], count // 2, 0.05) if count else np.inf


@compiled(inline=True)
def _renew(state: ContrastState, turn: int) -> None:
    """Renew the restlessness of the columns whose turn it is."""
    columns = state.restlessness.shape[1]
    for place in range(turn, len(REACHES) * columns, RENEWAL):
        scale, column = place // columns, place % columns
        count = min(state.counts[scale, column >> 1], ENTRIES)
        if count >= FEWEST:
            entries = state.entries[scale, column, :count]
            # Restlessness that does not reach the floor need not be known exactly.
            least = 0.999 * state.factors[FLOOR] / max(state.factors[OWN], 1e-6)
            state.restlessness[scale, column] = at_rank(entries, int(SHARE * count), least)


@compiled(inline=True)
def _common_around(state: ContrastState, scale: int, axis: int, moment: int, last: int) -> float:
    """The largest common contrast in the time around a moment, as far as it is known."""
    mask, largest = state.common.shape[2] - 1, np.float32(0.0)
    for other in range(moment - AROUND, min(moment + AROUND, last) + 1, STEP):
        if other - REACHES[scale] >= state.clock[STARTED]:
            largest = max(largest, state.common[scale, axis, other & mask])
    return float(largest)


@compiled(inline=True)
def _relate(state: ContrastState, smooth: np.ndarray, moment: int, scale: int, newest: int) -> None:
    """Contrast of each region over its limit, and one over the limit; zeros where unreadable."""
    row, reach, factors, found = moment & (smooth.shape[0] - 1), REACHES[scale], state.factors, state.found
    common_x = factors[COMMON] * _common_around(state, scale, 0, moment, newest - reach)
    common_y = factors[COMMON] * _common_around(state, scale, 1, moment, newest - reach)
    for group in range(len(state.regions_to)):
        for region in range(state.regions_to[group - 1] if group else 0, state.regions_to[group]):
            x = _contrast(smooth, moment, reach, 2 * region)
            y = _contrast(smooth, moment, reach, 2 * region + 1)
            own_x, own_y = state.restlessness[scale, 2 * region], state.restlessness[scale, 2 * region + 1]
            found[region, :] = 0.0
            if np.isnan(x) or np.isnan(y) or np.isnan(own_x) or np.isnan(own_y):
                continue
            if scale < len(REACHES) - 1:
                state.largest[group, row] = max(state.largest[group, row], np.sqrt(x * x + y * y))
            found[region, 2] = 1.0 / max(factors[FLOOR], factors[OWN] * own_x, common_x)
            found[region, 3] = 1.0 / max(factors[FLOOR], factors[OWN] * own_y, common_y)
            found[region, 0], found[region, 1] = x * found[region, 2], y * found[region, 3]


@compiled(inline=True)
def _likeness(state: ContrastState, number: int, first: int, last: int) -> float:
    """How far a group has moved along a pattern, over its limits: the whole length times the cosine, squared.

    A matched filter gives the length times the cosine; the second cosine is for what else moves in the group.
    """
    along, length, whole = 0.0, 0.0, 0.0
    for region in range(first, last):
        for axis in range(2):
            moved = state.found[region, axis]
            expected = state.patterns[number, region, axis] * state.found[region, 2 + axis]
            along += expected * moved
            length += expected * expected
            whole += moved * moved
    return float(along * along / max(length * np.sqrt(whole), 1e-9))


@compiled(inline=True)
def _height(found: np.ndarray, first: int, last: int) -> float:
    """How far the three regions of a group that stand out most have moved together, whatever way, over their limits."""
    one, two, three = 0.0, 0.0, 0.0
    for region in range(first, last):
        square = found[region, 0] ** 2 + found[region, 1] ** 2
        if square > one:
            one, two, three = square, one, two
        elif square > two:
            two, three = square, two
        elif square > three:
            three = square
    return float(np.sqrt(one + two + three))


@compiled(inline=True)
def _length(found: np.ndarray, first: int, last: int) -> float:
    """How far all regions of a group have moved together, over their limits."""
    square = 0.0
    for region in range(first, last):
        square += found[region, 0] ** 2 + found[region, 1] ** 2
    return float(np.sqrt(square))


@compiled(inline=True)
def _judge(state: ContrastState, smooth: np.ndarray, moment: int, newest: int) -> None:
    """Score every group at a moment, over all reaches for which both ends of the line are known."""
    row, groups = moment & (smooth.shape[0] - 1), state.score.shape[0]
    for group in range(groups):
        state.score[group, row], state.reach[group, row], state.largest[group, row] = 0.0, 0, 0.0
    for scale in range(len(REACHES)):
        reach = REACHES[scale]
        if moment - reach < state.clock[STARTED] or moment + reach > newest:
            continue
        _relate(state, smooth, moment, scale, newest)
        for group in range(groups):
            first, last = state.regions_to[group - 1] if group else 0, state.regions_to[group]
            height, likeness = _height(state.found, first, last), 0.0
            # No likeness exceeds the length of all regions: what cannot reach a find need not be compared.
            highest = ANY_WAY * height + (1.0 - ANY_WAY) * _length(state.found, first, last)
            if highest > state.score[group, row] and highest > 0.5 * state.factors[LEAST]:
                for number in range(state.patterns_to[group - 1] if group else 0, state.patterns_to[group]):
                    likeness = max(likeness, _likeness(state, number, first, last))
            score = ANY_WAY * height + (1.0 - ANY_WAY) * likeness
            if score > state.score[group, row]:
                state.score[group, row], state.reach[group, row] = score, scale


@compiled(inline=True)
def _find(state: ContrastState, moment: int) -> None:
    """Note the groups whose score is highest at a moment among the moments around it."""
    mask = state.score.shape[1] - 1
    if moment - REACHES[0] < state.clock[STARTED]:
        return
    for group in range(state.score.shape[0]):
        here = state.score[group, moment & mask]
        if here < state.factors[LEAST]:
            continue
        highest = True
        for other in range(moment - AROUND, moment + AROUND + 1, STEP):
            there = state.score[group, other & mask]
            known = other - REACHES[0] >= state.clock[STARTED]
            highest = highest and not (known and (there > here or (there == here and other < moment)))
        number = state.clock[FOUND]
        if highest and number < state.finds.shape[0]:
            state.finds[number, F_MOMENT], state.finds[number, F_GROUP] = moment, group
            state.finds[number, F_REACH] = state.reach[group, moment & mask]
            state.clock[FOUND] = number + 1


@compiled(inline=True)
def _look(state: ContrastState, smooth: np.ndarray, tick: int) -> None:
    """Take one low-passed tick: every reach at the newest moment that it can see, then the score of one moment."""
    # Until it is judged, a moment must not show what was there when the ring last passed.
    row = tick & (smooth.shape[0] - 1)
    for group in range(state.score.shape[0]):
        state.score[group, row], state.largest[group, row] = 0.0, 0.0
    for scale in range(len(REACHES)):
        moment = tick - REACHES[scale]
        if moment - REACHES[scale] >= state.clock[STARTED]:
            _enter(state, smooth, moment, scale, moment % ENTRY == 0)
    _renew(state, (tick // STEP) % RENEWAL)
    moment = tick - LONGEST
    if moment - REACHES[0] >= state.clock[STARTED]:
        _judge(state, smooth, moment, tick)
        _find(state, moment - AROUND)


@compiled()
def look(state: ContrastState, smooth: np.ndarray, run_start: int, settled: int) -> int:
    """Take the low-passed ticks that are new; return the number of finds, which lie in the state's `finds`.

    Args:
        state: replaced by what is known now.
        smooth: float32 (N, 2R), low-passed displacement, a ring; NaN where unreadable, pixels.
        run_start: first tick of the run.
        settled: newest low-passed tick.
    """
    clock = state.clock
    if clock[STARTED] != run_start:
        clock[STARTED], clock[DONE] = run_start, run_start - 1
    clock[FOUND] = 0
    for tick in range(clock[DONE] + 1, settled + 1):
        if tick % STEP == 0:
            _look(state, smooth, tick)
    clock[DONE] = settled
    return int(clock[FOUND])


@compiled()
def finish(state: ContrastState, smooth: np.ndarray) -> int:
    """Score the last moments of a run by the reaches that still fit: nothing more will come; number of finds."""
    newest = state.clock[DONE]
    state.clock[FOUND] = 0
    for moment in range(newest - LONGEST + 1, newest - REACHES[0] + 1):
        if moment % STEP == 0 and moment - REACHES[0] >= state.clock[STARTED]:
            _judge(state, smooth, moment, newest)
    for moment in range(newest - LONGEST - AROUND + 1, newest - REACHES[0] + 1):
        if moment % STEP == 0:
            _find(state, moment)
    return int(state.clock[FOUND])
