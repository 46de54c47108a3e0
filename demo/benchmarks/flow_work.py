"""How much arithmetic a TV-L1 flow takes: counted on the algorithm, times the iterations that were really done."""

from collections import Counter
from typing import Any
from unittest import mock

import numpy as np

from demo.benchmarks.card_limits import Step
from engines.flow import Tvl1Parameters, reference, tvl1_reference

THRESHOLD_OPERATIONS = 25
"""One pixel of one iteration, first half, both components. Residual at the present flow: 2 multiply-adds (4). Times one
over the squared gradient: 1. Held within limits: 2. Divergence of the dual: 2 × 3. Coupling times divergence minus step
times gradient: 2 × 3. Added to the flow: 2. Square of the change summed: 2 × 2."""
DUAL_OPERATIONS = 30
"""Second half. For each component two slopes (2), their squared length (3), its root (1), 1 + rate × length (2), one
over that (1), and for each direction (dual + rate × slope) × that (3): 15."""
ITERATION_OPERATIONS = THRESHOLD_OPERATIONS + DUAL_OPERATIONS
MEDIAN_OPERATIONS = {1: 0, 3: 2 * 18, 5: 2 * 122}
"""One pixel of one median filter, by side, both components: minima and maxima of the networks that
`engines.flow.median_kernel` explains, the sorting of columns shared by neighbouring windows."""
WARP_OPERATIONS = 170
"""One pixel of one warp. Bicubic reading of the image and its gradients: 3 × 20 multiply-adds (120); weights in both
directions: 30; residual, squared gradient and its inverse: 12; place: 8."""
PAIR_BYTES = 4 * (2 + 2)
"""One pixel of a pair, the least that the card's memory must move: two images in, two components out, float32. All
between can stay in the card's caches and shared memory: at 112² it is half a megabyte."""
SWEEP_BYTES = 4 * (10 + 6)
"""One pixel of one iteration if every iteration went through memory: flow, dual and data read (2 + 4 + 4 planes), flow
and dual written (2 + 4). What this comes to tells how much a card's caches and temporal blocking save."""


def work_of(previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None) -> dict[str, float]:
    """Passes over full-size images that a flow takes: those over a coarser level count by its pixels.

    The reference is run with its iterations, medians and warps counted; the fast engines stop by the same rule.

    Args:
        previous: (H, W), as for `tvl1`.
        following: of the same shape.
        parameters: the default ones if None.

    Returns:
        `iterations`, `medians` and `warps` in full-size passes, and `all_iterations`, the plain number on all levels.
    """
    passes: Counter[str] = Counter()
    plain: Counter[str] = Counter()

    def counted(name: str, original: Any) -> Any:
        def call(fields: np.ndarray, *rest: Any) -> Any:
            passes[name] += fields[0].size
            plain[name] += 1
            return original(fields, *rest)

        return call

    names = {"iterations": "_iterate", "medians": "median_filter", "warps": "warp_bicubic"}
    replaced = {function: counted(name, getattr(reference, function)) for name, function in names.items()}
    with mock.patch.multiple(reference, **replaced):
        tvl1_reference(previous, following, parameters)
    return {
        **{name: passes[name] / previous.size for name in names},
        "all_iterations": float(plain["iterations"]),
    }


def steps_of(work: dict[str, float], pixels: int, pairs: int, parameters: Tvl1Parameters | None = None) -> list[Step]:
    """The same as steps against which a card is measured.

    Args:
        work: as `work_of` counted it, or the mean over several pairs.
        pixels: of one image.
        pairs: how many.
        parameters: those of the flow.
    """
    side = (parameters or Tvl1Parameters()).median_filtering
    area, element = pixels * pairs, "pixels" if pairs == 1 else f"pixels ({pairs} pairs)"

    def step(name: str, times: float, operations: float) -> Step:
        return Step(name=name, times=times, elements=area, element=element, operations=operations)

    return [
        step("full-size iterations", work["iterations"], ITERATION_OPERATIONS),
        step(f"full-size medians of {side**2} values", work["medians"], MEDIAN_OPERATIONS[side]),
        step("full-size warps", work["warps"], WARP_OPERATIONS),
        Step(elements=area, element=element, operations=0, bytes=PAIR_BYTES),
    ]
