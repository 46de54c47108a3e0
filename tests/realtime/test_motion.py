from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realtime.faces import landmarks as named
from realtime.faces.alignment import FaceAligner
from realtime.faces.landmarks import REGION_NAMES
from realtime.faces.observation import AlignedFace
from realtime.faces.tracker import FaceTracker
from realtime.sources import open_source
from realtime.spotting.motion import MotionExtractor, MotionParameters
from realtime.spotting.renewal import RenewalParameters
from tests.realtime.filmed_faces import (
    Image,
    aligned_faces,
    close_up,
    displacements_of,
    movement_of,
    true_displacement,
)
from tests.synthetic_faces import movement
from trainers.datasets.synthetic_scenes import Blink

SMILE = movement((12,), label="positive", start_s=0.5, rise_s=0.2, fall_s=0.25, amplitude_px=2.0)


def rows(names: frozenset[str]) -> list[int]:
    return [REGION_NAMES.index(name) for name in sorted(names)]


def times_of(faces: list[AlignedFace]) -> np.ndarray:
    return np.array([face.time_ns for face in faces]) / 1e9


@pytest.fixture(scope="module")
def resting() -> list[AlignedFace]:
    return aligned_faces(close_up(duration_s=1.6, noise_sd=3.0))


@pytest.fixture(scope="module")
def smiling() -> list[AlignedFace]:
    return aligned_faces(close_up(SMILE, duration_s=1.2, noise_sd=1.0))


def test_a_still_noisy_face_rests(resting: list[AlignedFace]) -> None:
    noise = displacements_of(movement_of(resting))[5:].std(axis=0)
    assert noise.mean() < 0.05
    assert noise.max() < 0.1


def test_a_moving_head_is_taken_out() -> None:
    scene = close_up(
        duration_s=2.0, seed=4, noise_sd=2.0, head_shift_px=5.0, head_roll_deg=2.0, head_turn_deg=1.5, head_scale=0.01
    )
    faces = aligned_faces(scene)
    noise = displacements_of(movement_of(faces))[5:].std(axis=0)
    assert np.ptp([face.quality.roll_deg for face in faces]) > 1.5
    assert noise.mean() < 0.1
    assert noise.max() < 0.4  # the outer brows: the synthetic skull is not as deep there as a real one


@pytest.mark.parametrize("units", [(12,), (15,), (17,), (20,), (25,)])
def test_a_movement_of_one_pixel_is_measured_to_15_percent(units: tuple[int, ...]) -> None:
    moved = movement(units, start_s=0.2, rise_s=0.15, fall_s=0.15, amplitude_px=1.0)
    scene = close_up(moved, duration_s=0.44, noise_sd=1.0)
    faces = aligned_faces(scene)
    measured, true = displacements_of(movement_of(faces)), true_displacement(scene, moved)
    times_s = times_of(faces)
    apex = measured[np.argmin(np.abs(times_s - moved.apex_s))] - measured[times_s < 0.2].mean(axis=0)
    strength = np.hypot(*true.T)
    strong = strength > 0.6 * strength.max()
    share = np.sum(apex[strong] * true[strong]) / np.sum(true[strong] ** 2)
    assert share == pytest.approx(1.0, abs=0.15)
    unmoved = strength < 0.05
    assert np.hypot(*apex[unmoved].T).max() < 0.25


def test_the_same_movement_reads_the_same_at_30_and_200_hz() -> None:
    scene = close_up(SMILE, duration_s=1.1, noise_sd=1.0)
    slow, fast = aligned_faces(scene, 30.0), aligned_faces(scene, 200.0)
    slowly, fastly = displacements_of(movement_of(slow)), displacements_of(movement_of(fast))
    between = np.stack(
        [
            np.interp(times_of(slow), times_of(fast), course)
            for course in fastly.reshape(len(fast), -1).T.astype(np.float64)
        ],
        axis=-1,
    ).reshape(slowly.shape)
    assert np.abs(between - slowly).max() < 0.2
    assert np.sqrt(np.mean((between - slowly) ** 2)) < 0.04
    assert np.abs(slowly).max() > 1.0


def test_same_faces_give_the_same_bits(smiling: list[AlignedFace]) -> None:
    first, second = (displacements_of(movement_of(smiling)) for _ in range(2))
    assert np.array_equal(first, second)


def test_the_signal_is_not_delayed(smiling: list[AlignedFace]) -> None:
    course = np.hypot(*displacements_of(movement_of(smiling))[:, rows(named.MOUTH_REGIONS)].sum(axis=1).T)
    assert times_of(smiling)[np.argmax(course)] == pytest.approx(SMILE.apex_s, abs=0.025)


def test_light_does_not_move_a_face_but_is_reported(resting: list[AlignedFace]) -> None:
    def darker(face: AlignedFace) -> AlignedFace:
        image = np.clip(face.image * 0.6 + 10.0, 0, 255).astype(np.uint8)
        return replace(face, image=image, quality=replace(face.quality, brightness=face.quality.brightness * 0.67))

    faces = resting[:10] + [darker(face) for face in resting[10:20]]
    samples = movement_of(faces)
    assert samples[9].gates == ()
    assert samples[10].gates == (named.GATE_LIGHT,)
    assert np.abs(displacements_of(samples)[10:]).max() < 0.4


def test_renewal_leaves_no_step(resting: list[AlignedFace]) -> None:
    extractor = MotionExtractor(MotionParameters(renewal=RenewalParameters(interval_s=0.3, quiet_s=0.3)))
    references, samples = [], []
    for face in resting:
        samples.append(extractor.push(face))
        assert extractor.reference is not None
        references.append(extractor.reference.time_ns)
    renewals = np.flatnonzero(np.diff(references))
    assert len(renewals) >= 3
    steps = np.abs(np.diff(displacements_of(samples), axis=0))
    assert steps[renewals].mean() < 1.5 * steps[5:].mean()


def test_no_renewal_within_an_expression() -> None:
    held = movement((12,), start_s=0.4, rise_s=0.2, hold_s=0.9, fall_s=0.25, amplitude_px=2.5)
    faces = aligned_faces(close_up(held, duration_s=1.5), 25.0)
    extractor = MotionExtractor(MotionParameters(renewal=RenewalParameters(interval_s=0.1, quiet_s=0.2)))
    taken = []
    for face in faces:
        extractor.push(face)
        assert extractor.reference is not None
        taken.append(extractor.reference.time_ns / 1e9)
    assert any(0 < time_s < held.start_s for time_s in taken)
    assert not any(held.start_s + 0.15 < time_s < held.end_s - 0.1 for time_s in taken)


def test_what_stays_becomes_neutral_without_a_step() -> None:
    held = movement((12,), start_s=0.2, rise_s=0.15, hold_s=2.4, fall_s=0.2, amplitude_px=2.0)
    faces = aligned_faces(close_up(held, duration_s=2.7), 25.0)
    settling = RenewalParameters(settled_s=0.5, interval_s=0.3, quiet_s=0.3, fade_s=0.5)
    corners = [REGION_NAMES.index(f"{side} lip corner") for side in ("left", "right")]
    course = np.hypot(*displacements_of(movement_of(faces, MotionParameters(renewal=settling)))[:, corners].sum(1).T)
    times_s = times_of(faces)
    assert course[times_s < 0.6].max() > 1.0
    assert course[(times_s > 2.5) & (times_s < 2.6)].max() < 0.4
    assert np.abs(np.diff(course))[times_s[1:] > 0.6].max() < 0.25


def test_a_blink_is_gated_though_landmarks_hardly_show_it() -> None:
    scene = close_up(duration_s=1.0)
    scene = replace(scene, script=replace(scene.script, blinks=(Blink(start_s=0.4),)))
    faces = aligned_faces(scene)
    gated = np.array([named.GATE_BLINK in sample.gates for sample in movement_of(faces)])
    times_s = times_of(faces)
    assert gated[(times_s > 0.46) & (times_s < 0.58)].all()
    assert not gated[times_s < 0.4].any()
    assert not gated[times_s > 0.9].any()


def test_a_smile_is_not_taken_for_a_blink(smiling: list[AlignedFace]) -> None:
    assert {sample.gates for sample in movement_of(smiling)} == {()}


def test_a_fast_head_is_gated() -> None:
    def thrown(image: Image, time_s: float) -> Image:
        return np.roll(image, round(250 * max(0.0, time_s - 0.2)), axis=1)

    samples = movement_of(aligned_faces(close_up(duration_s=0.5), change=thrown))
    assert samples[8].gates == ()
    assert named.GATE_HEAD_TURN in samples[-1].gates


def test_covered_regions_are_unreadable_and_the_others_are_not(resting: list[AlignedFace]) -> None:
    def covered(face: AlignedFace, top: int) -> AlignedFace:
        image = face.image.copy()
        image[top:] = np.random.default_rng(face.index).integers(90, 160, (1, 1, 3), dtype=np.uint8)
        return replace(face, image=image)

    samples = movement_of(resting[:5] + [covered(face, 150) for face in resting[5:10]] + resting[10:20])
    below = displacements_of(samples)[8]
    assert np.isnan(below[rows(named.MOUTH_REGIONS)]).all()
    assert np.abs(below[rows(named.BROW_REGIONS)]).max() < 0.3
    assert np.abs(displacements_of(samples)[-1]).max() < 0.3
    hidden = movement_of(resting[:5] + [covered(face, 0) for face in resting[5:8]])[-1]
    assert np.isnan(hidden.displacement).all()
    assert named.GATE_OCCLUDED in hidden.gates


def test_a_face_that_stays_covered_is_read_again(resting: list[AlignedFace]) -> None:
    def covered(face: AlignedFace) -> AlignedFace:
        image = face.image.copy()
        image[62:] = np.random.default_rng(0).integers(0, 255, image[62:].shape, dtype=np.uint8)
        return replace(face, image=image)

    samples = movement_of(resting[:5] + [covered(face) for face in resting[5:60]])
    assert named.GATE_OCCLUDED in samples[10].gates
    assert samples[-1].gates == ()


def test_after_a_gap_measurement_starts_afresh(smiling: list[AlignedFace]) -> None:
    apex = int(np.argmin(np.abs(times_of(smiling) - SMILE.apex_s)))
    later = replace(smiling[apex], time_ns=smiling[apex].time_ns + 5_000_000_000)
    samples = movement_of([*smiling[: apex + 1], later])
    assert np.abs(samples[-2].displacement).max() > 1.0
    np.testing.assert_allclose(np.nan_to_num(samples[-1].displacement), 0.0, atol=1e-4)


def test_a_face_that_was_found_again_is_doubtful_for_a_moment(resting: list[AlignedFace]) -> None:
    """Neither is the very first frame of a face, nor one after a shorter gap."""
    after_s = 2.0
    later = [replace(face, time_ns=face.time_ns + round(after_s * 1e9)) for face in resting[:40]]
    samples = movement_of([*resting[:20], *resting[30:40], *later])
    assert {sample.gates for sample in samples[:30]} == {()}
    since_s = np.array([sample.time_ns / 1e9 - after_s for sample in samples[30:]])
    gated = np.array([sample.gates == (named.GATE_RESTART,) for sample in samples[30:]])
    assert np.array_equal(gated, since_s < 0.3 - 1e-6)


def test_a_sample_carries_the_frame_that_it_was_read_from(resting: list[AlignedFace]) -> None:
    face, sample = resting[7], movement_of(resting[:8])[7]
    assert (sample.index, sample.time_ns, sample.captured_ns, sample.face_id) == (
        face.index,
        face.time_ns,
        face.captured_ns,
        face.face_id,
    )


def test_a_broad_smile_on_film_stays_readable(shared_data: Path) -> None:
    """A man at 30 frames a second, neutral for half a second, then smiling: the lip corners travel over 8 pixels."""
    aligner, faces = FaceAligner(), []
    with open_source(str(shared_data / "videos" / "pyfeat_single_face.mp4")) as source, FaceTracker() as tracker:
        while (frame := source.read()) is not None:
            faces += [aligner.push(frame, seen) for seen in tracker.push(frame)]
    corners = [REGION_NAMES.index(f"{side} lip corner") for side in ("left", "right")]
    course = displacements_of(movement_of(faces))[:, corners]
    times_s = times_of(faces)
    assert np.isnan(course).mean() < 0.1
    assert np.nanmax(np.abs(course[times_s < 0.45])) < 1.5
    smiling_px = np.hypot(*np.nan_to_num(course[(times_s > 1.0) & (times_s < 2.0)]).transpose(2, 0, 1))
    assert np.median(smiling_px) > 8.0
