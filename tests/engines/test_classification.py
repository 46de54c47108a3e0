from pathlib import Path

import numpy as np
import pytest

from engines.classification import BATCH, classify, softmax
from engines.errors import BadInput
from engines.sessions import open_session
from tests.engines.stand_in_checkpoint import channel_mean_model, stand_in_checkpoint


def maps(count: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, 28, 28, 3), dtype=np.uint8)


def test_logits_become_probabilities_in_the_order_of_the_classes(tmp_path: Path) -> None:
    features = maps(4)
    with open_session(stand_in_checkpoint(tmp_path / "model")) as session:
        probabilities = classify(session, features)
    logits = features.mean(axis=(1, 2)) / 255
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-4)


def test_probabilities_are_taken_as_they_are(tmp_path: Path) -> None:
    features = maps(2)
    with open_session(stand_in_checkpoint(tmp_path / "model", output="probabilities")) as session:
        np.testing.assert_allclose(classify(session, features), features.mean(axis=(1, 2)) / 255, rtol=1e-4)


def test_the_mirror_image_is_averaged_in_with_its_flow_turned(tmp_path: Path) -> None:
    model = channel_mean_model(np.eye(3) * 8, column_weight=True)
    features = maps(3)
    turned = features[:, :, ::-1].copy()
    turned[..., 0] = 255 - turned[..., 0]
    with open_session(stand_in_checkpoint(tmp_path / "plain", model)) as plain:
        expected = (classify(plain, features) + classify(plain, turned)) / 2
        alone = classify(plain, features)
    with open_session(stand_in_checkpoint(tmp_path / "mirrored", model, test_time_mirror=True)) as session:
        averaged = classify(session, features)
        np.testing.assert_allclose(classify(session, turned), averaged, atol=1e-6)
    np.testing.assert_allclose(averaged, expected, atol=1e-6)
    assert np.abs(averaged - alone).max() > 1e-3


def test_many_maps_go_through_in_batches(tmp_path: Path) -> None:
    features = maps(BATCH + 3)
    with open_session(stand_in_checkpoint(tmp_path / "model", test_time_mirror=True)) as session:
        probabilities = classify(session, features)
        np.testing.assert_allclose(probabilities[-1:], classify(session, features[-1:]), atol=1e-6)
    assert probabilities.shape == (BATCH + 3, 3)


def test_features_that_do_not_fit_are_named(tmp_path: Path) -> None:
    with open_session(stand_in_checkpoint(tmp_path / "model")) as session:
        with pytest.raises(BadInput, match=r"stand-in takes flow-strain maps of shape \(N, 28, 28, 3\)"):
            classify(session, np.zeros((1, 56, 56, 3), np.uint8))
        with pytest.raises(BadInput, match="not finite"):
            classify(session, np.full((1, 28, 28, 3), np.inf, np.float32))
        with pytest.raises(BadInput, match=r"\(0, 28, 28, 3\)"):
            classify(session, np.zeros((0, 28, 28, 3), np.uint8))


def test_softmax_bears_large_logits() -> None:
    np.testing.assert_allclose(softmax(np.array([[1000, 0, -1000]], np.float32)), [[1, 0, 0]], atol=1e-12)
