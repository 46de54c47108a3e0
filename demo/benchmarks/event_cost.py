"""What one event costs on the CPU, part by part, on the way that live events take: crops, flow, input, model."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from engines.checkpoint import Checkpoint
from engines.classification import classify
from engines.flow import Tvl1Parameters, tvl1
from engines.inputs import EventImages, feature_map
from engines.sessions.onnxruntime import OnnxRuntimeSession
from realtime.config import Settings
from realtime.faces.alignment import crop_similarity
from realtime.faces.observation import CROP_HEIGHT, CROP_WIDTH
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_scenes import SceneParameters

PARTS = {
    "head hold flow": "TV-L1 quick at half the working size, once or twice, to find the head's movement",
    "head hold fit": "resizing, the fit of the head's movement, moving the later image back, taking the rest off",
    "main flow": "TV-L1 with the session's parameters, 112 pixels wide and the mirrored margin",
    "strain": "optical strain of the flow",
    "input": "feature map: averaging down and stretching",
    "normalising": "mirroring, normalisation, softmax, mean",
    "model": "the checkpoint in ONNX Runtime, one thread",
}
TOTALS = {
    "total": "from crops to probabilities, by the clock",
    "processor time": "of all threads in that time: what the clock would show on cores that nobody else uses, or more",
}
HEADS = {"held still": 0.0, "moving": 2.0}
"""Drift of the head, root mean square, canthus-normalised pixels: half of the events each."""
SCENES, SCENE_S = 8, 60.0
"""Films that the events are taken from, and their length."""


@dataclass(frozen=True, kw_only=True)
class EventCrops:
    """Gray crops of one synthetic event, as the aligner would cut them at its onset."""

    head: str
    onset: UInt8[np.ndarray, "304 256"]
    apex: UInt8[np.ndarray, "304 256"]
    offset: UInt8[np.ndarray, "304 256"]


class TimedFlow:
    """The CPU flow engine with a stopwatch; keeps width and seconds of every call since `calls` was cleared."""

    name = "cpu"
    choice = "cpu: measured"

    def __init__(self) -> None:
        self.calls: list[tuple[int, float]] = []

    def __call__(
        self, previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
    ) -> Float32[np.ndarray, "..."]:
        """As `tvl1`."""
        started = time.perf_counter()
        flow: np.ndarray = tvl1(previous, following, parameters)
        self.calls.append((previous.shape[-1], time.perf_counter() - started))
        return flow


class TimedSession(OnnxRuntimeSession):
    """An ONNX Runtime session that keeps the seconds of its last run."""

    seconds = 0.0

    def run(self, tensor: Float32[np.ndarray, "..."]) -> Float32[np.ndarray, "N K"]:
        """As the session's."""
        started = time.perf_counter()
        result: np.ndarray = super().run(tensor)
        self.seconds = time.perf_counter() - started
        return result


def synthetic_events(amount: int) -> list[EventCrops]:
    """Events of all faces, labels and strengths; every other scene with a head that moves.

    Args:
        amount: how many.
    """
    found: list[EventCrops] = []
    seed = 0
    while len(found) < amount:
        # Few from each scene, so that a small number of events has both kinds of head too.
        few = min(amount - len(found), -(-amount // SCENES))
        found += islice(_events(seed, list(HEADS)[seed % len(HEADS)]), few)
        seed += 1
    return found


def _events(seed: int, head: str) -> Iterator[EventCrops]:
    shift = HEADS[head]
    scene = Scene.plan(
        SceneParameters(
            duration_s=SCENE_S, identity=seed, head_shift_px=shift, head_roll_deg=0.3 * shift, noise_sd=1.2
        ),
        seed=900 + seed,
    )
    # The crop stays where it was: what the aligner would follow of the head's movement is left in, to be held.
    to_crop = crop_similarity(scene.landmarks.astype(np.float64))

    def crop(time_s: float) -> UInt8[np.ndarray, "304 256"]:
        gray = cv2.cvtColor(scene.frame(time_s), cv2.COLOR_RGB2GRAY)
        return np.asarray(cv2.warpAffine(gray, to_crop, (CROP_WIDTH, CROP_HEIGHT)), np.uint8)

    for truth in scene.truths:
        yield EventCrops(head=head, onset=crop(truth.onset_s), apex=crop(truth.apex_s), offset=crop(truth.offset_s))


def event_costs(checkpoint: Checkpoint, events: Sequence[EventCrops]) -> list[dict[str, float]]:
    """Seconds of every part, and of `TOTALS`, of each event, one after another in this thread.

    Args:
        checkpoint: what classifies them.
        events: their crops.
    """
    engine, parameters = TimedFlow(), Settings().flow
    with TimedSession(checkpoint) as session:
        _cost(session, engine, events[0], parameters)  # loads kernels, fills caches
        return [_cost(session, engine, event, parameters) for event in events]


def _cost(session: TimedSession, engine: TimedFlow, event: EventCrops, parameters: Tvl1Parameters) -> dict[str, float]:
    card = session.checkpoint.card
    engine.calls.clear()
    spent = time.process_time()
    marks = [time.perf_counter()]
    images = EventImages(
        onset=event.onset,
        apex=event.apex,
        offset=event.offset,
        flow_parameters=parameters,
        flow_engine=engine,
    )
    _ = images.flow  # worked out when it is first asked for
    marks.append(time.perf_counter())
    _ = images.strain
    marks.append(time.perf_counter())
    features = feature_map(card.recipe, images, card.input_shape[1:])
    marks.append(time.perf_counter())
    classify(session, features[np.newaxis])
    marks.append(time.perf_counter())
    spent = time.process_time() - spent
    flow, strain, shaping, classifying = np.diff(marks).tolist()
    widest = max(width for width, _ in engine.calls)
    main = sum(seconds for width, seconds in engine.calls if width == widest)
    coarse = sum(seconds for width, seconds in engine.calls if width < widest)
    return {
        "head hold flow": coarse,
        "head hold fit": flow - main - coarse,
        "main flow": main,
        "strain": strain,
        "input": shaping,
        "normalising": classifying - session.seconds,
        "model": session.seconds,
        "total": marks[-1] - marks[0],
        "processor time": spent,
    }


def cost_rows(events: Sequence[EventCrops], costs: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Median and p95 of every part, milliseconds, over all events and by the head's movement.

    Args:
        events: which were measured.
        costs: as `event_costs` gives them.
    """
    groups = {"all": list(costs)}
    for head in HEADS:
        groups[head] = [cost for event, cost in zip(events, costs, strict=True) if event.head == head]
    return {
        name: {
            "events": len(group),
            "parts": {
                part: {
                    "median_ms": 1e3 * float(np.median([cost[part] for cost in group])),
                    "p95_ms": 1e3 * float(np.percentile([cost[part] for cost in group], 95)),
                }
                for part in (*PARTS, *TOTALS)
            },
        }
        for name, group in groups.items()
        if group
    }
