"""Long work behind the dashboard: in threads of its own, with progress, to be cancelled, known until the end."""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engines.errors import OnsetError

_LOG = logging.getLogger(__name__)

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED = frozenset({"done", "failed", "cancelled"})
AT_ONCE = 3
"""Jobs under way at the same time: the others wait, so that a live run keeps its cores. Of builds and measurements one
works at a time; a second one waits in its place, and beside both a replay or an export still goes on."""
REMEMBERED = 100
"""Ended jobs that are still listed."""


class JobCancelled(Exception):
    """Raised inside the work of a job that was cancelled."""


@dataclass(kw_only=True)
class Job:
    """One piece of work and how far it is."""

    id: str
    kind: str
    title: str
    state: JobState = "waiting"
    fraction: float | None = None
    """Done so far, 0 to 1; None where nobody knows."""
    note: str = ""
    """What it is at, in a few words."""
    result: Any = None
    """What the work gave; a JSON value."""
    error: str | None = None
    """Why it failed: one line."""

    def as_record(self) -> dict[str, Any]:
        """The job as the browser reads it."""
        return asdict(self)


class Progress:
    """What the work of a job says of itself, and whether it shall end."""

    def __init__(self, job: Job, cancelled: threading.Event) -> None:
        self._job = job
        self._cancelled = cancelled

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked the work to end."""
        return self._cancelled.is_set()

    def report(self, fraction: float | None, note: str = "") -> None:
        """Say how far the work is.

        Args:
            fraction: 0 to 1; None where nobody knows.
            note: what it is at.
        """
        self._job.fraction, self._job.note = fraction, note

    def raise_if_cancelled(self) -> None:
        """End the work here if it was cancelled.

        Raises:
            JobCancelled: if it was.
        """
        if self.cancelled:
            raise JobCancelled


Work = Callable[[Progress], Any]


class JobBoard:
    """Starts jobs and knows them all; safe from any thread."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._turn = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._cancelled: dict[str, threading.Event] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._closed = False

    def start(self, kind: str, title: str, work: Work) -> Job:
        """Begin a piece of work, or let it wait for its turn.

        Args:
            kind: what sort of work: "replay", "build", "export" …
            title: what a person calls it.
            work: called with the job's progress in a thread of its own; gives a JSON value.
        """
        job = Job(id=secrets.token_hex(6), kind=kind, title=title)
        cancelled = threading.Event()
        thread = threading.Thread(target=self._run, args=(job, cancelled, work), name=f"onset-job-{kind}", daemon=True)
        with self._lock:
            if self._closed:
                raise OnsetError(f"{title}: the dashboard is closing; start it again first")
            self._jobs[job.id], self._cancelled[job.id], self._threads[job.id] = job, cancelled, thread
            self._forget_old()
        thread.start()
        return job

    def get(self, job_id: str) -> Job | None:
        """The job of that number, None if it is not known (any more)."""
        return self._jobs.get(job_id)

    def all(self) -> list[Job]:
        """Every job that is known, the newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def cancel(self, job_id: str) -> None:
        """Ask a job to end; it does so at its next step. One that is over or unknown stays as it is."""
        cancelled = self._cancelled.get(job_id)
        if cancelled is not None:
            cancelled.set()

    def wait(self, job_id: str, timeout_s: float | None = None) -> Job | None:
        """Wait until a job has ended, at most so long; then as `get`."""
        thread = self._threads.get(job_id)
        if thread is not None:
            thread.join(timeout_s)
        return self.get(job_id)

    def close(self, timeout_s: float = 10.0) -> None:
        """Cancel what runs and wait for it; nothing can be started any more."""
        with self._lock:
            self._closed = True
            threads = list(self._threads.values())
        for cancelled in list(self._cancelled.values()):
            cancelled.set()
        for thread in threads:
            thread.join(timeout_s)

    def _run(self, job: Job, cancelled: threading.Event, work: Work) -> None:
        while not self._turn.acquire(timeout=0.1):
            if cancelled.is_set():
                job.state = "cancelled"
                return
        try:
            if cancelled.is_set():
                raise JobCancelled
            job.state = "running"
            job.result = work(Progress(job, cancelled))
            job.fraction, job.state = 1.0, "done"
        except JobCancelled:
            job.state = "cancelled"
        except OnsetError as fault:
            job.error, job.state = str(fault), "failed"
        except Exception as fault:  # whatever it is, the dashboard goes on and says so
            _LOG.exception("%s: %s failed", job.kind, job.title)
            job.error, job.state = f"{type(fault).__name__}: {fault}", "failed"
        finally:
            self._turn.release()

    def _forget_old(self) -> None:
        over = [one for one, job in self._jobs.items() if job.state in ENDED]
        for old in over[: max(0, len(over) - REMEMBERED)]:
            for known in (self._jobs, self._cancelled, self._threads):
                known.pop(old, None)
