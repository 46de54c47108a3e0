"""Many like jobs on the machines of a Ray cluster: the same function, the same results as on the cores of this one.

A job travels as it would to a process here: pickled, and done with one thread. Large arrays in the jobs go into
Ray's object store instead, each once however many jobs hold it, and so do those that the function holds: what all jobs
work on may simply be carried along. Paths, on the other hand, must lie on a disk that all machines share. A task whose worker or machine dies is done again elsewhere.

Nothing is sent to anyone outside the cluster: usage statistics and dashboard are off in what is started here.
"""

import contextlib
import importlib.metadata
import io
import os
import pickle
import signal
import socket
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from engines.errors import BackendUnavailable, BadInput, first_line
from trainers.workers import Job, LocalWorkers, Result, Workers

LARGE_BYTES = 256 * 1024
"""Arrays from this size on travel through the object store."""
OBJECT_STORE_BYTES = 512 * 1024 * 1024
"""Shared memory of a Ray that is started here, at most; what does not fit it writes to disk."""
ANSWER_S = 5.0
"""How long a cluster may take to answer at its address, seconds."""
LAST_WORDS_S = 10.0
"""How long a job that is called off may take to put its work in order, seconds."""
RETRIES = 3
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a job that reserves no card may still use the one that is there
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_raylet_start_wait_time_s": "20",
}
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""What a gRPC client says first; a server answers with a frame of type 4, its settings."""


@contextmanager
def open_workers(cluster: str | None = None, workers: int | None = None) -> Iterator[Workers]:
    """Workers on this machine or on a cluster.

    Args:
        cluster: None for processes here; "auto" for the Ray of this machine, started if there is none; or HOST:PORT
            of a cluster that this machine is part of.
        workers: jobs at a time; as many as there are cores, here or in the cluster, if None.

    Yields:
        Workers, for as long as the context is open.

    Raises:
        BackendUnavailable: if Ray is not installed, or no cluster answers at the address.
        BadInput: if the address is none.
    """
    if cluster is None:
        yield LocalWorkers(workers)
        return
    with RayWorkers(cluster, workers) as opened:
        yield opened


class RayWorkers:
    """Workers on a Ray cluster; a context, outside of which there are none.

    A Ray that runs in this process already is used and left running; one that is started here is ended with all its
    processes; from one that is joined we only take our leave.

    Args:
        address: "auto" or HOST:PORT; see `open_workers`.
        count: jobs at a time; as many as the cluster has cores if None.

    Raises:
        BackendUnavailable: if Ray is not installed.
        BadInput: if the address is none.
    """

    def __init__(self, address: str = "auto", count: int | None = None) -> None:
        if address != "auto":
            _host_and_port(address)
        self._address = address
        self._asked = count
        self._ray = _load_ray()
        self._ours = False

    def __enter__(self) -> Self:
        if not self._ray.is_initialized():
            self._connect()
            self._ours = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what was started, leave what was joined."""
        if self._ours:
            self._ray.shutdown()
            self._ours = False

    @property
    def count(self) -> int:
        """Jobs at a time."""
        cores = int(self._ray.cluster_resources().get("CPU", 1))
        return max(min(self._asked or cores, cores), 1)

    def run(self, function: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Do all jobs; see `Workers`."""
        task = self._ray.remote(num_cpus=1, max_retries=RETRIES)(_do)
        parcels = _Parcels(self._ray.put)
        packed_function, shared = parcels.pack(function)
        order = (_version(), uuid.uuid4().hex, self._ray.put(packed_function), len(shared))
        waiting = iter(enumerate(jobs))
        running: dict[Any, int] = {}

        def begin() -> None:
            """Start the next job, if there is one."""
            for place, job in waiting:
                packed, arrays = parcels.pack(job)
                running[task.remote(*order, packed, *shared, *arrays)] = place
                return

        try:
            for _ in range(min(self.count, len(jobs))):
                begin()
            while running:
                [done], _ = self._ray.wait(list(running), num_returns=1)
                place = running.pop(done)
                result = self._opened(done)
                begin()
                yield place, result
        finally:
            self._call_off(list(running))

    def _opened(self, done: Any) -> Any:
        """The result of a task, or what its function raised."""
        try:
            packed = self._ray.get(done)
        except self._ray.exceptions.RayError as fault:
            raise BackendUnavailable(
                f"cluster: a worker was lost {RETRIES + 1} times over one job ({first_line(fault)}); see that its "
                "machine has memory enough, or give it fewer jobs at a time"
            ) from None
        result, fault = pickle.loads(packed)
        if fault is not None:
            raise fault
        return result

    def _call_off(self, running: list[Any]) -> None:
        """Interrupt what still runs, as Ctrl-C would, and end what does not heed it."""
        for task in running:
            self._ray.cancel(task, force=False)
        if running:
            _, deaf = self._ray.wait(running, num_returns=len(running), timeout=LAST_WORDS_S)
            for task in deaf:
                self._ray.cancel(task, force=True)

    def _connect(self) -> None:
        address = self._address if self._address != "auto" else _local_cluster()
        if address is None:
            settings = {
                "address": "local",
                "num_cpus": self._asked or len(os.sched_getaffinity(0)),
                "object_store_memory": _object_store_bytes(),
                "include_dashboard": False,
            }
        elif _answers(*_host_and_port(address)):
            settings = {"address": address}
        else:
            raise BackendUnavailable(
                f"cluster {address}: no Ray answers there within {ANSWER_S:.0f} s; start one with `ray start --head`, "
                'or give "auto" for this machine alone'
            )
        try:
            with _own_signals():
                self._ray.init(**settings, log_to_driver=False, logging_level="CRITICAL", configure_logging=True)
        except Exception as fault:
            raise BackendUnavailable(
                f"cluster {self._address}: Ray cannot be joined or started ({first_line(fault)}); each machine, this "
                "one too, must run `ray start --address=HOST:PORT` of the same Ray version"
            ) from None


class _Parcels:
    """Jobs as bytes, with their large arrays in the object store, each array once."""

    def __init__(self, put: Callable[[Any], Any]) -> None:
        self._put = put
        self._stored: dict[int, tuple[Any, np.ndarray]] = {}

    def pack(self, job: Any) -> tuple[bytes, list[Any]]:
        """A job as bytes, and references to the arrays that it leaves out, in their order."""
        arrays: list[Any] = []

        _Pickler(packed := io.BytesIO(), lambda array: arrays.append(self._reference(array)) or len(arrays) - 1).dump(
            job
        )
        return packed.getvalue(), arrays

    def _reference(self, array: np.ndarray) -> Any:
        # The array is kept as well: its id would otherwise be given to another one.
        if id(array) not in self._stored:
            self._stored[id(array)] = (self._put(array), array)
        return self._stored[id(array)][0]


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, leave_out: Callable[[np.ndarray], int]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._leave_out = leave_out

    def persistent_id(self, value: Any) -> int | None:
        """Number of an array that travels on its own; None for all that is pickled where it is."""
        if type(value) is not np.ndarray or value.nbytes < LARGE_BYTES or value.dtype.hasobject:
            return None
        return self._leave_out(value)


class _Unpickler(pickle.Unpickler):
    def __init__(self, packed: bytes, arrays: Sequence[np.ndarray]) -> None:
        super().__init__(io.BytesIO(packed))
        self._arrays = arrays

    def persistent_load(self, number: int) -> np.ndarray:
        """An array that travelled on its own. A copy: the store's memory is read-only, and a job may write into it."""
        return self._arrays[number].copy()


_function: tuple[str, Callable[[Any], Any]] | None = None
"""What this worker does at present, and for which run: unpacked once, however many jobs come."""


def _do(version: str, run: str, function: bytes, shared: int, packed: bytes, *arrays: np.ndarray) -> bytes:
    """One job, in a worker: its result or what it raised, as bytes.

    Bytes, since an array that Ray returns is read-only, and an exception that it returns is wrapped.
    """
    global _function
    result: Any = None
    raised: Exception | None = None
    try:
        if version != _version():
            raise BackendUnavailable(
                f"cluster: {socket.gethostname()} has onset-live {_version()}, this command {version}; install the same"
            )
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


def _version() -> str:
    return importlib.metadata.version("onset-live")


def _load_ray() -> Any:
    """Ray, told to be quiet before it reads its settings."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray  # only here: it takes a second to load, and is an extra
    except ImportError:
        raise BackendUnavailable("cluster: Ray is not installed; pip install 'onset-live[cluster]'") from None
    return ray


def _host_and_port(address: str) -> tuple[str, int]:
    host, separator, port = address.rpartition(":")
    if not (separator and host and port.isdecimal() and "/" not in host and 0 < int(port) < 65536):
        raise BadInput(f'--cluster {address}: is no address; give "auto" or HOST:PORT, as `ray start --head` names it')
    return host.strip("[]"), int(port)


def _local_cluster() -> str | None:
    """Address of the Ray that `ray start` left running on this machine; None if there is none that answers."""
    note = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"
    address = os.environ.get("RAY_ADDRESS", "")
    if not address:
        with contextlib.suppress(OSError):
            address = note.read_text().strip()
    try:
        return address if address and _answers(*_host_and_port(address)) else None
    except BadInput:
        return None


def _answers(host: str, port: int) -> bool:
    """Whether a gRPC server listens there: Ray itself would wait for minutes at a dead address."""
    try:
        with socket.create_connection((host, port), timeout=ANSWER_S) as connection:
            connection.sendall(_PREFACE)
            answer = connection.recv(9)
    except OSError:
        return False
    return len(answer) >= 4 and answer[3] == 4


def _object_store_bytes() -> int:
    """As much as we allow, and never more than half of the free shared memory."""
    try:
        shared = os.statvfs("/dev/shm")
    except OSError:
        return OBJECT_STORE_BYTES
    # Ray takes no less than 75 MiB; where there is less it falls back to the disk.
    return max(min(OBJECT_STORE_BYTES, shared.f_bavail * shared.f_frsize // 2), 80 * 1024 * 1024)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep Ray from replacing what the program does when it is asked to end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Mapping[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
