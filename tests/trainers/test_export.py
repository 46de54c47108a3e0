"""Export: one file, any batch, the same numbers in ONNX Runtime, and a checkpoint that opens."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from engines.card import ModelCard
from engines.checkpoint import load_checkpoint
from trainers import export
from trainers.export import TOLERANCE, ParityError, export_checkpoint, export_onnx, parity
from trainers.models.ensemble import ProbabilityEnsemble
from trainers.models.ststnet import STSTNet

MAPS = np.random.default_rng(0).normal(size=(7, 3, 28, 28)).astype(np.float32)


def card() -> ModelCard:
    return ModelCard(
        model="ststnet",
        paper="a paper",
        recipe="flow-strain",
        normalisation="centred-flow-log-strain",
        input_shape=(3, 28, 28),
        classes=("negative", "positive", "surprise"),
        training_data="none: a test",
        protocol="none",
        limits="all",
    )


def test_graph_is_whole_and_tells_nothing_of_this_machine() -> None:
    graph = export_onnx(ProbabilityEnsemble([STSTNet().eval()]).eval(), (3, 28, 28))
    assert str(Path(__file__).resolve().parents[2]).encode() not in graph
    assert all(not tensor.external_data for tensor in onnx.load_from_string(graph).graph.initializer)


def test_checkpoint_opens_with_the_models_weights(tmp_path: Path) -> None:
    torch.manual_seed(2)
    model = STSTNet().eval()
    written = export_checkpoint(model, card(), tmp_path / "made", MAPS)
    assert load_checkpoint(tmp_path / "made").card == written.card
    assert parity(model, written.model_path.read_bytes(), MAPS) <= TOLERANCE
    assert model.head.weight.detach().numpy().tobytes() in written.weights_path.read_bytes()


def test_a_graph_that_differs_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = export_onnx(STSTNet().eval(), (3, 28, 28))
    monkeypatch.setattr(export, "export_onnx", lambda *_: other)
    with pytest.raises(ParityError, match="differs from the model"):
        export_checkpoint(STSTNet().eval(), card(), tmp_path / "made", MAPS)
    assert not (tmp_path / "made").exists()


def test_shipped_checkpoint_is_small_and_honest() -> None:
    checkpoint = load_checkpoint("default")
    assert sum(path.stat().st_size for path in checkpoint.folder.iterdir()) < 5_000_000
    assert checkpoint.card.classes == ("negative", "positive", "surprise")
    assert "ynthetic movements only" in checkpoint.card.training_data
    assert "not a lie detector" in checkpoint.card.limits
