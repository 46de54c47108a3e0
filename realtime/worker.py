"""One thread that does jobs in order and hands its fault to the caller."""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Job = TypeVar("Job")


class Worker(Generic[Job]):
    """Does jobs one after another in a thread of its own.

    A job that raises ends the work: later jobs are not begun, and the exception is raised to the caller by the
    next `submit` or by `close`.

    Args:
        name: of the thread, for debuggers; "onset-" is put before it.
        work: what to do with a job.
    """

    def __init__(self, name: str, work: Callable[[Job], None]) -> None:
        self._work = work
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._fault: BaseException | None = None
        self._submitted = 0
        self._finished = 0
        self._progress = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"onset-{name}", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job; returns at once.

        Raises:
            Exception: what an earlier job raised.
        """
        self.raise_fault()
        self._submitted += 1
        self._jobs.put(job)

    def wait_below(self, pending: int) -> None:
        """Return when fewer than `pending` jobs are unfinished, or when the work has failed."""
        with self._progress:
            self._progress.wait_for(lambda: self._fault or self._submitted - self._finished < pending)

    def raise_fault(self) -> None:
        """Raise what a job raised, if one did."""
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """Finish the jobs that are queued, end the thread, and raise what a job raised."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()
        self.raise_fault()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                if self._fault is None:
                    self._work(job)
            except BaseException as fault:  # kept, and raised to the caller
                self._fault = fault
            with self._progress:
                self._finished += 1
                self._progress.notify_all()
