"""A stream of the card, with the arrays that live there and the kernels that are started in it."""

import warnings
from typing import Any

import numpy as np


class CardStream:
    """Queues work on the first card, in order, without waiting for it.

    Loads numba-cuda, which without a card must have been told to simulate one (`engines.card_compilation`).
    """

    def __init__(self) -> None:
        from numba import cuda

        self._cuda: Any = cuda
        self.stream: Any = cuda.stream()

    def array(self, shape: int | tuple[int, ...], kind: type | np.dtype = np.float32) -> Any:
        """A contiguous array on the card, not initialised."""
        return self._cuda.device_array(shape, kind)

    def staging(self, shape: int | tuple[int, ...], kind: type | np.dtype = np.float32) -> np.ndarray:
        """An array on the host that copies to and from the card without a detour: page-locked."""
        pinned: np.ndarray = self._cuda.pinned_array(shape, kind)
        return pinned

    def constant(self, array: np.ndarray) -> Any:
        """A copy on the card of what never changes."""
        return self._cuda.to_device(array)

    def launch(self, kernel: Any, blocks: int | tuple[int, int], threads: int | tuple[int, int]) -> "Launch":
        """A kernel that is ready to be started in this stream."""
        return Launch(kernel, blocks, threads, self.stream)

    def wait(self) -> None:
        """Wait for everything that was queued; a fault of it comes out here."""
        self.stream.synchronize()


class Launch:
    """A kernel with its blocks, threads and stream: looking those up takes the host longer than the start itself."""

    def __init__(self, kernel: Any, blocks: int | tuple[int, int], threads: int | tuple[int, int], stream: Any) -> None:
        from numba.cuda.core.errors import NumbaPerformanceWarning

        from engines.card_compilation import SIMULATED

        self._kernel = kernel
        self._shape = (blocks, threads, stream)
        self._simulated = SIMULATED
        with warnings.catch_warnings():
            # One event cannot fill a large card, and need not.
            warnings.simplefilter("ignore", NumbaPerformanceWarning)
            self._ready = kernel[self._shape]

    def __call__(self, *arguments: Any) -> None:
        """Queue it."""
        # The simulator keeps blocks and threads in the kernel itself, where the next launch overwrites them.
        start = self._kernel[self._shape] if self._simulated else self._ready
        start(*arguments)
