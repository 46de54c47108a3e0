"""How often a spotted movement gets its right label, and how the default checkpoint reads real movements."""

import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console

from demo.evaluate import evaluate
from demo.kernels import prepare_kernels
from realtime.events import ExpressionEvent
from realtime.session_run import replay
from trainers.datasets.synthetic_videos import plan_takes, synthesize
from trainers.metrics.spotting import match_intervals

MAPS_VARIABLE = "ONSET_FEATURES"
"""Environment variable that names a feature file of real movements."""
PRESETS = ("still", "moving", "noisy", "h264-1mbit")


def run(*, quick: bool = False) -> dict[str, Any]:
    """Replay synthesised videos and compare the labels of the hits with the truth; score real maps where they are.

    Args:
        quick: two scenes instead of twelve a preset and rate.

    Returns:
        `spotted`: hits, right labels and their share, and the confusion; `real`: scores of the default checkpoint on
        the feature file that the variable ONSET_FEATURES names, or None.
    """
    prepare_kernels(Console(stderr=True))
    rates_hz = (30.0, 100.0)
    with tempfile.TemporaryDirectory(prefix="onset-bench-") as name:
        folder = Path(name)
        takes = plan_takes(presets=PRESETS, frame_rates_hz=rates_hz, count=1 if quick else 3, seed=77, duration_s=20.0)
        truths = synthesize(folder, takes)
        confusion: Counter[tuple[str, str]] = Counter()
        for video in sorted({truth["video"] for truth in truths}):
            mine = [truth for truth in truths if truth["video"] == video]
            confusion += _labels(mine, list(replay(folder / video)))
    right = sum(count for (true, told), count in confusion.items() if true == told)
    hits = sum(confusion.values())
    features = os.environ.get(MAPS_VARIABLE)
    return {
        "spotted": {
            "hits": hits,
            "right": right,
            "accuracy": right / hits if hits else None,
            "confusion": {f"{true} as {told}": count for (true, told), count in sorted(confusion.items())},
        },
        "real": evaluate("default", features) if features else None,
    }


def _labels(truths: list[dict[str, Any]], events: list[ExpressionEvent]) -> Counter[tuple[str, str]]:
    """True and told label of every hit."""
    matches = match_intervals(
        [(truth["onset_s"], truth["offset_s"]) for truth in truths],
        [(event.onset_ns / 1e9, event.offset_ns / 1e9) for event in events],
        0.5,
    )
    return Counter((truths[match.truth]["label"], str(events[match.event].label)) for match in matches)


def render(result: dict[str, Any]) -> str:
    """The figures in words."""
    spotted, real = result["spotted"], result["real"]
    share = "–" if spotted["accuracy"] is None else f"{spotted['accuracy']:.1%}"
    lines = [f"spotted synthetic expressions: {spotted['right']} of {spotted['hits']} labels right ({share})"]
    lines += [f"  {count:4d} {pair}" for pair, count in spotted["confusion"].items()]
    if real is None:
        lines.append(f"real movements: name a feature file in {MAPS_VARIABLE} to score the default checkpoint on it")
    else:
        lines.append(f"real movements, {real['n']} clips: UF1 {real['uf1']:.3f}, UAR {real['uar']:.3f}")
        lines += [f"  {name}: UF1 {row['uf1']:.3f}, UAR {row['uar']:.3f}" for name, row in real["datasets"].items()]
    return "\n".join(lines)
