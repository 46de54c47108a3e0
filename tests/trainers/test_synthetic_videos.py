"""Synthetic videos: what the truth says is what the pictures show."""

from dataclasses import replace

import cv2
import mediapipe
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import UInt8

from tests.synthetic_faces import movement, small_scene, still_scene
from trainers.datasets.action_units import COMBINATIONS
from trainers.datasets.synthetic_face import (
    LOWER_LIDS,
    PORTRAITS,
    SHIPPED_FACES,
    UPPER_LIDS,
    shipped_face,
)
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_scenes import VISIBLE_SHARE, Blink, SceneParameters, Wander, plan_script
from trainers.datasets.synthetic_videos import (
    PRESETS,
)


def gray(image: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W"]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


# The movement itself


@settings(max_examples=30, deadline=None)
@given(
    rise_s=st.floats(0.03, 1.0),
    hold_s=st.floats(0.0, 1.0),
    fall_s=st.floats(0.03, 1.0),
    start_s=st.floats(0.0, 5.0),
)
def test_onset_apex_and_offset_are_where_the_docstring_says(
    rise_s: float, hold_s: float, fall_s: float, start_s: float
) -> None:
    made = movement(start_s=start_s, rise_s=rise_s, hold_s=hold_s, fall_s=fall_s)
    assert made.start_s < made.onset_s < made.apex_s < made.offset_s < made.end_s
    assert made.strength(made.onset_s) == pytest.approx(VISIBLE_SHARE)
    assert made.strength(made.offset_s) == pytest.approx(VISIBLE_SHARE)
    times = np.linspace(start_s - 0.1, made.end_s + 0.1, 100)
    course = np.array([made.strength(float(time)) for time in times])
    assert made.strength(made.apex_s) == pytest.approx(1.0)
    assert 0.0 <= course.min() <= course.max() <= 1.0
    outside = (times <= made.start_s) | (times >= made.end_s)
    assert not course[outside].any()
    assert np.all(np.diff(course[times < made.apex_s]) >= -1e-9)
    assert np.all(np.diff(course[times > made.apex_s]) <= 1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), macro_share=st.sampled_from([0.0, 0.3, 1.0]))
def test_a_script_keeps_the_ranges_it_was_given(seed: int, macro_share: float) -> None:
    parameters = SceneParameters(duration_s=40.0, macro_share=macro_share, blinks_per_minute=20.0)
    script = plan_script(parameters, seed)
    assert len(script.movements) >= 6
    combinations = {(combination.label, combination.action_units) for combination in COMBINATIONS}
    end_s = 0.0
    for made in script.movements:
        shortest_s, longest_s = parameters.micro_duration_s if made.kind == "micro" else parameters.macro_duration_s
        assert shortest_s - 1e-9 <= made.offset_s - made.onset_s <= longest_s + 1e-9
        assert (made.label, made.action_units) in combinations
        assert made.start_s >= end_s + (parameters.gap_s[0] if end_s else parameters.lead_in_s) - 1e-9
        end_s = made.end_s
        assert not any(blink.start_s < made.end_s and blink.end_s > made.start_s for blink in script.blinks)
    assert end_s < parameters.duration_s
    if macro_share in (0.0, 1.0):
        assert {made.kind for made in script.movements} == {"macro" if macro_share else "micro"}
    labels = [made.label for made in script.movements[:6]]
    assert sorted(labels) == sorted(["negative", "positive", "surprise"] * 2)


def test_switching_the_head_on_leaves_the_expressions_where_they_were() -> None:
    calm = plan_script(SceneParameters(), 3)
    assert calm.movements == plan_script(PRESETS["moving"], 3).movements
    assert calm.movements != plan_script(SceneParameters(), 4).movements


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), size=st.floats(0.1, 10.0))
def test_the_drift_has_the_size_and_the_slowness_asked_for(seed: int, size: float) -> None:
    wander = Wander.random(size, 0.5, np.random.default_rng(seed))
    times = np.arange(0.0, 400.0, 0.25)
    values = np.array([wander.at(float(time)) for time in times])
    assert np.sqrt(np.mean(values**2)) == pytest.approx(size, rel=0.1)
    spectrum = np.abs(np.fft.rfft(values * np.hanning(values.size))) ** 2
    fast = np.fft.rfftfreq(values.size, 0.25) > 0.52
    assert spectrum[fast].sum() < 1e-3 * spectrum.sum()


def test_lids_close_fully_and_open_again() -> None:
    blink = Blink(start_s=1.0)
    closure = [blink.closure(time) for time in np.linspace(0.9, 1.4, 200)]
    assert max(closure) == 1.0
    assert closure[0] == closure[-1] == 0.0
    assert 0.15 <= blink.end_s - blink.start_s <= 0.3


# The picture


@pytest.mark.parametrize("identity", [0, 1, 3])
@pytest.mark.parametrize("units", [(1, 2), (6, 12), (4, 7)])
def test_flow_from_onset_to_apex_has_the_amplitude_of_the_truth(identity: int, units: tuple[int, ...]) -> None:
    made = movement(units, amplitude_px=2.5)
    scene = still_scene(made, identity=identity)
    still, apex = gray(scene.frame(0.0)), gray(scene.frame(made.apex_s))
    true, (left, top) = scene.skin_movement(made.apex_s)
    rows, columns = true.shape[:2]
    # OpenCV's type stubs leave its contributed modules out
    flow = cv2.optflow.DualTVL1OpticalFlow_create().calc(  # type: ignore[attr-defined]
        still[top : top + rows, left : left + columns], apex[top : top + rows, left : left + columns], None
    )
    length = np.hypot(true[..., 0], true[..., 1])
    assert length.max() == pytest.approx(2.5 * scene.parameters.canthus_px / 64.0, rel=1e-3)
    core = length > 0.7 * length.max()
    measured = float((flow[core] * true[core]).sum() / (true[core] ** 2).sum())
    assert measured == pytest.approx(1.0, abs=0.15)  # TV-L1 smooths small patches, the lids' most of all


def test_only_the_moving_part_of_the_face_changes() -> None:
    made = movement((12,))
    scene = still_scene(made)
    difference = np.abs(scene.frame(0.0).astype(int) - scene.frame(made.apex_s)).max(axis=2)
    mouth, brow = scene.landmarks[[61, 291]].mean(axis=0), scene.landmarks[[105, 334]].mean(axis=0)
    assert difference[int(mouth[1]) - 15 : int(mouth[1]) + 15, 250:390].max() > 15
    assert difference[: int(brow[1])].max() <= 1
    assert np.array_equal(scene.frame(0.0), scene.frame(made.end_s))


def test_a_lopsided_expression_moves_the_side_that_it_names() -> None:
    both = movement((12,))
    left = replace(both, activations=(replace(both.activations[0], right=0.0),))
    scene = still_scene(left)
    field, (column, _) = scene.skin_movement(left.apex_s)
    middle = int(scene.landmarks[[33, 263], 0].mean()) - column
    # the subject's left is the image's right, and the corner of the mouth goes outwards and up
    assert np.abs(field[:, middle + 20 :]).max() > 10 * np.abs(field[:, : middle - 20]).max()
    row, place = np.unravel_index(np.hypot(*np.moveaxis(field, -1, 0)).argmax(), field.shape[:2])
    assert field[row, place, 0] > 0 > field[row, place, 1]


def tracked(scene: Scene, time_s: float, points: list[int]) -> np.ndarray:
    """Where points of the face at rest are at a time, by Lucas–Kanade on the pictures."""
    rest, now = gray(still_scene().frame(0.0)), gray(scene.frame(time_s))
    start = scene.landmarks[points].reshape(-1, 1, 2)
    found, status, _ = cv2.calcOpticalFlowPyrLK(rest, now, start, start.copy(), winSize=(25, 25))
    assert np.asarray(status).all()
    return np.asarray(found).reshape(-1, 2)


def test_the_face_moves_as_the_head_does() -> None:
    scene = still_scene(duration_s=6.0, head_shift_px=4.0, head_roll_deg=2.0, head_scale=0.02)
    points = [33, 133, 362, 263, 1, 61, 291, 152, 105, 334]
    rest = scene.landmarks[points]
    centre = scene.landmarks[[33, 133, 362, 263]].mean(axis=0)
    for time_s in (0.0, 1.3, 3.1):
        measured, _ = cv2.estimateAffinePartial2D(rest - centre, tracked(scene, time_s, points) - centre)
        right, down, roll, growth, _, _ = scene.pose(time_s)
        assert measured[:, 2] == pytest.approx([right, down], abs=0.3)
        assert np.arctan2(measured[1, 0], measured[0, 0]) == pytest.approx(roll, abs=0.005)
        assert np.hypot(measured[0, 0], measured[1, 0]) == pytest.approx(1.0 + growth, abs=0.005)


def test_a_turning_head_moves_the_nose_further_than_the_ears() -> None:
    scene = still_scene(duration_s=6.0, head_turn_deg=4.0)
    yaws = [scene.pose(time)[4] for time in np.arange(0.0, 6.0, 0.1)]
    time_s = 0.1 * int(np.argmax(np.abs(yaws)))
    moved = tracked(scene, time_s, [1, 33, 263]) - scene.landmarks[[1, 33, 263]]
    assert np.sign(moved[0, 0]) == np.sign(scene.pose(time_s)[4])
    assert abs(moved[0, 0]) > 1.3 * abs(moved[1:, 0].mean())


def test_the_same_time_gives_the_same_picture_and_another_time_other_noise() -> None:
    scene = still_scene(noise_sd=2.0)
    assert np.array_equal(scene.frame(0.25), Scene.plan(scene.parameters, 1, ()).frame(0.25))
    difference = scene.frame(0.25).astype(float) - scene.frame(0.26)
    assert difference.std() == pytest.approx(2.0 * np.sqrt(2.0), rel=0.1)


def test_noise_grows_with_the_light_and_the_dark_room_is_dark() -> None:
    scene = still_scene(shot_noise=0.05)
    mean = still_scene().frame(0.0).astype(float)
    noise = scene.frame(0.1) - mean
    for low, high in ((30, 60), (120, 150)):
        region = (mean > low) & (mean < high)
        assert noise[region].std() == pytest.approx(np.sqrt(0.05 * mean[region].mean()), rel=0.1)
    dark = still_scene(brightness=0.25).frame(0.0)
    assert dark.mean() == pytest.approx(0.25 * mean.mean(), rel=0.05)


def test_the_lamp_flickers_at_its_frequency_and_not_with_the_frame_rate() -> None:
    scene = small_scene(flicker=0.05, duration_s=2.0)
    times = np.arange(200) / 240.0
    gains = np.array([scene.gain(float(time)) for time in times])
    assert gains.max() - gains.min() == pytest.approx(0.1, rel=0.05)
    brightness = [scene.frame(float(time)).mean() for time in times[:12]]
    assert np.corrcoef(brightness, gains[:12])[0, 1] > 0.99


def test_facemesh_finds_every_shipped_face_where_the_scene_says() -> None:
    assert {shipped_face(identity).name for identity in range(SHIPPED_FACES)} >= set(PORTRAITS)
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True) as mesh:
        for identity in range(SHIPPED_FACES):
            scene = still_scene(identity=identity)
            found = mesh.process(scene.frame(0.0)).multi_face_landmarks
            points = np.array([(point.x * 640, point.y * 480) for point in found[0].landmark])
            error = np.sqrt(((points - scene.landmarks) ** 2).sum(axis=1).mean())
            assert error < 0.08 * scene.parameters.canthus_px, identity


def test_faces_differ() -> None:
    pictures = [
        small_scene(identity=identity, canthus_px=28.0).frame(0.0).astype(float) for identity in range(SHIPPED_FACES)
    ]
    for first in range(SHIPPED_FACES):
        for second in range(first):
            assert np.abs(pictures[first] - pictures[second]).mean() > 3.0, (first, second)


def test_facemesh_sees_the_lids_close() -> None:
    scene = still_scene(identity=1, blinks_per_minute=30.0, duration_s=5.0)
    blink = scene.script.blinks[0]
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True) as mesh:
        openings = []
        for time_s in (blink.start_s, blink.start_s + blink.close_s + blink.shut_s / 2, blink.end_s):
            point = mesh.process(scene.frame(time_s)).multi_face_landmarks[0].landmark
            points = np.array([(place.x * 640, place.y * 480) for place in point])
            gaps = [
                np.linalg.norm(points[upper[4]] - points[lower[4]])
                / np.linalg.norm(points[upper[0]] - points[upper[-1]])
                for upper, lower in zip(UPPER_LIDS, LOWER_LIDS, strict=True)
            ]
            openings.append(float(np.mean(gaps)))
    assert openings[1] < 0.85 * min(openings[0], openings[2])
