"""One checkpoint on every backend that can run it here, side by side: a map, a whole event, and how well they agree."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np
from jaxtyping import Float32

from demo.benchmarks.event_cost import EventCrops, synthetic_events
from demo.benchmarks.turns import in_turns, median_ms, percentile_ms
from engines.checkpoint import Checkpoint
from engines.classification import softmax
from engines.errors import OnsetError, in_one_line
from engines.event_reading import EventReader, open_reader
from engines.flow import compile_kernels, open_flow
from engines.inputs import EventImages
from engines.sessions import InferenceSession, open_session
from realtime.config import Settings
from realtime.run_engines import FLOW_ENGINES

BACKENDS = ("onnxruntime", "tensorrt")
"""Every backend that can be named; the first is the one that the others are compared with."""
EVENTS = 4
"""Synthetic ones, which are read again and again: two of a head held still, two of one that moves."""
TURNS, TURN_S, LIMIT_S = 20, 0.2, 30.0
BATCH = 64
"""Maps at once, for the throughput and the agreement."""

Share = Callable[[float, str], None]
"""Takes how much is done, 0 to 1, and what is being done, in words; may raise to end the measuring."""


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """A backend that runs, and how events are read with it."""

    session: InferenceSession
    reader: EventReader
    flow: str


def compare_backends(
    checkpoint: Checkpoint,
    backends: Sequence[str] = BACKENDS,
    *,
    on_share: Share = lambda _share, _words: None,
    turns: int = TURNS,
) -> dict[str, Any]:
    """Measure a checkpoint on each backend in turns, so that what else the machine does falls on all of them alike.

    Args:
        checkpoint: what is run.
        backends: names in `BACKENDS`; one that cannot run here gets a row with the reason.
        on_share: hears how far it is.
        turns: rounds at most.

    Returns:
        `checkpoint`; `rows`: one a backend with `backend`, `reason` (empty where it ran) and, where it ran, `engine`,
        `flow`, `map` and `event` (`p50_ms` and `p95_ms` of one map with its mirror image, and of one event from its
        pictures to its label), `maps_per_second` in batches of `batch`, and `largest_difference` of a probability to
        the first row that ran; `machine`: cores, and threads that competed for them before.
    """
    machine = {"cores": os.cpu_count(), "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None}
    with ExitStack() as stack:
        on_share(0.0, "opening engines")
        compile_kernels()
        opened, reasons = _open_all(checkpoint, backends, stack)
        on_share(0.05, "making events")
        figures = _measured(checkpoint, opened, synthetic_events(EVENTS), on_share, turns) if opened else {}
    rows = [{"backend": name, "reason": reasons.get(name, ""), **figures.get(name, {})} for name in backends]
    return {"checkpoint": checkpoint.name, "rows": rows, "batch": BATCH, "machine": machine}


def _open_all(
    checkpoint: Checkpoint, backends: Sequence[str], stack: ExitStack
) -> tuple[dict[str, _Opened], dict[str, str]]:
    """Each backend that runs, and why the others do not."""
    opened: dict[str, _Opened] = {}
    reasons: dict[str, str] = {}
    for name in backends:
        try:
            session = stack.enter_context(open_session(checkpoint, backend=name))
            flow = open_flow(FLOW_ENGINES[name])
        except OnsetError as fault:
            reasons[name] = in_one_line(fault)
            continue
        stack.callback(getattr(flow, "close", lambda: None))
        reader = open_reader(session, flow, Settings().flow)
        opened[name] = _Opened(session=session, reader=reader, flow=flow.name)
    return opened, reasons


def _measured(
    checkpoint: Checkpoint, opened: dict[str, _Opened], events: Sequence[EventCrops], on_share: Share, turns: int
) -> dict[str, dict[str, Any]]:
    """Figures of each backend that runs."""
    pair, batch = (_maps(checkpoint, count) for count in (2, BATCH))
    calls: dict[str, Callable[[], Any]] = {}
    for name, one in opened.items():
        calls[f"{name} map"] = partial(one.session.run, pair)
        calls[f"{name} batch"] = partial(one.session.run, batch)
        calls[f"{name} event"] = partial(next, _reading(one, events))
    steps = iter(range(1, (turns + 1) * len(calls) + 1))

    def tell(words: str) -> None:
        on_share(0.1 + 0.9 * next(steps) / ((turns + 1) * len(calls)), words)

    before = {name: partial(tell, name) for name in calls}
    seconds = in_turns(calls, turns=turns, turn_s=TURN_S, limit_s=LIMIT_S, before=before)
    first = next(iter(opened.values())).session
    return {
        name: {
            "engine": engine_words(one.session),
            "flow": one.flow,
            "map": _milliseconds(seconds[f"{name} map"]),
            "event": _milliseconds(seconds[f"{name} event"]),
            "maps_per_second": BATCH / float(np.median(seconds[f"{name} batch"])),
            "largest_difference": _difference(one.session, first, batch),
        }
        for name, one in opened.items()
    }


def _reading(one: _Opened, events: Sequence[EventCrops]) -> Iterator[Any]:
    """Reads one event after another, for ever."""
    for event in cycle(events):
        # Images keep what was worked out of them, so that each reading needs new ones.
        yield one.reader.read(EventImages(onset=event.onset, apex=event.apex, offset=event.offset))


def engine_words(session: InferenceSession) -> str:
    """What runs the model, without the model and why it was chosen."""
    said = session.describe().removesuffix(f"; {session.choice}")
    return said.partition(f"{session.input}, ")[2]


def _milliseconds(seconds: list[float]) -> dict[str, float]:
    return {"p50_ms": median_ms(seconds), "p95_ms": percentile_ms(seconds, 95)}


def _difference(session: InferenceSession, other: InferenceSession, maps: Float32[np.ndarray, "N C H W"]) -> float:
    logits = session.checkpoint.card.output == "logits"
    first, second = (softmax(given) if logits else given for given in (session.run(maps), other.run(maps)))
    return float(np.abs(first - second).max())


def _maps(checkpoint: Checkpoint, count: int) -> Float32[np.ndarray, "N C H W"]:
    return np.random.default_rng(4).normal(size=(count, *checkpoint.card.input_shape)).astype(np.float32)
