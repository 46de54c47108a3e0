"""From the capture of the frame that settles an event to the event on disk, in real time."""

import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from demo.kernels import prepare_kernels
from realtime.clock import MonotonicClock
from realtime.config import Settings
from realtime.frames import Frame
from realtime.session_run import SessionRun
from realtime.sources import open_source
from realtime.sources.base import Source
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_scenes import SceneParameters
from trainers.datasets.synthetic_videos import Filming, write_video

RATES_HZ = (30.0, 60.0, 120.0, 200.0)


class PacedFile(Source):
    """A video file that plays the part of a camera: each frame comes at its time, and is lost if nobody takes it."""

    live = True

    def __init__(self, path: Path) -> None:
        self._file = open_source(str(path))
        self._clock = MonotonicClock()
        self._start_ns = 0
        self.name = str(path)

    @property
    def description(self) -> dict[str, Any]:
        """That of the file."""
        return {**self._file.description, "paced": True}

    def open(self) -> None:
        """Open the file and start the clock."""
        self._file.open()
        self._start_ns = self._clock.now_ns()
        self.width, self.height = self._file.width, self._file.height

    def read(self) -> Frame | None:
        """The next frame, at its time."""
        frame = self._file.read()
        if frame is None:
            return None
        self._clock.sleep_until(self._start_ns + frame.time_ns)
        return Frame(index=frame.index, time_ns=frame.time_ns, captured_ns=self._clock.now_ns(), image=frame.image)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def run(*, quick: bool = False) -> dict[str, Any]:
    """Play synthesised videos in real time through the whole pipeline, pictures and report included.

    Args:
        quick: twenty seconds a rate instead of sixty.

    Returns:
        A row a frame rate: events, dropped frames, latency percentiles in milliseconds.
    """
    prepare_kernels(Console(stderr=True))
    with tempfile.TemporaryDirectory(prefix="onset-bench-") as name:
        rows = [_one_rate(Path(name), rate_hz, 20.0 if quick else 60.0) for rate_hz in RATES_HZ]
    latencies = np.concatenate([np.asarray(row.pop("latencies_ms")) for row in rows])
    total = (
        {f"p{percent}_ms": float(np.percentile(latencies, percent)) for percent in (50, 95)} if len(latencies) else {}
    )
    return {"rows": rows, "all": {"events": len(latencies), **total}}


def _one_rate(folder: Path, rate_hz: float, seconds: float) -> dict[str, Any]:
    parameters = SceneParameters(
        duration_s=seconds, head_shift_px=2.0, head_roll_deg=0.6, blinks_per_minute=12.0, noise_sd=1.2
    )
    video = folder / f"{rate_hz:.0f}.mp4"
    write_video(Scene.plan(parameters, seed=17), video, Filming(frame_rate_hz=rate_hz))
    session = SessionRun(PacedFile(video), folder / f"session-{rate_hz:.0f}", Settings())
    latencies = [event.latency_ms for event in session.run() if event.latency_ms is not None]
    return {
        "frame_rate_hz": rate_hz,
        "events": len(latencies),
        "dropped": session.counts.dropped,
        "p50_ms": float(np.percentile(latencies, 50)) if latencies else None,
        "p95_ms": float(np.percentile(latencies, 95)) if latencies else None,
        "threads_left": sum(thread.name.startswith("onset-") for thread in threading.enumerate()),
        "latencies_ms": latencies,
    }


def render(result: dict[str, Any]) -> str:
    """The rows as a table."""
    lines = [f"{'camera':>8} {'events':>7} {'dropped':>8} {'p50 ms':>8} {'p95 ms':>8}"]
    lines += [
        f"{row['frame_rate_hz']:5.0f} Hz {row['events']:7d} {row['dropped']:8d} "
        f"{row['p50_ms'] or float('nan'):8.1f} {row['p95_ms'] or float('nan'):8.1f}"
        for row in result["rows"]
    ]
    total = result["all"]
    lines.append(f"{'all':>8} {total['events']:7d} {'':8} {total.get('p50_ms', 0):8.1f} {total.get('p95_ms', 0):8.1f}")
    return "\n".join(lines)
