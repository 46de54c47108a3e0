"""Many like jobs on the machines of a Ray cluster: the same function, the same results as on the cores of this one.

A job travels as it would to a process here: pickled, and done with one thread. Large arrays in the jobs and in the
function go into Ray's object store instead, each once however many jobs hold it: what all jobs work on may simply be
carried along. Paths, on the other hand, must lie on a disk that all machines share. A job whose worker or machine dies
is done again elsewhere.

Nothing is sent to anyone outside the cluster: usage statistics and dashboard are off in what is started here.
"""

import pickle
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from engines.errors import BackendUnavailable, BadInput, first_line
from trainers.parcels import Parcels, do_job, our_version
from trainers.ray_cluster import connect, host_and_port, load_ray
from trainers.workers import Job, LocalWorkers, Result, Workers

LAST_WORDS_S = 10.0
"""How long a job that is called off may take to put its work in order, seconds."""
RETRIES = 3
"""How often a job is done again after its worker or machine died."""


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
        BadInput: if the address is none, or nobody is to work.
    """
    if workers is not None and workers < 1:
        raise BadInput(f"--workers {workers}: give 1 or more, or leave it out for one a core")
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
            host_and_port(address)
        self._address = address
        self._asked = count
        self._ray = load_ray()
        self._ours = False

    def __enter__(self) -> Self:
        if not self._ray.is_initialized():
            connect(self._ray, self._address, self._asked)
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
        task = self._ray.remote(num_cpus=1, max_retries=RETRIES)(do_job)
        parcels = Parcels(self._ray.put)
        packed_function, shared = parcels.pack(function)
        order = (our_version(), uuid.uuid4().hex, self._ray.put(packed_function), len(shared))
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
        except self._ray.exceptions.RayTaskError:  # a fault of ours: a result that cannot be sent, for one
            raise
        except self._ray.exceptions.RayError as fault:
            raise BackendUnavailable(
                f"cluster: a worker was lost {RETRIES + 1} times over one job ({first_line(fault)}); see that its "
                "machine has memory enough, or give it fewer jobs at a time"
            ) from None
        result, raised = pickle.loads(packed)
        if raised is not None:
            raise raised
        return result

    def _call_off(self, running: list[Any]) -> None:
        """Interrupt what still runs, as Ctrl-C would, and end what does not heed it."""
        for task in running:
            self._ray.cancel(task, force=False)
        if running:
            _, deaf = self._ray.wait(running, num_returns=len(running), timeout=LAST_WORDS_S)
            for task in deaf:
                self._ray.cancel(task, force=True)
