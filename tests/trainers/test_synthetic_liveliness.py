"""What a synthetic face does besides expressions: it talks, looks about, wears glasses; the camera's exposure jumps."""

import cv2
import mediapipe
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.synthetic_faces import movement, still_scene
from trainers.datasets.synthetic_glasses import glasses_layer
from trainers.datasets.synthetic_jumps import Jumps, never, plan_exposure, plan_gaze
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_scenes import SceneParameters, draw_movement, plan_script
from trainers.datasets.synthetic_speech import plan_speech
from trainers.datasets.synthetic_videos import PRESETS


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.2, 0.9))
def test_speech_takes_its_share_and_syllables_come_at_three_to_six_a_second(seed: int, share: float) -> None:
    speech = plan_speech(share, 240.0, np.random.default_rng(seed))
    times = np.arange(0.0, 240.0, 0.05)
    talking = np.array([speech.talking(float(time)) for time in times])
    assert talking.mean() == pytest.approx(share, abs=0.15)
    gaps = np.diff(speech.middle_s)
    within = gaps[gaps < 0.4]
    assert len(within) > 0.5 * len(gaps)
    assert within.min() >= 1.0 / 6.0 - 0.05
    assert 3.0 <= 1.0 / np.median(within) <= 6.0
    for time, talks in zip(times[::40], talking[::40], strict=True):
        assert (speech.at(float(time))[0] > 0.0) == talks


def test_without_speech_nothing_is_said() -> None:
    speech = plan_speech(0.0, 60.0, np.random.default_rng(1))
    assert speech.at(10.0) == (0.0, 0.0, 0.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_jumps_hold_their_levels_and_pass_quickly_between_them(seed: int) -> None:
    gaze = plan_gaze(60.0, 2.0, 60.0, np.random.default_rng(seed))
    assert 20 <= len(gaze.times_s) <= 110
    assert gaze.at(0.0).tolist() == [0.0, 0.0]
    assert np.diff(gaze.times_s).min() >= 0.2
    for number, time_s in enumerate(gaze.times_s):
        assert np.allclose(gaze.at(time_s - 1e-6), gaze.levels[number], atol=1e-3)
        assert np.allclose(gaze.at(time_s + gaze.way_s), gaze.levels[number + 1])
    assert not never(2).at(3.0).any()


def test_exposure_goes_there_and_back() -> None:
    exposure = plan_exposure(30.0, 0.1, 60.0, np.random.default_rng(3))
    levels = exposure.levels[:, 0]
    assert not levels[::2].any()
    assert np.all((np.abs(levels[1::2]) >= 0.06 - 1e-9) & (np.abs(levels[1::2]) <= 0.14 + 1e-9))
    scene = still_scene(duration_s=20.0, exposure_jumps_per_minute=30.0, exposure_jump=0.2)
    after_s = float(scene.script.exposure.times_s[0]) + 0.1
    before, after = (scene.frame(time_s)[100:300].astype(float) for time_s in (0.0, after_s))
    middling = (before > 40) & (before < 150)
    assert after[middling].mean() / before[middling].mean() == pytest.approx(scene.gain(after_s), abs=0.01)
    assert abs(scene.gain(after_s) - 1.0) > 0.1


def test_new_doings_leave_the_expressions_where_they_were() -> None:
    calm = plan_script(PRESETS["gentle"], 3)
    lively = ("speech", "saccades", "glasses", "exposure", "natural", "turning")
    assert all(plan_script(PRESETS[name], 3).movements == calm.movements for name in lively)


def test_an_apex_can_be_drawn_off_the_centre_on_either_side() -> None:
    parameters = SceneParameters(macro_share=0.0, rise_share=(0.28, 0.4), late_apex_probability=0.5)
    generator = np.random.default_rng(2)
    drawn = [draw_movement(parameters, "surprise", 0.0, generator) for _ in range(60)]
    places = np.array([(one.apex_s - one.onset_s) / (one.offset_s - one.onset_s) for one in drawn])
    assert 10 < (places < 0.45).sum() < 50
    assert 10 < (places > 0.55).sum() < 50


def talking_scene() -> tuple[Scene, float]:
    """A face that talks, and when its jaw is furthest down."""
    scene = still_scene(duration_s=8.0, seed=3, identity=1, speech_share=0.9, speech_nod_deg=0.0)
    times = np.arange(0.0, 8.0, 0.02)
    widest = int(np.argmax([scene.script.speech.at(float(time))[0] for time in times]))
    return scene, float(times[widest])


def test_a_syllable_moves_the_mouth_and_not_the_brows() -> None:
    scene, time_s = talking_scene()
    opening, _, _ = scene.script.speech.at(time_s)
    field, (left, top) = scene.skin_movement(time_s)
    down = field[..., 1]
    brows = int(scene.landmarks[[105, 334], 1].mean()) - top
    lip_x, lip_y = (scene.landmarks[17] - (left, top)).astype(int)
    assert down[lip_y, lip_x] > 0.4 * opening * scene.parameters.speech_px * 48.0 / 64.0
    assert np.abs(field[: brows + 3]).max() < 0.05
    difference = np.abs(scene.frame(time_s).astype(int) - scene.frame(0.0)).max(axis=2)
    assert difference[top + lip_y - 20 : top + lip_y + 20, left + lip_x - 30 : left + lip_x + 30].max() > 20


def test_facemesh_sees_the_chin_go_down() -> None:
    scene, time_s = talking_scene()
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True) as mesh:
        heights = []
        for moment_s in (0.0, time_s):
            point = mesh.process(scene.frame(moment_s)).multi_face_landmarks[0].landmark
            heights.append(480.0 * (point[152].y - point[168].y))
    assert heights[1] > heights[0] + 0.5


def test_a_nod_goes_with_stressed_syllables() -> None:
    scene = still_scene(duration_s=8.0, seed=3, speech_share=0.9, speech_nod_deg=2.0)
    nods = np.array([scene.script.speech.at(float(time))[2] for time in np.arange(0.0, 8.0, 0.05)])
    pitch = np.array([scene.pose(float(time))[5] for time in np.arange(0.0, 8.0, 0.05)])
    np.testing.assert_allclose(pitch, -nods * np.radians(2.0), atol=1e-12)
    assert nods.max() > 0.4


def test_a_glance_moves_the_pupils_and_nothing_round_the_eyes() -> None:
    scene = still_scene(duration_s=8.0, saccades_per_minute=60.0, gaze_px=3.0)
    time_s = float(scene.script.gaze.times_s[0]) + 0.1
    right, down = scene.script.gaze.at(time_s) * 48.0 / 64.0
    field, (left, top) = scene.skin_movement(time_s)
    size = np.hypot(*np.moveaxis(field, -1, 0))
    assert size.max() == pytest.approx(np.hypot(right, down), rel=1e-3)
    corners = (scene.landmarks[[33, 133, 362, 263]] - (left, top)).round().astype(int)
    assert all(size[y, x] < 0.3 * size.max() for x, y in corners)
    cheeks = (scene.landmarks[[50, 280, 105, 334, 61, 291]] - (left, top)).round().astype(int)
    assert all(size[y, x] == 0.0 for x, y in cheeks)


def test_glasses_go_with_the_head_and_not_with_the_skin() -> None:
    brows = movement((4,), amplitude_px=6.0)
    bare, worn = (still_scene(brows, identity=1, glasses=worn) for worn in (False, True))
    layer = glasses_layer(worn.landmarks, 640, 480, 2)
    frame = cv2.resize(layer[..., 3], (640, 480), interpolation=cv2.INTER_AREA) > 250
    assert frame.sum() > 100
    at_rest, at_apex = worn.frame(0.0), worn.frame(brows.apex_s)
    steady = np.abs(at_rest[frame].astype(int) - at_apex[frame]).max()
    skin = np.abs(bare.frame(0.0)[frame].astype(int) - bare.frame(brows.apex_s)[frame]).max()
    assert steady <= 6 < skin
    assert at_rest[frame].mean() < bare.frame(0.0)[frame].mean() - 40
    assert np.array_equal(at_rest[400:], bare.frame(0.0)[400:])


def test_glasses_are_as_noisy_and_as_dark_as_the_picture() -> None:
    scene = still_scene(identity=1, glasses=True)
    layer = glasses_layer(scene.landmarks, 640, 480, 2)
    frame = cv2.resize(layer[..., 3], (640, 480), interpolation=cv2.INTER_AREA) > 250
    noisy = still_scene(identity=1, glasses=True, noise_sd=3.0).frame(0.5)[frame].astype(float)
    assert (noisy - scene.frame(0.5)[frame]).std() == pytest.approx(3.0, rel=0.15)
    dark = still_scene(identity=1, glasses=True, brightness=0.4).frame(0.5)[frame]
    assert dark.mean() == pytest.approx(0.4 * scene.frame(0.5)[frame].mean(), abs=2.0)


def test_a_gaze_between_levels_is_between_them() -> None:
    jumps = Jumps(np.array([1.0]), np.array([[0.0], [2.0]]), 0.1)
    assert jumps.at(1.05) == pytest.approx([1.0])


def test_with_relief_the_nose_stands_out_and_the_brows_stand_before_the_corners_of_the_eyes() -> None:
    flat, relief = still_scene(identity=1), still_scene(identity=1, relief=True)
    unit = float(np.linalg.norm(np.diff(relief.portrait.eyes, axis=0))) * 48.0 / relief.portrait.canthus_px

    def depth(scene: Scene, point: int) -> float:
        x, y = scene.landmarks[point].round().astype(int)
        return float(scene.depth[y, x]) / unit

    assert 0.08 < depth(relief, 105) - depth(relief, 33) < 0.3
    assert depth(flat, 105) < depth(flat, 33)
    assert depth(relief, 4) - depth(relief, 33) > 0.45
    assert np.array_equal(flat.depth[:20], relief.depth[:20])
    other = still_scene(identity=3, relief=True)
    assert abs(depth(relief, 4) - depth(relief, 33) - (depth(other, 4) - depth(other, 33))) > 0.005
