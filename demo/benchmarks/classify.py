"""What it costs to classify one event on the CPU, and what ONNX Runtime is worth beside eager PyTorch."""

import importlib.util
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from demo.benchmarks.against_pytorch import BATCHES, compare, comparison_lines
from demo.benchmarks.event_cost import PARTS, TOTALS, cost_rows, event_costs, synthetic_events
from engines.checkpoint import DEFAULT, load_checkpoint
from engines.flow import compile_kernels

AIM_P95_MS = 40.0
"""Flow, input and the default model for one event, on two cores."""
AIM_TIMES_FASTER = 2.0
"""ONNX Runtime against PyTorch at batch 1, both with one thread."""
EVENTS, TURNS = 160, 15
QUICK_EVENTS, QUICK_TURNS = 12, 3
QUICK_MODELS = ("ststnet",)


def run(
    *,
    quick: bool = False,
    events: int | None = None,
    models: Sequence[str] | None = None,
    batches: Sequence[int] = BATCHES,
) -> dict[str, Any]:
    """Measure events part by part, then the models in both engines.

    Args:
        quick: twelve events rather than 160, the shipped checkpoint and one model rather than all.
        events: how many, instead.
        models: registered models to compare, instead; the shipped checkpoint always is.
        batches: maps at once.

    Returns:
        `machine`: its cores, and how many threads competed for them before; `events`: median and p95 of every part,
        over all and by the head's movement; `engines`: as `compare` gives it, or None with `engines_reason` where
        PyTorch is not installed; `aims` with what was asked for and reached.
    """
    compile_kernels()
    machine = {"cores": os.cpu_count(), "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None}
    checkpoint = load_checkpoint(DEFAULT)
    crops = synthetic_events(events or (QUICK_EVENTS if quick else EVENTS))
    costs = cost_rows(crops, event_costs(checkpoint, crops))
    engines, reason = None, "not measured: PyTorch is not installed; pip install 'onset-live[train]'"
    if importlib.util.find_spec("torch") is not None:
        names = models if models is not None or not quick else QUICK_MODELS
        with tempfile.TemporaryDirectory(prefix="onset-bench-") as folder:
            engines = compare(Path(folder), names=names, turns=QUICK_TURNS if quick else TURNS, batches=batches)
        reason = ""
    return {
        "events": costs,
        "engines": engines,
        "engines_reason": reason,
        "aims": _aims(costs, engines),
        "machine": machine,
    }


def render(result: dict[str, Any]) -> str:
    """The parts of an event and the engines as tables."""
    groups, machine = result["events"].values(), result["machine"]
    load = "" if machine["load"] is None else f", for which {machine['load']:.1f} threads competed in the minute before"
    lines = [
        f"measured on {machine['cores']} cores{load}",
        "one event at 112² " + "".join(f"{name:>22}" for name in result["events"]),
        f"{'':18}" + f"{'median':>13} {'p95 ms':>8}" * len(groups),
    ]
    for part in (*PARTS, *TOTALS):
        cells = [group["parts"][part] for group in groups]
        lines.append(f"{part:18}" + "".join(f"{cell['median_ms']:13.2f} {cell['p95_ms']:8.2f}" for cell in cells))
    lines.append(f"{'events':18}" + "".join(f"{group['events']:22d}" for group in groups))
    lines += [f"{part}: {what}" for part, what in (PARTS | TOTALS).items()]
    lines.append("")
    lines += comparison_lines(result["engines"]) if result["engines"] else [result["engines_reason"]]
    lines += [
        f"aim: {aim['what']}: {aim['reached']:.3g} ({'met' if aim['met'] else 'not met'})" for aim in result["aims"]
    ]
    return "\n".join(lines)


def _aims(costs: dict[str, Any], engines: dict[str, Any] | None) -> list[dict[str, Any]]:
    p95 = costs["all"]["parts"]["total"]["p95_ms"]
    aims: list[dict[str, Any]] = [
        {"what": f"p95 of one event at most {AIM_P95_MS:g} ms", "reached": p95, "met": p95 <= AIM_P95_MS}
    ]
    singles = [row for row in engines["rows"] if row["batch"] == 1] if engines else []
    aims += [
        {
            "what": f"{row['model']}: ONNX Runtime at least {AIM_TIMES_FASTER:g} times as fast as eager PyTorch at "
            "batch 1, one thread each",
            "reached": row["times_faster"],
            "met": row["times_faster"] >= AIM_TIMES_FASTER,
        }
        for row in singles
    ]
    return aims
