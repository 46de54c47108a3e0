"""Which source an address means, and image folders."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from realtime.sources import Camera, ImageFolder, Stream, VideoFile, open_source
from tests.videos import number_of, numbered_image, write_numbered


def write_images(folder: Path, names: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    for index, name in enumerate(names):
        cv2.imwrite(str(folder / name), numbered_image(index)[..., ::-1])


def test_address_decides_the_source(tmp_path: Path) -> None:
    video = write_numbered(tmp_path / "clip.mp4", 5)
    assert isinstance(open_source(video), VideoFile)
    assert isinstance(open_source(str(tmp_path), frame_rate_hz=100), ImageFolder)
    assert isinstance(open_source("rtsp://camera/live"), Stream)
    assert isinstance(open_source("tcp://127.0.0.1:1?listen"), Stream)
    assert isinstance(open_source("0"), Camera)
    assert isinstance(open_source(1), Camera)


def test_missing_address_and_missing_rate_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=re.escape("gone.mp4: there is no such file")):
        open_source(tmp_path / "gone.mp4")
    with pytest.raises(BadInput, match="--frame-rate-hz"):
        open_source(tmp_path)
    with pytest.raises(BadInput, match="frame rate of 0"):
        open_source(tmp_path, frame_rate_hz=0)


def test_images_come_in_the_order_of_their_last_number(tmp_path: Path) -> None:
    folder = tmp_path / "s01_200fps"
    write_images(folder, ["img9.png", "img10.jpg", "img11.bmp", "img100.tif"])
    (folder / "notes.txt").write_text("not an image")
    (folder / "._img12.png").write_text("another system's leavings")
    with open_source(folder, frame_rate_hz=200) as source:
        frames = list(source)
        assert source.description["frame_count"] == source.frame_count == 4
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 3]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert (source.width, source.height) == (160, 120)


def test_image_times_are_exact(tmp_path: Path) -> None:
    write_images(tmp_path / "images", [f"{index}.png" for index in range(7)])
    with open_source(tmp_path / "images", frame_rate_hz=29.97) as source:
        times = [frame.time_ns for frame in source]
    assert times == [round(index * 10**11 / 2997) for index in range(7)]


def test_images_are_rgb(tmp_path: Path) -> None:
    folder = tmp_path / "red"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), np.full((8, 8, 3), (0, 0, 255), np.uint8))
    with open_source(folder, frame_rate_hz=1) as source:
        frame = source.read()
    assert frame is not None
    assert frame.image[0, 0].tolist() == [255, 0, 0]


def test_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(BadInput, match="holds no image"):
        open_source(tmp_path, frame_rate_hz=30).open()


def test_unreadable_and_odd_images_are_named_after_the_good_ones(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    write_images(folder, ["1.png", "2.png", "4.png"])
    (folder / "3.png").write_text("not a png")
    with open_source(folder, frame_rate_hz=30) as source:
        assert source.read() is not None
        assert source.read() is not None
        with pytest.raises(BadInput, match=re.escape("3.png: not a readable image")):
            source.read()
    cv2.imwrite(str(folder / "3.png"), np.zeros((10, 20, 3), np.uint8))
    odd = pytest.raises(BadInput, match=re.escape("3.png: 20×10 pixels"))
    with open_source(folder, frame_rate_hz=30) as source, odd:
        list(source)
    (folder / "1.png").write_bytes(b"")
    with pytest.raises(BadInput, match=re.escape("1.png: not a readable image")):
        open_source(folder, frame_rate_hz=30).open()
