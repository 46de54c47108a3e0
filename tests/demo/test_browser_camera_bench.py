"""The bench of the browser's camera: films that carry their numbers, and frames set against them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.benchmarks.browser_camera import render
from demo.benchmarks.browser_camera_clip import BITS, Clip, read_number, write_clip, write_number
from demo.benchmarks.browser_camera_coding import recode
from demo.benchmarks.browser_camera_stand import find_chromium, serve
from demo.benchmarks.browser_camera_take import Taken, added_movement_px, picture_error, same_frames, take_file
from realtime.frames import Frame
from realtime.spotting.sample import MotionSample


def numbered(number: int) -> np.ndarray:
    image = np.full((48, 640, 3), 120, np.uint8)
    write_number(image, number)
    return image


def test_every_number_survives_a_coarse_jpeg() -> None:
    for number in (*range(0, 2**BITS, 61), 2**BITS - 1):
        _, content = cv2.imencode(".jpg", numbered(number), [cv2.IMWRITE_JPEG_QUALITY, 20])
        assert read_number(np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR))) == number


def test_one_cell_changes_from_picture_to_picture() -> None:
    """A video codec shall have as little to do with the numbers as can be."""
    for number in range(300):
        changed = (numbered(number) != numbered(number + 1)).any(axis=(0, 2))
        assert changed.sum() == 32


def test_a_clip_carries_its_numbers_and_keeps_its_truth_when_it_is_slowed(tmp_path: Path) -> None:
    clip = write_clip(tmp_path, identity=1, frame_rate_hz=10.0, duration_s=6.5, speed=0.5)
    film = take_file(clip)
    assert film.numbers == [read_number(frame.image) for frame in film.frames] == list(range(65))
    assert film.frames[-1].time_ns == pytest.approx(6.4e9, abs=1e6), "on the scene's own time axis"
    assert len(clip.truths) >= 1
    assert all(4.0 <= truth.onset_s < 6.5 for truth in clip.truths)
    assert picture_error(film) == 0.0


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="needs Chromium: install the package `chromium`")
@pytest.mark.parametrize(("coding", "most"), [("jpeg", 4.0), ("vp8", 12.0)])
def test_the_browsers_coders_give_every_picture_back(tmp_path: Path, coding: str, most: float) -> None:
    film = take_file(write_clip(tmp_path, identity=1, frame_rate_hz=10.0, duration_s=1.0))
    with serve() as stand:
        taken = recode(stand, film, coding, quality=0.95, bits_per_s=1_700_000)
    assert taken.numbers == list(range(10))
    assert [frame.time_ns for frame in taken.frames] == [frame.time_ns for frame in film.frames]
    assert 0.1 < picture_error(taken) < most


def taken_of(clip: Clip, numbers: list[int], level: int) -> Taken:
    taken = Taken(clip=clip)
    for place, number in enumerate(numbers):
        image = np.full((48, 640, 3), level, np.uint8)
        taken.add(Frame(index=place, time_ns=place * 10_000_000, captured_ns=place, image=image), number)
    return taken


def test_what_did_not_come_is_told_apart_from_what_came_changed(tmp_path: Path) -> None:
    clip = Clip(path=tmp_path / "film.y4m", frame_rate_hz=100.0, speed=1.0, frames=10, truths=(), amplitudes_px=())
    film, taken = taken_of(clip, list(range(10)), 50), taken_of(clip, [2, 3, 5, 9], 60)
    assert taken.missing == 4
    own = same_frames(taken, film)
    assert own.numbers == [2, 3, 5, 9]
    assert [frame.time_ns for frame in own.frames] == [frame.time_ns for frame in taken.frames]
    assert {int(frame.image[0, 0, 0]) for frame in own.frames} == {50}


def sample(index: int, x: float) -> MotionSample:
    displacement = np.array([[x, 0.0], [np.nan, np.nan]], np.float32)
    return MotionSample(index=index, time_ns=index, captured_ns=index, face_id=0, displacement=displacement)


def test_added_movement_is_what_jumps_without_the_film_jumping() -> None:
    film = [sample(index, x) for index, x in enumerate((0.0, 1.0, 1.0, 2.0))]
    shifted = [sample(index, x) for index, x in enumerate((5.0, 6.0, 6.5, 7.5))]
    assert added_movement_px(shifted, film) == pytest.approx([0.0, 0.5, 0.0])
    assert added_movement_px(film, film[:1]) == []


def test_the_tables_say_both_parts() -> None:
    micro = {"true_positives": 3, "false_negatives": 1, "f1": 0.75, "false_alarms_per_minute": 0.5}
    apex = {"apex_error_ms": {"median": 12.34, "p95": None}}
    way = {
        "micro": micro | apex,
        "micro_same_frames": {"f1": 0.8},
        "picture_error": 1.7,
        "added_movement_px": None,
        "pictures": 100,
        "came": 99,
        "dropped": 1,
    }
    link = {"name": "60 fps planes TLS", "pictures": 700, "came": 690, "dropped": 10, "megabits_s": 220.0}
    text = render({"ways": {"planes": way}, "links": [link | {"wait_ms": {"p50": 10.0, "p95": 20.0}}]})
    planes, tls = (next(line for line in text.splitlines() if name in line) for name in ("planes  ", "TLS"))
    assert planes.split()[:8] == ["planes", "4", "0.750", "0.800", "0.50", "12.3", "–", "1.70"]
    assert tls.split()[4:] == ["700", "690", "10", "220.0", "10.0", "20.0"]
