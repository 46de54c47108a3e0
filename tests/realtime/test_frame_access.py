"""Pictures by their time: the very ones that reading in order gives, whatever the file."""

import random
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from realtime.frames import Frame
from realtime.sources import ImageFolder, Source, VideoFile
from realtime.sources.frame_access import ImageFolderFrames, VideoFrames
from tests.videos import damaged, number_of, numbered_image, turned, write_numbered


def read_all(source: Source) -> list[Frame]:
    with source:
        return list(source)


def assert_same_at_random(path: Path, seed: int = 0, looks: int = 40) -> None:
    frames = read_all(VideoFile(path))
    assert len(frames) > 20
    order = random.Random(seed).choices(frames, k=looks)
    with VideoFrames(path) as access:
        for frame in order:
            np.testing.assert_array_equal(access.at(frame.time_ns), frame.image, f"frame {frame.index}")


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.avi", "clip.mov"])
def test_pictures_with_b_frames_are_those_of_reading_in_order(tmp_path: Path, name: str) -> None:
    path = write_numbered(tmp_path / name, 90, key_frame_every=17, options={"bf": "3", "preset": "medium"})
    assert_same_at_random(path)


def test_variable_rate_that_does_not_begin_at_zero(tmp_path: Path) -> None:
    steps = np.random.default_rng(3).integers(500, 9_000, 80)
    ticks = [int(tick) for tick in 7_000 + np.cumsum(steps)]
    assert_same_at_random(write_numbered(tmp_path / "clip.mp4", 80, ticks=ticks, key_frame_every=25))


def test_open_groups_of_pictures(tmp_path: Path) -> None:
    options = {"x264-params": "open-gop=1:bframes=3:b-adapt=0:scenecut=0", "preset": "medium"}
    assert_same_at_random(write_numbered(tmp_path / "clip.mp4", 90, key_frame_every=12, options=options))


def test_a_newer_coding_with_leading_pictures(tmp_path: Path) -> None:
    options = {"x265-params": "open-gop=1:bframes=4:log-level=none", "preset": "fast"}
    path = write_numbered(tmp_path / "clip.mp4", 60, codec="libx265", key_frame_every=15, options=options)
    assert_same_at_random(path)


def test_a_file_without_any_times(tmp_path: Path) -> None:
    assert_same_at_random(write_numbered(tmp_path / "clip.h264", 40), looks=12)


def test_a_file_turned_by_its_metadata(tmp_path: Path) -> None:
    path = turned(write_numbered(tmp_path / "clip.mp4", 40), tmp_path / "turned.mp4", 1)
    with VideoFrames(path) as access:
        assert access.at(0).shape == (160, 120, 3)
    assert_same_at_random(path, looks=12)


def test_pictures_round_a_damage(tmp_path: Path) -> None:
    whole = write_numbered(tmp_path / "clip.ts", 120, key_frame_every=20)
    path = damaged(whole, tmp_path / "spoilt.ts", 0.5, 4_000)
    frames = read_all(VideoFile(path))
    assert 20 < len(frames) < 120  # something was lost, and its numbers are a gap
    assert_same_at_random(path, looks=60)


def test_stepping_to_and_fro_shows_each_number(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "clip.mp4", 60, key_frame_every=60)
    times = [frame.time_ns for frame in read_all(VideoFile(path))]
    with VideoFrames(path) as access:
        for index in (*range(30, 45), *range(44, 20, -1), 59, 0, 1, 58):
            assert number_of(access.at(times[index])) == index


def test_a_time_between_two_pictures_is_none_of_them(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "clip.mp4", 30)
    times = [frame.time_ns for frame in read_all(VideoFile(path))]
    with VideoFrames(path) as access:
        with pytest.raises(BadInput, match="has no picture at"):
            access.at(times[10] + 5_000_000)
        with pytest.raises(BadInput, match="has no picture at"):
            access.at(times[-1] + 1_000_000_000)
        assert number_of(access.at(times[11])) == 11


def test_times_that_were_rounded_and_begin_later(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "clip.mkv", 40)  # Matroska rounds to milliseconds
    exact = [round(index * 10**9 / 30) + 2_000_000_000 for index in range(40)]
    with VideoFrames(path, starts_ns=2_000_000_000, slack_ns=1_000_000) as access:
        for index in (7, 39, 0, 20):
            assert number_of(access.at(exact[index])) == index


def test_closing_lets_go_and_the_next_look_opens_again(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "clip.mp4", 30)
    access = VideoFrames(path)
    first = access.at(0)
    access.close()
    access.close()
    np.testing.assert_array_equal(access.at(0), first)
    access.close()
    path.unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        access.at(0)


def test_images_of_a_folder(tmp_path: Path) -> None:
    for index in range(12):
        assert cv2.imwrite(str(tmp_path / f"image{index:03d}.png"), numbered_image(index))
    frames = read_all(ImageFolder(tmp_path, frame_rate_hz=29.97))
    with ImageFolderFrames(tmp_path, frame_rate_hz=29.97) as access:
        for index in (5, 11, 0, 6):
            assert number_of(access.at(frames[index].time_ns)) == index
        with pytest.raises(BadInput, match="has no image"):
            access.at(frames[3].time_ns + 1)
