"""How far a build is: TensorRT's nested phases as one share from 0 to 1, with the phase in words."""

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any


class BuildProgress:
    """Follows the phases of a build; TensorRT tells of them from any thread.

    Args:
        on_step: hears of each phase that begins, in words.
        on_share: hears how much is done, from 0 to 1, never less than before.
        stopped: asked after each step whether the build is to end early.
    """

    def __init__(
        self, on_step: Callable[[str], None], on_share: Callable[[float], None], stopped: Callable[[], bool]
    ) -> None:
        self.tell, self._on_share, self.stopped = on_step, on_share, stopped
        self._open: dict[str, tuple[str | None, int, int]] = {}
        """Parent, steps done and steps in all of each phase that is open, outermost first."""
        self._share = 0.0
        self._lock = threading.Lock()
        self._fault: BaseException | None = None

    def start(self, phase: str, parent: str | None, steps: int) -> None:
        """A phase begins inside another, or the build itself where `parent` is None."""
        with self._lock:
            self._open[phase] = (parent, 0, max(steps, 1))
        self._guarded(lambda: self.tell(phase[:1].lower() + phase[1:]))

    def step(self, phase: str, step: int) -> bool:
        """One step of a phase is done; the answer says whether to go on."""
        with self._lock:
            if phase in self._open:
                parent, _, steps = self._open[phase]
                self._open[phase] = (parent, min(step + 1, steps), steps)
            self._share = max(self._share, self._total())
        self._guarded(lambda: self._on_share(self._share))
        return self._fault is None and not self.stopped()

    def finish(self, phase: str) -> None:
        """A phase is over, done or broken off."""
        with self._lock:
            self._open.pop(phase, None)

    def _total(self) -> float:
        """Share done: an open phase is a part of one step of its parent."""
        done_within: dict[str | None, float] = {}
        for phase, (parent, done, steps) in reversed(list(self._open.items())):
            within = min(done + done_within.get(phase, 0.0), steps) / steps
            done_within[parent] = max(done_within.get(parent, 0.0), within)
        return done_within.get(None, 0.0)

    def raise_fault(self) -> None:
        """Raise what a listener raised during the build: it could not travel through TensorRT."""
        if self._fault is not None:
            raise self._fault

    def _guarded(self, telling: Callable[[], None]) -> None:
        try:
            telling()
        except BaseException as fault:  # kept for `raise_fault`
            self._fault = self._fault or fault


def progress_monitor(module: ModuleType, progress: BuildProgress) -> Any:
    """An `IProgressMonitor` of a TensorRT package that passes everything on."""

    class Monitor(module.IProgressMonitor):  # type: ignore[misc, name-defined]  # its base is known only at run time
        """Passes TensorRT's phases on; its method names are TensorRT's."""

        def __init__(self) -> None:
            module.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            """Called by TensorRT."""
            progress.start(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            """Called by TensorRT; False ends the build."""
            return progress.step(phase_name, step)

        def phase_finish(self, phase_name: str) -> None:
            """Called by TensorRT."""
            progress.finish(phase_name)

    return Monitor()
