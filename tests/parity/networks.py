"""What is compared: every registered model and the shipped checkpoint, each as PyTorch module and as ONNX graph."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from engines.checkpoint import Checkpoint, load_checkpoint, write_checkpoint
from tests.engines.stand_in_checkpoint import stand_in_card

torch = pytest.importorskip("torch", reason="PyTorch comes with the [train] extra")

from torch import nn  # noqa: E402

from trainers.export import export_onnx  # noqa: E402
from trainers.models.ensemble import ProbabilityEnsemble  # noqa: E402
from trainers.models.registry import MODELS, model_entry  # noqa: E402

SHIPPED = "default"
NAMES = (SHIPPED, *sorted(MODELS))


@cache
def network(name: str) -> nn.Module:
    """The model in evaluation mode; a registered one with random weights and random statistics."""
    if name == SHIPPED:
        return _shipped()
    torch.manual_seed(1)
    model = model_entry(name).build(3).eval()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            # Fresh statistics are 0 and 1, and would hide an export that mixes them up.
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0.0, 0.5)
            module.running_var.uniform_(0.5, 2.0)
    return model


@cache
def graph(name: str) -> bytes:
    """Its ONNX graph: the file that engines are built from."""
    if name == SHIPPED:
        return load_checkpoint().model_path.read_bytes()
    return export_onnx(network(name), model_entry(name).input_shape)


def checkpoint(name: str, folder: Path) -> Checkpoint:
    """A checkpoint of the graph, in a folder that engines may be written to."""
    if name == SHIPPED:
        card, weights = load_checkpoint().card, load_checkpoint().weights_path.read_bytes()
        return write_checkpoint(folder, model=graph(name), weights=weights, card=card)
    entry = model_entry(name)
    card = stand_in_card(
        model=name, recipe=entry.recipe, normalisation=entry.normalisation, input_shape=entry.input_shape
    )
    return write_checkpoint(folder, model=graph(name), weights={}, card=card)


def maps(name: str, count: int) -> np.ndarray:
    """Normalised maps (N, C, H, W) as a model is fed, the same for the same count."""
    shape = load_checkpoint().card.input_shape if name == SHIPPED else model_entry(name).input_shape
    return np.random.default_rng(count).standard_normal((count, *shape)).astype(np.float32)


def from_pytorch(name: str, batch: np.ndarray) -> np.ndarray:
    """Logits (N, K) by PyTorch on the CPU."""
    with torch.no_grad():
        logits: np.ndarray = network(name)(torch.from_numpy(batch)).numpy()
    return logits


def from_graph(model: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """From maps to logits (N, K) by ONNX Runtime on the CPU; opened once, as a large graph takes its time."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # threads that wait for each other on a busy machine take far longer
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (maps,) = (value.name for value in session.get_inputs())

    def run(batch: np.ndarray) -> np.ndarray:
        (logits,) = session.run(None, {maps: batch})
        return np.asarray(logits)

    return run


def _shipped() -> nn.Module:
    """The shipped ensemble from its plain weights: each member is the registered model whose weights these are."""
    numbers = pytest.importorskip("safetensors.torch", reason="safetensors comes with the [train] extra")
    weights = numbers.load_file(load_checkpoint().weights_path)
    count = 1 + max(int(name.split(".")[1]) for name in weights)
    ensemble = ProbabilityEnsemble([_member(weights, f"members.{index}.") for index in range(count)])
    ensemble.load_state_dict(weights)
    return ensemble.eval()


def _member(weights: Mapping[str, Any], prefix: str) -> nn.Module:
    held = {name.removeprefix(prefix): tensor.shape for name, tensor in weights.items() if name.startswith(prefix)}
    for entry in MODELS.values():
        with torch.device("meta"):  # shapes alone: the large ones take a second to draw
            plan = entry.build(len(load_checkpoint().card.classes))
        if {name: tensor.shape for name, tensor in plan.state_dict().items()} == held:
            return entry.build(len(load_checkpoint().card.classes))
    raise AssertionError(f"no registered model has the weights {prefix}*")
