"""What the engine view sets going: choosing, building, measuring, examining, and taking in checkpoints."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from demo.benchmarks.backends import compare_backends, engine_words
from demo.commands.doctor import KERNELS_IN
from demo.dashboard.data_folder import DEFAULT_CHECKPOINT, DataFolder, plain_name
from demo.dashboard.engine_records import Machine
from demo.dashboard.house import Choice
from demo.dashboard.jobs import Job, JobBoard, JobCancelled, Progress
from engines.checkpoint import Checkpoint, load_checkpoint
from engines.checkpoint_archive import unpack_checkpoint
from engines.checkpoint_shelf import CheckpointShelf, ShelvedCheckpoint
from engines.doctor import Finding, examine
from engines.errors import BadInput, OnsetError
from engines.graphics_card import NoCard
from engines.sessions import open_session
from engines.tensorrt.build import BuildStopped, BuiltEngine, build_engine
from engines.tensorrt.log import listening, plain

BUILD, MEASURE, EXAMINE, IMPORT = "engine-build", "engine-measure", "doctor", "checkpoint-import"
KINDS = (BUILD, MEASURE, EXAMINE, IMPORT)
LOG_LINES = 300
"""Of one build, the newest kept."""


class EngineDesk:
    """Steers checkpoints and engines for one dashboard. Safe from any thread.

    Args:
        data: holds the checkpoints.
        jobs: runs what takes long.
        chosen: what the next run takes; changed here only after it was seen to run.
        machine: what this machine can build and run.
        doctor: the long examination of everything.
    """

    def __init__(
        self,
        data: DataFolder,
        jobs: JobBoard,
        chosen: Choice,
        *,
        machine: Machine | None = None,
        doctor: Callable[[Iterable[Path]], list[Finding]] | None = None,
    ) -> None:
        self._data, self._jobs, self._chosen = data, jobs, chosen
        self._machine = machine or Machine()
        self._doctor = doctor or (lambda folders: examine(tuple(folders), kernels_in=KERNELS_IN))
        self._shelf = CheckpointShelf(data.checkpoints)
        self._logs: dict[str, deque[str]] = {}
        self._choosing = threading.Lock()
        # A build beside a measurement would spoil its figures, and TensorRT's log does not say whose a line is.
        self._turn = threading.Lock()
        self._runs_on = ""

    def overview(self) -> dict[str, Any]:
        """Everything that the view shows but the work under way."""
        return {
            "chosen": {
                "checkpoint": self._chosen.checkpoint,
                "backend": self._chosen.backend,
                "runs_on": self._runs_on,
            },
            "machine": self._machine.record(),
            "checkpoints": [self._machine.checkpoint(self._takeable(one)) for one in self._shelf.all()],
        }

    def work(self) -> list[dict[str, Any]]:
        """Jobs of this view, the newest first, each with the lines of its log."""
        jobs = [job for job in self._jobs.all() if job.kind in KINDS]
        logs = self._logs
        self._logs = {job.id: logs[job.id] for job in jobs if job.id in logs}
        return [{**job.as_record(), "log": list(logs.get(job.id, ()))} for job in jobs]

    def choose(self, name: str, backend: str) -> dict[str, Any]:
        """Take a checkpoint and a backend for the next run, after opening them once.

        Raises:
            OnsetError: if they do not run here; then nothing changes.
        """
        with self._choosing:
            with open_session(self._data.checkpoint(name), backend=backend) as session:
                described = engine_words(session)
            self._chosen.checkpoint, self._chosen.backend, self._runs_on = name, backend, described
        return {"checkpoint": name, "backend": backend, "runs_on": described}

    def build(self, name: str, *, precision: str, capabilities: list[str], rebuild: bool = False) -> Job:
        """Begin to build an engine.

        Raises:
            OnsetError: if it is clear at once that it cannot be built.
        """
        loaded = self._loaded(name)
        missing = self._machine.card()
        if not capabilities and isinstance(missing, NoCard):
            raise BadInput(
                f"no card in this machine to build for ({missing.detail}): choose the cards that are to run the engine"
            )
        log: deque[str] = deque(maxlen=LOG_LINES)

        def work(progress: Progress) -> dict[str, Any]:
            with self._alone(progress), listening(lambda severity, line: log.append(f"{severity}: {plain(line)}")):
                steps = _Steps(progress, log)
                try:
                    return _built(
                        build_engine(
                            loaded,
                            precision=precision,
                            capabilities=capabilities,
                            rebuild=rebuild,
                            on_step=steps.step,
                            on_share=steps.share,
                            stopped=lambda: progress.cancelled,
                            card=self._machine.card,
                        )
                    )
                except BuildStopped:
                    raise JobCancelled from None
                except OnsetError as fault:
                    log.append(f"error: {fault}")
                    raise

        cards = ", ".join(capabilities) or "this machine's card"
        job = self._jobs.start(BUILD, f"{name} · {precision} · {cards}", work)
        self._logs[job.id] = log
        return job

    def measure(self, name: str) -> Job:
        """Begin to measure a checkpoint on every backend, side by side.

        Raises:
            OnsetError: if there is no such checkpoint.
        """
        loaded = self._loaded(name)

        def work(progress: Progress) -> dict[str, Any]:
            def tell(share: float, words: str) -> None:
                progress.raise_if_cancelled()
                progress.report(share, words)

            with self._alone(progress):
                return compare_backends(loaded, on_share=tell)

        return self._jobs.start(MEASURE, name, work)

    def examine(self) -> Job:
        """Begin to look at everything that Onset uses on this machine."""

        def work(progress: Progress) -> list[dict[str, Any]]:
            progress.report(None, "looking at this machine")
            folders = [one.folder for one in self._shelf.all() if one.name != DEFAULT_CHECKPOINT]
            return [finding.as_record() for finding in self._doctor(folders)]

        return self._jobs.start(EXAMINE, "doctor", work)

    def take_in(self, archive: Path, name: str) -> Job:
        """Begin to make a checkpoint of an archive, which is removed afterwards.

        Args:
            archive: a zip file in the data folder.
            name: of the archive, as the browser gave it; the checkpoint is called like it.
        """
        called = Path(name.replace("\\", "/")).name[-80:] or "the archive"

        def work(progress: Progress) -> dict[str, Any]:
            progress.report(None, "unpacking and checking")
            try:
                return {"checkpoint": unpack_checkpoint(archive, self._unused(called), called=called).name}
            finally:
                archive.unlink(missing_ok=True)

        return self._jobs.start(IMPORT, called, work)

    def _loaded(self, name: str) -> Checkpoint:
        return load_checkpoint(self._data.checkpoint(name))

    def _unused(self, name: str) -> Path:
        """A folder for a checkpoint that is taken in; nothing of that name is there."""
        stem = plain_name(Path(name).stem, "checkpoint")
        named = (f"{stem}{'' if number == 1 else f'-{number}'}" for number in count(1))
        return next(
            path for one in named if one != DEFAULT_CHECKPOINT and not (path := self._data.checkpoints / one).exists()
        )

    def _takeable(self, shelved: ShelvedCheckpoint) -> ShelvedCheckpoint:
        """The checkpoint as it is, or as one that cannot be taken because its name cannot."""
        try:
            self._data.checkpoint(shelved.name)
        except BadInput:
            fault = "is a link, or has signs in its name that cannot be taken: rename or copy the folder"
            return ShelvedCheckpoint(name=shelved.name, folder=shelved.folder, checkpoint=None, fault=fault)
        return shelved

    @contextmanager
    def _alone(self, progress: Progress) -> Iterator[None]:
        """Wait for builds and measurements before this one."""
        while not self._turn.acquire(timeout=0.1):
            progress.report(None, "waiting for the build or measurement before")
            progress.raise_if_cancelled()
        try:
            yield
        finally:
            self._turn.release()


class _Steps:
    """A build's steps and share as a job's progress and log."""

    def __init__(self, progress: Progress, log: deque[str]) -> None:
        self._progress, self._log = progress, log
        self._share, self._words = 0.0, ""

    def step(self, words: str) -> None:
        self._words = words
        self._log.append(words)
        self._progress.report(self._share, words)

    def share(self, share: float) -> None:
        self._share = share
        self._progress.report(share, self._words)


def _built(built: BuiltEngine) -> dict[str, Any]:
    manifest = built.stored.manifest
    return {
        "engine": built.stored.name,
        "kept": built.kept,
        "seconds": manifest.build_seconds,
        "bytes": manifest.engine_bytes,
        "warnings": list(built.warnings),
    }
