"""The one live run behind the dashboard: started, watched, recorded and stopped from any page."""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cache
from typing import Any, Protocol, runtime_checkable

from rich.console import Console

from demo.dashboard.data_folder import DataFolder
from demo.dashboard.live_messages import LiveMessages
from demo.dashboard.live_preview import LivePreview
from demo.dashboard.live_request import AWAY_S, BROWSER, LiveRequest, LiveStart, LiveState
from demo.dashboard.live_viewer import LiveViewer
from demo.dashboard.subscribers import Subscriber
from demo.kernels import prepare_kernels
from engines.errors import BadInput, OnsetError
from realtime.clock import Clock, MonotonicClock
from realtime.conditions import session_record
from realtime.config import Settings
from realtime.faces.landmarks import REGION_NAMES
from realtime.json_lines import without_password
from realtime.lab_streaming import LabStreaming
from realtime.session_run import SessionRun
from realtime.sources import open_source
from realtime.sources.base import Source
from realtime.sources.persistent import PersistentSource
from realtime.watcher import FrameCounts, Watcher

__all__ = ["BROWSER", "LiveRequest", "LiveRun", "LiveStart"]

_LOG = logging.getLogger(__name__)
STOPPED = "stopped in the dashboard"
UNDER_WAY: frozenset[LiveState] = frozenset({"starting", "waiting-for-camera", "running", "camera-lost", "stopping"})


@cache
def _prepare_once() -> None:
    """Have every kernel at hand before the first frame: compiling in the middle of a run would lose frames."""
    prepare_kernels(Console(quiet=True))


@runtime_checkable
class CameraOffers(Protocol):
    """Who gives tickets for browsers' cameras."""

    def offer(self) -> tuple[str, Source]:
        """A new ticket, and the source that gives what its bearer sends."""


class LiveRun:
    """Runs one live session at a time in a thread of its own, and tells everybody who looks.

    Thread-safe; no method waits for the run but `wait` and `close`.

    Args:
        data: where sessions go and checkpoints lie.
        settings: of every run.
        cameras: gives tickets for browsers' cameras.
        clock: stamps the frames.
        camera: opens a camera or stream by its address; tests pass a scripted one.
    """

    def __init__(
        self,
        data: DataFolder,
        settings: Settings,
        cameras: CameraOffers,
        *,
        clock: Clock | None = None,
        camera: Callable[[str, float | None], Source] | None = None,
    ) -> None:
        self._data = data
        self._settings = settings
        self._cameras = cameras
        self._clock = clock or MonotonicClock()
        self._camera = camera or self._open_camera
        self._lock = threading.RLock()
        self._messages = LiveMessages(self._clock)
        self._state: LiveState = "idle"
        self._reason: str | None = None
        self._request = LiveRequest(source="")
        self._session: str | None = None
        self._sessions: list[str] = []
        self._run: SessionRun | None = None
        self._thread: threading.Thread | None = None
        self._preview: LivePreview | None = None
        self._viewers: tuple[LiveViewer, ...] = ()
        self._stalled: str | None = None
        self._closed = False
        self._messages.state(self.status())

    def start(self, request: LiveRequest) -> LiveStart:
        """Begin a run; returns at once.

        Raises:
            BadInput: if a run is under way, or what is asked for cannot be.
            BackendUnavailable: if the Lab Streaming Layer is asked for and not installed.
        """
        with self._lock, ExitStack() as stack:
            if self._closed or self._state in UNDER_WAY:
                raise BadInput(
                    "live: the dashboard is closing"
                    if self._closed
                    else f"live: a run is under way ({self._session}); stop it before you start another"
                )
            checkpoint, settings = self._data.checkpoint(request.checkpoint), request.settings(self._settings)
            ticket, source = self._source(request)
            folder = self._data.new_session(without_password(source.name))
            run = SessionRun(
                source,
                folder,
                settings,
                checkpoint=checkpoint,
                backend=request.backend,
                record=request.record,
                clock=self._clock,
            )
            if request.lab_streaming:
                outlet = LabStreaming(f"onset-{without_password(request.source)}", clock=self._clock)
                run.attach(stack.enter_context(closing(outlet)).watcher)
            self._begin(request, folder.name, run, stack.pop_all())
            return LiveStart(session=folder.name, ticket=ticket)

    def stop(self) -> None:
        """Ask the run to end; it settles what is open and writes its report. No run is no fault."""
        with self._lock:
            if self._state not in UNDER_WAY or self._run is None:
                return
            run = self._run
            self._set_state("stopping")
        run.stop(STOPPED)
        run.source.interrupt()  # it may still wait for a browser's camera that nobody brings

    def record(self, on: bool) -> None:
        """Begin or end keeping the frames as a video.

        Raises:
            BadInput: if no run is under way.
        """
        with self._lock:
            if self._state not in UNDER_WAY or self._run is None:
                raise BadInput("live: nothing is running that could be recorded; start first")
            self._run.recorder.switch(on)
            self._tell_state()

    def status(self) -> dict[str, Any]:
        """How the run stands, as pages are told."""
        with self._lock:
            return {
                "state": self._state,
                "session": self._session,
                "source": without_password(self._request.source) or None,
                "recording": self._run is not None and self._run.recorder.on,
                "regions": list(REGION_NAMES),
                "sensitivity": self._request.sensitivity or self._settings.spotting.sensitivity,
                "checkpoint": self._request.checkpoint,
                "backend": self._request.backend,
                "lab_streaming": self._request.lab_streaming,
                "reason": self._reason,
            }

    @property
    def sessions(self) -> tuple[str, ...]:
        """Names of the sessions of this dashboard's live runs, in order."""
        return tuple(self._sessions)

    @property
    def counts(self) -> FrameCounts:
        """Frames of the run under way, or of the last one."""
        run = self._run
        return FrameCounts() if run is None else run.counts

    def subscribe(self, wake: Callable[[], None]) -> LiveViewer:
        """A new page that shows the run; it is told the state and the events so far.

        Args:
            wake: called, in any thread, when there is something to take.
        """
        viewer = LiveViewer(wake)
        with self._lock:
            if self._closed:
                viewer.close()
                return viewer
            viewer.when_wanting(self._poke)
            self._messages.welcome(viewer)
            self._viewers = (*self._viewers, viewer)
        self._poke()
        return viewer

    def listen(self, wake: Callable[[], None]) -> Subscriber:
        """Another program that takes the events from now on.

        Args:
            wake: called, in any thread, when there is something to take.
        """
        program = Subscriber(wake)
        with self._lock:
            if self._closed:
                program.close()
            else:
                self._messages.listen(program)
        return program

    def leave(self, subscriber: Subscriber) -> None:
        """Somebody looks or listens no more."""
        with self._lock:
            self._messages.viewers.remove(subscriber)
            self._messages.programs.remove(subscriber)
            self._viewers = tuple(one for one in self._viewers if one is not subscriber)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no run is under way; False if that took longer than it may."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return self._state not in UNDER_WAY

    def close(self) -> None:
        """End the run, keep everything, and let everybody go; nothing can be started any more."""
        with self._lock:
            self._closed = True
        self.stop()
        self.wait()
        self._messages.close()

    def _source(self, request: LiveRequest) -> tuple[str | None, Source]:
        if request.source == BROWSER:
            return self._cameras.offer()
        address = request.camera_address
        # Opened anew each time that it went away.
        return None, PersistentSource(
            lambda: self._camera(address, request.frame_rate_hz), give_up_s=AWAY_S, clock=self._clock
        )

    def _open_camera(self, address: str, frame_rate_hz: float | None) -> Source:
        return open_source(address, frame_rate_hz=frame_rate_hz or None, clock=self._clock)

    def _begin(self, request: LiveRequest, session: str, run: SessionRun, resources: ExitStack) -> None:
        self._request, self._session, self._run = request, session, run
        self._stalled = None
        self._sessions.append(session)
        self._messages.begin(session)
        for viewer in self._viewers:
            viewer.start_again()
        preview = LivePreview(lambda: self._viewers, self._clock, lambda: self._tell_conditions(run))
        self._preview = preview
        resources.callback(preview.close)
        run.attach(preview.watcher)
        self._set_state("starting")
        self._thread = threading.Thread(target=self._drive, args=(run, resources), name="onset-live", daemon=True)
        self._thread.start()

    def _drive(self, run: SessionRun, resources: ExitStack) -> None:
        """The run, in its own thread, from start to end; nothing that it raises gets further than here."""
        watcher = Watcher(
            on_opening=lambda: self._go_on("starting", "waiting-for-camera"),
            on_frame=self._note_frame,
            on_notice=self._note_notice,
            on_stall=self._note_stall,
            on_event=self._messages.event,
            on_media=self._messages.media,
            on_rejected=self._messages.rejected,
        )
        state: LiveState = "idle"
        reason = None
        try:
            _prepare_once()
            for _ in run.run(watcher):
                pass
            reason = None if run.reason == STOPPED else run.reason
        except OnsetError as fault:
            # Somebody who stops before the camera came wants no fault to read.
            if self._state != "stopping" or run.counts.read:
                state, reason = "failed", str(fault).replace(" or choose another --out", "")
        except Exception as fault:
            _LOG.exception("the live run failed")
            state, reason = "failed", f"{type(fault).__name__}: {fault}"
        finally:
            resources.close()
            with self._lock:
                self._preview = None
                self._set_state(state, reason)

    def _note_frame(self, _counts: FrameCounts, _faces: int) -> None:
        if self._state == "waiting-for-camera":
            self._go_on("waiting-for-camera", "running")
            # It may have gone away while its first frames were still on their way.
            self._note_stall(self._stalled)

    def _note_stall(self, text: str | None) -> None:
        self._stalled = text
        if text is None:
            self._go_on("camera-lost", "running")
        else:
            self._go_on("running", "camera-lost", text)

    def _note_notice(self, text: str) -> None:
        self._messages.notice("info" if self._state == "camera-lost" else "warning", text)
        with self._lock:  # a recording that has ended by itself
            self._tell_state()

    def _go_on(self, before: LiveState, after: LiveState, reason: str | None = None) -> None:
        """From one state to the next, unless something else has happened."""
        with self._lock:
            if self._state == before:
                self._set_state(after, reason)

    def _set_state(self, state: LiveState, reason: str | None = None) -> None:
        self._state, self._reason = state, reason
        self._tell_state()

    def _tell_state(self) -> None:
        self._messages.state(self.status())

    def _tell_conditions(self, run: SessionRun) -> None:
        self._messages.conditions(session_record(run.conditions_now()))

    def _poke(self) -> None:
        preview = self._preview
        if preview is not None:
            preview.poke()
