"""The way of the live system from a recording to its events, without threads and session folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from realtime.events import ExpressionEvent, RejectedMovement
from realtime.faces.alignment import FaceAligner
from realtime.faces.tracker import FaceTracker
from realtime.sources import Source, VideoFile
from realtime.spotting.motion import MotionExtractor
from realtime.spotting.sample import MotionSample
from realtime.spotting.spotter import Spotter, SpottingParameters


def movement_of(video: Path | Source) -> Iterator[MotionSample]:
    """Regional movement of every face in every frame of a video, or of any source that is not open yet."""
    chains: dict[int, tuple[FaceAligner, MotionExtractor]] = {}
    source = video if isinstance(video, Source) else VideoFile(video)
    with FaceTracker() as tracker, source:
        while (frame := source.read()) is not None:
            for observation in tracker.push(frame):
                if observation.face_id not in chains:
                    chains[observation.face_id] = FaceAligner(), MotionExtractor()
                aligner, extractor = chains[observation.face_id]
                yield extractor.push(aligner.push(frame, observation))


def spot(
    samples: Iterator[MotionSample] | Sequence[MotionSample], parameters: SpottingParameters | None = None
) -> tuple[list[ExpressionEvent], list[RejectedMovement]]:
    """Spot in the movement of one or more faces; events and rejected movements."""
    spotters: dict[int, Spotter] = {}
    settled: list[ExpressionEvent | RejectedMovement] = []
    for sample in samples:
        if sample.face_id not in spotters:
            spotters[sample.face_id] = Spotter(parameters)
        settled += spotters[sample.face_id].push(sample)
    for spotter in spotters.values():
        settled += spotter.flush()
    events = [one for one in settled if isinstance(one, ExpressionEvent)]
    return events, [one for one in settled if isinstance(one, RejectedMovement)]
