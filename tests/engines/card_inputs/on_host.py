"""Stand-ins that take and give arrays of the card but work on the host: only the chain between them is under test."""

from typing import Any

import numpy as np
from numba import cuda

from engines.flow import Tvl1Parameters, tvl1
from engines.sessions.onnxruntime import OnnxRuntimeSession


class FlowOnHost:
    """Takes the place of `CudaTvl1`; counts what it is asked."""

    name = "cuda"

    def __init__(self) -> None:
        self.asked = 0

    def __call__(
        self, previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
    ) -> np.ndarray:
        return tvl1(previous, following, parameters)

    def solve_on_card(
        self, previous: Any, following: Any, parameters: Tvl1Parameters | None = None, *, stream: Any = None
    ) -> Any:
        assert stream is not None
        self.asked += 1
        return cuda.to_device(tvl1(previous.copy_to_host(), following.copy_to_host(), parameters))


class SessionOnHost(OnnxRuntimeSession):
    """Takes the place of `TensorRtSession`."""

    def run_on_card(self, tensor: Any, *, stream: Any = None) -> Any:
        assert stream is not None
        return cuda.to_device(self.run(tensor.copy_to_host()))
