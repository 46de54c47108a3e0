"""Source → tracker → one channel a face → recognition → sink: the one implementation, live and in replay."""

import itertools
from collections.abc import Iterator
from contextlib import closing

from realtime.capture import Capture
from realtime.clock import Clock, MonotonicClock, to_nanoseconds, to_seconds
from realtime.conditions import Conditions
from realtime.conditions_meter import Span
from realtime.config import Settings
from realtime.event_recorder import EventRecorder
from realtime.events import ExpressionEvent, RejectedMovement
from realtime.face_channel import FaceChannel, SettledEvent
from realtime.faces.observation import FaceObservation
from realtime.faces.tracker import FaceTracker
from realtime.frames import Frame
from realtime.recognition import Recogniser
from realtime.sink import Sink
from realtime.sources.base import SourceLost, SourceStalled
from realtime.telemetry import Telemetry
from realtime.tracked_frames import TrackedFrames
from realtime.watcher import FrameCounts, Look, WatchedSink, Watcher

FORGET_FACE_S = 5.0
"""A face that was away this long is settled and forgotten; memory stays flat when many pass by."""
PAST_FACES = 8
"""Of so many faces that are gone the conditions are kept, those that were seen longest."""
PENDING_EVENTS = 4
"""A recording waits when so many events are still being classified or drawn; a camera never does."""


__all__ = ["FrameCounts", "Pipeline", "Watcher"]


class Pipeline:
    """One run over one source.

    Args:
        capture: open, with the source behind it.
        settings: parameters of every stage.
        recogniser: labels the events.
        sink: where results go; from several threads.
        clock: stamps latencies; the one that stamps the frames.
        watcher: who looks on.
    """

    def __init__(
        self,
        capture: Capture,
        settings: Settings,
        recogniser: Recogniser,
        sink: Sink,
        *,
        clock: Clock | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self.counts = FrameCounts()
        self.stopped_because: str | None = None
        """Why the run ended before its source did, in words; None when it reached the end."""
        self.telemetry = Telemetry(clock or MonotonicClock())
        self._clock = clock or MonotonicClock()
        self._capture = capture
        self._source = capture.source
        self._settings = settings
        self._recogniser = recogniser
        self._sink = sink if watcher is None else WatchedSink(sink, watcher)
        self._watcher = watcher or Watcher()
        self._channels: dict[int, FaceChannel] = {}
        self._past_conditions: list[Conditions] = []
        self._stop = False

    def stop(self, reason: str) -> None:
        """End the run after the frame in hand; what is open is settled and kept. Safe from a signal handler."""
        self.stopped_because = self.stopped_because or reason
        self._stop = True

    def conditions(self, span: Span = "whole") -> list[Conditions]:
        """How well each face can be watched, up to now; the one seen longest first. At any time, from any thread.

        Args:
            span: the whole run, with the faces that are gone, or the last seconds.
        """
        present = [channel.conditions(span) for channel in list(self._channels.values())]
        known = [one for one in present if one is not None]
        past = self._past_conditions if span == "whole" else []
        return sorted((*past, *known), key=lambda one: -one.seen_s)

    def run(self) -> Iterator[ExpressionEvent]:
        """Run to the end of the source; yield each event when it is on disk.

        Raises:
            Exception: whatever a stage or a worker raised, after everything spotted before was kept.
        """
        recorder = EventRecorder(
            self._recogniser, self._sink, self.telemetry, with_media=self._settings.recording.media
        )
        try:
            with (
                FaceTracker(self._settings.tracking) as tracker,
                closing(TrackedFrames(self._frames(), tracker, self.telemetry)) as tracked_frames,
            ):
                try:
                    for frame, faces in tracked_frames:
                        self._take(frame, faces, recorder)
                        if not self._source.live:
                            recorder.wait_below(PENDING_EVENTS)
                        yield from recorder.finished()
                        if self._stop:
                            break
                finally:
                    self._stop = True
            if self._source.fault and not self.stopped_because:
                self.stopped_because = self._source.fault
        finally:
            # Also after a fault or when the caller stops iterating: what was seen is settled and written.
            try:
                self._settle_all(recorder)
            finally:
                recorder.close()
        yield from recorder.finished()

    def _frames(self) -> Iterator[Frame]:
        """The captured frames until the end, a stop, or a source that stays away too long."""
        stalled_since_ns: int | None = None
        while not self._stop:
            try:
                frame = self._capture.get(timeout_s=self._settings.recording.poll_s)
            except TimeoutError:
                continue
            except SourceStalled as stall:
                stalled_since_ns = self._note_stall(stall, stalled_since_ns)
                continue
            except SourceLost as loss:
                # No stop: the frames before the loss are still on their way through the stages.
                self._watcher.on_notice(str(loss))
                self.stopped_because = self.stopped_because or str(loss)
                return
            if frame is None:
                return
            if stalled_since_ns is not None:
                self._note_return(stalled_since_ns)
            stalled_since_ns = None
            yield frame

    def _note_stall(self, stall: SourceStalled, since_ns: int | None) -> int:
        """Say once that nothing comes; give up when it lasts."""
        now_ns = self._clock.now_ns()
        if since_ns is None:
            self._watcher.on_notice(f"{stall}; still waiting")
            self._watcher.on_stall(str(stall))
            since_ns = now_ns
        elif now_ns - since_ns > to_nanoseconds(self._settings.recording.give_up_s):
            self.stop(str(stall))
        self._clock.sleep_until(now_ns + to_nanoseconds(self._settings.recording.poll_s))
        return since_ns

    def _note_return(self, since_ns: int) -> None:
        waited_s = to_seconds(self._clock.now_ns() - since_ns)
        self._watcher.on_notice(f"{self._source.name}: frames come again, {waited_s:.1f} s later")
        self._watcher.on_stall(None)

    def _take(self, frame: Frame, observations: list[FaceObservation], recorder: EventRecorder) -> None:
        self.telemetry.add("wait", (self._clock.now_ns() - frame.captured_ns) / 1e6)
        counts = self.counts
        counts.dropped = self._capture.dropped
        counts.read += 1
        counts.with_face += bool(observations)
        counts.first_ns = frame.time_ns if counts.first_ns is None else counts.first_ns
        counts.last_ns = frame.time_ns
        for observation in observations:
            self._follow(frame, observation, recorder)
        if not observations:
            self._sink.add_empty_frame(frame.index, frame.time_ns)
        self._forget_absent(frame.time_ns, recorder)
        self._watcher.on_frame(counts, len(observations))
        if self._watcher.on_look is not None:
            faces = (self._channels[one.face_id].seen(one) for one in observations if one.face_id in self._channels)
            self._watcher.on_look(Look(frame=frame, faces=tuple(face for face in faces if face is not None)))

    def _follow(self, frame: Frame, observation: FaceObservation, recorder: EventRecorder) -> None:
        channel = self._channels.get(observation.face_id)
        if channel is None:
            channel = FaceChannel(
                observation.face_id,
                self._settings.alignment,
                self._settings.motion,
                self._settings.spotting,
                self.telemetry,
            )
            self._channels[observation.face_id] = channel
        self._settle(channel.push(frame, observation), recorder)
        if channel.reading is not None:
            reading = channel.reading
            self._sink.add_sample(reading.sample, strength=reading.strength, threshold=reading.threshold)

    def _forget_absent(self, time_ns: int, recorder: EventRecorder) -> None:
        limit_ns = time_ns - to_nanoseconds(FORGET_FACE_S)
        absent = [face_id for face_id, channel in self._channels.items() if channel.last_seen_ns < limit_ns]
        self._settle(itertools.chain.from_iterable(self._end(self._channels.pop(one)) for one in absent), recorder)

    def _settle_all(self, recorder: EventRecorder) -> None:
        """Settle every face and let it go: crops are most of a run's memory, and its caller may keep the run."""
        while self._channels:
            _, channel = self._channels.popitem()
            self._settle(self._end(channel), recorder)

    def _end(self, channel: FaceChannel) -> Iterator[SettledEvent | RejectedMovement]:
        """What a face that is gone still settles; its conditions are kept, the face is not."""
        conditions = channel.conditions()
        if conditions is not None:
            kept = sorted((*self._past_conditions, conditions), key=lambda one: -one.seen_s)
            self._past_conditions = kept[:PAST_FACES]
        return channel.flush()

    def _settle(self, results: Iterator[SettledEvent | RejectedMovement], recorder: EventRecorder) -> None:
        for result in results:
            if isinstance(result, RejectedMovement):
                self._sink.add_rejected(result)
            else:
                recorder.submit(result)
