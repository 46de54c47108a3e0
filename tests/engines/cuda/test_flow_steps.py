"""Each step on the card against plain NumPy, on levels of several tiles that are not square."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

from engines.card_compilation import SIMULATED
from engines.flow import cuda_tile_kernel as tiles
from engines.flow import reference
from engines.flow.cuda_descent_kernel import NEVER
from engines.flow.cuda_plan import make_plan
from engines.flow.cuda_team_kernel import COUNTER_SPACING, FULL
from engines.flow.parameters import Tvl1Parameters, pyramid_shapes
from tests.engines.cuda import probe_kernel as probes
from tests.engines.cuda.blocks_at_once import run_at_once
from tests.engines.cuda.work_space import filled, planes_of
from tests.engines.flow_pairs import texture

pytestmark = pytest.mark.skipif(not SIMULATED, reason="the tiles of the simulator are too small for a card")
SHAPE = (27, 22)
PLAIN = Tvl1Parameters(scales=1)


BLOCK = (tiles.SIDE, tiles.ROWS)


def noise(count: int, spread: float, seed: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-spread, spread, (count, *shape)).astype(np.float32)


def images(seed: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return texture(*shape, seed).astype(np.float32)


@pytest.mark.parametrize("step", [0.8, 0.75])
def test_pyramid_shrinks_both_images(step: float) -> None:
    parameters = Tvl1Parameters(scales=2, scale_step=step)
    plan, shapes = make_plan(*SHAPE, parameters), pyramid_shapes(*SHAPE, parameters)
    work, pair = filled(plan), [images(1), images(2)]
    for k, image in enumerate(pair):
        start = int(plan.numbers[tiles.PLAN_HEAD + tiles.PREVIOUS + k])
        work[start : start + image.size] = image.ravel()
    run_at_once(probes.probe_shrink, 2, BLOCK, work, plan.numbers, plan.settings, 1)
    for k, image in enumerate(pair):
        start = int(plan.numbers[tiles.PLAN_HEAD + tiles.PLAN_LEVEL + tiles.PREVIOUS + k])
        got = work[start : start + shapes[1][0] * shapes[1][1]].reshape(shapes[1])
        wanted = reference.resize_bilinear(image, shapes[1], 1 / step, 1 / step)
        np.testing.assert_allclose(got, wanted, atol=2e-3)


def test_level_begins_with_the_enlarged_mean_of_the_coarser_one() -> None:
    parameters = Tvl1Parameters(scales=2, warps=3)
    plan, coarse = make_plan(*SHAPE, parameters), pyramid_shapes(*SHAPE, parameters)[1]
    total = noise(2, 3.0, 1, coarse)
    work, following = filled(plan), images(3)
    area = int(plan.numbers[tiles.AREA])
    for k in range(2):  # the coarser level is the second, so its sums lie in the second two planes
        start = (tiles.TOTAL + 2 + k) * area
        work[start : start + total[k].size] = total[k].ravel()
    start = int(plan.numbers[tiles.PLAN_HEAD + tiles.FOLLOWING])
    work[start : start + area] = following.ravel()
    run_at_once(probes.probe_begin, 2, BLOCK, work, plan.numbers, plan.settings, 0, tiles.FLOW * area)
    # Three warps: the mean over two ends of two iterations each.
    wanted = reference._enlarged(total / 4, SHAPE) * np.float32(1 / parameters.scale_step)
    np.testing.assert_allclose(planes_of(work, plan, tiles.FLOW, 2, SHAPE), wanted, atol=1e-5)
    gradient_y, gradient_x = reference.central_differences(following)
    np.testing.assert_array_equal(planes_of(work, plan, tiles.GRADIENT, 2, SHAPE), [gradient_x, gradient_y])
    assert not planes_of(work, plan, tiles.DUAL, 4, SHAPE).any()
    assert not planes_of(work, plan, tiles.TOTAL, 2, SHAPE).any()


@pytest.mark.parametrize("largest_px", [0.3, 4.0, 500.0])
def test_linearisation_reads_where_the_flow_points(largest_px: float) -> None:
    plan, previous, following, flow = make_plan(*SHAPE, PLAIN), images(1), images(2), noise(2, largest_px, 3)
    gradient_y, gradient_x = reference.central_differences(following)
    work = filled(plan, FLOW=flow, GRADIENT=np.stack([gradient_x, gradient_y]))
    for place, image in ((tiles.PREVIOUS, previous), (tiles.FOLLOWING, following)):
        start = int(plan.numbers[tiles.PLAN_HEAD + place])
        work[start : start + image.size] = image.ravel()
    run_at_once(probes.probe_linearise, 3, BLOCK, work, plan.numbers, 0, tiles.FLOW * SHAPE[0] * SHAPE[1])
    value, along_x, along_y = reference.warp_bicubic(np.stack([following, gradient_x, gradient_y]), flow)
    got = planes_of(work, plan, tiles.DATA, 4, SHAPE)
    np.testing.assert_allclose(got[0], along_x, atol=2e-3)
    np.testing.assert_allclose(got[1], along_y, atol=2e-3)
    np.testing.assert_allclose(1 / got[2], np.maximum(along_x**2 + along_y**2, 1.2e-7), rtol=1e-3, atol=0.1)
    residual = value - along_x * flow[0] - along_y * flow[1] - previous
    np.testing.assert_allclose(got[3], residual, atol=0.02 * max(1.0, largest_px / 10))


@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize("shape", [SHAPE, (3, 19)])
@pytest.mark.parametrize("ties", [False, True])
def test_median_is_the_middle_of_the_window(side: int, shape: tuple[int, int], ties: bool) -> None:
    plan, flow = make_plan(*shape, PLAIN), noise(2, 3.0, 4, shape)
    flow = np.rint(flow) if ties else flow
    work, area = filled(plan, FLOW=flow), shape[0] * shape[1]
    places = (tiles.FLOW * area, (tiles.FLOW + 2) * area)
    run_at_once(probes.probe_median, 2, BLOCK, work, plan.numbers, 0, side, *places)
    wanted = reference.median_filter(flow, side)
    np.testing.assert_array_equal(planes_of(work, plan, tiles.FLOW + 2, 2, shape), wanted)


@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize(("iterations", "add_from"), [(3, NEVER), (1, NEVER), (3, 2), (1, 0)])
def test_iterations_in_tiles_are_those_of_the_whole_level(blocks: int, iterations: int, add_from: int) -> None:
    plan, gradient, constant = make_plan(*SHAPE, PLAIN), noise(2, 20.0, 1), noise(1, 30.0, 2)
    flow, dual, total = noise(2, 1.0, 3), noise(4, 0.5, 4), noise(2, 1.0, 5)
    inverse = 1 / np.maximum((gradient**2).sum(0), np.finfo(np.float32).eps)
    work = filled(plan, DATA=np.stack([*gradient, inverse, *constant]), FLOW=flow, DUAL=dual, TOTAL=total)
    partials = int(plan.numbers[tiles.PARTIALS])
    run_at_once(probes.probe_visit, blocks, BLOCK, work, plan.numbers, plan.settings, partials, iterations, add_from)
    changes, pairs = [], dual.reshape(2, 2, *SHAPE)
    for done in range(iterations + 1):
        if done >= add_from:
            total = total + flow
        if done < iterations:
            before = flow
            flow, pairs = reference._iterate(flow, pairs, gradient, constant[0], PLAIN)
            changes.append(float(((flow - before) ** 2).sum()))
    np.testing.assert_allclose(planes_of(work, plan, tiles.FLOW + 2, 2, SHAPE), flow, atol=2e-5)
    np.testing.assert_allclose(planes_of(work, plan, tiles.DUAL + 4, 4, SHAPE), pairs.reshape(4, *SHAPE), atol=2e-5)
    np.testing.assert_allclose(planes_of(work, plan, tiles.TOTAL, 2, SHAPE), total, atol=1e-4)
    sums = work[partials:].reshape(2, plan.tiles, tiles.DEPTH)[0, :, :iterations].sum(0)
    np.testing.assert_allclose(sums, changes, rtol=1e-4)
    # What was read is still there: the visit may have to be done again.
    assert not np.isnan(planes_of(work, plan, tiles.DUAL, 4, SHAPE)).any()


@pytest.mark.parametrize("count", [1, 7, 8, 9, 32])
def test_fold_sums_every_row(count: int) -> None:
    values = noise(3, 1.0, 6, (1, count)).reshape(3, count)
    sums = np.zeros(3, np.float32)
    run_at_once(probes.probe_fold, 1, BLOCK, values.ravel(), count, 3, sums)
    np.testing.assert_allclose(sums, values.sum(1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("enough", "first"), [(100.0, 1), (5.0, 2), (2.0, 3), (1.9, 0)])
def test_every_thread_finds_the_same_first_quiet_iteration(enough: float, first: int) -> None:
    """The sums over 20 tiles are 20, 4 and 2."""
    partials = np.tile(np.array([1.0, 0.2, 0.1], np.float32), 20)
    found = np.full(tiles.THREADS, -1, np.int64)
    run_at_once(probes.probe_quiet, 1, BLOCK, partials, 20, 3, np.float32(enough * 1.0001), found)
    assert (found == first).all()


@pytest.mark.parametrize(("teams", "blocks"), [(1, 2), (2, 3), (3, 1)])
def test_no_block_of_a_team_runs_ahead(teams: int, blocks: int) -> None:
    arrived = np.zeros(teams * COUNTER_SPACING, np.int32)
    late, log = np.zeros(teams * blocks, np.int64), np.zeros(teams * blocks, np.int64)
    additions = run_at_once(probes.probe_barrier, teams * blocks, (2, 2), arrived, blocks, 5, late, log)
    assert not late.any()
    assert (log == 5).all()
    assert (additions > 0) == (blocks > 1)
    assert set(arrived % FULL) == {0}


def test_threads_of_a_block_share_one_array() -> None:
    """Without the mending of the simulator, this fails now and then, and with it every test that shares memory."""
    from numba.cuda.simulator.kernelapi import FakeCUDAShared

    for _ in range(200):
        shared, together = FakeCUDAShared(0), Barrier(8)

        def ask(shared: Any = shared, together: Barrier = together) -> int:
            together.wait()
            return id(shared.array(4, np.float32))

        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(ask) for _ in range(8)]
            assert len({each.result() for each in asked}) == 1
