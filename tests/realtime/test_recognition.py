from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import BadCheckpoint
from engines.flow import Tvl1Parameters
from engines.inputs import RECIPES
from engines.sessions import InferenceSession, open_session
from realtime.events import ExpressionEvent
from realtime.faces.observation import AlignedFace, FaceQuality
from realtime.recognition import Recogniser
from tests.engines.stand_in_checkpoint import CLASSES, channel_mean_model, stand_in_checkpoint
from tests.engines.test_steady_flow import at, texture

QUICK = Tvl1Parameters.quick()


def face(index: int, gray: np.ndarray) -> AlignedFace:
    quality = FaceQuality(
        eye_opening=(0.3, 0.3),
        yaw_deg=0.0,
        pitch_deg=0.0,
        roll_deg=0.0,
        mouth_opening=0.0,
        brightness=128.0,
        width_px=64.0,
    )
    image = np.repeat(np.clip(np.rint(gray), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return AlignedFace(
        index=index,
        time_ns=index * 10_000_000,
        captured_ns=index * 10_000_000,
        face_id=1,
        image=image,
        landmarks=np.zeros((468, 2), np.float32),
        to_crop=np.eye(2, 3),
        quality=quality,
    )


def event() -> ExpressionEvent:
    return ExpressionEvent(
        face_id=1,
        onset_index=3,
        apex_index=9,
        offset_index=15,
        onset_ns=30_000_000,
        apex_ns=90_000_000,
        offset_ns=150_000_000,
        kind="micro",
        regions=("mouth-corner-left",),
        strength=1.2,
        threshold=0.4,
        settled_index=20,
        settled_captured_ns=200_000_000,
    )


def crops(seed: int = 11, *, turn: float = 0.0, shift: float = 0.0) -> tuple[AlignedFace, AlignedFace, AlignedFace]:
    """A textured face whose lower right moves right and up, while the head turns and shifts."""
    onset = texture(seed)
    y, x = np.mgrid[0:304, 0:256].astype(np.float32)
    bump = np.exp(-((x - 180) ** 2 + (y - 215) ** 2) / (2 * 25**2))
    map_x = x - 2 * bump - shift + turn * (y - 151.5)
    map_y = y + 1.5 * bump - 0.5 * shift - turn * (x - 127.5)
    apex = cv2.remap(onset, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return face(3, onset), face(9, apex), face(15, onset)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[InferenceSession]:
    with open_session(stand_in_checkpoint(tmp_path / "tiny", channel_mean_model(np.eye(3) * 5))) as opened:
        yield opened


def test_an_event_gets_label_probabilities_and_checkpoint(session: InferenceSession) -> None:
    recognition = Recogniser(session, session.checkpoint, QUICK).recognise(event(), *crops())
    labelled = recognition.event
    assert replace(labelled, label=None, probabilities={}, checkpoint=None) == event()
    assert labelled.checkpoint == "tiny"
    assert tuple(labelled.probabilities) == CLASSES
    assert sum(labelled.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert labelled.label == max(labelled.probabilities, key=lambda name: labelled.probabilities[name])
    means = recognition.features.mean(axis=(0, 1)) / 255 * 5
    expected = np.exp(means) / np.exp(means).sum()
    np.testing.assert_allclose(list(labelled.probabilities.values()), expected, rtol=1e-3)
    assert labelled.as_record()["probabilities"] == labelled.probabilities


def test_the_movement_is_shown_in_crop_pixels(session: InferenceSession) -> None:
    recognition = Recogniser(session, flow=QUICK).recognise(event(), *crops())
    np.testing.assert_allclose(at(recognition.flow, 181, 214), (1.8, -1.3), atol=0.45)
    assert np.abs(recognition.flow[:, :50]).mean() < 0.1
    assert recognition.strain.shape == recognition.flow.shape[1:]
    assert recognition.features.shape == (28, 28, 3)


def test_a_head_that_moves_changes_little(session: InferenceSession) -> None:
    recogniser = Recogniser(session, flow=QUICK)
    still = recogniser.recognise(event(), *crops())
    moving = recogniser.recognise(event(), *crops(turn=0.008, shift=1.2))
    assert np.abs(still.flow - moving.flow).mean() < 0.1
    assert np.abs(still.features.astype(int) - moving.features).mean() < 15


def test_the_same_crops_always_give_the_same_answer(session: InferenceSession) -> None:
    recogniser = Recogniser(session, flow=QUICK)
    first = recogniser.recognise(event(), *crops())
    recogniser.recognise(event(), *crops(seed=12))
    again = Recogniser(session, flow=QUICK).recognise(event(), *crops())
    assert first.event == again.event
    np.testing.assert_array_equal(first.flow, again.flow)
    np.testing.assert_array_equal(first.features, again.features)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_checkpoint_of_any_recipe_is_served(tmp_path: Path, name: str) -> None:
    recipe = RECIPES[name]
    shape = (recipe.channels, *recipe.size)
    checkpoint = stand_in_checkpoint(
        tmp_path / name,
        channel_mean_model(np.ones((recipe.channels, 3)), shape),
        recipe=name,
        normalisation=recipe.normalisation,
        input_shape=shape,
        test_time_mirror=recipe.mirrored is not None,
    )
    with open_session(checkpoint) as session:
        recognition = Recogniser(session, flow=QUICK).recognise(event(), *crops())
    assert recognition.event.label in CLASSES
    assert recognition.flow.ndim == 3


def test_a_session_of_another_checkpoint_is_refused(session: InferenceSession, tmp_path: Path) -> None:
    other = stand_in_checkpoint(tmp_path / "other")
    with pytest.raises(BadCheckpoint, match="open another"):
        Recogniser(session, other)
