"""A video in, the same video with larger movements out."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from jaxtyping import UInt8

from demo.magnify import magnify_video
from engines.errors import BadInput
from engines.magnification import MagnificationParameters
from realtime.sources import VideoFile, open_source
from tests.videos import write_numbered, write_video


def swaying_disc(count: int, rate_hz: float, amplitude_px: float) -> list[UInt8[np.ndarray, "97 130 3"]]:
    """A soft disc that sways sideways at 2.5 Hz."""
    rows, columns = np.mgrid[0:97, 0:130].astype(np.float32)
    images = []
    for index in range(count):
        centre = 65 + amplitude_px * np.sin(2 * np.pi * 2.5 * index / rate_hz)
        radius = np.hypot(rows - 48, columns - centre)
        gray = 60 + 140 / (1 + np.exp((radius - 20) / 2))
        images.append(np.repeat(gray.astype(np.uint8)[..., None], 3, axis=-1))
    return images


def sway_px(path: Path) -> float:
    """Standard deviation of the disc's centre from the second second on."""
    with VideoFile(path) as source:
        centres = []
        for frame in source:
            mask = cv2.GaussianBlur(frame.image[..., 0].astype(np.float32), (0, 0), 1) - 60
            centres.append(float((mask.sum(axis=0) * np.arange(mask.shape[1])).sum() / mask.sum()))
    return float(np.std(centres[30:]))


def test_small_movement_grows_and_times_stay(tmp_path: Path) -> None:
    ticks = [index * 3000 + (index % 3) * 200 for index in range(75)]
    images = [image[:96] for image in swaying_disc(75, 30, 0.3)]
    small = write_video(tmp_path / "small.mp4", images, ticks=ticks, options={"crf": "5"})
    done: list[tuple[int, int | None]] = []
    result = magnify_video(
        VideoFile(small),
        tmp_path / "large.mp4",
        MagnificationParameters(alpha=5),
        progress=lambda count, of: done.append((count, of)),
    )
    assert result.frames == 75
    assert result.fault is None
    assert result.band_hz == pytest.approx((1.0, 5.0))
    assert done == [(count, 75) for count in range(1, 76)]
    assert sway_px(tmp_path / "large.mp4") > 1.7 * sway_px(small)
    with VideoFile(small) as before, VideoFile(tmp_path / "large.mp4") as after:
        assert [frame.time_ns for frame in before] == [frame.time_ns for frame in after]


def test_images_of_odd_size_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for index, image in enumerate(swaying_disc(6, 30, 0.3)):
        cv2.imwrite(str(folder / f"{index}.png"), image[:, :129])
    magnify_video(open_source(folder, frame_rate_hz=30), tmp_path / "out.mkv")
    with VideoFile(tmp_path / "out.mkv") as source:
        assert (source.width, source.height) == (128, 96)


def test_bad_outputs_are_named_and_nothing_is_left(tmp_path: Path) -> None:
    clip = write_numbered(tmp_path / "clip.mp4", 5)
    before = clip.read_bytes()
    with pytest.raises(BadInput, match="same file"):
        magnify_video(VideoFile(clip), clip, replace=True)
    with pytest.raises(BadInput, match="exists already"):
        magnify_video(VideoFile(clip), write_numbered(tmp_path / "there.mp4", 5))
    with pytest.raises(BadInput, match="does not exist"):
        magnify_video(VideoFile(clip), tmp_path / "gone" / "out.mp4")
    with pytest.raises(BadInput, match=r"must end in \.mp4"):
        magnify_video(VideoFile(clip), tmp_path / "out.txt")
    with pytest.raises(BadInput, match="too few"):
        magnify_video(VideoFile(write_numbered(tmp_path / "slow.mp4", 5, frame_rate=1)), tmp_path / "out.mp4")
    assert clip.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "slow.mp4", "there.mp4"]


def test_an_interrupted_run_leaves_no_half_file(tmp_path: Path) -> None:
    def interrupt(count: int, _: int | None) -> None:
        if count == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        magnify_video(VideoFile(write_numbered(tmp_path / "clip.mp4", 9)), tmp_path / "out.mp4", progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
