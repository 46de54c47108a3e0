"""Faces that reach beyond the picture."""

from dataclasses import replace

import numpy as np
import pytest

from realtime.faces import landmarks as named
from realtime.faces.landmarks import REGION_NAMES
from realtime.faces.observation import AlignedFace
from realtime.spotting.picture_edges import beyond_edges
from realtime.spotting.sample import MotionSample
from tests.realtime.filmed_faces import Image, aligned_faces, close_up, displacements_of, movement_of
from tests.synthetic_faces import movement

SCENE = close_up(duration_s=0.3, noise_sd=1.0)
POINTS = SCENE.landmarks.astype(int)
LEFT_CHEEK, RIGHT_CHEEK, LOWER_LIP, MIDDLE_BROW = 425, 205, 17, 105


def unread(sample: MotionSample) -> set[str]:
    return {name for name, row in zip(REGION_NAMES, sample.displacement, strict=True) if np.isnan(row).any()}


@pytest.mark.parametrize(
    ("window", "gate", "lost"),
    [
        (np.s_[: POINTS[LOWER_LIP, 1] + 2], named.GATE_OUT_BELOW, "chin"),
        (np.s_[POINTS[MIDDLE_BROW, 1] + 2 :], named.GATE_OUT_ABOVE, "left middle brow"),
        (np.s_[:, POINTS[RIGHT_CHEEK, 0] - 3 :], named.GATE_OUT_RIGHT, "right outer brow"),
        (np.s_[:, : POINTS[LEFT_CHEEK, 0] + 3], named.GATE_OUT_LEFT, "left outer brow"),
    ],
)  # fmt: skip
def test_what_lies_outside_is_not_read_and_the_rest_is(window: tuple[slice, ...], gate: str, lost: str) -> None:
    samples = movement_of(aligned_faces(SCENE, 25.0, lambda image, _: np.ascontiguousarray(image[window])))
    assert len(samples) > 5
    assert {sample.gates for sample in samples} == {(gate,)}
    assert lost in unread(samples[-1])
    assert unread(samples[-1]) < named.MASKED_REGIONS[gate]
    assert np.nanmax(np.abs(displacements_of(samples))) < 0.25


def test_a_face_with_room_round_it_has_no_gate() -> None:
    samples = movement_of(aligned_faces(SCENE, 25.0))
    assert {sample.gates for sample in samples} == {()}
    assert not unread(samples[-1])


def test_brows_are_measured_while_the_chin_is_outside() -> None:
    raised = movement((1, 2), start_s=0.1, rise_s=0.15, fall_s=0.15, amplitude_px=2.0)
    whole = aligned_faces(close_up(raised, duration_s=0.3, noise_sd=1.0))
    cut = aligned_faces(close_up(raised, duration_s=0.3, noise_sd=1.0), 50.0, lambda image, _: image[: POINTS[17, 1]])
    brows = [REGION_NAMES.index(f"{side} inner brow") for side in ("left", "right")]
    risen, risen_of_cut = (-displacements_of(movement_of(faces))[:, brows, 1].min() for faces in (whole, cut))
    assert risen > 1.0
    assert risen_of_cut == pytest.approx(risen, rel=0.2)


def test_a_face_that_comes_back_is_read_again() -> None:
    def sinking(image: Image, time_s: float) -> Image:
        down = round(60 * np.sin(np.pi * min(time_s / 0.8, 1.0)))
        return np.pad(image, ((down, 0), (0, 0), (0, 0)), "edge")[: image.shape[0]]

    samples = movement_of(aligned_faces(close_up(duration_s=1.0, noise_sd=1.0), 50.0, sinking))
    gated = np.array([named.GATE_OUT_BELOW in sample.gates for sample in samples])
    assert not gated[0]
    assert gated[len(samples) // 2]
    assert "chin" in unread(samples[len(samples) // 2])
    assert not gated[-1]
    assert not unread(samples[-1])
    assert np.abs(samples[-1].displacement).max() < 0.4


@pytest.mark.parametrize(
    ("quarter_turns", "gate"),
    [(0, named.GATE_OUT_RIGHT), (1, named.GATE_OUT_BELOW), (2, named.GATE_OUT_LEFT), (3, named.GATE_OUT_ABOVE)],
)
def test_sides_are_those_of_the_face_however_it_leans(quarter_turns: int, gate: str) -> None:
    """The picture's left edge lies at another side of a head that leans: turned anticlockwise, at its chin."""
    cosine, sine = ((1, 0), (0, -1), (-1, 0), (0, 1))[quarter_turns]
    centre = np.array((128.0, 152.0))
    source_centre = np.array((60.0, 200.0))
    matrix = np.array(((cosine, -sine), (sine, cosine)), float)
    face = aligned_at(np.column_stack((matrix, centre - matrix @ source_centre)))
    spread = centre + matrix @ np.array((-58.0, 0.0))
    outside, gates = beyond_edges(face, np.stack((centre, spread)), 16)
    assert gates == (gate,)
    assert outside.tolist() == [False, True]
    assert beyond_edges(replace(face, source_size=None), np.stack((centre, spread)), 16)[1] == ()


def aligned_at(to_crop: np.ndarray) -> AlignedFace:
    face = aligned_faces(SCENE, 5.0)[0]
    return replace(face, to_crop=to_crop, source_size=(400, 400))
