"""Solves and work spaces for tests of single steps, in the simulator and with all blocks at once."""

import numpy as np

from engines.flow import cuda_solver_kernel, cuda_team_kernel, cuda_tile_kernel
from engines.flow.cuda_plan import CardPlan, make_plan
from engines.flow.parameters import Tvl1Parameters
from tests.engines.cuda.blocks_at_once import run_at_once


def solve_at_once(
    previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters, teams: int, blocks: int
) -> np.ndarray:
    """Flow of a stack of pairs with every block of every team running at the same time."""
    first, second = (np.ascontiguousarray(images, dtype=np.float32) for images in (previous, following))
    plan = make_plan(first.shape[1], first.shape[2], parameters)
    result = np.full((len(first), 2, *first.shape[1:]), np.nan, np.float32)
    run_at_once(
        cuda_solver_kernel.solve_pairs,
        teams * blocks,
        (cuda_tile_kernel.SIDE, cuda_tile_kernel.ROWS),
        first,
        second,
        result,
        # What a block reads before it has been written would spread as not-a-number.
        np.full(teams * plan.team_floats, np.nan, np.float32),
        plan.numbers,
        plan.settings,
        np.zeros(teams * cuda_team_kernel.COUNTER_SPACING, np.int32),
        blocks,
        0,
        len(first),
    )
    return result


def filled(plan: CardPlan, **planes: np.ndarray) -> np.ndarray:
    """A team's work space, not-a-number but for the named groups of planes (DATA, FLOW …, or a level's PREVIOUS)."""
    work = np.full(plan.team_floats, np.nan, np.float32)
    area = int(plan.numbers[cuda_tile_kernel.AREA])
    for name, values in planes.items():
        for k, plane in enumerate(values):
            start = (getattr(cuda_tile_kernel, name) + k) * area
            work[start : start + plane.size] = plane.ravel()
    return work


def planes_of(work: np.ndarray, plan: CardPlan, group: int, count: int, shape: tuple[int, int]) -> np.ndarray:
    """Some planes of a work space as images."""
    area, size = int(plan.numbers[cuda_tile_kernel.AREA]), shape[0] * shape[1]
    return np.stack([work[(group + k) * area :][:size].reshape(shape) for k in range(count)])
