"""A real stream in real time: nothing dropped, and the events of the replay."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engines.errors import BadInput
from realtime.session_reader import read_session
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_scenes import SceneParameters
from trainers.datasets.synthetic_videos import Filming, write_video

RATES_HZ = (30.0, 120.0)


def run(*, quick: bool = False) -> dict[str, Any]:
    """Serve a synthesised film with ffmpeg on loopback at 30 and 120 Hz, watch it with `onset live`.

    Args:
        quick: ten seconds a rate instead of sixty.

    Returns:
        A row a rate: frames served, read and dropped, events of the stream and of the replayed file, and whether
        they are identical.
    """
    with tempfile.TemporaryDirectory(prefix="onset-bench-") as name:
        return {"rows": [one_rate(Path(name), rate_hz, 10.0 if quick else 60.0) for rate_hz in RATES_HZ]}


def render(result: dict[str, Any]) -> str:
    """The rows as a table."""
    lines = [f"{'stream':>8} {'served':>7} {'read':>7} {'dropped':>8} {'events':>7} {'replayed':>9}  identical"]
    lines += [
        f"{row['frame_rate_hz']:5.0f} Hz {row['served']:7d} {row['read']:7d} {row['dropped']:8d} {row['events']:7d} "
        f"{row['replayed_events']:9d}  {'yes' if row['identical'] else 'NO'}"
        for row in result["rows"]
    ]
    return "\n".join(lines)


def one_rate(folder: Path, rate_hz: float, seconds: float) -> dict[str, Any]:
    """One film, served and replayed.

    Args:
        folder: for the films and sessions.
        rate_hz: frames a second.
        seconds: length of the film.
    """
    film = transport_stream(folder, rate_hz, seconds)
    live, replayed = folder / f"live-{rate_hz:.0f}", folder / f"replayed-{rate_hz:.0f}"
    onset = [sys.executable, "-m", "demo.cli"]
    subprocess.run([*onset, "replay", str(film), "--out", str(replayed), "--json"], check=True, capture_output=True)
    with Served(film) as address:
        subprocess.run(
            [*onset, "live", "--camera", address, "--out", str(live), "--json"], check=True, capture_output=True
        )
    frames = read_session(live).record["frames"]
    return {
        "frame_rate_hz": rate_hz,
        "served": read_session(replayed).record["frames"]["read"],
        "read": frames["read"],
        "dropped": frames["dropped"],
        "events": len(comparable(live)),
        "replayed_events": len(comparable(replayed)),
        "identical": comparable(live) == comparable(replayed),
    }


def transport_stream(folder: Path, rate_hz: float, seconds: float) -> Path:
    """A film of a face as MPEG transport stream, whose times survive being served."""
    parameters = SceneParameters(
        duration_s=seconds, head_shift_px=2.0, head_roll_deg=0.6, blinks_per_minute=12.0, noise_sd=1.2
    )
    film, stream = folder / f"{rate_hz:.0f}.mp4", folder / f"{rate_hz:.0f}.ts"
    write_video(Scene.plan(parameters, seed=23), film, Filming(frame_rate_hz=rate_hz))
    _ffmpeg("-i", str(film), "-c", "copy", "-f", "mpegts", str(stream)).wait()
    return stream


def comparable(session: Path) -> list[dict[str, Any]]:
    """The events of a session without what depends on the wall clock."""
    return [
        {key: value for key, value in event.items() if key != "latency_ms"} for event in read_session(session).events
    ]


class Served:
    """A file that ffmpeg serves in real time to one client on loopback; gives the address to open.

    Args:
        film: what to serve, packets unchanged.
    """

    def __init__(self, film: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._film = film

    def __enter__(self) -> str:
        address = f"tcp://127.0.0.1:{self._port}"
        self.process = _ffmpeg("-re", "-i", str(self._film), "-c", "copy", "-f", "mpegts", f"{address}?listen=1")
        _wait_until_listening(self._port)
        return address

    def __exit__(self, *_exception: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def _ffmpeg(*arguments: str) -> subprocess.Popen[bytes]:
    program = shutil.which("ffmpeg")
    if program is None:
        raise BadInput("bench live: ffmpeg is not on the PATH; install it to serve a stream")
    return subprocess.Popen([program, "-nostdin", "-loglevel", "error", "-y", *arguments])


def _wait_until_listening(port: int, limit_s: float = 10.0) -> None:
    """Wait for the server by looking at the kernel's table: connecting would use up its only client."""
    deadline_s = time.monotonic() + limit_s
    wanted = f":{port:04X}"
    while time.monotonic() < deadline_s:
        table = Path("/proc/net/tcp")
        if not table.exists():
            time.sleep(1.0)
            return
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
        if any(row[1].endswith(wanted) and row[3] == "0A" for row in rows):
            return
        time.sleep(0.02)
    raise BadInput(f"bench live: ffmpeg does not listen on port {port} after {limit_s:g} s; try again")


if __name__ == "__main__":
    print(json.dumps(run(quick=True), indent=1))
