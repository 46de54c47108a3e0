"""From a trained model to a checkpoint folder: ONNX, plain weights and a card, and proof that they agree."""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from jaxtyping import Float32
from torch import nn

from engines.card import ModelCard
from engines.checkpoint import Checkpoint, write_checkpoint
from engines.errors import OnsetError

OPSET = 20
"""Operator set of the exported graphs; what TensorRT 10 and ONNX Runtime 1.20 both read in full."""
INPUT, OUTPUT = "maps", "logits"
"""Names of the graph's input (N, C, H, W) and output (N, K)."""
TOLERANCE = 1e-4
"""Largest difference of logits between PyTorch and ONNX Runtime, float32 on the CPU."""


class ParityError(OnsetError):
    """The exported graph does not compute what the model computes."""


def export_onnx(model: nn.Module, input_shape: tuple[int, int, int]) -> bytes:
    """Write a model as an ONNX graph with a free number of maps, weights inside.

    Args:
        model: in evaluation mode, giving logits.
        input_shape: channels, height and width.

    Returns:
        The file's content, checked by ONNX.
    """
    model = model.eval()
    example = torch.zeros(2, *input_shape)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        with _quiet():
            torch.onnx.export(
                model,
                (example,),
                path,
                input_names=[INPUT],
                output_names=[OUTPUT],
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
                verbose=False,
            )
        graph = onnx.load(path)
    _anonymise(graph)
    onnx.checker.check_model(graph, full_check=True)
    content: bytes = graph.SerializeToString()
    return content


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress, its own deprecations and its wish for torchvision to itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _anonymise(graph: onnx.ModelProto) -> None:
    """Drop what the exporter notes about this machine's source files; it swells the graph and tells paths."""
    graph.doc_string = ""
    graph.graph.doc_string = ""
    del graph.metadata_props[:]
    del graph.graph.metadata_props[:]
    for node in graph.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in [*graph.graph.value_info, *graph.graph.input, *graph.graph.output, *graph.graph.initializer]:
        del value.metadata_props[:]


def parity(model: nn.Module, graph: bytes, maps: Float32[np.ndarray, "N C H W"]) -> float:
    """Largest difference between the logits of a model and of its exported graph.

    Args:
        model: the model that was exported.
        graph: the ONNX file's content.
        maps: normalised maps to compare on.

    Returns:
        Largest absolute difference.
    """
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (given,) = session.run([OUTPUT], {INPUT: maps})
    with torch.no_grad():
        wanted = model.eval()(torch.from_numpy(maps)).numpy()
    return float(np.abs(given - wanted).max())


def export_checkpoint(
    model: nn.Module,
    card: ModelCard,
    folder: str | Path,
    maps: Float32[np.ndarray, "N C H W"],
    *,
    replace_existing: bool = False,
) -> Checkpoint:
    """Write a checkpoint folder and prove that its graph agrees with the model.

    Args:
        model: trained, giving logits.
        card: what it is; hashes and version are filled in on writing.
        folder: where the checkpoint goes.
        maps: normalised maps on which PyTorch and ONNX Runtime are compared.
        replace_existing: take the place of a checkpoint that is there.

    Returns:
        The checkpoint as read back.

    Raises:
        ParityError: if the two differ by more than `TOLERANCE`; nothing is written.
        BadInput: if the folder exists and `replace_existing` is not set.
    """
    graph = export_onnx(model, card.input_shape)
    for batch in (maps[:1], maps):
        difference = parity(model, graph, batch)
        if not difference <= TOLERANCE:
            raise ParityError(
                f"the exported graph differs from the model by {difference:.2g} in its logits "
                f"(allowed: {TOLERANCE:g}): do not use it; report the versions of torch and onnx"
            )
    weights = {name: tensor.detach().cpu().numpy() for name, tensor in model.state_dict().items()}
    return write_checkpoint(folder, model=graph, weights=weights, card=card, replace_existing=replace_existing)
