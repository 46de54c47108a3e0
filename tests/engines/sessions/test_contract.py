"""One suite over every engine: those that cannot open here skip with the doctor's reason.

TensorRT runs twice without a card, one time for each flavour, over a stand-in that computes with ONNX Runtime; and for
real where there is a card.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engines.checkpoint import Checkpoint
from engines.errors import BackendUnavailable, BadCheckpoint, BadInput
from engines.sessions import InferenceSession, open_session
from engines.sessions.tensorrt import TensorRtSession
from engines.tensorrt.build import build_engine
from tests.engines.sessions.stand_in_card import StandInCard
from tests.engines.sessions.stand_in_tensorrt import CARD, StandInTensorRt, store_engine
from tests.engines.stand_in_checkpoint import channel_mean_model, stand_in_checkpoint

MATRIX = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0], [-2.0, 1.0, 0.25]])


@pytest.fixture(
    params=["onnxruntime", "stand-in rtx", "stand-in datacenter", pytest.param("tensorrt", marks=pytest.mark.gpu)]
)
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[InferenceSession]:
    checkpoint = stand_in_checkpoint(tmp_path / "model", channel_mean_model(MATRIX))
    with opened(request.param, checkpoint) as session:
        yield session


def opened(name: str, checkpoint: Checkpoint) -> InferenceSession:
    if name.startswith("stand-in"):
        card = StandInCard()
        flavour = StandInTensorRt(card, "rtx" if name.endswith("rtx") else "datacenter").flavour
        store_engine(checkpoint, flavour=flavour.name)
        return TensorRtSession(checkpoint, card=lambda: CARD, flavours=[flavour], memory=lambda: card)
    try:
        if name == "tensorrt":
            build_engine(checkpoint)
        return open_session(checkpoint, backend=name)
    except BackendUnavailable as fault:
        pytest.skip(str(fault))


def batch(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(size=(count, 3, 28, 28)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 2, 7, 300])
def test_the_model_is_computed_for_any_batch(session: InferenceSession, count: int) -> None:
    x = batch(count)
    np.testing.assert_allclose(session.run(x), x.mean(axis=(2, 3)) @ MATRIX, rtol=1e-4, atol=1e-5)


def test_batching_does_not_change_the_answer(session: InferenceSession) -> None:
    x = batch(5)
    np.testing.assert_allclose(session.run(x), np.concatenate([session.run(one[None]) for one in x]), atol=1e-6)


def test_views_that_are_not_contiguous_are_taken(session: InferenceSession) -> None:
    x = batch(4)[::-2, :, :, ::-1]
    np.testing.assert_allclose(session.run(x), x.mean(axis=(2, 3)) @ MATRIX, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros((1, 3, 28, 27), np.float32), r"must have shape \(N, 3, 28, 28\), not \(1, 3, 28, 27\)"),
        (np.zeros((3, 28, 28), np.float32), "must have shape"),
        (np.zeros((0, 3, 28, 28), np.float32), "must have shape"),
        (np.full((1, 3, 28, 28), np.nan, np.float32), "not finite"),
    ],
)
def test_what_is_wrong_with_an_input_is_named(session: InferenceSession, wrong: np.ndarray, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        session.run(wrong)


def test_closing_twice_is_fine_and_running_after_is_not(session: InferenceSession) -> None:
    session.close()
    session.close()
    with pytest.raises(RuntimeError, match="is closed"):
        session.run(batch(1))


def test_the_session_says_what_it_is(session: InferenceSession) -> None:
    assert session.backend in session.choice
    description = session.describe()
    assert "stand-in" in description
    assert "float32 (N, 3, 28, 28)" in description
    assert "\n" not in description


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"not a model", "model.onnx cannot be run"),
        (
            (np.eye(3)[:, :2], {}),
            r"the model gives float32 \(2, 2\) where its card promises float32 \(2, 3\)",
        ),
        ((np.full((3, 3), np.inf), {}), "not finite"),
        ((np.eye(3), {"shape": (3, 28, 14)}), r"model.onnx takes tensor\(float\) .* 14\); its card says"),
        ((np.eye(3), {"batch": 1}), "fixed to a batch of 1"),
    ],
)
def test_a_model_unlike_its_card_is_refused_at_opening(tmp_path: Path, model: object, message: str) -> None:
    content = model if isinstance(model, bytes) else channel_mean_model(model[0], **model[1])  # type: ignore[index]  # a pair
    checkpoint = stand_in_checkpoint(tmp_path / "model", content)
    with pytest.raises(BadCheckpoint, match=message) as fault:
        open_session(checkpoint, backend="onnxruntime")
    assert "\n" not in str(fault.value)
