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
    for name, compile_kernels in _kernels():
        compiled_before, started_s = compiled_now(), time.monotonic()
        with console.status(f"Loading kernels: {name} (compiling takes a while, the first time only)"):
            compile_kernels()
        if compiled_now() > compiled_before:
            seconds = time.monotonic() - started_s
            console.print(f"Compiled {name} kernels in {seconds:.1f} s; kept for the next run.")


def _kernels() -> list[tuple[str, Callable[[], None]]]:
    from engines.flow.cpu import compile_kernels as compile_flow
    from realtime.spotting.motion import compile_kernels as compile_motion
    from realtime.spotting.spotter import compile_kernels as compile_spotter

    return [("optical flow", compile_flow), ("movement", compile_motion), ("spotting", compile_spotter)]
