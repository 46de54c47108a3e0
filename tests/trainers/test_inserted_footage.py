"""Movements inserted into footage: what the truth says is what the pictures show, and nothing else changes."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import BadInput
from realtime.sources import ScriptedSource, VideoFile
from tests.synthetic_faces import movement, still_scene
from trainers.datasets.inserted_course import FaceCourse, follow_face
from trainers.datasets.inserted_footage import InsertedFootage, displacement_field, insert
from trainers.datasets.inserted_movement import BROW_UNITS, InsertionParameters, plan_insertions
from trainers.datasets.inserted_videos import inserted_records, write_inserted
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_scenes import VISIBLE_SHARE
from trainers.datasets.synthetic_videos import Filming

FRAME_NS = 40_000_000


def course_of(scene: Scene, frames: int, *, absent: slice = slice(0, 0), yaw_deg: float = 0.0) -> FaceCourse:
    """The face at rest in every frame, but for some without a face."""
    landmarks = np.repeat(scene.landmarks[None], frames, axis=0)
    yaws = np.full(frames, yaw_deg)
    landmarks[absent], yaws[absent] = np.nan, np.nan
    return FaceCourse(times_ns=np.arange(frames, dtype=np.int64) * FRAME_NS, landmarks=landmarks, yaw_deg=yaws)


def film_of(scene: Scene, frames: int) -> ScriptedSource:
    return ScriptedSource(
        [(number * FRAME_NS, scene.frame(number * FRAME_NS / 1e9)) for number in range(frames)], frame_rate_hz=25.0
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), first=st.integers(0, 400), brows=st.booleans())
def test_a_plan_keeps_its_ranges_and_leaves_out_where_the_face_is_absent(seed: int, first: int, brows: bool) -> None:
    course = course_of(still_scene(), 500, absent=slice(first, first + 60))
    parameters = InsertionParameters(action_units=BROW_UNITS) if brows else InsertionParameters()
    planned = plan_insertions(course, parameters, seed=seed)
    assert (
        planned == plan_insertions(course, parameters, seed=seed) != plan_insertions(course, parameters, seed=seed + 1)
    )
    assert len(planned) >= 4
    end_s = 0.0
    gone_s = (first * FRAME_NS / 1e9, (first + 59) * FRAME_NS / 1e9)
    for made in planned:
        assert 0.12 - 1e-9 <= made.offset_s - made.onset_s <= 0.48 + 1e-9
        assert 0.8 <= made.amplitude_px <= 3.0
        assert made.start_s - end_s >= (1.2 if end_s else 1.0) - 1e-9
        assert made.end_s < gone_s[0] or made.start_s > gone_s[1]
        assert made.action_units in parameters.action_units
        assert abs((made.apex_s - made.start_s) / (made.end_s - made.start_s) - 0.5) > 0.03
        end_s = made.end_s
    assert end_s <= 499 * FRAME_NS / 1e9


def test_nothing_is_inserted_into_a_head_that_is_turned_away() -> None:
    assert plan_insertions(course_of(still_scene(), 300, yaw_deg=40.0)) == ()


def test_unknown_action_units_are_refused() -> None:
    with pytest.raises(BadInput, match="label"):
        plan_insertions(course_of(still_scene(), 100), InsertionParameters(action_units=((99,),)))


@pytest.mark.parametrize("units", [(1, 2), (4,), (12,)])
def test_the_field_is_as_large_as_the_truth_says_wherever_the_face_is_turned(units: tuple[int, ...]) -> None:
    scene, made = still_scene(), movement(units, amplitude_px=2.0)
    for angle in (0.0, 0.4):
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        middle = scene.landmarks.mean(axis=0)
        turned = ((scene.landmarks - middle) @ turn + middle).astype(np.float32)
        field, _ = displacement_field((480, 640), turned, [made], [1.0])
        assert np.hypot(*np.moveaxis(field, -1, 0)).max() == pytest.approx(2.0 * 48.0 / 64.0, rel=0.01)
        half, _ = displacement_field((480, 640), turned, [made], [0.5])
        np.testing.assert_allclose(half, field / 2, atol=1e-6)
        if units == (1, 2):
            row, column = np.unravel_index(np.hypot(*np.moveaxis(field, -1, 0)).argmax(), field.shape[:2])
            upwards = np.array([0.0, -1.0]) @ turn
            assert field[row, column] @ upwards == pytest.approx(1.5, rel=0.05)


def test_the_inserted_movement_can_be_measured_and_has_its_amplitude() -> None:
    scene, made = still_scene(), movement((1, 2), amplitude_px=2.5)
    still = scene.frame(0.0)
    warped = insert(still, scene.landmarks, [made], [1.0])
    field, (left, top) = displacement_field((480, 640), scene.landmarks, [made], [1.0])
    patch = np.s_[top : top + field.shape[0], left : left + field.shape[1]]
    before, after = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[patch] for image in (still, warped))
    # OpenCV's type stubs leave its contributed modules out
    flow = cv2.optflow.DualTVL1OpticalFlow_create().calc(before, after, None)  # type: ignore[attr-defined]
    length = np.hypot(field[..., 0], field[..., 1])
    core = length > 0.7 * length.max()
    assert (flow[core] * field[core]).sum() / (field[core] ** 2).sum() == pytest.approx(1.0, abs=0.15)
    assert np.array_equal(insert(still, scene.landmarks, [made], [0.0]), still)
    chin = int(scene.landmarks[152, 1])
    assert np.array_equal(warped[chin:], still[chin:])


def test_frames_without_a_movement_are_the_recordings_own() -> None:
    scene = still_scene(noise_sd=1.0)
    made = movement((4,), start_s=0.2)
    absent = replace(movement((4,), start_s=1.0), rise_s=0.1, fall_s=0.1)
    course = course_of(scene, 35, absent=slice(25, 35))
    source = film_of(scene, 35)
    with source:
        originals = [frame.image for frame in source]
    with InsertedFootage(source, course, (made, absent)) as footage:
        frames = list(footage)
    assert [frame.index for frame in frames] == list(range(35))
    for frame, original in zip(frames, originals, strict=True):
        time_s = frame.time_ns / 1e9
        strength = made.strength(time_s)
        assert (frame.image is original) == (strength == 0.0)
        if strength > VISIBLE_SHARE:
            assert np.abs(frame.image.astype(int) - original).max() > 5


def test_following_a_face_does_not_tremble_or_lag() -> None:
    scene = still_scene(duration_s=2.4, head_shift_px=6.0, head_highest_hz=1.0, noise_sd=2.0)
    course = follow_face(film_of(scene, 60))
    assert np.isfinite(course.yaw_deg).all()
    assert course.duration_s == pytest.approx(59 * 0.04)
    corners = course.landmarks[:, [33, 133, 362, 263]].mean(axis=1)
    true = np.array([scene.pose(time_ns / 1e9)[:2] for time_ns in course.times_ns])
    error = (corners - true) - (corners - true).mean(axis=0)
    assert np.sqrt((error**2).sum(axis=1).mean()) < 0.6
    trembling = np.diff(error, n=2, axis=0)
    assert np.sqrt((trembling**2).sum(axis=1).mean()) < 0.15


@pytest.mark.parametrize("filming", [None, Filming(frame_rate_hz=25.0, bit_rate_mbps=1.0)])
def test_a_written_file_holds_the_warped_frames_and_their_truth(tmp_path: Path, filming: Filming | None) -> None:
    scene = still_scene()
    footage = InsertedFootage(film_of(scene, 30), course_of(scene, 30), (movement((1, 2), start_s=0.2),))
    records = write_inserted(footage, tmp_path / "out.mp4", filming)
    with footage:
        wanted = list(footage)
    with VideoFile(tmp_path / "out.mp4") as video:
        written = list(video)
    assert [frame.time_ns for frame in written] == [frame.time_ns for frame in wanted]
    worst = max(int(np.abs(a.image.astype(int) - b.image).max()) for a, b in zip(written, wanted, strict=True))
    assert (worst == 0) == (filming is None)
    [record] = records
    assert record["video"] == "out.mp4"
    assert record["action_units"] == [1, 2]
    assert record["amplitude_px"] == 2.0
    assert record["onset_s"] <= record["onset_index"] * 0.04 < record["onset_s"] + 0.04
    assert inserted_records(footage, [frame.time_ns for frame in wanted], "out.mp4") == records
