"""Eyes that jump are told from eyes that rest, drift or blink."""

from dataclasses import replace

import numpy as np
import pytest

from realtime.faces import landmarks as named
from realtime.faces.observation import AlignedFace
from realtime.spotting.gaze import SaccadeGate
from realtime.spotting.gaze_kernel import read_strip, strip_shift
from realtime.spotting.reference import picture_levels
from tests.realtime.filmed_faces import aligned_faces, close_up, movement_of
from trainers.datasets.synthetic_jumps import Jumps
from trainers.datasets.synthetic_scenes import Blink

LOOK_S = 0.3


def looking(across_px: float, *, down_px: float = 0.0, way_s: float = 0.04, rate_hz: float = 50.0) -> list[AlignedFace]:
    """A face whose eyes go elsewhere at 0.3 s."""
    scene = close_up(duration_s=0.8, noise_sd=1.5)
    gaze = Jumps(np.array([LOOK_S]), np.array([(0.0, 0.0), (across_px, down_px)]), way_s)
    return aligned_faces(replace(scene, script=replace(scene.script, gaze=gaze)), rate_hz)


def gated_s(faces: list[AlignedFace]) -> np.ndarray:
    on = [named.GATE_SACCADE in sample.gates for sample in movement_of(faces)]
    return np.asarray(np.array([face.time_ns / 1e9 for face in faces])[np.array(on)])


@pytest.mark.parametrize("rate_hz", [30.0, 100.0])
@pytest.mark.parametrize("across_px", [2.5, -4.0])
def test_a_jump_of_both_eyes_is_a_saccade_until_the_lids_have_settled(across_px: float, rate_hz: float) -> None:
    on_s = gated_s(looking(across_px, rate_hz=rate_hz))
    assert LOOK_S < on_s[0] < LOOK_S + 0.04 + 1.0 / rate_hz
    assert on_s[-1] == pytest.approx(LOOK_S + 0.08 + 0.12, abs=0.035)
    assert len(on_s) == round((on_s[-1] - on_s[0]) * rate_hz) + 1


def test_small_and_slow_changes_of_gaze_are_not() -> None:
    assert gated_s(looking(0.8)).size == 0
    assert gated_s(looking(3.0, way_s=0.5)).size == 0


def test_a_blink_and_a_moving_head_are_not() -> None:
    scene = close_up(duration_s=1.0, noise_sd=1.5, head_shift_px=4.0, head_turn_deg=2.0, head_roll_deg=1.5)
    faces = aligned_faces(replace(scene, script=replace(scene.script, blinks=(Blink(start_s=0.4),))))
    assert gated_s(faces).size == 0


def test_one_eye_alone_is_not() -> None:
    """The crop's left half stays as it was at first."""
    gates = SaccadeGate(), SaccadeGate()
    faces = looking(4.0)
    first = picture_levels(faces[0].image)[0]
    seen = []
    for face in faces:
        picture = picture_levels(face.image)[0]
        half = np.hstack((first[:, :128], picture[:, 128:]))
        pictures = zip(gates, (picture, half), strict=True)
        seen.append([gate.push(image, face.landmarks, face.time_ns) for gate, image in pictures])
    assert np.any(seen, axis=0).tolist() == [True, False]


@pytest.mark.parametrize("shift", [-5.3, -1.0, 0.0, 0.4, 6.2])
def test_the_shift_of_a_strip_is_found_between_points(shift: float) -> None:
    places = np.arange(48.0)
    before, now = (120.0 - 80.0 * np.exp(-(((places - 24.0 - by) / 6.0) ** 2)) for by in (0.0, shift))
    found, left_over = strip_shift(before, 1.0 * now + 20.0, 7, 3)
    assert found == pytest.approx(shift, abs=0.06)
    assert left_over < 0.05 or abs(shift) < 0.5


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_strip_that_shows_nothing_has_not_moved(noise: float) -> None:
    generator = np.random.default_rng(1)
    before, now = 37.0 + noise * generator.standard_normal((2, 40))
    assert strip_shift(before, now, 7, 2) == (0.0, 1.0)


def test_a_strip_reads_between_pixels_along_any_line_and_stays_inside() -> None:
    rows, columns = np.mgrid[0:40, 0:60].astype(np.float32)
    strip = np.empty(11)
    read_strip(2.0 * columns + 3.0 * rows, np.array((10.5, 20.25)), np.array((20.5, 15.25)), 5, strip)
    np.testing.assert_allclose(
        strip, 2.0 * np.linspace(10.5, 20.5, 11) + 3.0 * np.linspace(20.25, 15.25, 11), rtol=1e-5
    )
    read_strip(np.full((40, 60), 7.0, np.float32), np.array((-50.0, -9.0)), np.array((500.0, 90.0)), 9, strip)
    np.testing.assert_allclose(strip, 7.0, rtol=1e-6)
