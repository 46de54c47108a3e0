"""The ONNX graph in half precision: what a strongly typed fp16 engine is built from.

Weights and everything between them become float16; input and output stay float32, so that a session is fed the same
whatever the engine's precision. What follows the last matrix product (softmax, mean of the members, logarithm) stays
float32 too: it costs next to nothing, and a clip at 1e-12 before a logarithm is zero in float16.
"""

from typing import Any

import numpy as np

from engines.errors import BackendUnavailable, BadCheckpoint, first_line

PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum"})
"""Operators that hold the weights and the work."""
FLOAT32_INPUTS = {"Resize": (1, 2)}
"""Inputs that an operator takes in float32 alone, by position: a region and scales."""
LARGEST_HALF = float(np.finfo(np.float16).max)


def half_precision(model: bytes) -> bytes:
    """Convert a float32 graph to float16 with float32 input and output.

    Args:
        model: an ONNX file's content, weights inside.

    Returns:
        The converted file's content, its types checked by ONNX.

    Raises:
        BackendUnavailable: if `onnx` is not installed.
        BadCheckpoint: if the graph holds control flow, or weights beyond the range of float16.
    """
    onnx = _onnx()
    try:
        graph = onnx.load_from_string(model)
        _Conversion(onnx, graph).run()
        onnx.checker.check_model(graph, full_check=True)
    except BadCheckpoint:
        raise
    except Exception as fault:  # ONNX raises classes of its own for reading, for inference and for checking
        raise BadCheckpoint(f"the graph cannot be held in fp16 ({first_line(fault)}): build it in fp32") from None
    content: bytes = graph.SerializeToString()
    return content


class _Conversion:
    """One graph on its way to float16."""

    def __init__(self, onnx: Any, model: Any) -> None:
        self.onnx, self.graph = onnx, model.graph
        self.full, self.half = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
        if len(model.functions) or any(
            attribute.HasField("g") for node in self.graph.node for attribute in node.attribute
        ):
            raise BadCheckpoint("the graph holds functions or control flow, which fp16 does not do: build it in fp32")
        inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True).graph
        values = [*inferred.input, *inferred.value_info, *inferred.output]
        self.types = {value.name: value.type.tensor_type.elem_type for value in values}
        self.weights = {tensor.name: tensor for tensor in self.graph.initializer}
        self.types |= {name: tensor.data_type for name, tensor in self.weights.items()}
        self.late = self._late_nodes()
        self.casts: dict[tuple[str, int], str] = {}
        self.nodes: list[Any] = []

    def run(self) -> None:
        """Rewrite the graph in place."""
        produced_half: set[str] = set()
        for index, node in enumerate(self.graph.node):
            if index in self.late:
                self._feed(node, produced_half, dict.fromkeys(range(len(node.input)), self.full))
            else:
                only_full = dict.fromkeys(FLOAT32_INPUTS.get(node.op_type, ()), self.full)
                wanted = {position: only_full.get(position, self.half) for position in range(len(node.input))}
                self._feed(node, produced_half, wanted)
                self._halve_attributes(node)
                produced_half.update(name for name in node.output if self.types.get(name) == self.full)
            self.nodes.append(node)
        self._restore_outputs(produced_half)
        del self.graph.node[:], self.graph.value_info[:]
        self.graph.node.extend(self.nodes)
        self._drop_unused_weights()

    def _late_nodes(self) -> set[int]:
        """Nodes from which no matrix product is reached any more."""
        leading: set[str] = set()  # values that a product depends on
        late: set[int] = set()
        for index in range(len(self.graph.node) - 1, -1, -1):
            node = self.graph.node[index]
            if node.op_type in PRODUCTS or leading & set(node.output):
                leading.update(node.input)
            else:
                late.add(index)
        return late

    def _feed(self, node: Any, produced_half: set[str], wanted: dict[int, int]) -> None:
        """Give each floating input of a node in the type that is wanted, through a cast or a converted weight."""
        for position, name in enumerate(node.input):
            if self.types.get(name) != self.full:
                continue
            held = self.half if name in produced_half else self.full
            if held != wanted[position]:
                node.input[position] = self._cast(name, wanted[position])

    def _cast(self, name: str, to: int) -> str:
        """Name of a value in another type; made at its first use."""
        if (name, to) not in self.casts:
            cast = f"{name}_{'half' if to == self.half else 'full'}"
            self.casts[name, to] = cast
            if name in self.weights:
                self.graph.initializer.append(self._halved(self.weights[name], cast))
            else:
                self.nodes.append(self.onnx.helper.make_node("Cast", [name], [cast], name=f"cast_{cast}", to=to))
        return self.casts[name, to]

    def _halved(self, tensor: Any, name: str) -> Any:
        values = self.onnx.numpy_helper.to_array(tensor)
        if values.size and not np.abs(values).max() <= LARGEST_HALF:
            raise BadCheckpoint(f"weight {tensor.name} exceeds the range of fp16: build it in fp32")
        return self.onnx.numpy_helper.from_array(values.astype(np.float16), name)

    def _halve_attributes(self, node: Any) -> None:
        """Constants and casts inside the half-precision part give half-precision values."""
        for attribute in node.attribute:
            if attribute.HasField("t") and attribute.t.data_type == self.full:
                attribute.t.CopyFrom(self._halved(attribute.t, attribute.t.name))
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == self.full:
                attribute.i = self.half

    def _restore_outputs(self, produced_half: set[str]) -> None:
        """Outputs keep name and type: what computes one in half precision gets another name, and a cast after it."""
        for output in self.graph.output:
            if output.name not in produced_half:
                continue
            inner = f"{output.name}_half"
            for node in self.nodes:
                for names in (node.input, node.output):
                    for position, name in enumerate(names):
                        if name == output.name:
                            names[position] = inner
            self.nodes.append(
                self.onnx.helper.make_node("Cast", [inner], [output.name], name=f"cast_{output.name}", to=self.full)
            )

    def _drop_unused_weights(self) -> None:
        used = {name for node in self.graph.node for name in node.input}
        kept = [tensor for tensor in self.graph.initializer if tensor.name in used]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept)


def _onnx() -> Any:
    try:
        import onnx
        import onnx.checker
        import onnx.shape_inference
    except ImportError:
        raise BackendUnavailable(
            "an fp16 engine needs the package onnx, which is not installed: pip install 'onset-live[tensorrt]', or "
            "build with --precision fp32"
        ) from None
    return onnx
