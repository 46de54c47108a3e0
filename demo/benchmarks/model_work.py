"""How much arithmetic a network takes, read off its ONNX graph."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from demo.benchmarks.card_limits import Step

COUNTED = ("Conv", "Gemm", "MatMul")
"""Operators whose multiply-adds are counted; the others (adding, normalising, activation) ride along with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWork:
    """Of one map through a network."""

    operations: float
    """Of convolutions and matrix products, a multiply-add counted as two."""
    by_operator: dict[str, float]
    weight_bytes: int
    """Of all constants in the graph, float32: read once a batch."""
    activation_bytes: int
    """Read and written by the counted operators, float32: what moves if everything between is fused into them."""


def model_work(model: Path) -> ModelWork:
    """Count the work of one map.

    The graph is run once with the inputs and results of every counted operator as further outputs: so shapes that
    are worked out inside the graph are known as well.

    Args:
        model: ONNX file with one input of a free batch.
    """
    import onnx  # comes with the extras that build or train
    import onnxruntime

    graph = onnx.load(model)
    nodes = [node for node in graph.graph.node if node.op_type in COUNTED]
    constants = {tensor.name: tuple(tensor.dims) for tensor in graph.graph.initializer}
    given = graph.graph.input[0]
    shape = (1, *(axis.dim_value for axis in given.type.tensor_type.shape.dim[1:]))
    known = {output.name for output in graph.graph.output} | set(constants) | {given.name}
    wanted = list(dict.fromkeys(name for node in nodes for name in (*node.input[:2], *node.output)))
    graph.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted if name not in known)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # Fused operators would no longer have the tensors that are asked for.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    results = session.run(names, {given.name: np.zeros(shape, np.float32)})
    shapes = {**constants, given.name: shape, **{name: value.shape for name, value in zip(names, results, strict=True)}}
    by_operator = {kind: sum(_operations(node, shapes) for node in nodes if node.op_type == kind) for kind in COUNTED}
    moved = [name for node in nodes for name in (*node.input[:2], *node.output) if name not in constants]
    return ModelWork(
        operations=sum(by_operator.values()),
        by_operator=by_operator,
        weight_bytes=4 * sum(math.prod(dims) for dims in constants.values()),
        activation_bytes=4 * sum(math.prod(shapes[name]) for name in moved),
    )


def model_steps(work: ModelWork, batch: int, *, value_bytes: int = 4) -> list[Step]:
    """The same as steps against which a card is measured.

    Args:
        work: of one map.
        batch: maps at once.
        value_bytes: of a weight or an activation: 4 in fp32, 2 in fp16.
    """
    share = value_bytes / 4
    return [
        Step(elements=batch, element="maps", operations=work.operations, bytes=share * work.activation_bytes),
        Step(elements=1, element="reading of the weights", operations=0, bytes=share * work.weight_bytes),
    ]


def _operations(node: Any, shapes: dict[str, tuple[int, ...]]) -> float:
    first, second, result = shapes[node.input[0]], shapes[node.input[1]], shapes[node.output[0]]
    if node.op_type == "Conv":
        # A weight is (channels out, channels in of a group, height, width).
        return 2.0 * math.prod(result) * math.prod(second[1:])
    transposed = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
    return 2.0 * math.prod(result) * first[0 if transposed else -1]
