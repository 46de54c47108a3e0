"""Numba kernels, compiled once and kept on disk, with a plain account of what was compiled."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_kernels: list[Any] = []


def compiled(*, parallel: bool = False, fastmath: bool = False) -> Callable[[Function], Function]:
    """Compile a function with Numba: cached on disk, without the GIL, NumPy's division rules.

    Args:
        parallel: let `numba.prange` use all cores. Only `engines.flow` does, behind a lock: the portable
            threading layer of Numba must not be entered from two threads at once.
        fastmath: allow the compiler to reorder floating-point arithmetic.

    Returns:
        A decorator that keeps the type of the function.
    """

    def decorate(function: Function) -> Function:
        kernel = numba.njit(cache=True, nogil=True, error_model="numpy", parallel=parallel, fastmath=fastmath)(
            function
        )
        _kernels.append(kernel)
        return kernel  # type: ignore[no-any-return]

    return decorate


def compiled_now() -> int:
    """Number of kernel signatures that this process had to compile because the disk cache did not hold them."""
    return sum(sum(kernel.stats.cache_misses.values()) for kernel in _kernels)
