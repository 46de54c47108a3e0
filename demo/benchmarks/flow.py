"""TV-L1 against OpenCV's and its quicker relatives, on the same pairs, turn by turn, with accuracy beside speed.

A pair is a shipped face and the same face read at smoothly displaced places, both with a little sensor noise, so the
true flow of every pixel is known. Times are medians over turns in which every method takes each pair once; the ratio
to OpenCV's TV-L1 is the figure that holds on other machines. Where there is a graphics card, it takes its turns with
the others, and the share of its limits that it reaches is worked out.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from demo.benchmarks.card_limits import scaled
from demo.benchmarks.flow_card import BATCH, CardFlow, card_lines, measure_card
from demo.benchmarks.flow_methods import BASELINE, CARD_METHODS, METHODS, Solver, solvers
from demo.benchmarks.flow_work import steps_of, work_of
from demo.benchmarks.known_pairs import Field, Pair, end_point_error, energy, known_pairs
from engines.errors import BackendUnavailable
from engines.flow import FlowEngine, compile_kernels, open_flow, tvl1
from engines.graphics_card import GraphicsCard, NoCard, find_card

SIZES_PX = (112, 224)


def run(
    *,
    quick: bool = False,
    sizes_px: Sequence[int] = SIZES_PX,
    batch: int = BATCH,
    card: Callable[[], GraphicsCard | NoCard] = find_card,
    opener: Callable[[str], FlowEngine] = open_flow,
) -> dict[str, Any]:
    """Measure every method on every pair.

    Args:
        quick: three turns over three pairs a size rather than seven over six.
        sizes_px: sides of the pictures.
        batch: pairs that the card is given at once.
        card: finds the graphics card.
        opener: opens the flow engine on it.

    Returns:
        `methods` says what each is; `rows` has one entry a size and method: `median_ms`, `times_faster` than OpenCV's
        TV-L1, `end_point_error_px`, `energy_ratio` and `highest_energy_ratio` to OpenCV's TV-L1 (mean and worst
        pair); `stacks` has `pairs_per_second` of single calls and of stacks of eight; `work` the arithmetic of a flow
        and how fast one core does it; `card` says which card and has its figures, or says why there are none.
    """
    compile_kernels()
    turns, faces = (3, 1) if quick else (7, 2)
    engine, reason = _card_engine(opener)
    rows: list[dict[str, Any]] = []
    stacks, work, measured = [], [], []
    with engine if isinstance(engine, AbstractContextManager) else nullcontext():
        for size in sizes_px:
            pairs = known_pairs(size, faces=faces)
            rows += _measure(size, pairs, turns, solvers(engine))
            stacks.append({"size_px": size, **_stack_rates(pairs[0], turns)})
            own = next(row for row in rows if row["size_px"] == size and row["method"] == "onset tv-l1")
            work.append(_work(pairs, own["median_ms"]))
            found = card()
            if engine is not None and isinstance(found, GraphicsCard):
                measured.append(measure_card(_for_card(engine), pairs, found, turns=turns, batch=batch))
    return {
        "methods": METHODS | (CARD_METHODS if engine else {}),
        "rows": rows,
        "stacks": stacks,
        "work": work,
        "card": {"choice": reason, "measured": measured},
    }


def render(result: dict[str, Any]) -> str:
    """The rows as a table."""
    lines = [f"{'size':>5} {'method':22} {'ms':>8} {'times as fast':>14} {'error px':>9} {'energy':>7} {'worst':>7}"]
    lines += [
        f"{row['size_px']:4d}² {row['method']:22} {row['median_ms']:8.2f} {row['times_faster']:14.1f} "
        f"{row['end_point_error_px']:9.4f} {row['energy_ratio']:7.3f} {row['highest_energy_ratio']:7.3f}"
        for row in result["rows"]
    ]
    lines += [
        f"{stack['size_px']:4d}² onset tv-l1: {stack['single']:.0f} pairs a second one by one, "
        f"{stack['stacked']:.0f} in stacks of eight"
        for stack in result["stacks"]
    ]
    lines += [f"{one['size_px']:4d}² a flow, mean of the pairs: {one['words']}" for one in result["work"]]
    lines.append(f"graphics card: {result['card']['choice']}")
    for measured in result["card"]["measured"]:
        lines += card_lines(measured)
    lines += [f"{name}: {what}" for name, what in result["methods"].items()]
    return "\n".join(lines)


def _card_engine(opener: Callable[[str], FlowEngine]) -> tuple[FlowEngine | None, str]:
    try:
        engine = opener("cuda")
    except BackendUnavailable as fault:
        return None, f"not measured: {fault}"
    return engine, engine.choice


def _for_card(engine: FlowEngine) -> CardFlow:
    if not isinstance(engine, CardFlow):
        raise TypeError(f"the flow engine {engine.name} does not run on a card")
    return engine


def _measure(size: int, pairs: Sequence[Pair], turns: int, methods: Mapping[str, Solver]) -> list[dict[str, Any]]:
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    flows: dict[str, list[Field]] = {}
    for solve in methods.values():
        solve(pairs[0].previous, pairs[0].following)  # work space is made, kernels are loaded
    for _ in range(turns):
        flows = {name: [] for name in methods}
        for pair in pairs:
            for name, solve in methods.items():
                started = time.perf_counter()
                flow = solve(pair.previous, pair.following)
                seconds[name].append(time.perf_counter() - started)
                flows[name].append(flow)
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    rows = []
    for name in methods:
        energies = [
            energy(pair, ours) / energy(pair, theirs)
            for pair, ours, theirs in zip(pairs, flows[name], flows[BASELINE], strict=True)
        ]
        errors = [end_point_error(flow, pair.truth) for pair, flow in zip(pairs, flows[name], strict=True)]
        rows.append(
            {
                "size_px": size,
                "method": name,
                "median_ms": 1e3 * medians[name],
                "times_faster": medians[BASELINE] / medians[name],
                "end_point_error_px": float(np.mean(errors)),
                "energy_ratio": float(np.mean(energies)),
                "highest_energy_ratio": float(np.max(energies)),
            }
        )
    return rows


def _work(pairs: Sequence[Pair], own_ms: float) -> dict[str, Any]:
    """Arithmetic of a flow, and how much of it one core does a second.

    What a core could do is not named: it depends on clocks and vector units that a virtual machine does not tell.
    """
    counted = [work_of(pair.previous, pair.following) for pair in pairs]
    mean = {key: float(np.mean([one[key] for one in counted])) for key in counted[0]}
    size = pairs[0].previous.shape[0]
    steps = [step for step in steps_of(mean, size**2, 1) if step.all_operations]
    operations = sum(step.all_operations for step in steps)
    rate = operations / (1e-3 * own_ms)
    return {
        "size_px": size,
        **mean,
        "operations": operations,
        "operations_per_s_of_one_core": rate,
        "words": f"{'; '.join(step.words for step in steps)}; together {scaled(operations)}: one core does "
        f"{scaled(rate)} a second",
    }


def _stack_rates(pair: Pair, turns: int) -> dict[str, float]:
    count = 8
    previous, following = np.stack([pair.previous] * count), np.stack([pair.following] * count)
    single, stacked = [], []
    for _ in range(turns):
        started = time.perf_counter()
        for k in range(count):
            tvl1(previous[k], following[k])
        single.append(time.perf_counter() - started)
        started = time.perf_counter()
        tvl1(previous, following)
        stacked.append(time.perf_counter() - started)
    return {"single": count / float(np.median(single)), "stacked": count / float(np.median(stacked))}
