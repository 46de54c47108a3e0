"""Numba kernels, compiled once and kept on disk, with a plain account of what was compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_kernels: list[Any] = []


def compiled(*, fastmath: bool = False) -> Callable[[Function], Function]:
    """Compile a function with Numba: cached on disk, without the GIL, NumPy's division rules.

    Kernels run in the thread that calls them, so that several may run side by side; Numba's own parallel loops are
    not used, since its portable threading layer must not be entered from two threads at once.

    Args:
        fastmath: allow the compiler to reorder floating-point arithmetic.

    Returns:
        A decorator that keeps the type of the function.
    """

    def decorate(function: Function) -> Function:
        kernel = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=fastmath)(function)
        _kernels.append(kernel)
        return cast(Function, kernel)

    return decorate


def compiled_now() -> int:
    """Number of kernel signatures that this process had to compile because the disk cache did not hold them."""
    return sum(sum(kernel.stats.cache_misses.values()) for kernel in _kernels)
