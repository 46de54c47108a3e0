"""How many frames a second a replay handles, and what each stage takes."""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from demo.kernels import prepare_kernels
from realtime.clock import NANOSECONDS
from realtime.config import RecordingParameters, Settings
from realtime.pipeline import FrameCounts, Watcher
from realtime.session_run import SessionRun
from realtime.signals import NO_FACE, read_signals
from realtime.sources import open_source
from realtime.spotting.sample import MotionSample
from realtime.spotting.spotter import Spotter
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_scenes import SceneParameters
from trainers.datasets.synthetic_videos import Filming, write_video

RATES_HZ = (30.0, 100.0, 200.0)
STAGES = ("track", "align", "movement", "spot", "recognise")


def run(*, quick: bool = False) -> dict[str, Any]:
    """Replay 640×480 H.264 at three frame rates, without pictures, clips and report.

    Args:
        quick: ten seconds of video a rate instead of thirty.

    Returns:
        A row a frame rate: frames a second, and the median milliseconds of each stage.
    """
    prepare_kernels(Console(stderr=True))
    rows = []
    with tempfile.TemporaryDirectory(prefix="onset-bench-") as name:
        folder = Path(name)
        for rate_hz in RATES_HZ:
            video = film(folder / f"{rate_hz:.0f}.mp4", rate_hz, seconds=10.0 if quick else 30.0)
            rows.append({"frame_rate_hz": rate_hz, **_replayed(video, folder / f"session-{rate_hz:.0f}")})
    return {"size": "640×480", "rows": rows}


def _replayed(video: Path, folder: Path) -> dict[str, Any]:
    """Frames a second from the first frame to the closed session, and the time before the first frame."""
    settings = Settings(recording=RecordingParameters(media=False, report=False))
    session = SessionRun(open_source(str(video)), folder, settings)
    first_s: list[float] = []

    def note_first(_counts: FrameCounts, _faces: int) -> None:
        if not first_s:
            first_s.append(time.monotonic())

    start_s = time.monotonic()
    events = sum(1 for _ in session.run(Watcher(on_frame=note_first)))
    end_s = time.monotonic()
    return {
        "frames": session.counts.read,
        "frames_per_s": (session.counts.read - 1) / (end_s - first_s[0]),
        "start_s": first_s[0] - start_s,
        "events": events,
        "stage_ms": session.latency_ms,
        "spotter_us": _spotter_alone(folder),
    }


def _spotter_alone(folder: Path) -> dict[str, float]:
    """What the spotter itself takes for the movement that the session recorded, microseconds a frame.

    Nothing else runs meanwhile; the mean holds the settling of events, which the median frame has not.
    """
    signals, spotter = read_signals(folder), Spotter()
    times = []
    for row in np.flatnonzero(signals.face_id != NO_FACE).tolist():
        sample = MotionSample(
            index=int(signals.index[row]),
            time_ns=round(signals.time_s[row] * NANOSECONDS),
            captured_ns=0,
            face_id=int(signals.face_id[row]),
            displacement=signals.displacement[row],
            gates=signals.gates[row],
        )
        start_ns = time.perf_counter_ns()
        for _settled in spotter.push(sample):
            pass
        times.append((time.perf_counter_ns() - start_ns) / 1e3)
    return {"p50": float(np.median(times)), "p95": float(np.percentile(times, 95)), "mean": float(np.mean(times))}


def film(path: Path, rate_hz: float, seconds: float) -> Path:
    """A face with gentle head motion, expressions and blinks, as H.264."""
    parameters = SceneParameters(
        duration_s=seconds, head_shift_px=2.0, head_roll_deg=0.6, blinks_per_minute=12.0, noise_sd=1.2
    )
    write_video(Scene.plan(parameters, seed=11), path, Filming(frame_rate_hz=rate_hz))
    return path


def render(result: dict[str, Any]) -> str:
    """The rows as a table."""
    lines = [f"{'video':>8} {'frames/s':>9}" + "".join(f"{stage:>17}" for stage in STAGES) + "   (median / p95, ms)"]
    for row in result["rows"]:
        cells = "".join(_cell(row["stage_ms"].get(stage)) for stage in STAGES)
        lines.append(f"{row['frame_rate_hz']:5.0f} Hz {row['frames_per_s']:9.0f}{cells}")
    lines.append("The spotter alone, for the same movement:")
    for row in result["rows"]:
        spotter = row["spotter_us"]
        lines.append(
            f"{row['frame_rate_hz']:5.0f} Hz   {spotter['p50']:.0f} µs (median), {spotter['p95']:.0f} µs (p95), "
            f"{spotter['mean']:.0f} µs (mean, events settled included)"
        )
    return "\n".join(lines)


def _cell(figures: dict[str, float] | None) -> str:
    return f"{'–':>17}" if figures is None else f"{figures['p50']:>9.3f} /{figures['p95']:>6.3f}"
