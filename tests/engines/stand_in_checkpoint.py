"""A checkpoint small enough to check by hand: the mean of each channel times a matrix."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines.card import ModelCard
from engines.checkpoint import Checkpoint, write_checkpoint

CLASSES = ("negative", "positive", "surprise")


def stand_in_card(**changes: object) -> ModelCard:
    base = ModelCard(
        model="stand-in",
        paper="none",
        recipe="flow-strain",
        normalisation="unit-interval",
        input_shape=(3, 28, 28),
        classes=CLASSES,
        training_data="nothing",
        protocol="none",
        limits="a stand-in for tests",
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the fields under test, by name


def channel_mean_model(
    matrix: np.ndarray,
    shape: tuple[int, int, int] = (3, 28, 28),
    *,
    batch: str | int = "N",
    column_weight: bool = False,
) -> bytes:
    """ONNX: logits = mean over the pixels (columns weighted −1 to 1 where asked) times a matrix (C, K)."""
    onnx = pytest.importorskip("onnx", reason="onnx comes with the [train] extra")
    helper, numbers = onnx.helper, onnx.numpy_helper
    ramp = np.linspace(-1, 1, shape[2], dtype=np.float32) if column_weight else np.ones(shape[2], np.float32)
    nodes = [
        helper.make_node("Mul", ["x", "ramp"], ["weighted"]),
        helper.make_node("GlobalAveragePool", ["weighted"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["logits"]),
    ]
    tensor = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "stand_in",
        [helper.make_tensor_value_info("x", tensor, [batch, *shape])],
        [helper.make_tensor_value_info("logits", tensor, [batch, matrix.shape[1]])],
        [numbers.from_array(ramp, "ramp"), numbers.from_array(matrix.astype(np.float32), "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


def stand_in_checkpoint(folder: Path, model: bytes | None = None, **card: object) -> Checkpoint:
    """Write the stand-in; logits are the channel means unless a model is given."""
    content = model if model is not None else channel_mean_model(np.eye(3))
    return write_checkpoint(folder, model=content, weights={}, card=stand_in_card(**card))
