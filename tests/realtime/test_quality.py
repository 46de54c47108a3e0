from dataclasses import replace

import numpy as np
import pytest

from realtime.faces import landmarks as named
from realtime.faces.observation import FaceQuality
from realtime.faces.quality import face_brightness, head_pose_deg, lid_opening, read_quality
from realtime.spotting.gates import Gates
from tests.synthetic_faces import still_scene

FACE = still_scene().landmarks
GRAY = np.full((480, 640, 3), 100, np.uint8)
LEVEL = FaceQuality(
    eye_opening=(0.3, 0.3),
    yaw_deg=0.0,
    pitch_deg=0.0,
    roll_deg=0.0,
    mouth_opening=0.0,
    brightness=120.0,
    width_px=50.0,
)


def test_lid_opening_is_lid_distance_over_eye_width() -> None:
    points = np.zeros((468, 2), np.float32)
    points[named.RIGHT_EYE_INNER] = (20, 0)
    for upper, lower in named.RIGHT_LIDS:
        points[upper], points[lower] = (10, -2), (10, 4)
    corners = (named.RIGHT_EYE_OUTER, named.RIGHT_EYE_INNER)
    assert lid_opening(points, named.RIGHT_LIDS, corners) == pytest.approx(0.3)


def test_the_eye_on_the_left_of_the_image_comes_first() -> None:
    points = FACE.copy()
    for upper, lower in named.RIGHT_LIDS:
        points[upper] = points[lower]
    quality = read_quality(points, np.zeros(468, np.float32), GRAY)
    assert quality.eye_opening[0] == pytest.approx(0.0)
    assert quality.eye_opening[1] > 0.15
    assert points[named.RIGHT_EYE_OUTER, 0] < points[named.LEFT_EYE_OUTER, 0]


@pytest.mark.parametrize(("yaw_deg", "pitch_deg"), [(12.0, 0.0), (-12.0, 0.0), (0.0, 10.0), (0.0, -10.0)])
def test_pose_of_a_turned_head(yaw_deg: float, pitch_deg: float) -> None:
    """A plane turned to the image's right has its right edge further away; a raised one its upper edge."""
    yaw, pitch = np.radians((yaw_deg, pitch_deg))
    x, y = (FACE - FACE[168]).T
    turned = np.column_stack((x * np.cos(yaw), y * np.cos(pitch))).astype(np.float32)
    depth = (x * np.sin(yaw) - y * np.sin(pitch)).astype(np.float32)
    level = head_pose_deg(FACE, np.zeros(468, np.float32))
    pose = head_pose_deg(turned, depth)
    assert pose[0] - level[0] == pytest.approx(yaw_deg, abs=0.5)
    assert pose[1] - level[1] == pytest.approx(pitch_deg, abs=0.5)


def test_leaning_clockwise_is_positive_roll() -> None:
    angle = np.radians(9.0)
    clockwise = np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))))
    leaning = (FACE @ clockwise.T).astype(np.float32)
    depth = np.zeros(468, np.float32)
    assert head_pose_deg(leaning, depth)[2] - head_pose_deg(FACE, depth)[2] == pytest.approx(9.0, abs=0.1)


def test_brightness_is_that_of_the_face_alone() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    left, top = FACE.min(axis=0).astype(int)
    right, bottom = FACE.max(axis=0).astype(int)
    image[top : bottom + 1, left : right + 1] = 180
    assert face_brightness(FACE, image) == pytest.approx(180, abs=1)


def test_a_face_outside_the_picture_has_a_brightness_too() -> None:
    assert 0 <= face_brightness(FACE + np.float32(5000), GRAY) <= 255


def gates_over(qualities: list[FaceQuality], lids_px: tuple[float, float] = (0.0, 0.0)) -> list[tuple[str, ...]]:
    gates = Gates()
    return [
        gates.push(quality, lids_px, (0.0, 0.0), 0.01, index * 10_000_000) for index, quality in enumerate(qualities)
    ]


def test_a_steady_face_is_not_gated() -> None:
    assert set(gates_over([LEVEL] * 50)) == {()}


@pytest.mark.parametrize(
    ("opening", "name"),
    [((0.1, 0.1), named.GATE_BLINK), ((0.1, 0.3), named.GATE_BLINK_RIGHT), ((0.3, 0.1), named.GATE_BLINK_LEFT)],
)
def test_each_eye_blinks_by_name(opening: tuple[float, float], name: str) -> None:
    seen = gates_over([LEVEL] * 30 + [replace(LEVEL, eye_opening=opening)] * 10 + [LEVEL] * 30)
    assert seen[29] == ()
    assert seen[30:40] == [(name,)] * 10
    assert seen[-1] == ()


def test_eyes_that_stay_narrow_are_not_blinking_for_ever() -> None:
    narrow = replace(LEVEL, eye_opening=(0.2, 0.2))
    assert gates_over([LEVEL] * 30 + [narrow] * 600)[-1] == ()


def test_a_fast_turn_and_a_slow_one() -> None:
    def turning(rate_deg_s: float) -> list[FaceQuality]:
        return [replace(LEVEL, yaw_deg=rate_deg_s * 0.01 * index) for index in range(60)]

    assert gates_over(turning(80.0))[-1] == (named.GATE_HEAD_TURN,)
    assert gates_over(turning(10.0))[-1] == ()


def test_a_jump_of_light_and_a_drift() -> None:
    brighter = replace(LEVEL, brightness=150.0)
    seen = gates_over([LEVEL] * 30 + [brighter] * 100)
    assert seen[30] == (named.GATE_LIGHT,)
    assert seen[-1] == ()
    drifting = [replace(LEVEL, brightness=120.0 + 0.1 * index) for index in range(200)]
    assert set(gates_over(drifting)) == {()}
