"""TV-L1 of many pairs in one launch: teams of blocks, each of which solves one pair after another from coarse to fine.

Nothing comes back to the host before the flow is there: the stopping rule is applied on the card. With the defaults a
pair of 112 × 112 pixels takes about 650 iterations over 25 warps, and so about 25 · (1 linearisation with the first
median + 6 visits of 5 iterations + 1 closing visit) = 200 barriers of its team, where one at each iteration and at
each of the two steps around them would make 700. A visit reads ten planes and writes six; 320 full-size iterations are
about 80 full-size visits with those that close a warp, 80 · 16 · 50 KB = 64 MB for a pair, rather than
320 · 16 · 50 KB = 256 MB.
"""

from typing import Any

from numba import cuda, float32

from engines.flow.cuda_descent_kernel import NEVER, iterate_tile
from engines.flow.cuda_median_kernel import filter_level
from engines.flow.cuda_pyramid_kernel import begin_level, copy_pair, linearise, shrink_pair
from engines.flow.cuda_team_kernel import first_quiet, store_tile_changes, wait_for_team
from engines.flow.cuda_tile_kernel import (
    AREA,
    DATA,
    DEPTH,
    DUAL,
    ENOUGH,
    FLOW,
    INNER,
    LENGTH_X,
    LENGTH_Y,
    LEVELS,
    LIMIT,
    MEAN,
    MEDIAN,
    OUTER,
    PARTIALS,
    PIXELS,
    PLAN_HEAD,
    PLAN_LEVEL,
    RATE,
    ROWS,
    SHARED_FLOATS,
    TEAM_FLOATS,
    THETA,
    TOTAL,
    WARPS,
    WIDTH,
    clear_shared,
    fast_function,
    fast_kernel,
    place,
    tile_count,
    tile_edges,
)


@fast_function
def visit_tiles(
    work: Any,
    base: int,
    plan: Any,
    settings: Any,
    level: int,
    flow_side: int,
    dual_side: int,
    partials: int,
    iterations: int,
    add_from: int,
    rank: int,
    blocks: int,
    shared: Any,
) -> None:
    """Do some iterations on every tile that falls to this block.

    Args:
        work: float32, all planes.
        base: where the team's begin.
        plan: whole numbers of the solve.
        settings: real numbers of the solve.
        level: of the pyramid.
        flow_side: which of the two copies of the flow is read, 0 or 1; the other is written.
        dual_side: the same for the dual.
        partials: where the tiles' squared changes are written.
        iterations: how many.
        add_from: see `iterate_tile`.
        rank: of the block in its team.
        blocks: of the team.
        shared: of the block.
    """
    own, area = PLAN_HEAD + PLAN_LEVEL * level, plan[AREA]
    for tile in range(rank, tile_count(plan, level), blocks):
        y, x, top, bottom, left, right = tile_edges(plan, level, tile)
        iterate_tile(
            work,
            area,
            plan[own + WIDTH],
            plan[own + LENGTH_Y],
            plan[own + LENGTH_X],
            y,
            x,
            top,
            bottom,
            left,
            right,
            base + DATA * area,
            base + (FLOW + 2 * flow_side) * area,
            base + (DUAL + 4 * dual_side) * area,
            base + (FLOW + 2 - 2 * flow_side) * area,
            base + (DUAL + 4 - 4 * dual_side) * area,
            base + (TOTAL + level % 2 * 2) * area,
            iterations,
            add_from,
            settings[THETA],
            settings[LIMIT],
            settings[RATE],
            shared,
        )
        store_tile_changes(work, partials, tile, iterations, shared)


@fast_function
def descend(
    work: Any,
    base: int,
    plan: Any,
    settings: Any,
    level: int,
    averaged: bool,
    flow_side: int,
    dual_side: int,
    arrived: Any,
    team: int,
    rank: int,
    blocks: int,
    shared: Any,
) -> tuple[int, int]:
    """Iterate until the flow is quiet or the rounds are used up; the first median has been taken.

    Within a visit the flow may become quiet before its last iteration. Then the visit is done again from the planes
    that it read, which are still there, with only as many iterations as it takes. If the end of this warp counts for
    the level's flow, the same closing visit adds it and the next iteration's to the sum.

    Returns:
        Which copies of the flow and of the dual hold the result, 0 or 1.
    """
    tiles, rounds, left = tile_count(plan, level), 0, plan[INNER]
    iterations, add_from, closing, parity = min(DEPTH, left), NEVER, False, 0
    while iterations > 0:
        # Two sets of sums in turn: a slow block may still read those of the visit before.
        partials = base + plan[PARTIALS] + parity * tile_count(plan, 0) * DEPTH
        visit_tiles(
            work,
            base,
            plan,
            settings,
            level,
            flow_side,
            dual_side,
            partials,
            iterations,
            add_from,
            rank,
            blocks,
            shared,
        )
        wait_for_team(arrived, team, rank, blocks)
        parity = 1 - parity
        if closing:
            return 1 - flow_side, 1 - dual_side
        quiet = first_quiet(work, partials, tiles, iterations, settings[ENOUGH + level], shared)
        closing = quiet > 0
        if quiet == 0 or quiet == iterations:
            flow_side, dual_side = 1 - flow_side, 1 - dual_side
            left -= iterations
            quiet = 0
        if not closing and left == 0:
            rounds += 1
            left = plan[INNER]
            if rounds == plan[OUTER]:
                closing = True
            elif plan[MEDIAN] > 1:
                flow = base + FLOW * area_of(plan)
                filter_level(
                    work,
                    plan,
                    level,
                    plan[MEDIAN],
                    flow + 2 * flow_side * area_of(plan),
                    flow + (2 - 2 * flow_side) * area_of(plan),
                    rank,
                    blocks,
                )
                flow_side = 1 - flow_side
                wait_for_team(arrived, team, rank, blocks)
        iterations = min(DEPTH, left)
        if closing:
            iterations, add_from = quiet, NEVER
            if averaged:
                iterations, add_from = quiet + 1, quiet
    return flow_side, dual_side


@fast_function
def area_of(plan: Any) -> int:
    """Values in a plane."""
    area: int = plan[AREA]
    return area


@fast_function
def solve_level(
    work: Any,
    base: int,
    plan: Any,
    settings: Any,
    level: int,
    arrived: Any,
    team: int,
    rank: int,
    blocks: int,
    shared: Any,
) -> None:
    """All warps of one level; the sum of the ends of its warps is left in the level's TOTAL planes."""
    area, flow_side, dual_side, warps = plan[AREA], 0, 0, plan[WARPS]
    begin_level(work, base, plan, settings, level, base + FLOW * area, rank, blocks)
    wait_for_team(arrived, team, rank, blocks)
    for warp in range(warps):
        flow = base + (FLOW + 2 * flow_side) * area
        linearise(work, base, plan, level, flow, rank, blocks)
        if plan[MEDIAN] > 1:
            new_flow = base + (FLOW + 2 - 2 * flow_side) * area
            filter_level(work, plan, level, plan[MEDIAN], flow, new_flow, rank, blocks)
            flow_side = 1 - flow_side
        wait_for_team(arrived, team, rank, blocks)
        averaged = warp > 0 or warps == 1
        flow_side, dual_side = descend(
            work, base, plan, settings, level, averaged, flow_side, dual_side, arrived, team, rank, blocks, shared
        )


@fast_function
def write_result(
    result: Any, pair: int, work: Any, base: int, plan: Any, settings: Any, rank: int, blocks: int
) -> None:
    """The mean flow of the finest level."""
    width, area = plan[PLAN_HEAD + WIDTH], plan[AREA]
    total = base + TOTAL * area
    for tile in range(rank, tile_count(plan, 0), blocks):
        _, _, top, bottom, left, right = tile_edges(plan, 0, tile)
        x = left + cuda.threadIdx.x
        for k in range(PIXELS):
            y = top + cuda.threadIdx.y + k * ROWS
            if y < bottom and x < right:
                at = y * width + x
                result[pair, 0, y, x] = work[place(total + at)] * settings[MEAN]
                result[pair, 1, y, x] = work[place(total + area + at)] * settings[MEAN]


@fast_kernel
def solve_pairs(
    previous: Any,
    following: Any,
    result: Any,
    work: Any,
    plan: Any,
    settings: Any,
    arrived: Any,
    blocks: int,
    first: int,
    end: int,
) -> None:
    """Flow of some pairs of a stack; the grid is made of teams of `blocks` blocks of SIDE × ROWS threads.

    Args:
        previous: float32 (N, H, W), scale 0–255.
        following: float32 (N, H, W).
        result: float32 (N, 2, H, W), written.
        work: float32, work space of each team one after the other.
        plan: int64, see `cuda_tile_kernel`.
        settings: float32, see `cuda_tile_kernel`.
        arrived: int32, a counter for each team, COUNTER_SPACING apart, with any value that is a multiple of 2^31.
        blocks: in a team.
        first: pair to be solved.
        end: pair after the last.
    """
    shared = cuda.shared.array(SHARED_FLOATS, float32)
    team = cuda.blockIdx.x // blocks
    rank = cuda.blockIdx.x - team * blocks
    base = team * plan[TEAM_FLOATS]
    clear_shared(shared)
    for pair in range(first + team, end, cuda.gridDim.x // blocks):
        copy_pair(previous, following, pair, work, base, plan, rank, blocks)
        wait_for_team(arrived, team, rank, blocks)
        for level in range(1, plan[LEVELS]):
            shrink_pair(work, base, plan, settings, level, rank, blocks)
            wait_for_team(arrived, team, rank, blocks)
        for level in range(plan[LEVELS] - 1, -1, -1):
            solve_level(work, base, plan, settings, level, arrived, team, rank, blocks, shared)
        write_result(result, pair, work, base, plan, settings, rank, blocks)
