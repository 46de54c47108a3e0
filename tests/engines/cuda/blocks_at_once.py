"""Numba's simulator with several blocks at once.

The simulator runs one block after another, so blocks that wait for each other would wait for ever. Here every thread
of every block is a Python thread at the same time, each block has shared memory of its own, and integers wrap.
"""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from numba.cuda.simulator.kernel import _push_kernel_context, swapped_cuda_module
from numba.cuda.simulator.kernelapi import Dim3, FakeCUDAModule, FakeCUDAShared


class Block:
    """What the threads of one block have in common."""

    def __init__(self, index: int, threads: int) -> None:
        self.index = Dim3(index, 0, 0)
        self.barrier = threading.Barrier(threads)
        self.shared = FakeCUDAShared(0)


class BlockThread(threading.Thread):
    """One thread of the card; the simulator's module asks the present thread for these names."""

    def __init__(self, block: Block, place: tuple[int, int], work: Callable[[], None], faults: list[Exception]) -> None:
        super().__init__(daemon=True)
        self.block, self.blockIdx, self.threadIdx = block, block.index, Dim3(*place, 0)
        self.work, self.faults = work, faults

    def run(self) -> None:
        try:
            self.work()
        except Exception as fault:
            self.faults.append(fault)
            self.block.barrier.abort()

    def syncthreads(self) -> None:
        if self.faults:
            raise threading.BrokenBarrierError
        self.block.barrier.wait()


class WrappingAtomic:
    """Atomic addition of 32-bit integers that overflows as on a card."""

    def __init__(self, faults: list[Exception]) -> None:
        self.lock, self.faults, self.additions = threading.Lock(), faults, 0

    def add(self, array: Any, place: int, value: int) -> int:
        if self.faults:
            raise threading.BrokenBarrierError
        if not value:
            time.sleep(2e-4)  # only a waiting block adds nothing: let the others run
        with self.lock:
            before = int(array[place])
            array[place] = (before + int(value) + 2**31) % 2**32 - 2**31
            self.additions += 1
        return before


class Module(FakeCUDAModule):  # type: ignore[misc]
    """The `cuda` that kernels see."""

    def __init__(self, grid: int, block: tuple[int, int], atomic: WrappingAtomic) -> None:
        super().__init__((grid, 1, 1), (*block, 1), 0)
        self._wrapping = atomic

    @property
    def shared(self) -> Any:
        thread: Any = threading.current_thread()
        return thread.block.shared

    @property
    def atomic(self) -> Any:
        return self._wrapping


def run_at_once(kernel: Any, grid: int, block: tuple[int, int], *arguments: Any) -> int:
    """Run a kernel with all its blocks at the same time; returns the number of atomic additions."""
    faults: list[Exception] = []
    atomic = WrappingAtomic(faults)
    module = Module(grid, block, atomic)
    function = kernel.py_func
    blocks = [Block(index, block[0] * block[1]) for index in range(grid)]
    threads = [
        BlockThread(each, (x, y), lambda: function(*arguments), faults)
        for each in blocks
        for y in range(block[1])
        for x in range(block[0])
    ]
    interval = sys.getswitchinterval()
    # A block that waits in a loop must not keep the interpreter to itself for long.
    sys.setswitchinterval(1e-4)
    try:
        with _push_kernel_context(module), swapped_cuda_module(function, module):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(interval)
    if faults:
        raise next((fault for fault in faults if not isinstance(fault, threading.BrokenBarrierError)), faults[0])
    return atomic.additions
