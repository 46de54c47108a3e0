"""Numba kernels, compiled once and kept on disk, with a plain account of what was compiled."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
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
        watch_neighbours(kernel, function)
        _kernels.append(kernel)
        return cast(Function, kernel)

    return decorate


def compiled_now() -> int:
    """Number of kernel signatures that this process had to compile because the disk cache did not hold them."""
    return sum(sum(kernel.stats.cache_misses.values()) for kernel in _kernels)


def watch_neighbours(kernel: Any, function: Callable[..., Any]) -> None:
    """Let the disk cache of a kernel notice edits in all files of its folder.

    Numba looks at the kernel's own file alone, though the kernels and constants of other files are compiled into it: an
    update that touched only those would go on running what was compiled before.

    Args:
        kernel: compiled with `cache=True`, by Numba or numba-cuda; neither has a public way to say what to watch.
        function: what it was compiled from.
    """
    index = kernel._cache._cache_file
    index._source_stamp = (index._source_stamp, _folder_stamp(Path(function.__code__.co_filename).parent))


@cache
def _folder_stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of every source in a folder."""
    states = ((path.name, path.stat()) for path in sorted(folder.glob("*.py")))
    return tuple((name, state.st_mtime_ns, state.st_size) for name, state in states)
