"""CUDA kernels in Python: compiled for the card at first use, or run by Numba's simulator where there is none.

With `NUMBA_ENABLE_CUDASIM=1` set before Numba is loaded, every kernel runs as plain Python on the CPU, one block of the
card at a time: slow, but the same source. The tests do so on machines without a card.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import config, cuda

from engines.compilation import watch_neighbours

Function = TypeVar("Function", bound=Callable[..., Any])

SIMULATED = bool(getattr(config, "ENABLE_CUDASIM", False))
"""Whether kernels run in the simulator in this process."""
_jit: Any = cuda.jit  # numba-cuda gives it no types


def card_kernel(function: Function, **options: Any) -> Any:
    """Compile a kernel that the host starts: `kernel[blocks, threads, stream](…)`; kept on disk for the next run.

    Args:
        function: the kernel.
        options: of `numba.cuda.jit`; the simulator knows few of them.
    """
    # Called with the function: as a decorator with options, numba-cuda 0.30 forgets `lto`.
    kernel = _jit(function, cache=not SIMULATED, **options)
    if not SIMULATED:
        watch_neighbours(kernel, function)
    return kernel


def card_function(function: Function) -> Function:
    """Compile a function that kernels call."""
    return cast(Function, _jit(device=True)(function))
