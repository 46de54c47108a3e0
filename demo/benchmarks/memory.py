"""Memory over a long replay, measured from outside the process."""

import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from demo.benchmarks.pipeline import film
from engines.errors import BadInput

RATE_HZ = 100.0
CLIP_S = 30.0


def run(*, quick: bool = False) -> dict[str, Any]:
    """Replay ten minutes at 100 Hz in a process of its own and watch its resident memory.

    The film is thirty synthesised seconds, shown again and again.

    Args:
        quick: one minute instead of ten.

    Returns:
        Peak, and growth over the last four fifths of the replay, MiB; the samples.
    """
    if not Path("/proc/self/statm").exists():
        raise BadInput("bench memory: reads /proc, which this system does not have; run it on Linux")
    repeats = 2 if quick else 20
    with tempfile.TemporaryDirectory(prefix="onset-bench-") as name:
        folder = Path(name)
        video = _repeated(film(folder / "clip.mp4", RATE_HZ, CLIP_S), folder / "long.mp4", repeats)
        samples = _watched([sys.executable, "-m", "demo.cli", "replay", str(video), "--out", str(folder / "session")])
    times_s, mebibytes = np.array(samples).T
    late = times_s > times_s[-1] / 5
    slope, _ = np.polyfit(times_s[late], mebibytes[late], 1)
    return {
        "minutes": repeats * CLIP_S / 60,
        "wall_s": float(times_s[-1]),
        "peak_mib": float(mebibytes.max()),
        "growth_mib": float(slope * (times_s[-1] - times_s[late][0])),
        "samples": [[round(float(t), 1), round(float(m), 1)] for t, m in samples[:: max(1, len(samples) // 60)]],
    }


def render(result: dict[str, Any]) -> str:
    """The figures in a sentence."""
    return (
        f"{result['minutes']:.0f} minutes at {RATE_HZ:.0f} Hz in {result['wall_s']:.0f} s: "
        f"peak {result['peak_mib']:.0f} MiB, growth over the last four fifths {result['growth_mib']:+.1f} MiB"
    )


def _repeated(clip: Path, path: Path, times: int) -> Path:
    """The clip several times over in one file, packets copied and their times moved on."""
    with av.open(str(path), "w") as writer:
        with av.open(str(clip)) as reader:
            stream = writer.add_stream_from_template(reader.streams.video[0])
        start = 0
        for _ in range(times):
            with av.open(str(clip)) as reader:
                video = reader.streams.video[0]
                length = round(Fraction(round(CLIP_S * 1000), 1000) / Fraction(video.time_base or 1))
                for packet in reader.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts, packet.stream = packet.pts + start, packet.dts + start, stream
                    writer.mux(packet)
            start += length
    return path


def _watched(command: list[str]) -> list[tuple[float, float]]:
    """Run a command; its resident memory over time, seconds and MiB."""
    page_mib = 4096 / 2**20
    start_s = time.monotonic()
    samples: list[tuple[float, float]] = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            try:
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
                samples.append((time.monotonic() - start_s, pages * page_mib))
            except (OSError, IndexError):  # it ended between the two looks
                break
            time.sleep(0.25)
    if process.returncode:
        raise BadInput(f"bench memory: the replay ended with code {process.returncode}; run it by hand: {command}")
    return samples
