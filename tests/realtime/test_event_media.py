"""Pictures and clip of an event: all of them or none, readable by anything, true to the movement."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from realtime.clock import to_nanoseconds
from realtime.event_media import CLIP_RATE_HZ, LONGEST_CLIP_S, write_clip, write_event_media
from realtime.event_pictures import flow_on_face, strain_on_face
from realtime.faces.observation import AlignedFace, FaceQuality
from tests.realtime.session_fixtures import an_event

QUALITY = FaceQuality(
    eye_opening=(0.3, 0.3),
    yaw_deg=0.0,
    pitch_deg=0.0,
    roll_deg=0.0,
    mouth_opening=0.0,
    brightness=120.0,
    width_px=70.0,
)


def crops_at(times_s: list[float]) -> list[AlignedFace]:
    """Smooth gray faces whose shade tells their time."""
    y, x = np.mgrid[0:304, 0:256]
    texture = 40 * np.sin(x / 9) * np.sin(y / 11)
    landmarks = np.zeros((468, 2), np.float32)
    landmarks[133], landmarks[362] = (96, 76), (160, 76)
    return [
        AlignedFace(
            index=round(100 * time_s),
            time_ns=to_nanoseconds(time_s),
            captured_ns=0,
            face_id=1,
            image=np.repeat((100 + 50 * time_s + texture)[..., None], 3, axis=2).round().astype(np.uint8),
            landmarks=landmarks,
            to_crop=np.eye(2, 3),
            quality=QUALITY,
        )
        for time_s in times_s
    ]


def steady(start_s: float, end_s: float, rate_hz: float) -> list[AlignedFace]:
    return crops_at(list(np.arange(round((end_s - start_s) * rate_hz)) / rate_hz + start_s))


def test_an_event_gets_its_pictures_and_clip(tmp_path: Path) -> None:
    flow = np.zeros((2, 152, 128), np.float32)
    crops = steady(0.8, 1.45, 60)
    event = an_event(1.0)
    folder = write_event_media(tmp_path / "0001", event, crops, flow, np.zeros((152, 128), np.float32))
    assert sorted(path.name for path in folder.iterdir()) == [
        "apex.png",
        "clip.mp4",
        "flow.png",
        "offset.png",
        "onset.png",
        "strain.png",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["0001"]
    for name, time_s in (("onset", 1.0), ("apex", 1.1), ("offset", 1.25)):
        nearest = min(crops, key=lambda crop: abs(crop.time_ns - to_nanoseconds(time_s)))
        picture = cv2.imread(str(folder / f"{name}.png"))
        np.testing.assert_array_equal(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), nearest.image)


def test_the_clip_is_what_browsers_play_and_slow(tmp_path: Path) -> None:
    slow_down = write_clip(tmp_path / "clip.mp4", steady(0.8, 1.45, 60))
    assert slow_down == 5.0
    with av.open(str(tmp_path / "clip.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (512, 304)
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == pytest.approx(0.65 * 5 * CLIP_RATE_HZ, abs=10)
    shades = [float(frame[:, :256].mean()) for frame in frames]
    assert shades[-1] - shades[0] == pytest.approx(50 * 0.63, abs=4)  # the movement runs from its start to its end
    assert all(later >= earlier - 1.5 for earlier, later in pairwise(shades))


def test_a_long_movement_is_slowed_down_less(tmp_path: Path) -> None:
    slow_down = write_clip(tmp_path / "clip.mp4", steady(0.0, 2.4, 30))
    assert slow_down == pytest.approx(LONGEST_CLIP_S / 2.4, rel=0.02)


@pytest.mark.parametrize("times_s", [[1.0], [1.0, 1.9], [1.0, 1.01, 1.5, 1.51, 2.0]])
def test_few_or_uneven_frames_still_make_a_clip(tmp_path: Path, times_s: list[float]) -> None:
    write_clip(tmp_path / "clip.mp4", crops_at(times_s))
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 1


def test_pictures_are_all_there_or_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no crops to draw"):
        write_event_media(tmp_path / "0001", an_event(1.0), [])
    broken = replace(crops_at([1.0])[0], image=np.zeros((304, 256, 3), np.uint8))
    object.__setattr__(broken, "image", np.zeros((0, 0, 3), np.uint8))
    with pytest.raises((BadInput, cv2.error)):
        write_event_media(tmp_path / "0001", an_event(1.0), [broken])
    assert list(tmp_path.iterdir()) == []


def test_flow_is_coloured_by_direction_and_a_still_face_stays_gray() -> None:
    face = np.full((304, 256, 3), 128, np.uint8)
    still = flow_on_face(np.full((2, 304, 256), 0.01, np.float32), face)
    assert np.ptp(still[:200].astype(int), axis=2).max() <= 6
    flow = np.zeros((2, 304, 256), np.float32)
    flow[0, :, :128], flow[0, :, 128:] = -2.0, 2.0
    left, right = flow_on_face(flow, face)[40:200, 60], flow_on_face(flow, face)[40:200, 200]
    assert np.ptp(left.astype(int), axis=1).min() > 60
    assert np.abs(left.astype(int) - right.astype(int)).max() > 100
    key = flow_on_face(flow, face)[304 - 8 - 53 : 304 - 8, 256 - 8 - 53 : 256 - 8]
    # The key's own left is coloured as movement to the left is.
    assert np.abs(key[26, 2].astype(int) - left[0].astype(int)).max() < 45


def test_strain_glows_where_it_is() -> None:
    face = np.full((304, 256, 3), 128, np.uint8)
    strain = np.zeros((76, 64), np.float32)
    strain[30:40, 20:30] = 0.05
    picture = strain_on_face(strain, face).astype(int)
    assert picture[140, 100].sum() > picture[60, 200].sum() + 150
    assert np.ptp(picture[60, 200]) == 0


def test_flow_is_in_pixels_of_the_crop_whatever_its_grid(tmp_path: Path) -> None:
    pictures = []
    for name, width in (("0001", 256), ("0002", 64)):
        flow = np.zeros((2, round(width * 304 / 256), width), np.float32)
        flow[1] = np.linspace(0, 3, width)  # down, more so to the right
        write_event_media(tmp_path / name, an_event(1.0), crops_at([1.0, 1.1, 1.2]), flow)
        pictures.append(cv2.imread(str(tmp_path / name / "flow.png")).astype(int))
    assert np.abs(pictures[0] - pictures[1])[:240].max() < 16
    assert np.ptp(pictures[0][150, 200]) > 50
