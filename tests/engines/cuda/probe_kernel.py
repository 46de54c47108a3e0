"""Kernels that call one card function each, so that a test can look at what it does."""

from typing import Any

from numba import cuda, float32

from engines.card_compilation import card_kernel
from engines.flow import cuda_tile_kernel
from engines.flow.cuda_median_kernel import filter_level
from engines.flow.cuda_pyramid_kernel import begin_level, linearise, shrink_pair
from engines.flow.cuda_solver_kernel import visit_tiles
from engines.flow.cuda_team_kernel import first_quiet, fold, wait_for_team
from engines.flow.cuda_tile_kernel import clear_shared


@card_kernel
def probe_shrink(work: Any, plan: Any, settings: Any, level: int) -> None:
    """`shrink_pair`, the blocks of the grid sharing the tiles."""
    shrink_pair(work, 0, plan, settings, level, cuda.blockIdx.x, cuda.gridDim.x)


@card_kernel
def probe_begin(work: Any, plan: Any, settings: Any, level: int, flow: int) -> None:
    """`begin_level`."""
    begin_level(work, 0, plan, settings, level, flow, cuda.blockIdx.x, cuda.gridDim.x)


@card_kernel
def probe_linearise(work: Any, plan: Any, level: int, flow: int) -> None:
    """`linearise`."""
    linearise(work, 0, plan, level, flow, cuda.blockIdx.x, cuda.gridDim.x)


@card_kernel
def probe_median(work: Any, plan: Any, level: int, side: int, flow: int, new_flow: int) -> None:
    """`filter_level`."""
    filter_level(work, plan, level, side, flow, new_flow, cuda.blockIdx.x, cuda.gridDim.x)


@card_kernel
def probe_visit(work: Any, plan: Any, settings: Any, partials: int, iterations: int, add_from: int) -> None:
    """`visit_tiles` on the finest level, from the first copies of flow and dual to the second."""
    shared = cuda.shared.array(cuda_tile_kernel.SHARED_FLOATS, float32)
    clear_shared(shared)
    rank, blocks = cuda.blockIdx.x, cuda.gridDim.x
    visit_tiles(work, 0, plan, settings, 0, 0, 0, partials, iterations, add_from, rank, blocks, shared)


@card_kernel
def probe_quiet(work: Any, tiles: int, iterations: int, enough: Any, result: Any) -> None:
    """`first_quiet` of partial sums at the start of `work`, as every thread sees it."""
    shared = cuda.shared.array(cuda_tile_kernel.SHARED_FLOATS, float32)
    thread = cuda.threadIdx.y * cuda.blockDim.x + cuda.threadIdx.x
    result[thread] = first_quiet(work, 0, tiles, iterations, enough, shared)


@card_kernel
def probe_fold(values: Any, count: int, rows: int, result: Any) -> None:
    """`fold` of `values`, brought to shared memory."""
    shared = cuda.shared.array(cuda_tile_kernel.SHARED_FLOATS, float32)
    thread = cuda.threadIdx.y * cuda.blockDim.x + cuda.threadIdx.x
    for k in range(thread, count * rows, cuda.blockDim.x * cuda.blockDim.y):
        shared[cuda_tile_kernel.CHANGES + k] = values[k]
    cuda.syncthreads()
    spot = fold(shared, count, rows)
    if thread < rows:
        result[thread] = shared[spot + thread]


@card_kernel
def probe_barrier(arrived: Any, blocks: int, rounds: int, seen: Any, log: Any) -> None:
    """Every block counts up and then looks whether all of its team have."""
    team = cuda.blockIdx.x // blocks
    rank = cuda.blockIdx.x - team * blocks
    for turn in range(rounds):
        if cuda.threadIdx.x == 0 and cuda.threadIdx.y == 0:
            log[cuda.blockIdx.x] = turn + 1
        wait_for_team(arrived, team, rank, blocks)
        for other in range(blocks):
            if log[team * blocks + other] != turn + 1:
                seen[cuda.blockIdx.x] += 1
        wait_for_team(arrived, team, rank, blocks)
