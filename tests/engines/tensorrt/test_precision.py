"""The half-precision graph: same input and output, the same numbers within half precision, and what it refuses."""

import sys
from typing import Any

import numpy as np
import pytest

from engines.checkpoint import load_checkpoint
from engines.errors import BackendUnavailable, BadCheckpoint
from engines.tensorrt.precision import half_precision
from tests.parity.tolerances import TOLERANCES, assert_outputs_agree

onnx = pytest.importorskip("onnx", reason="onnx comes with the [tensorrt] extra")
onnxruntime = pytest.importorskip("onnxruntime")

FLOAT, HALF = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16


def graph_of(nodes: list[Any], weights: dict[str, np.ndarray], columns: int = 2) -> bytes:
    """A graph from x (N, 4) to y (N, columns)."""
    helper = onnx.helper
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", FLOAT, ["N", columns])],
        [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
    ).SerializeToString()
    return content


def run(graph: bytes, maps: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {session.get_inputs()[0].name: maps})[0]
    return result


def test_the_shipped_checkpoint_in_half_precision_agrees() -> None:
    """Here without PyTorch; the parity suite compares every registered model."""
    checkpoint = load_checkpoint("default")
    graph = checkpoint.model_path.read_bytes()
    half = half_precision(graph)
    maps = np.random.default_rng(0).normal(size=(64, *checkpoint.card.input_shape)).astype(np.float32)
    for batch in (1, 64):
        assert run(half, maps[:batch]).dtype == np.float32
        assert_outputs_agree(run(half, maps[:batch]), run(graph, maps[:batch]), TOLERANCES["fp16 card"])
    assert len(half) < 0.65 * len(graph), "weights take half the room"


def test_ends_keep_their_names_and_types() -> None:
    before = onnx.load_from_string(load_checkpoint("default").model_path.read_bytes()).graph
    after = onnx.load_from_string(half_precision(load_checkpoint("default").model_path.read_bytes())).graph
    for wanted, given in ((before.input, after.input), (before.output, after.output)):
        assert [(value.name, value.type) for value in wanted] == [(value.name, value.type) for value in given]
    heavy = [node.name for node in before.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    inferred = onnx.shape_inference.infer_shapes(onnx.helper.make_model(after), strict_mode=True).graph
    types = {value.name: value.type.tensor_type.elem_type for value in inferred.value_info}
    products = [node for node in after.node if node.name in heavy]
    assert len(products) == len(heavy) > 100
    assert {types[name] for node in products for name in node.output} == {HALF}


def test_what_follows_the_last_product_stays_float32() -> None:
    """exp(−60) is zero in half precision, and so is the clip: its logarithm would be minus infinity."""
    node = onnx.helper.make_node
    graph = graph_of(
        [
            node("MatMul", ["x", "w"], ["scores"]),
            node("Softmax", ["scores"], ["shares"], axis=1),
            node("Clip", ["shares", "least"], ["clipped"]),
            node("Log", ["clipped"], ["y"]),
        ],
        {"w": np.eye(4, 2, dtype=np.float32), "least": np.float32(1e-12).reshape(())},
    )
    maps = np.array([[60.0, 0.0, 0.0, 0.0]], np.float32)
    np.testing.assert_allclose(run(half_precision(graph), maps), run(graph, maps), rtol=1e-3)
    assert run(graph, maps)[0, 1] == pytest.approx(np.log(1e-12), rel=1e-6)


def test_constants_casts_and_reused_values_are_converted() -> None:
    node, tensor = onnx.helper.make_node, onnx.numpy_helper.from_array
    graph = graph_of(
        [
            node("Constant", [], ["two"], value=tensor(np.float32(2).reshape(()))),
            node("Shape", ["x"], ["shape"]),
            node("Gather", ["shape", "first"], ["width"]),
            node("Cast", ["width"], ["width_float"], to=FLOAT),
            node("Mul", ["x", "two"], ["doubled"]),
            node("Div", ["doubled", "width_float"], ["scaled"]),
            node("MatMul", ["scaled", "w"], ["product"]),
            node("MatMul", ["x", "w"], ["other"]),
            node("Add", ["product", "other"], ["y"]),
        ],
        {"w": np.full((4, 2), 0.25, np.float32), "first": np.array(1, np.int64)},
    )
    maps = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_allclose(run(half_precision(graph), maps), run(graph, maps), rtol=2e-3)


def test_an_output_that_is_a_product_keeps_its_name() -> None:
    node = onnx.helper.make_node
    graph = graph_of([node("MatMul", ["x", "w"], ["y"])], {"w": np.eye(4, 2, dtype=np.float32)})
    converted = onnx.load_from_string(half_precision(graph)).graph
    assert converted.output[0].name == "y"
    assert converted.output[0].type.tensor_type.elem_type == FLOAT
    maps = np.array([[1.5, -2.0, 3.0, 4.0]], np.float32)
    np.testing.assert_array_equal(run(half_precision(graph), maps), maps[:, :2])


def test_weights_beyond_the_range_are_named() -> None:
    graph = graph_of([onnx.helper.make_node("MatMul", ["x", "big"], ["y"])], {"big": np.full((4, 2), 7e4, np.float32)})
    with pytest.raises(BadCheckpoint, match=r"weight big exceeds the range of fp16: build it in fp32"):
        half_precision(graph)


def test_control_flow_is_refused() -> None:
    helper = onnx.helper
    branch = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["inner"])], "b", [], [helper.make_tensor_value_info("inner", FLOAT, None)]
    )
    nodes = [helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)]
    with pytest.raises(BadCheckpoint, match="control flow"):
        half_precision(graph_of(nodes, {"yes": np.array(True)}, columns=4))


def test_without_onnx_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(BackendUnavailable, match=r"needs the package onnx.*pip install 'onset-live\[tensorrt\]'"):
        half_precision(b"")
