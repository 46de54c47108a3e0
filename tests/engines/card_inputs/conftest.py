"""Numba's simulator, quicker."""

import importlib.util
import sys
from collections.abc import Iterator

import pytest

# It comes with the [cuda] extra, and every test here needs it.
collect_ignore_glob = ["test_*.py"] if importlib.util.find_spec("numba_cuda") is None else []


@pytest.fixture(autouse=True)
def _quick_simulator() -> Iterator[None]:
    """The simulator's manager polls the threads of a block: it must not keep the interpreter for 5 ms each time.

    Threads that change places so often also bring out what only the order of the threads kept right.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    yield
    sys.setswitchinterval(interval)
