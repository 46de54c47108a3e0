"""Numba kernels, compiled once and kept on disk, with a plain account of what was compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_kernels: list[Any] = []


def compiled(*, fastmath: bool = False, inline: bool = False) -> Callable[[Function], Function]:
    """Compile a function with Numba: cached on disk, without the GIL, NumPy's division rules.

    Kernels run in the thread that calls them, so that several may run side by side; Numba's own parallel loops are
    not used, since its portable threading layer must not be entered from two threads at once.

    Args:
        fastmath: allow the compiler to reorder floating-point arithmetic.
        inline: always compile it into its callers. Worth it for small functions that take many arrays: each call would
            count references to each of them.

    Returns:
        A decorator that keeps the type of the function.
    """

    def decorate(function: Function) -> Function:
        options: dict[str, Any] = {
            "cache": True,
            "nogil": True,
            "error_model": "numpy",
            "fastmath": fastmath,
            "forceinline": inline,
        }
        kernel = numba.njit(**options)(function)
        _kernels.append(kernel)
        return cast(Function, kernel)

    return decorate


def compiled_now() -> int:
    """Number of kernel signatures that this process had to compile because the disk cache did not hold them."""
    return sum(sum(kernel.stats.cache_misses.values()) for kernel in _kernels)
