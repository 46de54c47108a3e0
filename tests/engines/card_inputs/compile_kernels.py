"""Run by test_compiled in a process without the simulator: compiles the chain's kernels for cards that are not here.

Prints one line of JSON a kernel and card: its name, the card, how often float64 occurs in its PTX, and the registers,
spilled bytes and shared memory that the assembler gives it.
"""

import json
import re
import sys
from types import SimpleNamespace
from typing import Any

import numba.cuda.dispatcher
from cuda.core import Linker, LinkerOptions, ObjectCode
from numba import cuda, float32, int32, int64, uint8

from engines.card_inputs.channel_kernel import make_channels
from engines.card_inputs.framing_kernel import frame_pair
from engines.card_inputs.head_kernel import hold_head, measure_head
from engines.card_inputs.probability_kernel import average_views
from engines.card_inputs.strain_kernel import still_planes
from engines.card_inputs.warping_kernel import move_back

I1, F1, F2, F3, F4 = int32[::1], float32[::1], float32[:, ::1], float32[:, :, ::1], float32[:, :, :, ::1]
U2 = uint8[:, ::1]
SAMPLES = (int64, int64, F1, I1, int64)
KERNELS = {
    "frame_pair": (frame_pair, (U2, U2, I1, F2, I1, F2, F3)),
    "frame_pair, held": (frame_pair, (U2, F2, I1, F2, I1, F2, F3)),
    "move_back": (move_back, (U2, F1, I1, F2, F2)),
    "hold_head": (hold_head, (F4, *SAMPLES, int64, float32, int64, int64, F1, I1)),
    "measure_head": (measure_head, (F4, *SAMPLES, F1)),
    "still_planes": (still_planes, (F4, F1, float32, F3)),
    "make_channels": (make_channels, (F3, I1, I1, F1, I1, F2, I1, F2, F3, F3, F4)),
    "average_views": (average_views, (F2, int64, F1)),
}


def figures(kernel: Any, signature: tuple[Any, ...], capability: tuple[int, int]) -> dict[str, int]:
    """What compiler and assembler say of one kernel."""
    # Functions that a kernel calls are compiled for the present card, whatever the kernel is compiled for.
    numba.cuda.dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    ptx = cuda.compile_ptx(kernel.py_func, signature, cc=capability)[0]
    options = LinkerOptions(arch="sm_{}{}".format(*capability), ptxas_options=["-v"])
    linker = Linker(ObjectCode.from_ptx(ptx.encode()), options=options)
    linker.link("cubin")
    log = linker.get_info_log()

    def said(pattern: str) -> int:
        return sum(int(number) for number in re.findall(pattern, log))

    return {
        "float64": len(re.findall(r"\.f64", ptx)),
        "registers": said(r"Used (\d+) registers"),
        "spilled": said(r"(\d+) bytes spill"),
        "shared": sum(int(size) for size in re.findall(r"\.shared [^;]*\[(\d+)\];", ptx)),
    }


if __name__ == "__main__":
    for written in sys.argv[1:]:
        major, minor = written.split(".")
        for name, (kernel, signature) in KERNELS.items():
            found = figures(kernel, signature, (int(major), int(minor)))
            print(json.dumps({"kernel": name, "capability": written, **found}))
