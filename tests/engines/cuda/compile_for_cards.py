"""Compile the flow kernel for cards that are not there; run as a module, without the simulator.

Prints one JSON object: for each compute capability what `test_flow_for_cards` looks at.
"""

import json
import re
import sys
from types import SimpleNamespace
from typing import Any

from numba import cuda, float32, int32, int64
from numba.cuda import dispatcher

from engines.flow import cuda_solver_kernel, cuda_tile_kernel

ARRAYS = (
    float32[:, :, ::1],
    float32[:, :, ::1],
    float32[:, :, :, ::1],
    float32[::1],
    int64[::1],
    float32[::1],
    int32[::1],
)


def compiled(capability: str) -> dict[str, Any]:
    """Figures of the kernel for one compute capability, such as "8.9"."""
    major, minor = map(int, capability.split("."))
    # Card functions are compiled for the present card, of which there is none.
    vars(dispatcher)["get_current_device"] = lambda: SimpleNamespace(compute_capability=(major, minor))
    kernel: Any = cuda_solver_kernel.solve_pairs
    ptx: str = cuda.compile_ptx(
        kernel.py_func,
        (*ARRAYS, int64, int64, int64),
        cc=(major, minor),
        fastmath=True,
        launch_bounds=(cuda_tile_kernel.THREADS, 2),
    )[0]
    figures: dict[str, Any] = {
        "threads": cuda_tile_kernel.THREADS,
        "depth": cuda_tile_kernel.DEPTH,
        "float64": len(re.findall(r"\.f64\b", ptx)),
        "local arrays": len(re.findall(r"\.local\b", ptx)),
        "calls": len(re.findall(r"\bcall\b", ptx)),
        "shared bytes": sum(map(int, re.findall(r"\.shared [^;]*\[(\d+)\]", ptx))),
        "generic reads of shared memory": len(re.findall(r"\bld\.f32|\bld\.b32", ptx)),
    }
    return figures | _linked(ptx, f"sm_{major}{minor}")


def _linked(ptx: str, architecture: str) -> dict[str, Any]:
    from cuda.core import Linker, LinkerOptions, ObjectCode

    linker = Linker(ObjectCode.from_ptx(ptx.encode()), options=LinkerOptions(arch=architecture, ptxas_options=["-v"]))
    size = len(linker.link("cubin").code)
    log = linker.get_info_log()
    found = re.search(r"Used (\d+) registers", log)
    spilled = re.search(r"(\d+) bytes spill loads", log)
    return {
        "cubin bytes": size,
        "registers": int(found.group(1)) if found else None,
        "spilled bytes": int(spilled.group(1)) if spilled else None,
    }


if __name__ == "__main__":
    print(json.dumps({capability: compiled(capability) for capability in sys.argv[1:]}))
