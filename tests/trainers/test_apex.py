"""The apex found where none is given: against movements of known course, against the formula, and at the edges."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest
from jaxtyping import UInt8

from engines.errors import BadInput
from realtime.clock import to_nanoseconds
from realtime.faces.alignment import FaceAligner
from realtime.faces.landmarks import REGION_NAMES, REGIONS
from realtime.faces.observation import CROP_HEIGHT, CROP_WIDTH, AlignedFace, FaceQuality
from realtime.faces.tracker import FaceTracker
from realtime.frames import Frame
from realtime.spotting.sample import MotionSample
from tests.synthetic_faces import movement, still_scene
from trainers.apex import APEX_METHODS, ApexMethod, find_apex
from trainers.apex.pixel_difference import REGION_SIDE, TEN_REGIONS
from trainers.apex.spotted import spotted_apex, strongest_frame
from trainers.datasets.synthetic_rendering import Scene

START_S, RISE_S, FALL_S = 0.4, 0.1, 0.2


@lru_cache(maxsize=1)
def brow_raise() -> Scene:
    """Rises faster than it falls, so that its apex is not its middle."""
    shown = movement((1, 2), start_s=START_S, rise_s=RISE_S, fall_s=FALL_S, amplitude_px=2.0)
    return still_scene(shown, duration_s=1.2, width=320, height=288, noise_sd=1.0, head_shift_px=0.8, head_turn_deg=0.3)


@lru_cache(maxsize=2)
def filmed(frame_rate_hz: float) -> tuple[AlignedFace, ...]:
    """The scene at a rate, aligned as live."""
    aligner, faces = FaceAligner(), []
    with FaceTracker() as tracker:
        for index in range(int(1.1 * frame_rate_hz)):
            time_ns = to_nanoseconds(index / frame_rate_hz)
            frame = Frame(
                index=index, time_ns=time_ns, captured_ns=time_ns, image=brow_raise().frame(index / frame_rate_hz)
            )
            faces += [aligner.push(frame, seen) for seen in tracker.push(frame)]
    return tuple(faces)


def error_ms(method: ApexMethod, frame_rate_hz: float, *, margin_s: float) -> float:
    """How far a method is from the true apex."""
    (truth,) = brow_raise().truths
    onset, offset = int(np.ceil(truth.onset_s * frame_rate_hz)), int(truth.offset_s * frame_rate_hz)
    margin = margin_s * frame_rate_hz
    faces = [face for face in filmed(frame_rate_hz) if onset - margin <= face.index <= offset + margin]
    found = find_apex(method, faces, onset, offset)
    assert onset < found < offset
    return 1000 * abs(found / frame_rate_hz - truth.apex_s)


@pytest.mark.parametrize("frame_rate_hz", [100.0, 200.0])
def test_the_spotter_comes_within_12_ms_with_frames_around_and_without(frame_rate_hz: float) -> None:
    assert error_ms("spotter", frame_rate_hz, margin_s=0.4) < 12
    assert error_ms("spotter", frame_rate_hz, margin_s=0.0) < 12


@pytest.mark.parametrize("frame_rate_hz", [100.0, 200.0])
def test_pixel_differences_come_nearer_than_the_middle(frame_rate_hz: float) -> None:
    error = error_ms("pixel-difference", frame_rate_hz, margin_s=0.0)
    assert error <= 25
    assert error < error_ms("middle", frame_rate_hz, margin_s=0.0)
    assert 30 < error_ms("middle", frame_rate_hz, margin_s=0.0) < 60


def face(index: int, image: UInt8[np.ndarray, "304 256 3"] | None = None) -> AlignedFace:
    """A crop with every landmark in its usual place: regions in a grid, far from each other."""
    landmarks = np.full((468, 2), (128.0, 290.0), np.float32)
    for place, region in enumerate(REGIONS):
        for patch in region.patches:
            landmarks[list(patch)] = (30 + 48 * (place % 5), 30 + 60 * (place // 5))
    quality = FaceQuality(
        eye_opening=(0.3, 0.3), yaw_deg=0, pitch_deg=0, roll_deg=0, mouth_opening=0, brightness=128, width_px=64
    )
    return AlignedFace(
        index=index,
        time_ns=index * 10_000_000,
        captured_ns=0,
        face_id=1,
        image=np.full((CROP_HEIGHT, CROP_WIDTH, 3), 100, np.uint8) if image is None else image,
        landmarks=landmarks,
        to_crop=np.eye(2, 3),
        quality=quality,
    )


def lit(index: int, region: str, level: int) -> AlignedFace:
    """A face whose one region has another brightness."""
    image = np.full((CROP_HEIGHT, CROP_WIDTH, 3), 100, np.uint8)
    place = REGION_NAMES.index(region)
    x, y = 30 + 48 * (place % 5), 30 + 60 * (place // 5)
    image[max(0, y - 18) : y + 18, max(0, x - 18) : x + 18] = level
    return face(index, image)


@pytest.mark.parametrize("region", TEN_REGIONS)
def test_each_of_the_ten_regions_counts_and_others_do_not(region: str) -> None:
    levels = [100, 110, 120, 130, 120, 110, 100]
    assert find_apex("pixel-difference", [lit(i, region, level) for i, level in enumerate(levels)], 0, 6) == 3
    chin = [lit(i, "chin", level) for i, level in enumerate(levels)]
    assert find_apex("pixel-difference", chin, 0, 6) == find_apex("pixel-difference", [face(i) for i in range(7)], 0, 6)


def test_the_formula_is_that_of_the_paper() -> None:
    generator = np.random.default_rng(3)
    images = generator.integers(0, 255, (8, CROP_HEIGHT, CROP_WIDTH, 3), np.uint8)
    faces = [face(10 + i, image) for i, image in enumerate(images)]
    grays = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float) for image in images]

    def regions(gray: np.ndarray) -> np.ndarray:
        cuts = []
        for name in TEN_REGIONS:
            place, half = REGION_NAMES.index(name), REGION_SIDE // 2
            x, y = max(30 + 48 * (place % 5), half), max(30 + 60 * (place // 5), half)
            cuts.append(gray[y - half : y + half, x - half : x + half])
        return np.stack(cuts)

    def f(i: int, j: int) -> float:
        upper = np.abs(regions(grays[i]) - regions(grays[j])) + 1
        lower = np.abs(regions(grays[i]) - regions(grays[i - 1])) + 1
        return float((upper / lower).mean())

    expected = max(range(1, 7), key=lambda i: f(i, 0) + f(i, 7))
    assert find_apex("pixel-difference", faces, 10, 17) == 10 + expected


@pytest.mark.parametrize(("offset", "middle"), [(12, 11), (13, 11), (14, 12), (20, 15)])
def test_the_middle_of_an_even_number_of_frames_is_the_earlier_one(offset: int, middle: int) -> None:
    assert find_apex("middle", [face(index) for index in range(8, 25)], 10, offset) == middle


def samples(movement_at: Callable[[int], np.ndarray], count: int = 21) -> list[MotionSample]:
    """Regional movement of frames 10 ms apart, numbered from 100."""
    return [
        MotionSample(
            index=100 + i,
            time_ns=i * 10_000_000,
            captured_ns=0,
            face_id=1,
            displacement=movement_at(i).astype(np.float32),
        )
        for i in range(count)
    ]


def bump(i: int, middle: int, height: float, regions: Sequence[str]) -> np.ndarray:
    """Movement of some regions, a bump in time."""
    rows = np.zeros((len(REGION_NAMES), 2))
    rows[[REGION_NAMES.index(name) for name in regions], 1] = height * np.exp(-0.5 * ((i - middle) / 2.0) ** 2)
    return rows


def test_a_blink_does_not_outdo_the_expression() -> None:
    lids = [name for name in REGION_NAMES if name.endswith("lid")]
    moved = samples(lambda i: bump(i, 8, 1.0, ["right lip corner"]) + bump(i, 15, 6.0, lids))
    assert strongest_frame(moved) == 108


def test_drift_between_onset_and_offset_is_no_strength_and_unread_regions_are_still() -> None:
    drift = np.zeros((len(REGION_NAMES), 2))
    drift[:, 0] = 0.5
    moved = samples(lambda i: bump(i, 8, 1.0, ["chin"]) + i * drift)
    unread = [
        replace(one, displacement=np.where(np.arange(len(REGION_NAMES))[:, None] == 0, np.nan, one.displacement))
        for one in moved
    ]
    assert strongest_frame(moved) == strongest_frame(unread) == 108


def test_a_face_that_does_not_move_still_gives_a_frame() -> None:
    still = [face(index) for index in range(30)]
    assert 10 < spotted_apex(still, 10, 20) < 20


@pytest.mark.parametrize("method", APEX_METHODS)
def test_without_a_frame_between_the_offset_is_the_apex(method: ApexMethod) -> None:
    assert find_apex(method, [face(4), face(9)], 4, 9) == 9


def test_what_cannot_be_found_is_said() -> None:
    faces = [face(index) for index in range(5)]
    for onset, offset in ((3, 3), (4, 1), (0, 9), (-1, 4)):
        with pytest.raises(BadInput, match=f"onset {onset} to offset {offset}"):
            find_apex("middle", faces, onset, offset)
