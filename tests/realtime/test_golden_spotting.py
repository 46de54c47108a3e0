"""Golden films: short synthesised videos with one known expression, through the whole way of the live system.

Every film shows a brow raise (action units 1 and 2, surprise), 2.2 px high, that leaves rest at 1.00 s, peaks at
1.19 s and is back at 1.42 s; visible (10 % of the peak) from 1.04 s to 1.38 s. Face 0 of the synthesiser, 360×360,
inner canthi 44 px apart, H.264.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from demo.benchmarks.spotting import movement_of, spot
from realtime.clock import to_seconds
from realtime.events import ExpressionEvent, RejectedMovement, intersection_over_union
from realtime.faces.alignment import FaceAligner
from realtime.faces.tracker import FaceTracker
from realtime.frames import Frame
from realtime.spotting.motion import MotionExtractor
from realtime.spotting.sample import MotionSample
from trainers.datasets.action_units import ActionUnitActivation
from trainers.datasets.synthetic_rendering import Scene, frame_times_ns
from trainers.datasets.synthetic_scenes import Movement, SceneParameters
from trainers.datasets.synthetic_videos import Filming, write_video

BASIC = SceneParameters(
    duration_s=2.2, width=360, height=360, canthus_px=44.0, identity=0, noise_sd=1.0, head_shift_px=1.0
)


def brow_raise(start_s: float = 1.0) -> Movement:
    return Movement(
        label="surprise",
        kind="micro",
        activations=tuple(ActionUnitActivation(unit=unit, left=1.0, right=0.9) for unit in (1, 2)),
        amplitude_px=2.2,
        start_s=start_s,
        rise_s=0.18,
        hold_s=0.02,
        fall_s=0.22,
    )


@dataclass(frozen=True)
class Spotted:
    """What came of one film."""

    events: list[ExpressionEvent]
    rejected: list[RejectedMovement]

    @property
    def event(self) -> ExpressionEvent:
        (event,) = self.events
        return event


def filmed(
    folder: Path, parameters: SceneParameters = BASIC, filming: Filming | None = None, *, start_s: float = 1.0
) -> Spotted:
    scene = Scene.plan(parameters, seed=7, movements=(brow_raise(start_s),))
    path = folder / "golden.mp4"
    write_video(scene, path, filming)
    return Spotted(*spot(movement_of(path)))


def check(event: ExpressionEvent, *, tolerance_s: float, iou: float = 0.7, margin: float = 1.5) -> None:
    """Hit the truth, and with room to spare."""
    truth = brow_raise()
    found = to_seconds(event.onset_ns), to_seconds(event.offset_ns)
    assert intersection_over_union(found, (truth.onset_s, truth.offset_s)) >= iou
    assert abs(to_seconds(event.apex_ns) - truth.apex_s) <= tolerance_s
    assert event.kind == "micro"
    assert event.strength > margin * event.threshold
    assert all(region.endswith(("brow", "upper lid")) for region in event.regions[:2])


@pytest.fixture(scope="module")
def by_rate(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Spotted]:
    """The same script filmed at four rates."""
    folder = tmp_path_factory.mktemp("golden")
    return {rate: filmed(folder, filming=Filming(frame_rate_hz=rate)) for rate in (30.0, 60.0, 100.0, 200.0)}


@pytest.mark.parametrize("rate_hz", [30.0, 60.0, 100.0, 200.0])
def test_found_at_any_frame_rate(by_rate: dict[float, Spotted], rate_hz: float) -> None:
    check(by_rate[rate_hz].event, tolerance_s=0.02 + 0.5 / rate_hz)


def test_any_two_frame_rates_agree_within_a_frame_of_the_slowest(by_rate: dict[float, Spotted]) -> None:
    moments = [
        np.array([spotted.event.onset_ns, spotted.event.apex_ns, spotted.event.offset_ns]) / 1e9
        for spotted in by_rate.values()
    ]
    for first, second in pairwise(moments):
        assert np.abs(first - second).max() <= 1 / 30 + 1e-3


def test_found_at_a_variable_frame_rate(tmp_path: Path) -> None:
    check(filmed(tmp_path, filming=Filming(frame_rate_hz=60.0, jitter=0.45)).event, tolerance_s=0.03)


def test_found_though_a_camera_drops_frames(tmp_path: Path) -> None:
    check(filmed(tmp_path, filming=Filming(frame_rate_hz=100.0, drop_probability=0.25)).event, tolerance_s=0.03)


def test_found_in_flickering_light(tmp_path: Path) -> None:
    lamp = replace(BASIC, flicker=0.04, light_drift=0.03)
    check(filmed(tmp_path, lamp, Filming(frame_rate_hz=60.0)).event, tolerance_s=0.03, margin=1.3)


def test_found_while_the_head_rolls_and_turns(tmp_path: Path) -> None:
    restless = replace(BASIC, head_shift_px=4.0, head_roll_deg=2.5, head_turn_deg=1.5, head_scale=0.01)
    check(filmed(tmp_path, restless, Filming(frame_rate_hz=60.0)).event, tolerance_s=0.03, iou=0.6, margin=1.3)


def test_nothing_on_a_noisy_face_at_rest(tmp_path: Path) -> None:
    quiet = replace(BASIC, noise_sd=3.0, duration_s=3.0)
    path = tmp_path / "rest.mp4"
    write_video(Scene.plan(quiet, seed=7, movements=()), path, Filming(frame_rate_hz=60.0))
    events, rejected = spot(movement_of(path))
    assert not events
    # Margin: nothing came even near.
    assert all(movement.strength < 0.8 * movement.threshold for movement in rejected)


def hidden_for_a_while(scene: Scene, hidden_s: tuple[float, float]) -> Iterator[MotionSample]:
    """The scene at 60 Hz, black between two moments."""
    aligner, extractor = FaceAligner(), MotionExtractor()
    with FaceTracker() as tracker:
        for index, time_ns in enumerate(frame_times_ns(scene.parameters.duration_s, 60.0)):
            picture = scene.frame(to_seconds(time_ns))
            if hidden_s[0] <= to_seconds(time_ns) < hidden_s[1]:
                picture = np.zeros_like(picture)
            frame = Frame(index=index, time_ns=time_ns, captured_ns=time_ns, image=picture)
            for observation in tracker.push(frame):
                yield extractor.push(aligner.push(frame, observation))


def test_a_face_lost_in_the_middle_voids_the_movement_and_the_next_is_found() -> None:
    longer = replace(BASIC, duration_s=3.4)
    scene = Scene.plan(longer, seed=7, movements=(brow_raise(0.9), brow_raise(2.4)))
    events, rejected = spot(hidden_for_a_while(scene, (1.05, 1.45)))
    assert len(events) == 1
    truth = brow_raise(2.4)
    found = to_seconds(events[0].onset_ns), to_seconds(events[0].offset_ns)
    assert intersection_over_union(found, (truth.onset_s, truth.offset_s)) >= 0.6
    assert any("in the middle of it" in movement.reason for movement in rejected)
