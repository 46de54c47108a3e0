"""The same models in ONNX Runtime, in eager PyTorch and, where it can run, in TensorRT: side by side in one run.

ONNX Runtime is measured through Onset's own session, its checks included. PyTorch runs in inference mode, once with
one thread, as ONNX Runtime does, and once with as many as it takes by itself.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from demo.benchmarks.tensorrt_trial import opened_in_tensorrt
from demo.benchmarks.turns import in_turns, median_ms
from engines.card import ModelCard
from engines.checkpoint import DEFAULT, Checkpoint, load_checkpoint
from engines.classification import softmax
from engines.errors import OnsetError
from engines.sessions.onnxruntime import OnnxRuntimeSession

BATCHES = (1, 2, 256)
"""One event, one event and its mirror image, and a full batch."""
LONGEST_CALL_S = 5.0
"""A batch that PyTorch would take longer for, with one thread, is left out."""
ORT, TORCH, TORCH_THREADS, TENSORRT = "onnxruntime", "pytorch", "pytorch, default threads", "tensorrt"
Runner = Callable[[Float32[np.ndarray, "N C H W"]], Float32[np.ndarray, "N K"]]


def compare(
    folder: Path, *, names: Sequence[str] | None, turns: int, batches: Sequence[int] = BATCHES
) -> dict[str, Any]:
    """Measure the shipped checkpoint and registered models.

    Args:
        folder: an empty one, for the checkpoints that are made.
        names: models of the registry; all of them if None. They are not trained: that does not change their time.
        turns: rounds at most.
        batches: numbers of maps at once.

    Returns:
        `threads` that PyTorch takes by itself, `tensorrt` says what it is or why it is not measured, and `rows`, one a
        model and batch: median milliseconds by engine (`ms`), how many times faster ONNX Runtime is than PyTorch with
        one thread and with its default threads, and the largest difference of the probabilities to PyTorch's;
        `left_out`: which models or batches, and why.
    """
    import torch  # only the floor of training may need it

    from trainers.models.registry import MODELS

    threads = torch.get_num_threads()
    rows: list[dict[str, Any]] = []
    left_out: list[str] = []
    tensorrt = ""
    try:
        for name in (DEFAULT, *(sorted(MODELS) if names is None else names)):
            with ExitStack() as stack:
                try:
                    checkpoint, model = _made(name, folder)
                    session = stack.enter_context(OnnxRuntimeSession(checkpoint, threads=1))
                except OnsetError as fault:
                    left_out.append(f"{name}: {fault}")
                    continue
                engine, tensorrt = opened_in_tensorrt(checkpoint, folder / f"{name}-tensorrt")
                eager = _eager(model)
                runners: dict[str, Runner] = {ORT: session.run, TORCH: eager, TORCH_THREADS: eager}
                if engine is not None:
                    runners[TENSORRT] = stack.enter_context(engine).run
                before = {
                    TORCH: lambda: torch.set_num_threads(1),
                    TORCH_THREADS: lambda: torch.set_num_threads(threads),
                }
                torch.set_num_threads(1)
                map_s = _seconds_a_map(eager, checkpoint)
                for batch in batches:
                    if batch * map_s > LONGEST_CALL_S:
                        left_out.append(f"{name}, batch {batch}: one call would take about {batch * map_s:.0f} s")
                        continue
                    rows.append(_row(name, checkpoint, runners, before, batch, turns))
    finally:
        torch.set_num_threads(threads)
    return {"threads": threads, "tensorrt": tensorrt, "rows": rows, "left_out": left_out}


def comparison_lines(result: dict[str, Any]) -> list[str]:
    """The rows as a table."""
    lines = [
        f"{'model':28} {'batch':>5} {'ORT ms':>8} {'torch ms':>9} {'times':>6} "
        f"{'torch, ' + str(result['threads']) + ' threads':>16} {'times':>6} {'TensorRT':>9} {'difference':>11}"
    ]
    for row in result["rows"]:
        milliseconds = row["ms"]
        tensorrt = format(milliseconds[TENSORRT], ".3f") if TENSORRT in milliseconds else "–"
        lines.append(
            f"{row['model']:28} {row['batch']:5d} {milliseconds[ORT]:8.3f} {milliseconds[TORCH]:9.3f} "
            f"{row['times_faster']:6.2f} {milliseconds[TORCH_THREADS]:16.3f} "
            f"{row['times_faster_than_default_threads']:6.2f} {tensorrt:>9} {row['largest_difference']:11.1e}"
        )
    lines.append(
        "ORT: ONNX Runtime through Onset's session, one thread. torch: PyTorch, eager, inference mode, one thread; "
        "then as many as it takes by itself. difference: largest, of a probability, of any engine to PyTorch's"
    )
    lines += [f"left out: {reason}" for reason in result["left_out"]]
    lines.append(f"TensorRT: {result['tensorrt']}")
    return lines


def _made(name: str, folder: Path) -> tuple[Checkpoint, Any]:
    """Checkpoint and PyTorch module of the shipped checkpoint, or of an untrained registered model."""
    import torch

    from trainers.export import export_checkpoint
    from trainers.models.registry import model_entry

    default = load_checkpoint(DEFAULT)
    if name == DEFAULT:
        return default, shipped_in_pytorch(default)
    torch.manual_seed(1)
    entry = model_entry(name)
    model = entry.build(len(default.card.classes)).eval()
    card = _card(name, default.card.classes)
    return export_checkpoint(model, card, folder / name, _maps(entry.input_shape, 2)), model


def _seconds_a_map(eager: Runner, checkpoint: Checkpoint) -> float:
    maps = _maps(checkpoint.card.input_shape, 2)
    eager(maps)
    started = time.perf_counter()
    eager(maps)
    return (time.perf_counter() - started) / len(maps)


def shipped_in_pytorch(checkpoint: Checkpoint) -> Any:
    """The networks of a checkpoint that averages several, as one PyTorch module with the checkpoint's weights.

    Args:
        checkpoint: one that `trainers.default_checkpoint` made.
    """
    from safetensors.torch import load_file

    from trainers.models.ensemble import ProbabilityEnsemble
    from trainers.models.registry import model_entry

    weights = load_file(checkpoint.weights_path)
    models = checkpoint.card.model.split("+")
    networks = len({name.split(".")[1] for name in weights}) // len(models)
    classes = len(checkpoint.card.classes)
    members = [model_entry(model).build(classes) for model in models for _ in range(networks)]
    module = ProbabilityEnsemble(members)
    module.load_state_dict(weights)
    return module.eval()


def _card(name: str, classes: tuple[str, ...]) -> ModelCard:
    from trainers.models.registry import MODELS

    entry = MODELS[name]
    return ModelCard(
        model=name,
        paper=entry.paper,
        recipe=entry.recipe,
        normalisation=entry.normalisation,
        input_shape=entry.input_shape,
        classes=classes,
        training_data="none: weights as they were drawn, for a benchmark",
        protocol="none",
        limits="of no use but to measure speed",
    )


def _eager(model: Any) -> Runner:
    import torch

    def call(maps: Float32[np.ndarray, "N C H W"]) -> Float32[np.ndarray, "N K"]:
        with torch.inference_mode():
            logits: np.ndarray = model(torch.from_numpy(maps)).numpy()
        return logits

    return call


def _maps(shape: tuple[int, int, int], count: int) -> Float32[np.ndarray, "N C H W"]:
    return np.random.default_rng(3).normal(size=(count, *shape)).astype(np.float32)


def _row(
    name: str,
    checkpoint: Checkpoint,
    runners: dict[str, Runner],
    before: dict[str, Callable[[], Any]],
    batch: int,
    turns: int,
) -> dict[str, Any]:
    maps = _maps(checkpoint.card.input_shape, batch)
    calls = {engine: _call(runner, maps) for engine, runner in runners.items()}
    seconds = in_turns(calls, turns=turns, turn_s=0.02, limit_s=20.0, before=before)
    probabilities = {engine: softmax(call()) for engine, call in calls.items()}
    medians = {engine: median_ms(values) for engine, values in seconds.items()}
    return {
        "model": name,
        "batch": batch,
        "ms": medians,
        "times_faster": medians[TORCH] / medians[ORT],
        "times_faster_than_default_threads": medians[TORCH_THREADS] / medians[ORT],
        "largest_difference": max(
            float(np.abs(given - probabilities[TORCH]).max()) for given in probabilities.values()
        ),
    }


def _call(runner: Runner, maps: Float32[np.ndarray, "N C H W"]) -> Callable[[], Float32[np.ndarray, "N K"]]:
    # A function of its own: a lambda in a loop would see the last runner only.
    return lambda: runner(maps)
