"""What the card is told of a solve: the levels, how each is cut into tiles, and the teams that share the pairs."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from engines.flow import cuda_tile_kernel as tiles
from engines.flow.parameters import Tvl1Parameters, pyramid_shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPlan:
    """Everything of a solve that does not depend on the images' content."""

    numbers: Int64[np.ndarray, " P"]
    """Whole numbers, in the order that `cuda_tile_kernel` names."""
    settings: Float32[np.ndarray, " S"]
    """Real numbers, likewise."""
    team_floats: int
    """Size of one team's work space, in values of four bytes."""
    tiles: int
    """Tiles of the finest level: more blocks than that would have nothing to do."""


def make_plan(height: int, width: int, parameters: Tvl1Parameters) -> CardPlan:
    """Lay out the work space of one team for images of this size.

    Args:
        height: of the images, pixels.
        width: of the images, pixels.
        parameters: of the solve.
    """
    shapes = pyramid_shapes(height, width, parameters)
    area = height * width
    place, levels = tiles.PLANES * area, []
    for rows, columns in shapes:
        previous, following, place = place, place + rows * columns, place + 2 * rows * columns
        levels.append([rows, columns, previous, following, *tiles_along(rows), *tiles_along(columns)])
    count = levels[0][tiles.TILES_Y] * levels[0][tiles.TILES_X]
    size = place + 2 * count * tiles.DEPTH
    head = [
        len(shapes),
        parameters.warps,
        parameters.outer_iterations,
        parameters.inner_iterations,
        parameters.median_filtering,
        area,
        place,
        size,
    ]
    settings = [
        parameters.theta,
        parameters.lambda_ * parameters.theta,
        parameters.tau / parameters.theta,
        1 / parameters.scale_step,
        0.5 / max(parameters.warps - 1, 1),
        *(parameters.epsilon**2 * rows * columns for rows, columns in shapes),
    ]
    numbers = np.array([*head, *(number for level in levels for number in level)], np.int64)
    return CardPlan(numbers=numbers, settings=np.array(settings, np.float32), team_floats=size, tiles=count)


def tiles_along(size: int) -> tuple[int, int]:
    """Number of tiles along one axis, and how long the region of each is, pixels.

    Neighbouring regions overlap by twice DEPTH, those at the border by nothing beyond it; all are equally long.

    Args:
        size: of the level along this axis, pixels.
    """
    overlap = 2 * tiles.DEPTH
    count = max(1, -(-(size - overlap) // (tiles.SIDE - overlap)))
    return count, -(-(size + overlap * (count - 1)) // count)


def teams_for(pairs: int, tiles_each: int, capacity: int) -> tuple[int, int]:
    """How many teams share the pairs, and how many blocks a team has.

    Few pairs get many blocks each, so that a single one is soon done; many pairs get one block each, which never waits
    for another.

    Args:
        pairs: to be solved, at least one.
        tiles_each: tiles of the finest level.
        capacity: blocks that the card runs at once.
    """
    blocks = max(1, min(tiles_each, capacity // pairs))
    return min(pairs, max(1, capacity // blocks)), blocks
