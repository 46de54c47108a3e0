"""TV-L1 optical flow on the CPU: Numba kernels, vectorised, the pairs of a stack spread over the cores."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Float32, Float64, Int64

from engines.flow.parameters import Tvl1Parameters, checked_images, pyramid_shapes
from engines.flow.solver_kernel import solve_pair


def tvl1(
    previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
) -> Float32[np.ndarray, "2 H W"] | Float32[np.ndarray, "N 2 H W"]:
    """Dense TV-L1 optical flow from one image to another, or between each pair of two stacks.

    The algorithm of OpenCV's `createOptFlow_DualTVL1` with the departures that `engines.flow.reference` explains.
    Safe to call from several threads. The same images give the same bits on one machine, alone or in a stack, whatever
    the number of cores.

    Args:
        previous: (H, W) or (N, H, W), uint8, or float32 on the scale 0–255.
        following: of the same shape.
        parameters: the default ones if None.

    Returns:
        Horizontal and vertical displacement, pixels: `following` at x + flow looks as `previous` at x.

    Raises:
        BadInput: if the images are not as above.

    Reference:
        Zach, Pock, Bischof, A duality based approach for realtime TV-L1 optical flow, DAGM 2007.
    """
    chosen = parameters or Tvl1Parameters()
    first, second = checked_images(previous, following)
    count, height, width = first.shape
    flows = np.empty((count, 2, height, width), np.float32)
    shapes, settings, counts = _as_arrays(height, width, chosen)

    def solve(k: int) -> None:
        solve_pair(first[k], second[k], shapes, settings, counts, chosen.scale_step, flows[k])

    if count == 1:
        solve(0)
    elif count > 1:
        # The kernel runs without the interpreter's lock. Plain threads rather than Numba's own: those must not be
        # entered from two threads at once, and a pair is long enough not to notice the start of a thread.
        with ThreadPoolExecutor(min(count, os.cpu_count() or 1), thread_name_prefix="onset-flow") as pool:
            list(pool.map(solve, range(count)))
    return flows if previous.ndim == 3 else flows[0]


def _as_arrays(
    height: int, width: int, parameters: Tvl1Parameters
) -> tuple[Int64[np.ndarray, "L 2"], Float64[np.ndarray, "4"], Int64[np.ndarray, "4"]]:
    shapes = np.array(pyramid_shapes(height, width, parameters), np.int64)
    settings = np.array([parameters.tau, parameters.lambda_, parameters.theta, parameters.epsilon])
    counts = [parameters.warps, parameters.outer_iterations, parameters.inner_iterations, parameters.median_filtering]
    return shapes, settings, np.array(counts, np.int64)


def compile_kernels() -> None:
    """Compile, or load from the disk cache, all that `tvl1` needs, so that the first event does not wait for it."""
    tiny = np.zeros((2, 20, 20), np.uint8)
    settings = Tvl1Parameters(warps=1, outer_iterations=1, inner_iterations=1)
    tvl1(tiny[0], tiny[1], settings)
