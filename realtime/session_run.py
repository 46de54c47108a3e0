"""One run and its session folder: open everything, run the pipeline, say how it ended, draw the report."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engines.checkpoint import load_checkpoint
from engines.errors import BadInput
from realtime.capture import Capture
from realtime.clock import Clock, MonotonicClock
from realtime.conditions import Conditions, session_record
from realtime.config import Settings
from realtime.events import ExpressionEvent
from realtime.faces.landmarks import REGION_NAMES
from realtime.pipeline import Pipeline
from realtime.report import write_report
from realtime.run_engines import open_engines
from realtime.session_folder import SessionStatistics, SessionWriter, State
from realtime.sink import CountingSink
from realtime.sources.base import Source
from realtime.video_recorder import VideoRecorder
from realtime.watcher import FrameCounts, Watcher, together


def replay(
    source: str | Path | Source,
    config: Settings | None = None,
    *,
    out: Path | None = None,
    checkpoint: str | Path = "default",
    backend: str = "auto",
    frame_rate_hz: float | None = None,
) -> Iterator[ExpressionEvent]:
    """Spot and classify the micro- and macro-expressions of a recording.

    Args:
        source: video file, folder of images, stream address, or a source of your own.
        config: parameters of every stage; the defaults otherwise.
        out: session folder to write; none is written otherwise.
        checkpoint: folder of a trained model, or "default".
        backend: what runs the model: "auto", "onnxruntime" or "tensorrt"; the first and last take the flow to the card
            where there is one.
        frame_rate_hz: frame rate of a folder of images, which does not tell it.

    Yields:
        Each event, in the order in which they become certain.

    Raises:
        BadInput: the source, the configuration or the folder cannot be used.
        BadCheckpoint: the checkpoint is incomplete or altered.
        BackendUnavailable: the named backend cannot run here.
    """
    from realtime.sources import open_source  # brings the video libraries in

    opened = source if isinstance(source, Source) else open_source(str(source), frame_rate_hz=frame_rate_hz)
    if out is not None:
        yield from SessionRun(opened, out, config, checkpoint=checkpoint, backend=backend).run()
        return
    loaded, settings, clock = load_checkpoint(checkpoint), config or Settings(), MonotonicClock()
    with open_engines(loaded, backend, settings.flow) as engines, Capture(opened, clock=clock) as capture:
        yield from Pipeline(capture, settings, engines.recogniser, CountingSink(clock), clock=clock).run()


class SessionRun:
    """A run that leaves a session folder.

    Args:
        source: not yet open.
        folder: session folder to write.
        settings: parameters of every stage; the defaults otherwise.
        checkpoint: folder of a trained model, or "default".
        backend: what runs the model.
        overwrite: replace a session that is already in the folder.
        record: keep the frames of a live source as a video beside the results, from the start.
        clock: stamps latencies; the one that stamps the frames.
    """

    def __init__(
        self,
        source: Source,
        folder: Path,
        settings: Settings | None = None,
        *,
        checkpoint: str | Path = "default",
        backend: str = "auto",
        overwrite: bool = False,
        record: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.folder = folder
        self.state: State = "failed"
        self.reason: str | None = None
        """Why the run ended before its source did, in words."""
        self.counts = FrameCounts()
        self.latency_ms: dict[str, dict[str, float]] = {}
        """Percentiles of each stage, once the run has ended."""
        self.conditions: Conditions | None = None
        """Under which the face that was seen longest was watched, once the run has ended; None without a face."""
        self.report: Path | None = None
        """The report, once it is written."""
        self.source = source
        self._settings = settings or Settings()
        self._checkpoint_name = checkpoint
        self._backend = backend
        self._overwrite = overwrite
        self._clock = clock or MonotonicClock()
        self._pipeline: Pipeline | None = None
        self._stop_reason: str | None = None
        self._watchers: list[Watcher] = []
        self.recorder = VideoRecorder(folder, self._notify)
        """Keeps the frames of a live source while it is switched on, which it may be at any time."""
        if source.live:
            self._watchers.append(Watcher(on_look=lambda look: self.recorder.push(look.frame)))
            self.recorder.switch(record)
        elif record:
            raise BadInput(f"{source.name}: only what a live source gives is recorded; a recording is there already")

    def attach(self, watcher: Watcher) -> None:
        """Let somebody look on besides the one whom `run` is given; before `run`."""
        self._watchers.append(watcher)

    def conditions_now(self) -> list[Conditions]:
        """How well each face could be watched over the last seconds, the one seen longest first; from any thread."""
        return [] if self._pipeline is None else self._pipeline.conditions("recent")

    def stop(self, reason: str) -> None:
        """End the run after the frame in hand; everything found is kept. Safe from a signal handler."""
        self._stop_reason = reason
        if self._pipeline is not None:
            self._pipeline.stop(reason)

    def run(self, watcher: Watcher | None = None) -> Iterator[ExpressionEvent]:
        """Run to the end; yield each event when it is on disk.

        Args:
            watcher: who looks on.

        Raises:
            BadInput: the source or the folder cannot be used.
            BadCheckpoint: the checkpoint is incomplete or altered.
            BackendUnavailable: the named backend cannot run here.
        """
        if watcher is not None:
            self._watchers.append(watcher)
        try:
            yield from self._run(together(self._watchers) if self._watchers else None)
        finally:
            self.recorder.close()

    def _capture(self, watcher: Watcher | None) -> Capture:
        if watcher is not None:
            watcher.on_opening()
        return Capture(self.source, clock=self._clock, stall_s=self._settings.recording.stall_s)

    def _notify(self, text: str) -> None:
        for watcher in self._watchers:
            watcher.on_notice(text)

    def _run(self, watcher: Watcher | None) -> Iterator[ExpressionEvent]:
        checkpoint = load_checkpoint(self._checkpoint_name)
        # The source is opened before the folder is made: a mistyped name leaves no empty session behind.
        with (
            open_engines(checkpoint, self._backend, self._settings.flow) as engines,
            self._capture(watcher) as capture,
            SessionWriter(
                self.folder,
                source=self.source.name,
                regions=REGION_NAMES,
                checkpoint=checkpoint.name,
                backend=engines.backend,
                clock=self._clock,
                overwrite=self._overwrite,
                further={
                    "source_format": self.source.description,
                    "flow_engine": engines.flow_engine,
                    "engines": engines.account,
                    "sensitivity": self._settings.spotting.sensitivity,
                },
            ) as writer,
        ):
            pipeline = self._pipeline = Pipeline(
                capture,
                self._settings,
                engines.recogniser,
                writer,
                clock=self._clock,
                watcher=watcher,
            )
            self.counts = pipeline.counts
            if self._stop_reason is not None:
                pipeline.stop(self._stop_reason)
            started_ns = self._clock.now_ns()
            try:
                yield from pipeline.run()
                self.state = "stopped" if pipeline.stopped_because else "complete"
                self.reason = pipeline.stopped_because
            except GeneratorExit:
                self.state, self.reason = "stopped", "the caller asked for no more events"
                raise
            except BaseException as fault:
                self.reason = f"{type(fault).__name__}: {fault}"
                raise
            finally:
                seconds = (self._clock.now_ns() - started_ns) / 1e9
                self.latency_ms = pipeline.telemetry.summary()
                self.conditions = next(iter(pipeline.conditions()), None)
                self.recorder.close()
                further = self.recorder.as_record() if self.source.live else {}
                statistics = _statistics(pipeline, seconds, further)
                writer.finish(self.state, reason=self.reason, statistics=statistics)
                if self._settings.recording.report:
                    self.report = write_report(self.folder)


def _statistics(pipeline: Pipeline, seconds: float, further: Mapping[str, Any]) -> SessionStatistics:
    counts = pipeline.counts
    return SessionStatistics(
        frames_read=counts.read,
        frames_dropped=counts.dropped,
        frames_with_face=counts.with_face,
        duration_s=counts.duration_s,
        frame_rate_hz=counts.frame_rate_hz,
        latency_ms=pipeline.telemetry.summary(),
        conditions=session_record(pipeline.conditions()),
        further={
            "processing_s": round(seconds, 3),
            "processed_frames_per_s": round(counts.read / seconds, 1),
            **further,
        },
    )
