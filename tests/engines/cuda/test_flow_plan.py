"""How levels are cut into tiles and pairs are shared by teams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba_cuda")

from engines.card_compilation import SIMULATED
from engines.flow import cuda_tile_kernel as tiles
from engines.flow.cuda_plan import make_plan, teams_for, tiles_along
from engines.flow.cuda_tile_kernel import DEPTH, PLAN_HEAD, SIDE, edge
from engines.flow.parameters import Tvl1Parameters


@pytest.mark.skipif(not SIMULATED, reason="card functions run on the host in the simulator only")
@given(st.integers(3, 3000))
def test_interiors_cover_every_pixel_once_and_regions_overlap_enough(size: int) -> None:
    count, length = tiles_along(size)
    covered: list[int] = []
    for k in range(count):
        start, first, end = edge(k, count, length, size)
        assert start >= 0
        assert start + length <= size
        assert length <= SIDE
        # An interior is never nearer to the end of its region than an iteration reaches, but at the image's border.
        assert first - start >= (DEPTH if k else 0)
        assert start + length - end >= (DEPTH if k + 1 < count else 0)
        covered += range(first, end)
    assert covered == list(range(size))


def test_tiles_of_the_default_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "SIDE", 32)
    monkeypatch.setattr(tiles, "DEPTH", 5)
    cut = [tiles_along(size) for size in (112, 90, 72, 58, 46, 32, 20)]
    assert cut == [(5, 31), (4, 30), (3, 31), (3, 26), (2, 28), (1, 32), (1, 20)]


def test_images_of_a_team_do_not_overlap() -> None:
    plan = make_plan(61, 83, Tvl1Parameters())
    levels = plan.numbers[PLAN_HEAD:].reshape(-1, 8)
    ends = [22 * 61 * 83]
    for height, width, previous, following in levels[:, :4]:
        assert previous == ends[-1]
        assert following == previous + height * width
        ends.append(following + height * width)
    assert plan.team_floats == ends[-1] + 2 * DEPTH * plan.tiles
    assert plan.settings.dtype == np.float32


@given(st.integers(1, 1000), st.integers(1, 200), st.integers(1, 300))
def test_teams_fill_the_card_and_no_more(pairs: int, most: int, capacity: int) -> None:
    teams, blocks = teams_for(pairs, most, capacity)
    assert 1 <= teams <= pairs
    assert 1 <= blocks <= most
    assert teams * blocks <= capacity


def test_one_pair_gets_a_block_a_tile_and_a_batch_one_each() -> None:
    assert teams_for(1, 25, 264) == (1, 25)
    assert teams_for(1, 25, 20) == (1, 20)
    assert teams_for(8, 25, 264) == (8, 25)
    assert teams_for(256, 25, 264) == (256, 1)
    assert teams_for(1000, 25, 264) == (264, 1)
