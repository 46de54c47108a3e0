"""The spotter's inner loop: even time grid, zero-phase low-pass, rolling medians, candidates.

Every region is watched twice. The *quick* bank gives up on a movement that has not come back soon after the
longest micro-expression and then takes the new position for rest, so that a held smile hides nothing; the
*slow* bank follows movements up to the longest macro-expression. A last channel in each bank watches all
regions together.
"""

import numpy as np

from engines.compilation import compiled
from realtime.spotting.order_kernel import at_rank, enter
from realtime.spotting.window_state import WindowState

QUICK, SLOW = 0, 1
IDLE, OPEN, LOW = 0, 1, 2
RETURNED, TIMED_OUT, UNREADABLE, INTERRUPTED = 0, 1, 2, 3
"""Why a candidate closed; the last comes from a pause in the stream or its end."""

QUICK_SHARE, QUICK_DEVIATIONS = 0.8, 1.2816
"""Short-term noise is read off the 80th percentile of the departures' size, in a Gaussian 1.28 standard deviations:
the median would be blind to a measurement that jumps now and then."""
SLOW_SHARE, SLOW_DEVIATIONS = 0.5, 0.6745
"""Long-term noise is read off the median (this is the MAD): expressions fill more of the longer span."""

# clock
ORIGIN, LAST_TIME, TICK, SETTLED, SAMPLES, RUN_START, HOLE, CLOSED = range(8)
# ticks of a channel
OPENED, PEAK_TICK, LOW_TICK, LOWEST_TICK, UNREAD, BUSY, QUIET = range(7)
# levels of a channel
PEAK, LOWEST = range(2)
# durations, ticks
(
    TICK_LENGTH,
    ENTRY_STEP,
    NOISE_STEP,
    LEARNING,
    SETTLE,
    SETTLE_LONGEST,
    REFRACTORY,
    GAP,
    QUICK_TIMEOUT,
    SLOW_TIMEOUT,
    QUICK_CONTRAST,
    SLOW_CONTRAST,
    QUICK_ENTRIES,
    SLOW_ENTRIES,
    QUICK_RESTLESS,
    SLOW_RESTLESS,
) = range(16)
# levels
QUICK_FLOOR, SLOW_FLOOR, JOINT, QUICK_FACTOR, SLOW_FACTOR, QUICK_RETURN, SLOW_RETURN = range(7)
# columns of a closing
C_BANK, C_CHANNEL, C_REASON, C_OPENED, C_PEAK, C_LOW, C_END = range(7)


@compiled(inline=True)
def fill_grid(state: WindowState, displacement: np.ndarray, first: int, last: int, time_ns: int) -> None:
    """Put the line from the last sample to this one on the ticks `first` to `last`."""
    raw, valid, clock = state.raw, state.valid, state.clock
    columns, mask = raw.shape[1], raw.shape[0] - 1
    span = float(max(time_ns - clock[LAST_TIME], 1))
    for tick in range(first, last + 1):
        along = (clock[ORIGIN] + tick * state.durations[TICK_LENGTH] - clock[LAST_TIME]) / span
        row = tick & mask
        for column in range(columns):
            before, now = state.last[column], displacement[column >> 1, column & 1]
            if np.isnan(before) or np.isnan(now):
                clock[HOLE] = tick
                nearer = now if along >= 0.5 else before
                readable = not np.isnan(nearer)
                raw[row, column] = nearer if readable else 0.0
                valid[row, column] = 1.0 if readable else 0.0
            else:
                raw[row, column] = before + along * (now - before)
                valid[row, column] = 1.0


@compiled(inline=True)
def low_pass(state: WindowState, tick: int, ahead: int) -> None:
    """Weighted mean of the readable ticks around `tick`, of which `ahead` lie after it."""
    raw, valid, taps = state.raw, state.valid, state.taps
    columns, mask, half = raw.shape[1], raw.shape[0] - 1, taps.shape[0] // 2
    smooth, first = state.smooth[tick & mask], max(tick - half, state.clock[RUN_START])
    smooth[:] = 0.0
    full = np.float32(0.0)
    for other in range(first, tick + ahead + 1):
        tap, line = taps[other - tick + half], raw[other & mask]
        full += tap
        for column in range(columns):
            smooth[column] += tap * line[column]
    # Less than a tenth of the weight means a hole wider than the low-pass can bridge.
    if state.clock[HOLE] < first:
        for column in range(columns):
            smooth[column] = smooth[column] / full if full > 0.1 else np.nan
        return
    weight = np.zeros(columns, np.float32)
    for other in range(first, tick + ahead + 1):
        tap, line = taps[other - tick + half], valid[other & mask]
        for column in range(columns):
            weight[column] += tap * line[column]
    for column in range(columns):
        smooth[column] = smooth[column] / weight[column] if weight[column] > 0.1 else np.nan


@compiled(inline=True)
def write_rest(state: WindowState, bank: int, region: int, row: int) -> None:
    """Enter the region's present position and renew its rest, the median of the entries."""
    length = state.durations[QUICK_ENTRIES if bank == QUICK else SLOW_ENTRIES]
    number = state.rest_count[bank, region]
    middle = min(number + 1, length) // 2
    for column in (2 * region, 2 * region + 1):
        ordered = state.rest_ordered[bank, column]
        enter(state.rest_entries[bank, column], ordered, number, length, state.smooth[row, column])
        state.rest[bank, column] = ordered[middle]
    state.rest_count[bank, region] = number + 1


@compiled(inline=True)
def anchor(state: WindowState, bank: int, channel: int, row: int) -> None:
    """Take the region's present position for its rest."""
    if channel < state.rest_count.shape[1] and not np.isnan(state.smooth[row, 2 * channel]):
        state.rest_count[bank, channel] = 0
        write_rest(state, bank, channel, row)


@compiled(inline=True)
def write_noise(state: WindowState, bank: int, region: int, tick: int) -> None:
    """Enter the region's departure from the line between its neighbours before and after.

    Slow drift, however far it goes, hardly departs from such a line; an expression does by its full height.
    """
    span, mask = state.durations[QUICK_CONTRAST if bank == QUICK else SLOW_CONTRAST], state.raw.shape[0] - 1
    if tick - state.clock[RUN_START] < 2 * span:
        return
    # Time inside candidates does not enter, unless the region never rests: its noise must become known too.
    ticks, restless = state.ticks[bank, region], state.durations[QUICK_RESTLESS if bank == QUICK else SLOW_RESTLESS]
    if tick - ticks[BUSY] >= 2 * span:
        ticks[QUIET] = tick
    elif tick - max(ticks[QUIET], state.clock[RUN_START] + 2 * span) < restless:
        return
    before, middle, after = (tick - 2 * span) & mask, (tick - span) & mask, tick & mask
    number, length = state.noise_count[bank, region], state.noise_entries.shape[2]
    for column in (2 * region, 2 * region + 1):
        neighbours = state.smooth[after, column] + state.smooth[before, column]
        departure = abs(state.smooth[middle, column] - np.float32(0.5) * neighbours)
        if np.isnan(departure):
            return  # x and y are readable together
        state.noise_entries[bank, column, number % length] = departure
    state.noise_count[bank, region] = number + 1


@compiled(inline=True)
def renew_limit(state: WindowState, bank: int, region: int) -> None:
    """Limit of a region: the floor, or so many standard deviations of its quiet departures."""
    count = min(state.noise_count[bank, region], state.noise_entries.shape[2])
    # Of a handful of entries the spread says nothing yet.
    if count < 10:
        return
    factor = state.fractions[QUICK_FACTOR if bank == QUICK else SLOW_FACTOR]
    floor = state.fractions[QUICK_FLOOR if bank == QUICK else SLOW_FLOOR]
    share, deviations = (QUICK_SHARE, QUICK_DEVIATIONS) if bank == QUICK else (SLOW_SHARE, SLOW_DEVIATIONS)
    # A spread that does not reach the floor need not be known exactly.
    least = 0.999 * floor * deviations / max(factor, 1e-9)
    for column in (2 * region, 2 * region + 1):
        spread = at_rank(state.noise_entries[bank, column, :count], int(share * count), least) / deviations
        state.limit[bank, column] = max(floor, factor * spread)


@compiled(inline=True)
def write_statistics(state: WindowState, tick: int) -> None:
    """Enter quiet movement into the windows; channels take turns, so that ticks cost the same."""
    durations, regions = state.durations, state.rest_count.shape[1]
    row = tick & (state.raw.shape[0] - 1)
    step, renewal = durations[ENTRY_STEP], durations[NOISE_STEP]
    for region in range(tick % step, regions, step):
        if np.isnan(state.smooth[row, 2 * region]):
            continue
        for bank in (QUICK, SLOW):
            if state.phase[bank, region] == IDLE:
                write_rest(state, bank, region, row)
            write_noise(state, bank, region, tick)
    for region in range(tick % renewal, regions, renewal):
        renew_limit(state, QUICK, region)
        renew_limit(state, SLOW, region)


@compiled(inline=True)
def write_magnitudes(state: WindowState, tick: int) -> None:
    """Movement of each region from its rest, and of all together."""
    row, regions = tick & (state.raw.shape[0] - 1), state.rest_count.shape[1]
    for bank in (QUICK, SLOW):
        total = np.float32(0.0)
        for region in range(regions):
            if state.rest_count[bank, region] == 0:
                state.magnitude[bank, region] = np.nan
                continue
            across, down = 2 * region, 2 * region + 1
            x = (state.smooth[row, across] - state.rest[bank, across]) / state.limit[bank, across]
            y = (state.smooth[row, down] - state.rest[bank, down]) / state.limit[bank, down]
            square = x * x + y * y
            state.magnitude[bank, region] = np.sqrt(square)
            if not np.isnan(square):
                total += square
        state.magnitude[bank, regions] = np.sqrt(total)


@compiled()
def close(state: WindowState, bank: int, channel: int, reason: int, end: int) -> None:
    """Record a candidate that ended and take its present position for rest."""
    number = state.clock[CLOSED]
    ticks = state.ticks[bank, channel]
    if number < state.closings.shape[0]:
        record = state.closings[number]
        record[C_BANK], record[C_CHANNEL], record[C_REASON] = bank, channel, reason
        record[C_OPENED], record[C_PEAK], record[C_END] = ticks[OPENED], ticks[PEAK_TICK], end
        record[C_LOW] = ticks[LOW_TICK] if state.phase[bank, channel] == LOW else end
        state.clock[CLOSED] += 1
    state.phase[bank, channel] = IDLE
    rest_tick = ticks[LOWEST_TICK] if reason == RETURNED else state.clock[SETTLED]
    anchor(state, bank, channel, rest_tick & (state.raw.shape[0] - 1))


@compiled(inline=True)
def open_channel(state: WindowState, bank: int, channel: int, tick: int, movement: float) -> None:
    """Begin a candidate."""
    ticks, levels = state.ticks[bank, channel], state.levels[bank, channel]
    ticks[OPENED], ticks[PEAK_TICK], ticks[UNREAD] = tick, tick, 0
    levels[PEAK] = levels[LOWEST] = movement
    state.phase[bank, channel] = OPEN


@compiled(inline=True)
def follow_low(state: WindowState, bank: int, channel: int, tick: int, movement: float) -> None:
    """A candidate that has come back: settle it, or see it rise again."""
    ticks, levels, durations = state.ticks[bank, channel], state.levels[bank, channel], state.durations
    peak, since = levels[PEAK], tick - ticks[LOW_TICK]
    # Only a fall of 3 % of the peak counts as falling on.
    if movement < levels[LOWEST] - 0.03 * peak:
        levels[LOWEST], ticks[LOWEST_TICK] = movement, tick
    if movement > levels[LOWEST] + max(0.25 * peak, 1.0):
        if since >= durations[REFRACTORY]:
            close(state, bank, channel, RETURNED, ticks[LOWEST_TICK])
        else:
            state.phase[bank, channel] = OPEN
    elif tick - ticks[LOWEST_TICK] >= durations[SETTLE] or since >= durations[SETTLE_LONGEST]:
        close(state, bank, channel, RETURNED, tick)


@compiled(inline=True)
def follow_part_of_the_way(state: WindowState, channel: int, tick: int, movement: float) -> None:
    """Close a short candidate that fell back clearly and stays there: skin, or a codec, keeps some movement."""
    ticks, levels = state.ticks[QUICK, channel], state.levels[QUICK, channel]
    peak = levels[PEAK]
    if movement < levels[LOWEST] - 0.03 * peak:
        levels[LOWEST], ticks[LOWEST_TICK] = movement, tick
    fell, stays = levels[LOWEST] < 0.75 * peak, movement < levels[LOWEST] + 0.1 * peak
    if fell and stays and tick - ticks[LOWEST_TICK] >= state.durations[SETTLE]:
        ticks[LOW_TICK] = ticks[LOWEST_TICK]
        state.phase[QUICK, channel] = LOW
        close(state, QUICK, channel, RETURNED, tick)


@compiled(inline=True)
def follow(state: WindowState, bank: int, channel: int, tick: int, movement: float) -> None:
    """Carry one channel's candidate one tick on."""
    ticks, levels = state.ticks[bank, channel], state.levels[bank, channel]
    if np.isnan(movement):
        ticks[UNREAD] += 1
        if ticks[UNREAD] > state.durations[GAP]:
            close(state, bank, channel, UNREADABLE, tick)
        return
    ticks[UNREAD] = 0
    timeout = state.durations[QUICK_TIMEOUT if bank == QUICK else SLOW_TIMEOUT]
    if state.phase[bank, channel] == LOW:
        follow_low(state, bank, channel, tick, movement)
    elif tick - ticks[OPENED] > timeout:
        close(state, bank, channel, TIMED_OUT, tick)
    elif movement > levels[PEAK]:
        levels[PEAK], ticks[PEAK_TICK] = movement, tick
        levels[LOWEST], ticks[LOWEST_TICK] = movement, tick
    elif movement < state.fractions[QUICK_RETURN if bank == QUICK else SLOW_RETURN] * levels[PEAK]:
        state.phase[bank, channel] = LOW
        levels[LOWEST], ticks[LOW_TICK], ticks[LOWEST_TICK] = movement, tick, tick
    elif bank == QUICK:
        follow_part_of_the_way(state, channel, tick, movement)


@compiled()
def settle_tick(state: WindowState, tick: int, ahead: int) -> None:
    """Low-pass one tick and run all channels over it."""
    channels = state.rest_count.shape[1] + 1
    low_pass(state, tick, ahead)
    state.clock[SETTLED] = tick
    write_magnitudes(state, tick)
    learnt = tick - state.clock[RUN_START] >= state.durations[LEARNING]
    for bank in (QUICK, SLOW):
        for channel in range(channels):
            movement = state.magnitude[bank, channel]
            if state.phase[bank, channel] != IDLE:
                state.ticks[bank, channel, BUSY] = tick
                follow(state, bank, channel, tick, movement)
            elif learnt and movement >= (state.fractions[JOINT] if channel == channels - 1 else 1.0):
                open_channel(state, bank, channel, tick, movement)
    write_statistics(state, tick)


@compiled(inline=True)
def measure_now(state: WindowState, tick: int) -> None:
    """Strength and threshold at the newest tick, over the past alone, of the region nearest to firing."""
    raw, valid, taps = state.raw, state.valid, state.taps
    mask, half, regions = raw.shape[0] - 1, taps.shape[0] // 2, state.rest_count.shape[1]
    best, strength, threshold = -1.0, np.nan, state.limit[QUICK, 0]
    for region in range(regions):
        x = y = weight = 0.0
        for step in range(half + 1):
            if tick - step >= state.clock[RUN_START]:
                row = (tick - step) & mask
                tap = taps[half - step] * valid[row, 2 * region]
                x += tap * raw[row, 2 * region]
                y += tap * raw[row, 2 * region + 1]
                weight += tap
        if weight <= 0.0 or state.rest_count[QUICK, region] == 0:
            continue
        x = x / weight - state.rest[QUICK, 2 * region]
        y = y / weight - state.rest[QUICK, 2 * region + 1]
        movement = np.sqrt(x * x + y * y)
        x /= state.limit[QUICK, 2 * region]
        y /= state.limit[QUICK, 2 * region + 1]
        share = np.sqrt(x * x + y * y)
        if share > best:
            best, strength = share, movement
            threshold = movement / share if share > 0.0 else state.limit[QUICK, 2 * region]
    state.taps_out[0], state.taps_out[1] = strength, threshold


@compiled()
def advance(
    arrays: tuple[np.ndarray, ...], displacement: np.ndarray, index: int, time_ns: int, captured_ns: int
) -> int:
    """Take one sample; return the number of candidates that closed, which lie in the state's `closings`.

    Args:
        arrays: the state as a plain tuple, which is handed over twice as fast as a named one.
        displacement: float32 (R, 2), the sample's movement, pixels.
        index: its number.
        time_ns: its time.
        captured_ns: when it was captured.
    """
    state = WindowState(*arrays)
    clock, half = state.clock, state.taps.shape[0] // 2
    clock[CLOSED] = 0
    row = clock[SAMPLES] & (state.samples.shape[0] - 1)
    state.samples[row, 0], state.samples[row, 1], state.samples[row, 2] = index, time_ns, captured_ns
    clock[SAMPLES] += 1
    newest = (time_ns - clock[ORIGIN]) // state.durations[TICK_LENGTH]
    fill_grid(state, displacement, clock[TICK] + 1, newest, time_ns)
    for column in range(state.last.shape[0]):
        state.last[column] = displacement[column >> 1, column & 1]
    clock[LAST_TIME] = time_ns
    clock[TICK] = newest
    for tick in range(clock[SETTLED] + 1, newest - half + 1):
        settle_tick(state, tick, half)
    measure_now(state, newest)
    return int(clock[CLOSED])


@compiled()
def begin(state: WindowState, displacement: np.ndarray, time_ns: int) -> None:
    """Start a run of samples: nothing from before a pause is smoothed into it, and rest is learnt anew."""
    clock = state.clock
    if clock[SAMPLES] == 0:
        clock[ORIGIN] = time_ns
    first = (time_ns - clock[ORIGIN]) // state.durations[TICK_LENGTH]
    clock[TICK], clock[SETTLED], clock[RUN_START], clock[LAST_TIME] = first - 1, first - 1, first, time_ns
    for column in range(state.last.shape[0]):
        state.last[column] = displacement[column >> 1, column & 1]
    state.rest_count[:] = 0


@compiled()
def interrupt(state: WindowState) -> int:
    """End the run: judge the last ticks with what there is, close everything; number of closings."""
    clock = state.clock
    clock[CLOSED] = 0
    for tick in range(clock[SETTLED] + 1, clock[TICK] + 1):
        settle_tick(state, tick, clock[TICK] - tick)
    for bank in (QUICK, SLOW):
        for channel in range(state.rest_count.shape[1] + 1):
            if state.phase[bank, channel] != IDLE:
                reason = RETURNED if state.phase[bank, channel] == LOW else INTERRUPTED
                close(state, bank, channel, reason, clock[TICK])
    return int(clock[CLOSED])
