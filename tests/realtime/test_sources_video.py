"""Video files: exact times, orientation, damage, and each fault in its own words."""

import json
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from engines.errors import BadInput
from realtime.frames import Frame
from realtime.sources import open_source
from realtime.sources.video_file import VideoFile
from tests.videos import (
    cut_off,
    damaged,
    number_of,
    numbered_image,
    turned,
    write_numbered,
    write_sound,
    write_video,
)


def read_all(path: Path) -> tuple[list[Frame], VideoFile]:
    with VideoFile(path) as source:
        return list(source), source


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.mov"])
def test_every_frame_comes_once_and_in_order(tmp_path: Path, name: str) -> None:
    frames, source = read_all(write_numbered(tmp_path / name, 60))
    assert [frame.index for frame in frames] == list(range(60))
    assert [number_of(frame.image) for frame in frames] == list(range(60))
    assert source.fault is None
    assert (source.width, source.height) == (160, 120)
    assert source.frame_rate_hz == pytest.approx(30, rel=0.01)
    assert all(later.captured_ns >= frame.captured_ns for frame, later in pairwise(frames))
    assert all(frame.image.flags.c_contiguous for frame in frames)
    json.dumps(source.description)


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30_000, 1001), Fraction(200)])
def test_times_are_exact_nanoseconds(tmp_path: Path, rate: Fraction) -> None:
    frames, _ = read_all(write_numbered(tmp_path / "clip.mp4", 40, frame_rate=rate))
    ticks = [round(index / rate * 90_000) for index in range(40)]
    assert [frame.time_ns for frame in frames] == [(tick * 10**9 * 2 + 90_000) // 180_000 for tick in ticks]


def test_variable_rate_is_kept_and_starts_at_zero(tmp_path: Path) -> None:
    steps = np.random.default_rng(1).integers(600, 9_000, 50)
    ticks = [int(tick) for tick in 4_500 + np.cumsum(steps)]
    frames, _ = read_all(write_numbered(tmp_path / "clip.mp4", 50, ticks=ticks))
    assert [frame.time_ns for frame in frames] == [round((tick - ticks[0]) * 10**9 / 90_000) for tick in ticks]
    assert [number_of(frame.image) for frame in frames] == list(range(50))


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_rotation_metadata_is_applied(tmp_path: Path, quarter_turns: int) -> None:
    upright = numbered_image(0x1234)
    stored = np.ascontiguousarray(np.rot90(upright, quarter_turns))  # anticlockwise, so that it must turn clockwise
    plain = write_video(tmp_path / "plain.mp4", [stored] * 3)
    frames, source = read_all(turned(plain, tmp_path / "turned.mp4", quarter_turns))
    assert frames[0].image.shape == upright.shape == (source.height, source.width, 3)
    assert number_of(frames[0].image) == 0x1234
    assert np.abs(frames[0].image.astype(int) - upright).mean() < 8


def test_colours_are_rgb(tmp_path: Path) -> None:
    red = np.full((64, 64, 3), (220, 20, 20), np.uint8)
    frames, _ = read_all(write_video(tmp_path / "red.mp4", [red] * 3))
    assert np.abs(frames[0].image.astype(int) - red).max() < 12


def test_a_file_without_times_uses_its_rate_and_says_so(tmp_path: Path) -> None:
    frames, source = read_all(write_numbered(tmp_path / "raw.h264", 20, options={"bf": "0"}))
    assert [number_of(frame.image) for frame in frames] == list(range(20))
    assert all(later.time_ns > frame.time_ns for frame, later in pairwise(frames))
    assert "the file has no times" in source.description["times"]


@pytest.mark.parametrize("share", [0.3, 0.4])
@pytest.mark.parametrize("name", ["whole.mp4", "whole.ts"])
def test_damage_in_the_middle_leaves_a_gap_and_is_reported(tmp_path: Path, name: str, share: float) -> None:
    whole = write_numbered(tmp_path / name, 120, key_frame_every=30)
    frames, source = read_all(damaged(whole, tmp_path / f"damaged_{name}", share, whole.stat().st_size // 10))
    numbers = [number_of(frame.image) for frame in frames]
    assert numbers == [round(frame.time_ns * 30e-9) for frame in frames], "times stay true"
    indices = [frame.index for frame in frames]
    assert all(later > index for index, later in pairwise(indices))
    assert indices != list(range(len(frames))), "a gap in the numbers"
    if name.endswith("mp4"):  # a transport stream loses packets without a trace, so its numbers may fall behind
        assert indices == numbers
    assert 30 <= len(frames) < 120
    assert numbers[0] == 0
    assert numbers[-1] == 119, "reading goes on after the damage"
    assert source.fault is not None
    assert "frames left out" in source.fault
    assert f"damaged_{name}" in source.fault


@pytest.mark.parametrize(
    ("name", "container_options"),
    [
        ("front.mp4", {"movflags": "faststart"}),
        ("fragments.mp4", {"movflags": "frag_keyframe+empty_moov"}),
        ("clip.mkv", {}),
    ],
)
def test_cut_off_tail_keeps_what_can_be_read(tmp_path: Path, name: str, container_options: dict[str, str]) -> None:
    whole = write_numbered(tmp_path / name, 120, container_options=container_options)
    frames, source = read_all(cut_off(whole, tmp_path / f"cut_{name}", 0.6))
    assert 40 < len(frames) < 100
    assert [number_of(frame.image) for frame in frames] == list(range(len(frames)))
    assert source.fault is not None
    assert f"{frames[-1].time_ns / 1e9:.3f} s" in source.fault


def test_a_whole_file_has_no_fault_when_its_start_is_trimmed(tmp_path: Path) -> None:
    ticks = [90_000 * 3600 + 3_000 * index for index in range(30)]  # starts after one hour
    frames, source = read_all(write_numbered(tmp_path / "late.mkv", 30, ticks=ticks))
    assert len(frames) == 30
    assert frames[0].time_ns == 0
    assert source.fault is None


def test_each_fault_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("this is no video\n" * 100)
    script = tmp_path / "notes.txt"
    script.write_text("this is no video\n" * 100)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    whole = write_numbered(tmp_path / "whole.mp4", 30)
    cases = {
        tmp_path / "missing.mp4": "there is no such file",
        text: "not a video that can be read",
        script: "text, not a video",
        empty: "the file is empty",
        write_sound(tmp_path / "sound.m4a"): "holds sound but no picture",
        cut_off(whole, tmp_path / "cut.mp4", 0.6): "the video is cut off, its index is missing",
    }
    for path, words in cases.items():
        with pytest.raises(BadInput, match=re.escape(f"{path}: {words}")) as caught:
            VideoFile(path).open()
        assert "\n" not in str(caught.value)


def test_reads_again_after_close(tmp_path: Path) -> None:
    source = VideoFile(write_numbered(tmp_path / "clip.mp4", 10))
    for _ in range(2):
        with source:
            assert len(list(source)) == 10
    source.close()
    assert source.read() is None


def test_shared_videos_are_read_to_the_end(shared_data: Path) -> None:
    for path in sorted((shared_data / "videos").iterdir()):
        with open_source(path) as source:
            times = [frame.time_ns for frame in source]
        assert len(times) > 50
        assert all(later > time for time, later in pairwise(times))
        assert source.fault is None, source.fault
