"""`onset bench`: the benchmarks, as ratios side by side in one run."""

import importlib
import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console

from engines.errors import BadInput

BENCHMARKS = {
    "flow": "TV-L1 on the CPU and the graphics card against OpenCV's: speed and accuracy on the same pairs",
    "classify": "what one event costs, part by part, and ONNX Runtime against PyTorch",
    "engines": "TensorRT engines: building, speed, agreement, and the share of the card's limits",
    "pipeline": "frames a second of a replay, and what each stage takes",
    "motion": "what a region is measured to have moved, its noise, and what a frame costs",
    "latency": "from the frame that settles an event to the event on disk, live",
    "live": "a stream served in real time: drops, and events against the replayed file",
    "browser-camera": "the browser's camera against the file that it films: events, frames, and a WebRTC call",
    "dashboard": "the live view in a browser: frames and events on the screen; two hours of running, sped up",
    "memory": "memory over a long replay",
    "spotting": "F1, timing and false alarms on synthesised video and on real footage",
    "recognition": "labels of spotted synthetic events, and of the shared real maps where they are at hand",
    "training": "folds side by side against one after another, and what a run of every model costs",
}


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Speed and accuracy, measured here: all benchmarks, or those named.

    flow, classify, engines, pipeline, motion, latency, live, browser-camera, dashboard, memory, spotting,
    recognition, training.
    """

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Which to run."""
    quick: bool = False
    """Less material: a minute in all rather than many."""
    json: bool = False
    """Print one JSON object instead of tables."""
    footage: tuple[Path, ...] = ()
    """spotting: recordings of faces, or folders of them, to play as they are and with movements inserted."""
    picture: Path | None = None
    """spotting: an SVG file to draw detection curves and conditions into."""
    choose: bool = False
    """spotting: also set the sensitivity on all faces but one and report the one that was left out, each in turn."""

    def run(self) -> int:
        """Run them one after another."""
        unknown = [name for name in self.names if name not in BENCHMARKS]
        if unknown:
            raise BadInput(f"bench: '{unknown[0]}' is not a benchmark; choose among {', '.join(BENCHMARKS)}")
        results = {}
        console = Console(stderr=True)
        for name in self.names or BENCHMARKS:
            module = importlib.import_module(f"demo.benchmarks.{name.replace('-', '_')}")
            asked = {"footage": self.footage, "picture": self.picture, "choose": self.choose}
            more = asked if name == "spotting" else {}
            shown = getattr(module, "SHOWS_PROGRESS", False)
            with nullcontext() if shown else console.status(f"{name}: {BENCHMARKS[name]}"):
                results[name] = module.run(quick=self.quick, **more)
            if not self.json:
                print(f"{name} — {BENCHMARKS[name]}\n{module.render(results[name])}\n")
        if self.json:
            print(json.dumps(results))
        return 0


def defaults(_words: Sequence[str]) -> Bench:
    """Defaults under the flags."""
    return Bench()


COMMAND = Bench
