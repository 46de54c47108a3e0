import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.faces.alignment import FaceAligner, crop_similarity
from realtime.faces.observation import (
    CROP_HEIGHT,
    CROP_WIDTH,
    PUPIL_DISTANCE,
    PUPIL_HEIGHT,
    AlignedFace,
    FaceObservation,
)
from realtime.faces.quality import read_quality
from realtime.faces.similarity import apply_similarity, fit_similarity, similarity_scale
from tests.realtime.filmed_faces import frame_of
from tests.synthetic_faces import still_scene

FACE = still_scene().landmarks
IMAGE = still_scene().frame(0.0)


def similarity(degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    a, b = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array(((a, -b, x), (b, a, y)))


def observation(landmarks: np.ndarray, measured: bool = True) -> FaceObservation:
    points = landmarks.astype(np.float32)
    quality = read_quality(points, np.zeros(468, np.float32), IMAGE)
    return FaceObservation(face_id=1, landmarks=points, measured=measured, quality=quality)


def align(track: list[np.ndarray], rate_hz: float) -> list[AlignedFace]:
    aligner = FaceAligner()
    return [
        aligner.push(frame_of(IMAGE, index, index / rate_hz), observation(points)) for index, points in enumerate(track)
    ]


@given(degrees=st.floats(-60, 60), scale=st.floats(0.3, 3.0), x=st.floats(-300, 300), y=st.floats(-300, 300))
def test_eye_centres_come_to_their_places_wherever_the_face_is(
    degrees: float, scale: float, x: float, y: float
) -> None:
    moved = apply_similarity(similarity(degrees, scale, x, y), FACE)
    placed = apply_similarity(crop_similarity(moved), moved)
    right, left = placed[[33, 133]].mean(axis=0), placed[[362, 263]].mean(axis=0)
    row = PUPIL_HEIGHT * CROP_HEIGHT
    np.testing.assert_allclose(right, ((CROP_WIDTH - PUPIL_DISTANCE) / 2, row), atol=1e-6)
    np.testing.assert_allclose(left, ((CROP_WIDTH + PUPIL_DISTANCE) / 2, row), atol=1e-6)


def test_crop_shows_the_picture_at_the_stated_places() -> None:
    (face,) = align([FACE.astype(np.float64)], 30.0)
    source = face.landmarks[[1, 61, 152]]
    back = np.linalg.inv(np.vstack((face.to_crop, (0, 0, 1))))[:2]
    for (x, y), (u, v) in zip(source, apply_similarity(back, source), strict=True):
        around = face.image[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4].mean()
        original = IMAGE[round(v) - 1 : round(v) + 2, round(u) - 1 : round(u) + 2].mean()
        assert around == pytest.approx(original, abs=6)


def test_noise_of_the_landmarks_hardly_moves_the_crop() -> None:
    generator = np.random.default_rng(0)
    track = [FACE + generator.normal(0, 0.3, FACE.shape) for _ in range(100)]
    places = np.stack([face.to_crop @ (*FACE[4], 1.0) for face in align(track, 100.0)[20:]])
    unfiltered = np.stack([crop_similarity(points) @ (*FACE[4], 1.0) for points in track[20:]])
    assert places.std(axis=0).max() < 0.35 * unfiltered.std(axis=0).max()


@pytest.mark.parametrize("rate_hz", [30.0, 200.0])
def test_a_moving_head_is_followed_closely(rate_hz: float) -> None:
    speed_px_s = 100.0  # two inner-canthus distances a second
    track = [FACE + np.array((speed_px_s * index / rate_hz, 0.0)) for index in range(int(rate_hz))]
    last = align(track, rate_hz)[-1]
    centre = apply_similarity(last.to_crop, track[-1])[[33, 133, 362, 263]].mean(axis=0)
    assert abs(centre[0] - CROP_WIDTH / 2) / similarity_scale(last.to_crop) < 2.5


def test_after_a_gap_the_past_is_forgotten() -> None:
    aligner = FaceAligner()
    aligner.push(frame_of(IMAGE, 0, 0.0), observation(FACE))
    face = aligner.push(frame_of(IMAGE, 1, 5.0), observation(FACE + 40.0))
    np.testing.assert_allclose(face.to_crop, crop_similarity(FACE.astype(np.float64) + 40.0), atol=1e-3)


@given(
    degrees=st.floats(-90, 90),
    scale=st.floats(0.2, 4.0),
    x=st.floats(-50, 50),
    y=st.floats(-50, 50),
    seed=st.integers(0, 1000),
)
def test_similarity_is_found_among_outliers(degrees: float, scale: float, x: float, y: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    true = similarity(degrees, scale, x, y)
    points = generator.uniform(-50, 50, (30, 2))
    moved = apply_similarity(true, points)
    moved[:8] += scale * generator.uniform(5, 20, (8, 2))
    np.testing.assert_allclose(fit_similarity(points, moved), true, atol=1e-4)
    assert not np.allclose(fit_similarity(points, moved, robust=False), true, atol=1e-2)


def test_similarity_heeds_weights() -> None:
    points = np.array(((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
    moved = points + np.array(((2.0, 3.0), (2.0, 3.0), (9.0, 9.0)))
    matrix = fit_similarity(points, moved, np.array((1.0, 1.0, 0.0)))
    np.testing.assert_allclose(matrix, similarity(0, 1, 2, 3), atol=1e-9)


@pytest.mark.parametrize("weights", [None, np.zeros(3)])
def test_similarity_of_one_place_is_refused(weights: np.ndarray | None) -> None:
    with pytest.raises(ValueError, match="at least two points"):
        fit_similarity(np.ones((3, 2)), np.ones((3, 2)), weights)
