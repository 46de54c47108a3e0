"""Jobs and results as bytes between machines, with large arrays sent on their own, each once."""

import importlib.metadata
import io
import pickle
import socket
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engines.errors import BackendUnavailable

LARGE_BYTES = 256 * 1024
"""Arrays from this size on travel on their own."""


class Parcels:
    """Packs jobs as bytes that leave out their large arrays, and stores each array once however many jobs hold it.

    Args:
        put: stores an array, and gives the reference by which a worker will get it.
    """

    def __init__(self, put: Callable[[Any], Any]) -> None:
        self._put = put
        self._stored: dict[int, tuple[Any, np.ndarray]] = {}

    def pack(self, job: Any) -> tuple[bytes, list[Any]]:
        """A job as bytes, and references to the arrays that it leaves out, in their order."""
        packed = io.BytesIO()
        pickler = _Pickler(packed, self._reference)
        pickler.dump(job)
        return packed.getvalue(), pickler.left_out

    def _reference(self, array: np.ndarray) -> Any:
        # The array is kept as well: its id would otherwise be given to another one.
        if id(array) not in self._stored:
            self._stored[id(array)] = (self._put(array), array)
        return self._stored[id(array)][0]


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, reference: Callable[[np.ndarray], Any]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._reference = reference
        self.left_out: list[Any] = []

    def persistent_id(self, value: Any) -> int | None:
        """Number of an array that travels on its own; None for all that is pickled where it is."""
        if type(value) is not np.ndarray or value.nbytes < LARGE_BYTES or value.dtype.hasobject:
            return None
        self.left_out.append(self._reference(value))
        return len(self.left_out) - 1


class _Unpickler(pickle.Unpickler):
    def __init__(self, packed: bytes, arrays: Sequence[np.ndarray]) -> None:
        super().__init__(io.BytesIO(packed))
        self._arrays = arrays

    def persistent_load(self, number: int) -> np.ndarray:
        """An array that travelled on its own. A copy: the store's memory is read-only, and a job may write into it."""
        return self._arrays[number].copy(order="K")


_function: tuple[str, Callable[[Any], Any]] | None = None
"""What this worker does at present, and for which run: unpacked once, however many jobs come."""


def do_job(version: str, run: str, function: bytes, shared: int, packed: bytes, *arrays: np.ndarray) -> bytes:
    """Do one job, in a worker.

    Args:
        version: of the command that asks for it.
        run: name of the run, the same for all its jobs.
        function: packed; see `Parcels`.
        shared: how many of the arrays are the function's.
        packed: the job.
        arrays: what function and job left out.

    Returns:
        The result and what was raised, one of them None, as bytes: an array that Ray returns would be read-only, and
        an exception wrapped.
    """
    global _function
    result: Any = None
    raised: Exception | None = None
    try:
        if version != our_version():
            here = f"{socket.gethostname()} has onset-live {our_version()}"
            raise BackendUnavailable(f"cluster: {here}, this command {version}; install the same")
        if _function is None or _function[0] != run:
            _one_thread()
            _function = run, _Unpickler(function, arrays[:shared]).load()
        result = _function[1](_Unpickler(packed, arrays[shared:]).load())
    except Exception as fault:
        raised = _sendable(fault)
    return pickle.dumps((result, raised), protocol=pickle.HIGHEST_PROTOCOL)


def _one_thread() -> None:
    """As in a local worker; the thread pools of the libraries under NumPy and PyTorch Ray holds to one itself."""
    import cv2
    import numba

    numba.set_num_threads(1)
    cv2.setNumThreads(1)


def _sendable(fault: Exception) -> Exception:
    """The exception itself, with its traceback as a note; only its words where it cannot be pickled."""
    fault.add_note("in a worker:\n" + "".join(traceback.format_exception(fault)))
    try:
        pickle.loads(pickle.dumps(fault))
    except Exception:
        return RuntimeError(f"{type(fault).__name__}: {fault}")
    return fault


def our_version() -> str:
    """Version of this package: workers must have the same."""
    return importlib.metadata.version("onset-live")
