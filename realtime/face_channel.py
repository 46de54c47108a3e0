"""One face from its landmarks to its settled movements: alignment, movement, spotting and the crops they name."""

from collections.abc import Iterator
from dataclasses import dataclass

from realtime.clock import to_nanoseconds
from realtime.conditions import Conditions
from realtime.conditions_meter import ConditionsMeter, Span
from realtime.events import ExpressionEvent, RejectedMovement
from realtime.face_memory import FaceMemory
from realtime.faces.alignment import AlignmentParameters, FaceAligner
from realtime.faces.observation import AlignedFace, FaceObservation
from realtime.frames import Frame
from realtime.spotting.baseline import read_rest
from realtime.spotting.motion import MotionExtractor, MotionParameters
from realtime.spotting.sample import MotionSample
from realtime.spotting.spotter import Spotter, SpottingParameters
from realtime.telemetry import Telemetry
from realtime.watcher import SeenFace

CLIP_MARGIN_S = 0.2
"""Seconds shown before the onset and after the offset."""
CLIP_INTERVAL_S = 1 / 61
"""Crops of a clip are at least this far apart: 60 a second are kept of a 200 Hz recording."""
MEMORY_LIMIT_BYTES = 384 * 2**20
"""Most memory that the crops of one face may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCrops:
    """The aligned crops that an event names, and those of its clip."""

    onset: AlignedFace
    apex: AlignedFace
    offset: AlignedFace
    clip: list[AlignedFace]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledEvent:
    """A spotted event with the crops that recognition reads."""

    event: ExpressionEvent
    crops: EventCrops


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceReading:
    """What one frame said of one face: a row of `signals.parquet`."""

    sample: MotionSample
    strength: float
    threshold: float


class FaceChannel:
    """The stages of one face, in the order of the data; no thread, no clock but the telemetry's.

    Args:
        face_id: the tracker's number of the face.
        alignment: parameters of the aligner.
        motion: parameters of the movement extractor.
        spotting: parameters of the spotter.
        telemetry: where the time of each stage is counted.
    """

    def __init__(
        self,
        face_id: int,
        alignment: AlignmentParameters,
        motion: MotionParameters,
        spotting: SpottingParameters,
        telemetry: Telemetry,
    ) -> None:
        self.face_id = face_id
        self.last_seen_ns = 0
        self._aligner = FaceAligner(alignment)
        self._motion = MotionExtractor(motion)
        self._spotter = Spotter(spotting)
        self._conditions = ConditionsMeter(face_id)
        self._telemetry = telemetry
        # The longest expression, its settling, the margin before it, and a frame or two of a slow camera.
        span_s = spotting.macro_longest_s + self._spotter.latency_s + CLIP_MARGIN_S + 0.2
        self._memory = FaceMemory(span_s, MEMORY_LIMIT_BYTES)
        self.reading: FaceReading | None = None
        """Of the last frame pushed."""

    def push(self, frame: Frame, observation: FaceObservation) -> Iterator[SettledEvent | RejectedMovement]:
        """Take the face of the next frame."""
        timed = self._telemetry.timed
        with timed("align"):
            aligned = self._aligner.push(frame, observation)
            self._memory.keep(aligned)
        with timed("movement"):
            sample = self._motion.push(aligned)
        with timed("spot"):
            settled = list(self._spotter.push(sample))
        with timed("conditions"):
            self._conditions.push(observation, sample, self._spotter)
        self.last_seen_ns = frame.time_ns
        self.reading = FaceReading(sample=sample, strength=self._spotter.strength, threshold=self._spotter.threshold)
        yield from map(self._with_crops, settled)

    def seen(self, observation: FaceObservation) -> SeenFace | None:
        """What there is to show of the last frame pushed; None before the first.

        Args:
            observation: of that frame.
        """
        if self.reading is None:
            return None
        reading = self.reading
        rest_px, limits_px = read_rest(self._spotter)
        return SeenFace(
            observation=observation,
            sample=reading.sample,
            rest_px=rest_px,
            limits_px=limits_px,
            strength=reading.strength,
            threshold=reading.threshold,
        )

    def conditions(self, span: Span = "whole") -> Conditions | None:
        """How well the face can be watched, over its whole time or its last seconds; None before its second frame."""
        return self._conditions.conditions(self._spotter, span)

    def flush(self) -> Iterator[SettledEvent | RejectedMovement]:
        """Settle what is still open: the face or the stream has ended."""
        yield from map(self._with_crops, self._spotter.flush())

    def _with_crops(self, settled: ExpressionEvent | RejectedMovement) -> SettledEvent | RejectedMovement:
        if isinstance(settled, RejectedMovement):
            return settled
        margin_ns, interval_ns = to_nanoseconds(CLIP_MARGIN_S), to_nanoseconds(CLIP_INTERVAL_S)
        onset, apex, offset = map(self._memory.nearest, (settled.onset_ns, settled.apex_ns, settled.offset_ns))
        clip = self._memory.between(settled.onset_ns - margin_ns, settled.offset_ns + margin_ns, interval_ns)
        # The three frames that the event names are shown themselves, not neighbours that the thinning kept.
        shown = {face.index: face for face in (*clip, onset, apex, offset)}
        crops = EventCrops(onset=onset, apex=apex, offset=offset, clip=[shown[index] for index in sorted(shown)])
        return SettledEvent(event=settled, crops=crops)
