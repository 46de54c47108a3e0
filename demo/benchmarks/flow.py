"""TV-L1 against OpenCV's and its quicker relatives, on the same pairs, turn by turn, with accuracy beside speed.

A pair is a shipped face and the same face read at smoothly displaced places, both with a little sensor noise, so the
true flow of every pixel is known. Times are medians over turns in which every method takes each pair once; the ratio
to OpenCV's TV-L1 is the figure that holds on other machines.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from engines.flow import Tvl1Parameters, compile_kernels, tvl1
from trainers.datasets.synthetic_face import shipped_face

SIZES_PX = (112, 224)
LARGEST_PX = (0.5, 1.5, 3.0)
"""Largest displacement of a pair."""
NOISE_SD = 1.0
"""Sensor noise, gray values of 255."""
BASELINE = "opencv tv-l1"
METHODS = {
    "onset tv-l1": "the default parameters",
    BASELINE: "cv2.optflow.createOptFlow_DualTVL1(), the same parameters",
    "onset tv-l1 quick": "Tvl1Parameters.quick(): 2 warps, at most 2 × 15 iterations each",
    "opencv tv-l1 quick": "2 warps, at most 2 × 15 iterations each",
    "opencv dis medium": "DISOpticalFlow, PRESET_MEDIUM",
    "opencv farneback": "5 levels of 0.5, window 15, 3 iterations, polynomials over 7 pixels",
}

Gray = UInt8[np.ndarray, "N N"]
Field = Float32[np.ndarray, "2 N N"]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two images and the flow between them."""

    previous: Gray
    following: Gray
    truth: Field


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure every method on every pair.

    Args:
        quick: three turns over three pairs a size rather than seven over six.

    Returns:
        `methods` says what each is; `rows` has one entry a size and method: `median_ms`, `times_faster` than OpenCV's
        TV-L1, `end_point_error_px`, `energy_ratio` and `highest_energy_ratio` to OpenCV's TV-L1 (mean and worst
        pair); `stacks` has `pairs_per_second` of single calls and of stacks of eight.
    """
    compile_kernels()
    turns, faces = (3, 1) if quick else (7, 2)
    rows: list[dict[str, Any]] = []
    stacks = []
    for size in SIZES_PX:
        pairs = [_pair(face, size, largest) for face in range(faces) for largest in LARGEST_PX]
        rows += _measure(size, pairs, turns)
        stacks.append({"size_px": size, **_stack_rates(pairs[0], turns)})
    return {"methods": METHODS, "rows": rows, "stacks": stacks}


def render(result: dict[str, Any]) -> str:
    """The rows as a table."""
    lines = [f"{'size':>5} {'method':20} {'ms':>8} {'times as fast':>14} {'error px':>9} {'energy':>7} {'worst':>7}"]
    lines += [
        f"{row['size_px']:4d}² {row['method']:20} {row['median_ms']:8.2f} {row['times_faster']:14.1f} "
        f"{row['end_point_error_px']:9.4f} {row['energy_ratio']:7.3f} {row['highest_energy_ratio']:7.3f}"
        for row in result["rows"]
    ]
    lines += [
        f"{stack['size_px']:4d}² onset tv-l1: {stack['single']:.0f} pairs a second one by one, "
        f"{stack['stacked']:.0f} in stacks of eight"
        for stack in result["stacks"]
    ]
    lines += [f"{name}: {what}" for name, what in result["methods"].items()]
    return "\n".join(lines)


def _pair(face: int, size: int, largest_px: float) -> Pair:
    random = np.random.default_rng(1000 * face + round(10 * largest_px))
    portrait = shipped_face(face)
    gray = cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY)
    low, high = portrait.landmarks.min(0), portrait.landmarks.max(0)
    centre, half = (low + high) / 2, 0.58 * float((high - low).max())
    corner = np.clip(np.rint(centre - half), 0, None).astype(int)
    square = gray[corner[1] : corner[1] + round(2 * half), corner[0] : corner[0] + round(2 * half)]
    picture = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    bumps = np.stack([cv2.GaussianBlur(random.standard_normal((size, size)), (0, 0), size / 10) for _ in range(2)])
    truth = (bumps * largest_px / np.abs(bumps).max()).astype(np.float32)
    # The earlier image is the later one read where the flow points: so the flow is exact at every pixel.
    return Pair(previous=_noisy(_read(picture, truth), random), following=_noisy(picture, random), truth=truth)


def _read(picture: Float32[np.ndarray, "N N"], flow: Field) -> Float32[np.ndarray, "N N"]:
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    read = cv2.remap(picture, x + flow[0], y + flow[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read, np.float32)


def _noisy(picture: Float32[np.ndarray, "N N"], random: np.random.Generator) -> Gray:
    return np.asarray(np.clip(np.rint(picture + random.normal(0, NOISE_SD, picture.shape)), 0, 255), np.uint8)


def _solvers() -> dict[str, Callable[[Gray, Gray], np.ndarray]]:
    # Made once: OpenCV's objects keep their work space from call to call.
    optflow: Any = cv2.optflow
    default, short = optflow.createOptFlow_DualTVL1(), optflow.createOptFlow_DualTVL1()
    short.setWarpingsNumber(2)
    short.setOuterIterations(2)
    short.setInnerIterations(15)
    dis: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    farneback: Any = cv2.FarnebackOpticalFlow.create(5, 0.5, False, 15, 3, 7, 1.5)
    parameters = Tvl1Parameters.quick()
    return {
        "onset tv-l1": tvl1,
        BASELINE: lambda a, b: default.calc(a, b, None),
        "onset tv-l1 quick": lambda a, b: tvl1(a, b, parameters),
        "opencv tv-l1 quick": lambda a, b: short.calc(a, b, None),
        "opencv dis medium": lambda a, b: dis.calc(a, b, None),
        "opencv farneback": lambda a, b: farneback.calc(a, b, None),
    }


def _measure(size: int, pairs: list[Pair], turns: int) -> list[dict[str, Any]]:
    solvers = _solvers()
    seconds: dict[str, list[float]] = {name: [] for name in solvers}
    flows: dict[str, list[Field]] = {}
    for _ in range(turns):
        for name in solvers:
            flows[name] = []
        for pair in pairs:
            for name, solve in solvers.items():
                started = time.perf_counter()
                flow = solve(pair.previous, pair.following)
                seconds[name].append(time.perf_counter() - started)
                flows[name].append(flow if len(flow) == 2 else np.ascontiguousarray(flow.transpose(2, 0, 1)))
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    rows = []
    for name in solvers:
        energies = [
            _energy(pair, ours) / _energy(pair, theirs)
            for pair, ours, theirs in zip(pairs, flows[name], flows[BASELINE], strict=True)
        ]
        errors = [np.hypot(*(flow - pair.truth)).mean() for pair, flow in zip(pairs, flows[name], strict=True)]
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


def _energy(pair: Pair, flow: Field, lambda_: float = 0.15) -> float:
    """What TV-L1 minimises: total variation plus the weighted absolute brightness residual."""
    along_x = np.diff(flow, axis=2, append=flow[:, :, -1:])
    along_y = np.diff(flow, axis=1, append=flow[:, -1:])
    residual = _read(pair.following.astype(np.float32), flow) - pair.previous
    return float(np.hypot(along_x, along_y).sum() + lambda_ * np.abs(residual).sum())


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
