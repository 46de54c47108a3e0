"""Filmed faces: every disturbance lowers the figure, and a session says so on disk, in words and in its report."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from demo.run_display import follow
from realtime.conditions import Conditions
from realtime.conditions_meter import ConditionsMeter
from realtime.config import RecordingParameters, Settings
from realtime.faces.alignment import FaceAligner
from realtime.faces.landmarks import REGION_NAMES
from realtime.faces.tracker import FaceTracker
from realtime.session_run import SessionRun
from realtime.sources import open_source
from realtime.spotting.motion import MotionExtractor
from realtime.spotting.spotter import Spotter
from tests.realtime.filmed_faces import Image, close_up, frame_of
from tests.realtime.test_report import Page
from trainers.datasets.synthetic_rendering import Scene, frame_times_ns
from trainers.datasets.synthetic_scenes import SceneParameters
from trainers.datasets.synthetic_videos import Filming, write_video

DURATION_S = 2.4
RATE_HZ = 50.0


def watched(scene: Scene, rate_hz: float = RATE_HZ, change: Callable[[Image], Image] | None = None) -> Conditions:
    """The conditions of a face that was filmed."""
    aligner, motion, spotter, meter = FaceAligner(), MotionExtractor(), Spotter(), ConditionsMeter(1)
    with FaceTracker() as tracker:
        for index, time_ns in enumerate(frame_times_ns(scene.parameters.duration_s, rate_hz)):
            image = scene.frame(time_ns / 1e9)
            frame = frame_of(image if change is None else change(image), index, time_ns / 1e9)
            for observation in tracker.push(frame):
                sample = motion.push(aligner.push(frame, observation))
                list(spotter.push(sample))
                meter.push(observation, sample, spotter)
    conditions = meter.conditions(spotter)
    assert conditions is not None
    return conditions


@cache
def filmed(rate_hz: float = RATE_HZ, **parameters: float) -> Conditions:
    return watched(close_up(duration_s=DURATION_S, **{"noise_sd": 0.5, **parameters}), rate_hz)


@pytest.mark.parametrize(
    ("aspect", "steps"),
    [
        ("light", ({}, {"brightness": 0.35}, {"brightness": 0.15})),
        ("noise", ({}, {"noise_sd": 8.0}, {"noise_sd": 20.0})),
        ("distance", ({}, {"canthus_px": 30.0}, {"canthus_px": 18.0})),
        (
            "motion",
            (
                {},
                {"head_shift_px": 8.0, "head_turn_deg": 3.0, "head_highest_hz": 1.2},
                {"head_shift_px": 15.0, "head_turn_deg": 6.0, "head_highest_hz": 2.0},
            ),
        ),
        ("frame rate", ({}, {"rate_hz": 25.0}, {"rate_hz": 12.5})),
    ],
)
def test_each_disturbance_lowers_the_figure_and_its_aspect_step_by_step(
    aspect: str, steps: tuple[dict[str, float], ...]
) -> None:
    seen = [filmed(**parameters) for parameters in steps]
    qualities = [conditions.quality for conditions in seen]
    scores = [{one.name: one.score for one in conditions.aspects}[aspect] for conditions in seen]
    assert qualities[0] >= 80
    assert qualities[0] > qualities[1] > qualities[2]
    assert scores[0] > scores[1] > scores[2]
    assert qualities[2] < 75
    assert seen[2].advice


def test_flicker_lowers_the_figure_too() -> None:
    # Off the frame rate, so that it shows as bands of light from frame to frame.
    flickering = filmed(flicker=0.2, flicker_hz=88.0)
    assert flickering.quality <= filmed().quality - 5
    assert "unsteady" in flickering.advice[0]


def test_a_hand_over_the_mouth_makes_the_face_hard_to_read() -> None:
    scene = close_up(duration_s=DURATION_S, noise_sd=0.5)
    generator = np.random.default_rng(0)

    def with_hand(image: Image) -> Image:
        covered = image.copy()
        covered[170:, :] = generator.integers(60, 200, covered[170:, :].shape, np.uint8)
        return covered

    covered = watched(scene, change=with_hand)
    assert covered.measures.unreadable_share > 0.1
    assert covered.quality < filmed().quality


def test_a_session_says_its_conditions_on_disk_in_words_and_in_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / "film.mp4"
    parameters = SceneParameters(duration_s=4.0, width=320, height=288, brightness=0.3, expressions=False)
    write_video(Scene.plan(parameters, seed=5), film, Filming(frame_rate_hz=30.0))
    run = SessionRun(open_source(str(film)), tmp_path / "session", Settings(recording=RecordingParameters(media=False)))
    follow(run, quiet=False)
    assert run.conditions is not None
    said = json.loads((tmp_path / "session" / "session.json").read_text())["conditions"]
    assert (said["quality"], said["word"]) == (run.conditions.quality, run.conditions.word)
    assert said["quality"] < 75
    face = said["faces"][0]
    assert face["measures"]["frame_rate_hz"] == pytest.approx(30.0, abs=0.1)
    assert face["seen_s"] == pytest.approx(4.0, abs=0.1)
    assert 2.0 <= face["baseline"]["known_after_s"] <= 3.6
    assert all(face["baseline"]["regions"][name]["first"]["noise_px"] > 0 for name in REGION_NAMES)
    assert run.conditions.in_words() in capsys.readouterr().out
    page = Page((tmp_path / "session" / "report.html").read_text())
    assert "Conditions How well the face could be watched: 100" in page.text
    assert f"{said['quality']} of 100 {said['word'].capitalize()}" in page.text
    assert f"{said['smallest_movement_px']:.2f} px of a face" in page.text
    for words in said["advice"]:
        assert words in page.text
    assert len(page.all("details", **{"class": "baseline"})) == 1
