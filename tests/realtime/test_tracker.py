import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from jaxtyping import UInt8

from realtime.faces.native_log import without_native_chatter
from realtime.faces.observation import FaceObservation
from realtime.faces.tracker import FaceTracker, TrackerParameters
from tests.realtime.filmed_faces import Image, frame_of
from tests.synthetic_faces import still_scene

RATE_HZ = 30.0
SIDE = {"width": 320, "height": 240}


@pytest.fixture(scope="module")
def anna() -> Image:
    return still_scene(canthus_px=26.0, identity=0, **SIDE).frame(0.0)


@pytest.fixture(scope="module")
def berta() -> Image:
    return still_scene(canthus_px=30.0, identity=1, **SIDE).frame(0.0)


@pytest.fixture(scope="module")
def nobody() -> Image:
    return np.full((240, 320, 3), 90, np.uint8)


def follow(
    pairs: Sequence[tuple[Image, Image]], parameters: TrackerParameters | None = None, start_s: float = 0.0
) -> list[list[FaceObservation]]:
    """What the tracker sees in pictures of a left and a right half."""
    with FaceTracker(parameters) as tracker:
        return [
            tracker.push(frame_of(np.hstack(pair), index, start_s + index / RATE_HZ))
            for index, pair in enumerate(pairs)
        ]


def ids(observed: list[list[FaceObservation]]) -> list[list[int]]:
    return [[face.face_id for face in faces] for faces in observed]


def on_left(face: FaceObservation) -> bool:
    return float(face.landmarks[:, 0].mean()) < 320


def test_landmarks_lie_on_the_face() -> None:
    scene = still_scene()
    with FaceTracker() as tracker:
        for index in range(3):
            (face,) = tracker.push(frame_of(scene.frame(0.0), index, index / RATE_HZ))
    assert np.median(np.hypot(*(face.landmarks - scene.landmarks).T)) < 2.5
    assert face.measured
    assert face.quality.width_px == pytest.approx(48.0, rel=0.08)


def test_same_frames_give_the_same_bits() -> None:
    scene = still_scene(head_shift_px=6.0, head_roll_deg=3.0, noise_sd=3.0)
    frames = [frame_of(scene.frame(index / RATE_HZ), index, index / RATE_HZ) for index in range(12)]
    runs = []
    for _ in range(2):
        with FaceTracker() as tracker:
            runs.append(np.stack([tracker.push(frame)[0].landmarks for frame in frames]))
    assert np.array_equal(*runs)


def test_no_face_is_no_fault(nobody: Image) -> None:
    assert ids(follow([(nobody, nobody)] * 3)) == [[], [], []]


def test_landmarks_are_carried_between_runs_by_time_alone(anna: Image) -> None:
    rate_hz = 200.0
    with FaceTracker(TrackerParameters(tracking_interval_s=0.0149)) as tracker:
        seen = [tracker.push(frame_of(anna, index, index / rate_hz))[0] for index in range(9)]
    assert [face.measured for face in seen] == [True, False, False] * 3
    assert np.array_equal(seen[1].landmarks, seen[0].landmarks)


def test_carried_face_reports_the_light_of_its_own_frame(anna: Image) -> None:
    with FaceTracker() as tracker:
        (before,) = tracker.push(frame_of(anna, 0, 0.0))
        (after,) = tracker.push(frame_of(anna // 2, 1, 0.005))
    assert not after.measured
    assert after.quality.brightness == pytest.approx(before.quality.brightness / 2, rel=0.02)


def test_a_face_keeps_its_id_through_a_short_loss(anna: Image, nobody: Image) -> None:
    observed = follow([(anna, nobody)] * 3 + [(nobody, nobody)] * 6 + [(anna, nobody)] * 3)
    assert ids(observed) == [[1]] * 3 + [[]] * 6 + [[1]] * 3


def test_a_face_gone_for_long_comes_back_as_another(anna: Image, nobody: Image) -> None:
    parameters = TrackerParameters(memory_s=0.2)
    observed = follow([(anna, nobody)] * 2 + [(nobody, nobody)] * 9 + [(anna, nobody)] * 2, parameters)
    assert ids(observed) == [[1]] * 2 + [[]] * 9 + [[2]] * 2


def test_a_passer_by_is_not_taken_for_the_face(anna: Image, berta: Image, nobody: Image) -> None:
    pairs = [(anna, nobody)] * 3 + [(nobody, berta)] * 6 + [(anna, berta)] * 4
    observed = follow(pairs)
    assert ids(observed[:9]) == [[1]] * 3 + [[]] * 6
    assert ids(observed[-2:]) == [[1]] * 2
    assert all(on_left(face) for faces in observed for face in faces)


def test_two_faces_keep_an_id_each(anna: Image, berta: Image, nobody: Image) -> None:
    pairs = [(nobody, berta)] * 2 + [(anna, berta)] * 3 + [(anna, nobody)] * 3 + [(anna, berta)] * 4
    observed = follow(pairs, TrackerParameters(max_faces=2))
    assert ids(observed[-1:]) == [[1, 2]]
    sides = {(face.face_id, on_left(face)) for faces in observed for face in faces}
    assert sides == {(1, False), (2, True)}


def test_closing_twice_is_allowed_and_using_after_is_not(anna: Image) -> None:
    tracker = FaceTracker()
    tracker.close()
    tracker.close()
    with pytest.raises(RuntimeError, match="closed"):
        tracker.push(frame_of(anna))


def test_a_fresh_process_stays_silent() -> None:
    program = (
        "from tests.synthetic_faces import still_scene\n"
        "from tests.realtime.filmed_faces import frame_of\n"
        "from realtime.faces.tracker import FaceTracker\n"
        "with FaceTracker() as tracker:\n"
        "    assert tracker.push(frame_of(still_scene().frame(0.0)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_what_others_write_to_standard_error_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with without_native_chatter():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nsomething real\n")
    assert capfd.readouterr().err == "something real\n"


def decoded(path: Path) -> list[UInt8[np.ndarray, "H W 3"]]:
    with av.open(str(path)) as container:
        return [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]


def test_a_cartoon_has_no_face(shared_data: Path) -> None:
    images = decoded(shared_data / "videos" / "pyfeat_no_face.mp4")
    with FaceTracker() as tracker:
        seen = [tracker.push(frame_of(image, index, index / 23.67)) for index, image in enumerate(images)]
    assert not any(seen)


def test_a_face_that_leaves_is_gone(shared_data: Path) -> None:
    images = decoded(shared_data / "videos" / "pyfeat_face_noface.mov")
    with FaceTracker() as tracker:
        seen = [bool(tracker.push(frame_of(image, index, index / 26.4))) for index, image in enumerate(images)]
    assert np.mean(seen) == pytest.approx(0.43, abs=0.02)
    assert seen[0]
    assert not seen[-1]
