"""TV-L1 on the graphics card: one pair's wait, pairs a second, and how near the card's limits that is."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from demo.benchmarks.card_limits import reached, scaled
from demo.benchmarks.flow_work import SWEEP_BYTES, steps_of, work_of
from demo.benchmarks.known_pairs import Pair, end_point_error
from demo.benchmarks.turns import in_turns, median_ms, percentile_ms
from engines.flow import tvl1
from engines.graphics_card import GraphicsCard

BATCH = 256
"""Pairs that fill a large card."""


@runtime_checkable
class CardFlow(Protocol):
    """The flow engine on the card (`engines.flow.cuda.CudaTvl1`), as far as it is used here."""

    name: str
    choice: str

    def __call__(self, previous: np.ndarray, following: np.ndarray, parameters: Any = None) -> np.ndarray:
        """Flow between images on the host."""

    def solve_on_card(self, previous: Any, following: Any, parameters: Any = None, *, stream: Any = None) -> Any:
        """Flow between stacks that are on the card; the result stays there."""


def measure_card(
    engine: CardFlow, pairs: Sequence[Pair], card: GraphicsCard, *, turns: int, batch: int = BATCH
) -> dict[str, Any]:
    """Latency of one pair, throughput of batches, difference to the CPU engine, shares of the card's limits.

    Args:
        engine: flow on the card.
        pairs: of one size; the batch repeats them.
        card: whose limits.
        turns: rounds of measuring.
        batch: pairs at once.

    Returns:
        Milliseconds of one pair (median and p95), pairs a second in batches, both from host to host and on the card;
        the mean end-point difference to the CPU engine in pixels, alone and in the batch; `limits_alone` and
        `limits_batch` as `reached` gives them; `sweeps`: what the iterations move outside shared memory.
    """
    size = pairs[0].previous.shape[0]
    single = pairs[0].previous, pairs[0].following
    stacks = _stack([pair.previous for pair in pairs], batch), _stack([pair.following for pair in pairs], batch)
    seconds = in_turns(
        {
            "alone": lambda: engine(*single),
            "alone on card": _on_card(engine, *(image[np.newaxis] for image in single)),
        },
        turns=turns,
        turn_s=0.05,
    )
    seconds |= in_turns(
        {"batch": lambda: engine(*stacks), "batch on card": _on_card(engine, *stacks)}, turns=max(2, turns // 2)
    )
    work = [work_of(pair.previous, pair.following) for pair in pairs]
    mean_work = {key: float(np.mean([one[key] for one in work])) for key in work[0]}
    return {
        "size_px": size,
        "batch": batch,
        **{
            f"{name.replace(' ', '_')}_ms": {"median": median_ms(values), "p95": percentile_ms(values, 95)}
            for name, values in seconds.items()
        },
        "pairs_per_second": batch / float(np.median(seconds["batch"])),
        "pairs_per_second_on_card": batch / float(np.median(seconds["batch on card"])),
        "difference_to_cpu_px": _differences(engine, pairs, stacks),
        "iterations_on_all_levels": mean_work["all_iterations"],
        "limits_alone": reached(steps_of(work[0], size**2, 1), float(np.median(seconds["alone on card"])), card),
        "limits_batch": reached(steps_of(mean_work, size**2, batch), float(np.median(seconds["batch on card"])), card),
        "sweeps": _sweeps(mean_work["iterations"] * size**2 * batch, size),
    }


def card_lines(measured: dict[str, Any]) -> list[str]:
    """The figures of one size in words."""
    alone, on_card = measured["alone_ms"], measured["alone_on_card_ms"]
    difference, limits = measured["difference_to_cpu_px"], measured["limits_batch"]
    lines = [
        f"{measured['size_px']}² on the card, one pair: {alone['median']:.2f} ms from host to host (p95 "
        f"{alone['p95']:.2f}), {on_card['median']:.2f} ms with images and flow on the card (p95 {on_card['p95']:.2f})",
        f"  batches of {measured['batch']}: {measured['pairs_per_second']:,.0f} pairs a second from host to host, "
        f"{measured['pairs_per_second_on_card']:,.0f} on the card",
        f"  mean end-point difference to the CPU engine: {difference['alone']:.5f} px alone, "
        f"{difference['batch']:.5f} px in the batch",
        f"  iterations done on all levels: {measured['iterations_on_all_levels']:.0f} (mean), as the reference counts",
        f"  one pair: {measured['limits_alone']['words']}",
        f"  batch: {limits['words']}",
    ]
    if limits["bytes_per_s"]:
        sweeps, allowed = measured["sweeps"], limits["seconds"] * limits["bytes_per_s"]
        lines.append(
            f"  its iterations alone, {sweeps['depth']} at a time in shared memory, move {sweeps['bytes_a_pixel']:.1f} "
            f"bytes a pixel and iteration between multiprocessors and caches or memory: {scaled(sweeps['bytes'])} "
            f"bytes, {sweeps['bytes'] / allowed:.0%} of the memory's bandwidth in that time; one at a time it would "
            f"be {SWEEP_BYTES} bytes, {sweeps['bytes_one_at_a_time'] / allowed:.0%}"
        )
    return lines


def _sweeps(pixel_iterations: float, size: int) -> dict[str, float]:
    """What the iterations of the card's engine read and write outside shared memory, with its tiles."""
    from engines.flow.cuda_plan import tiles_along
    from engines.flow.cuda_tile_kernel import DEPTH

    count, length = tiles_along(size)
    # Ten planes are read over whole regions, which overlap; six are written over their interiors.
    bytes_a_pixel = 4 * (10 * (count * length / size) ** 2 + 6) / DEPTH
    return {
        "depth": DEPTH,
        "bytes_a_pixel": bytes_a_pixel,
        "bytes": pixel_iterations * bytes_a_pixel,
        "bytes_one_at_a_time": pixel_iterations * SWEEP_BYTES,
    }


def _stack(images: Sequence[np.ndarray], count: int) -> np.ndarray:
    return np.stack([images[k % len(images)] for k in range(count)])


def _on_card(engine: CardFlow, previous: np.ndarray, following: np.ndarray) -> Callable[[], None]:
    """A call that waits for a flow whose images are on the card already."""
    from numba import cuda  # needs the extra [cuda], which is there where the engine is

    synchronize: Any = cuda.synchronize  # numba-cuda gives it no types
    first, second = (cuda.to_device(np.ascontiguousarray(images, np.float32)) for images in (previous, following))

    def call() -> None:
        engine.solve_on_card(first, second)
        synchronize()

    return call


def _differences(engine: CardFlow, pairs: Sequence[Pair], stacks: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    expected = [tvl1(pair.previous, pair.following) for pair in pairs]
    alone = [
        end_point_error(engine(pair.previous, pair.following), flow) for pair, flow in zip(pairs, expected, strict=True)
    ]
    batch = [end_point_error(flow, expected[k % len(pairs)]) for k, flow in enumerate(engine(*stacks))]
    return {"alone": float(np.mean(alone)), "batch": float(np.mean(batch))}
