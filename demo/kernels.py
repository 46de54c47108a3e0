"""Numba kernels made ready before a run, with a word about what is compiled: it takes long only once."""

import time
from collections.abc import Callable

from rich.console import Console

from engines.compilation import compiled_now


def prepare_kernels(console: Console) -> None:
    """Load every kernel of a run from the disk cache, or compile it and say so.

    Args:
        console: where to say it.
    """
    for name, warm_up in _kernels():
        compiled_before, started_s = compiled_now(), time.monotonic()
        with console.status(f"Loading kernels: {name} (compiling takes a while, the first time only)"):
            warm_up()
        if compiled_now() > compiled_before:
            seconds = time.monotonic() - started_s
            console.print(f"Compiled {name} kernels in {seconds:.1f} s; kept for the next run.")


def _kernels() -> list[tuple[str, Callable[[], None]]]:
    from engines.flow import compile_kernels
    from realtime.warm_up import warm_up_movement, warm_up_spotting

    return [("optical flow", compile_kernels), ("movement", warm_up_movement), ("spotting", warm_up_spotting)]
