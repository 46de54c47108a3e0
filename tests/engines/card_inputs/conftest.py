"""Numba's simulator, quicker and stricter."""

import importlib.util
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

# It comes with the [cuda] extra, and every test here needs it.
collect_ignore_glob = ["test_*.py"] if importlib.util.find_spec("numba_cuda") is None else []


@pytest.fixture(autouse=True)
def _quick_simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The simulator's manager polls the threads of a block: it must not keep the interpreter for 5 ms each time.

    Threads that change places so often also bring out what only the order of the threads kept right.
    """
    from engines.card_compilation import SIMULATED

    if not SIMULATED:
        yield
        return
    from numba.cuda.simulator.kernelapi import FakeCUDAShared

    monkeypatch.setattr(FakeCUDAShared, "array", _shared_array)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    yield
    sys.setswitchinterval(interval)


_lock = threading.Lock()


def _shared_array(self: Any, shape: Any, dtype: Any, alignment: int | None = None) -> np.ndarray:
    """One array for each line that asks for one, full of what spoils a result: a card's is not initialised either.

    The simulator's own gives two threads that ask at the same moment an array each.
    """
    from numba.np.numpy_support import as_dtype

    assert alignment is None
    asking = sys._getframe(1)
    place = (asking.f_code.co_filename, asking.f_lineno)
    with _lock:
        if place not in self._allocations:
            kind = as_dtype(dtype)
            self._allocations[place] = np.full(shape, np.nan if kind.kind == "f" else -(10**9), kind)
        array: np.ndarray = self._allocations[place]
        return array
