"""Scenes filmed and carried through tracking and alignment, for the tests of what follows."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, UInt8

from realtime.clock import to_nanoseconds, to_seconds
from realtime.faces.alignment import FaceAligner
from realtime.faces.landmarks import REGIONS
from realtime.faces.observation import CANTHUS_DISTANCE, AlignedFace
from realtime.faces.tracker import FaceTracker
from realtime.frames import Frame
from realtime.spotting.motion import MotionExtractor, MotionParameters
from realtime.spotting.sample import MotionSample
from tests.synthetic_faces import still_scene
from trainers.datasets.synthetic_rendering import Scene, frame_times_ns
from trainers.datasets.synthetic_scenes import Movement

Image = UInt8[np.ndarray, "H W 3"]


def frame_of(image: Image, index: int = 0, time_s: float = 0.0) -> Frame:
    """A frame at a time."""
    time_ns = to_nanoseconds(time_s)
    return Frame(index=index, time_ns=time_ns, captured_ns=time_ns, image=image)


def close_up(*movements: Movement, **parameters: float) -> Scene:
    """A face that fills a small picture: as much to read as in a large one, and quicker to film."""
    return still_scene(*movements, **{"width": 320, "height": 288, **parameters})  # type: ignore[arg-type]  # numbers only


def aligned_faces(
    scene: Scene, frame_rate_hz: float = 50.0, change: Callable[[Image, float], Image] | None = None
) -> list[AlignedFace]:
    """The face of every frame of a scene, filmed at a rate.

    Args:
        scene: what to film.
        frame_rate_hz: frames a second.
        change: alters a picture after it is filmed, given its time in seconds.
    """
    faces = []
    aligner = FaceAligner()
    with FaceTracker() as tracker:
        for index, time_ns in enumerate(frame_times_ns(scene.parameters.duration_s, frame_rate_hz)):
            time_s = to_seconds(time_ns)
            image = scene.frame(time_s)
            frame = frame_of(image if change is None else change(image, time_s), index, time_s)
            faces += [aligner.push(frame, seen) for seen in tracker.push(frame)]
    return faces


def movement_of(faces: list[AlignedFace], parameters: MotionParameters | None = None) -> list[MotionSample]:
    """The movement that one extractor measures."""
    extractor = MotionExtractor(parameters)
    return [extractor.push(face) for face in faces]


def displacements_of(samples: list[MotionSample]) -> Float32[np.ndarray, "T regions 2"]:
    """Displacements of all samples."""
    return np.stack([sample.displacement for sample in samples])


def true_displacement(scene: Scene, movement: Movement) -> Float32[np.ndarray, "regions 2"]:
    """What each region does at the apex of a movement, mean over its patches, canthus-normalised pixels."""
    field = scene._field(movement.activations, movement.amplitude_px)
    left, top, _, _ = scene._patch
    rows = []
    for region in REGIONS:
        places = np.array([scene.landmarks[list(patch)].mean(axis=0) for patch in region.patches])
        x, y = np.rint(places - (left, top)).astype(int).T
        rows.append(field[y, x].mean(axis=0))
    return np.asarray(np.stack(rows) * CANTHUS_DISTANCE / scene.parameters.canthus_px, np.float32)
