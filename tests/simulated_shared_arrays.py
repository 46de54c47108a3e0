"""Numba's simulator mended and made stricter: one shared array for all threads of a block, full of what spoils sums.

The simulator (numba-cuda 0.30) looks whether a block's array has been made and makes it, without a lock. About once in
two hundred blocks, two threads then work on arrays of their own, and the block's result is wrong. And its arrays often
begin as zeros, where a card's hold whatever was there before.
"""

import sys
import threading
from typing import Any

import numpy as np

_LOCK = threading.Lock()


def make_shared_arrays_once() -> None:
    """Mend the simulator, for the rest of this process; without numba-cuda or outside the simulator do nothing."""
    try:
        from engines.card_compilation import SIMULATED

        if not SIMULATED:
            return
        from numba.cuda import types
        from numba.cuda.np import numpy_support
        from numba.cuda.simulator.kernelapi import FakeCUDAShared
    except ImportError:
        return
    plain = FakeCUDAShared.array

    def array(self: Any, shape: Any, dtype: Any, alignment: int | None = None) -> Any:
        if alignment is not None or shape == 0:  # refused, or memory whose size the launch gives
            return plain(self, shape, dtype, alignment)
        kind = numpy_support.as_dtype(dtype) if isinstance(dtype, types.Type) else np.dtype(dtype)
        # As the simulator does: one array for each line of the source that asks for one.
        caller = sys._getframe(1)
        with _LOCK:
            spot = (caller.f_code.co_filename, caller.f_lineno)
            if spot not in self._allocations:
                self._allocations[spot] = np.full(shape, np.nan if kind.kind == "f" else -(10**9), kind)
            return self._allocations[spot]

    FakeCUDAShared.array = array
