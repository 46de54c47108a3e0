"""Many like jobs on the cores of this machine; the same function, the same results, however many work at it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, Protocol, TypeVar, runtime_checkable

Job = TypeVar("Job")
Result = TypeVar("Result")


@runtime_checkable
class Workers(Protocol):
    """Something that does jobs: processes here, or Ray's on other machines (`trainers.cluster`)."""

    @property
    def count(self) -> int:
        """Jobs at a time."""

    def run(self, function: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Do all jobs.

        Args:
            function: of a module, so that it can be sent; takes one job and depends on nothing else.
            jobs: what it is given, one after the other.

        Yields:
            The place of a job in `jobs` and its result, in the order in which they are done.

        Raises:
            Exception: what the function raised, as it raised it; the jobs not yet begun are dropped.
        """


class LocalWorkers:
    """Processes on this machine, one thread each. One process works in the caller's own.

    Args:
        count: processes; as many as there are cores if None.
    """

    def __init__(self, count: int | None = None) -> None:
        self._count = count or len(os.sched_getaffinity(0))

    @property
    def count(self) -> int:
        """Jobs at a time."""
        return self._count

    def run(self, function: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Do all jobs; see `Workers`."""
        if self._count == 1 or len(jobs) < 2:
            for place, job in enumerate(jobs):
                yield place, function(job)
            return
        # Spawned: a forked copy of PyTorch's or Numba's thread pool would hang.
        context = multiprocessing.get_context("spawn")
        others = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(
            min(self._count, len(jobs)), mp_context=context, initializer=_begin, initargs=(function,)
        )
        try:
            places = {pool.submit(_do, job): place for place, job in enumerate(jobs)}
            for future in as_completed(places):
                yield places[future], future.result()
        except (KeyboardInterrupt, GeneratorExit):
            # What is being worked on is lost either way: waiting for it could take an hour, and a second Ctrl-C
            # meanwhile would leave caller and workers waiting for each other.
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_function: Callable[[Any], Any] | None = None
"""What this worker process was begun for: sent once, however much data it holds."""


def _begin(function: Callable[[Any], Any]) -> None:
    """Workers must not crowd each other out, and results must not depend on how many threads there are."""
    import cv2
    import numba

    global _function
    _function = function
    numba.set_num_threads(1)
    cv2.setNumThreads(1)
    # A Ctrl-C is the caller's: it drops what is not begun and says what was kept.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()


def _end_with_parent() -> None:
    """A caller that was killed drops nothing: without this its workers would wait for jobs for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(job: Any) -> Any:
    assert _function is not None  # the pool begins every worker with it
    return _function(job)
