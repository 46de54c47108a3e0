"""TensorRT engines of the shipped checkpoint: what building takes, how fast they run, how near the card's limits."""

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
from jaxtyping import Float32

from demo.benchmarks.card_limits import reached
from demo.benchmarks.model_work import ModelWork, model_steps, model_work
from demo.benchmarks.tensorrt_trial import copied
from demo.benchmarks.turns import in_turns, median_ms, percentile_ms
from engines.checkpoint import Checkpoint, load_checkpoint
from engines.classification import softmax
from engines.errors import OnsetError
from engines.graphics_card import GraphicsCard, NoCard, find_card
from engines.sessions.base import InferenceSession
from engines.sessions.onnxruntime import OnnxRuntimeSession
from engines.tensorrt.build import build_engine
from engines.tensorrt.flavour import Flavour, installed_flavours
from engines.tensorrt.key import Precision

BATCH = 256
Opener = Callable[[Checkpoint, Precision, bool], Any]
VALUE_BYTES = {"fp32": 4, "fp16": 2}
VECTOR_LIMIT = (
    "only the limit of the card's single-precision vector units is used; its tensor cores, which fp16 engines may use, "
    "could do several times as much"
)


def run(
    *,
    quick: bool = False,
    card: Callable[[], GraphicsCard | NoCard] = find_card,
    flavours: Callable[[], list[Flavour]] = installed_flavours,
    opener: Opener | None = None,
) -> dict[str, Any]:
    """Build engines into a copy of the shipped checkpoint, and run them where there is a card.

    Args:
        quick: one compute capability only, and fewer turns.
        card: finds the graphics card.
        flavours: finds what TensorRT is installed.
        opener: opens a session over an engine: checkpoint, precision, whether with CUDA graphs.

    Returns:
        `builds`: one entry an engine: flavour, precision, capabilities, `seconds` and `bytes`; `running`: one entry a
        precision, or empty; `not_measured`: what could not be measured here, and why; `work`: operations and bytes of
        one map, None where the package onnx is not installed.
    """
    found, installed = card(), flavours()
    builds: list[dict[str, Any]] = []
    running: list[dict[str, Any]] = []
    missing = (
        [] if installed else ["TensorRT is not installed, so nothing was built: pip install 'onset-live[tensorrt]'"]
    )
    # Comes with the extras of TensorRT, so that only an installation without them has no figures of the model's work.
    work = model_work(load_checkpoint().model_path) if importlib.util.find_spec("onnx") is not None else None
    with tempfile.TemporaryDirectory(prefix="onset-bench-") as name:
        copy = copied(load_checkpoint(), Path(name) / "default")
        for flavour in installed:
            if not flavour.capabilities:
                missing.append(f"{flavour.title} builds on a card only, so it built nothing")
            for capabilities, precision in product(_targets(flavour, found, quick=quick), get_args(Precision)):
                built, refused = _build(copy, flavour, precision, capabilities)
                builds += built
                missing += refused
        if isinstance(found, NoCard):
            missing.append(f"latency, throughput and agreement of engines: {found.detail}; {found.remedy}")
        elif work is not None:
            running, failed = _run_all(copy, found, opener or _open, work, 5 if quick else 30)
            missing += failed
    return {
        "builds": builds,
        "running": running,
        "not_measured": missing,
        "work": None if work is None else asdict(work),
    }


def render(result: dict[str, Any]) -> str:
    """The engines as tables, and in words what they reach or why that is not known."""
    lines = [f"{'built by':26} {'precision':9} {'seconds':>8} {'MB':>7}  compute capabilities"]
    lines += [
        f"{one['flavour']:26} {one['precision']:9} {one['seconds']:8.1f} {one['bytes'] / 1e6:7.2f}  "
        f"{', '.join(one['capabilities'])}"
        for one in result["builds"]
    ]
    if work := result["work"]:
        products = ", ".join(f"{kind} {count:,.0f}" for kind, count in work["by_operator"].items() if count)
        lines.append(
            f"one map through the shipped checkpoint: {work['operations']:,.0f} operations ({products}), "
            f"{work['weight_bytes'] / 1e6:.2f} MB of weights, {work['activation_bytes'] / 1e6:.2f} MB in and out"
        )
    for one in result["running"]:
        latency = "; ".join(
            f"{name} {value['p50_ms']:.3f} ms (p95 {value['p95_ms']:.3f})" for name, value in one["latency"].items()
        )
        lines += [
            f"{one['precision']} on the card, {one['engine']}",
            f"  one map: {latency}",
            f"  batches of {one['batch']}: {one['maps_per_second']:,.0f} maps a second from host to host, "
            f"{one['maps_per_second_on_card']:,.0f} on the card; ONNX Runtime on one CPU thread "
            f"{one['onnxruntime_maps_per_second']:,.0f}",
            f"  largest difference of a probability to ONNX Runtime: {one['largest_difference']:.1e}",
            f"  batch: {one['limits']['words']}; {VECTOR_LIMIT}",
        ]
    lines += [f"not measured: {reason}" for reason in result["not_measured"]]
    return "\n".join(lines)


def _targets(flavour: Flavour, card: GraphicsCard | NoCard, *, quick: bool) -> list[tuple[str, ...]]:
    """This machine's capability, or the newest but one where there is no card; and all that the flavour supports."""
    supported = flavour.capabilities
    if not supported:
        return []
    own = card.capability if isinstance(card, GraphicsCard) and card.capability in supported else None
    single = (own or supported[max(0, len(supported) - 2)],)
    return [single] if quick or supported == single else [single, supported]


def _build(
    checkpoint: Checkpoint, flavour: Flavour, precision: Precision, capabilities: tuple[str, ...]
) -> tuple[list[dict[str, Any]], list[str]]:
    """An engine for all these capabilities, or without the oldest ones where they refuse; what they said."""
    refusals: list[str] = []
    while capabilities:
        try:
            built = build_engine(checkpoint, precision=precision, capabilities=capabilities, flavour=flavour)
        except OnsetError as fault:
            refusals.append(f"{precision} for {', '.join(capabilities)}: {fault}")
            capabilities = capabilities[1:]
            continue
        entry = {
            "flavour": flavour.title,
            "precision": precision,
            "capabilities": list(capabilities),
            "seconds": built.stored.manifest.build_seconds,
            "bytes": built.stored.manifest.engine_bytes,
        }
        return [entry], refusals
    return [], refusals


def _open(checkpoint: Checkpoint, precision: Precision, graphs: bool) -> Any:
    from engines.sessions.tensorrt import TensorRtSession

    return TensorRtSession(checkpoint, precision=precision, graphs=graphs)


def _run_all(
    checkpoint: Checkpoint, card: GraphicsCard, opener: Opener, work: ModelWork, turns: int
) -> tuple[list[dict[str, Any]], list[str]]:
    """Every precision on the card; what failed, in words."""
    running, failed = [], []
    for precision in get_args(Precision):
        try:
            with ExitStack() as stack:
                oracle = stack.enter_context(OnnxRuntimeSession(checkpoint))
                session, plain = (
                    stack.enter_context(opener(checkpoint, precision, graphs)) for graphs in (True, False)
                )
                running.append(_running(precision, card, (session, plain, oracle), work, turns))
        except OnsetError as fault:
            failed.append(f"{precision} on the card: {fault}")
    return running, failed


def _running(
    precision: Precision, card: GraphicsCard, sessions: tuple[Any, Any, InferenceSession], work: ModelWork, turns: int
) -> dict[str, Any]:
    """Figures of one precision: the session with CUDA graphs, the one without, and ONNX Runtime's, turn by turn."""
    from numba import cuda  # needs the extra [cuda], which the session on the card needs too

    session, plain, oracle = sessions
    shape = oracle.checkpoint.card.input_shape
    one, many = _maps(shape, 1), _maps(shape, BATCH)
    resident, residents = cuda.to_device(one), cuda.to_device(many)
    seconds = in_turns(
        {
            "from host to host": lambda: session.run(one),
            "the same without CUDA graph": lambda: plain.run(one),
            "on the card": lambda: session.run_on_card(resident),  # waits for the result
            "ONNX Runtime on one CPU thread": lambda: oracle.run(one),
        },
        turns=turns,
        turn_s=0.02,
    )
    batches = in_turns(
        {
            "host": lambda: session.run(many),
            "card": lambda: session.run_on_card(residents),
            "onnxruntime": lambda: oracle.run(many),
        },
        turns=turns,
    )
    rates = {name: BATCH / float(np.median(values)) for name, values in batches.items()}
    steps = model_steps(work, BATCH, value_bytes=VALUE_BYTES[precision])
    return {
        "precision": precision,
        "engine": session.describe(),
        "latency": {
            name: {"p50_ms": median_ms(values), "p95_ms": percentile_ms(values, 95)} for name, values in seconds.items()
        },
        "batch": BATCH,
        "maps_per_second": rates["host"],
        "maps_per_second_on_card": rates["card"],
        "onnxruntime_maps_per_second": rates["onnxruntime"],
        "largest_difference": _difference(session.run(many), oracle.run(many)),
        "limits": reached(steps, float(np.median(batches["card"])), card),
    }


def _difference(logits: Float32[np.ndarray, "N K"], others: Float32[np.ndarray, "N K"]) -> float:
    return float(np.abs(softmax(logits) - softmax(others)).max())


def _maps(shape: Sequence[int], count: int) -> Float32[np.ndarray, "N C H W"]:
    return np.random.default_rng(4).normal(size=(count, *shape)).astype(np.float32)
