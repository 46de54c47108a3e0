"""How far two engines may differ that compute the same: one table, a row for each precision.

Beside each limit stands what was measured, so that a limit that grows loose is seen. Nothing else in the parity suite
says how close is close enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from engines.classification import softmax


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Limits of one precision."""

    flow_px: float
    """Mean end-point difference to the oracle, pixels. The stopping rule makes last bits matter: engines that end a
    warp one iteration apart differ by about epsilon (0.01 px) there, and by far less on average."""
    fixed_flow_px: float
    """The same for a fixed number of iterations, where nothing but rounding is left."""
    probability: float
    """Largest absolute difference of a class probability."""
    logit: float
    """Largest difference of a logit, as a share of the batch's largest logit."""


TOLERANCES: Mapping[str, Tolerance] = MappingProxyType(
    {
        # Measured. Logits against PyTorch's, every model: 1.7e-6, probabilities 4e-7. Flow against the reference with
        # the stopping rule: 8e-4 on average, 7e-3 for the worst pair; for a fixed number of iterations 5e-5.
        "fp32 cpu": Tolerance(flow_px=0.01, fixed_flow_px=5e-4, probability=5e-6, logit=1e-5),
        # TensorRT may take other algorithms for a convolution (Winograd) and sum in another order, TF32 being off.
        # Flow against the reference, in the simulator, for a fixed number of iterations: 2e-6.
        "fp32 card": Tolerance(flow_px=0.01, fixed_flow_px=5e-4, probability=2e-4, logit=1e-3),
        # Half precision keeps 11 bits, 5e-4 of a value. The half-precision graphs against the full ones, both in ONNX
        # Runtime: logits 1.1e-3, probabilities 3.7e-4; the card also sums in its own way. Flow is fp32 always.
        "fp16 card": Tolerance(flow_px=0.01, fixed_flow_px=5e-4, probability=2e-3, logit=5e-3),
    }
)
WORST_PAIR = 5
"""How many times the mean limit one pair of a stack may differ: it may end a warp an iteration earlier or later."""


def assert_flows_agree(given: np.ndarray, oracle: np.ndarray, limit_px: float) -> None:
    """Hold the mean end-point difference under a limit, and each pair of a stack under `WORST_PAIR` times that.

    Args:
        given: one flow (2, H, W) or a stack (N, 2, H, W), pixels.
        oracle: of the same shape.
        limit_px: a field of the table's row.
    """
    assert given.shape == oracle.shape
    assert given.dtype == np.float32
    distance = np.hypot(given[..., 0, :, :] - oracle[..., 0, :, :], given[..., 1, :, :] - oracle[..., 1, :, :])
    of_pairs = distance.mean(axis=(-2, -1))
    assert of_pairs.mean() < limit_px, f"{of_pairs.mean():.2g} px apart on average, allowed {limit_px:g}"
    assert of_pairs.max() < WORST_PAIR * limit_px, f"one pair is {of_pairs.max():.2g} px apart on average"


def assert_outputs_agree(given: np.ndarray, oracle: np.ndarray, tolerance: Tolerance) -> None:
    """Hold logits (N, K), and the probabilities that follow from them, to a row of the table."""
    assert given.shape == oracle.shape
    assert given.dtype == np.float32
    share = float(np.abs(given - oracle).max() / np.abs(oracle).max())
    assert share <= tolerance.logit, f"logits differ by {share:.2g} of the largest, allowed {tolerance.logit:g}"
    apart = float(np.abs(softmax(given) - softmax(oracle)).max())
    assert apart <= tolerance.probability, f"probabilities differ by {apart:.2g}, allowed {tolerance.probability:g}"
