"""Two hours of live operation, sped up: memory, threads and sockets, three viewers, ten reloads of a page."""

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from demo.benchmarks.endless_camera import RATE_HZ, EndlessCamera
from engines.errors import BadInput
from realtime.config import RecordingParameters, Settings

HOURS, QUICK_HOURS = 2.0, 1 / 12
RELOADS = 10
SAMPLE_S = 2.0
SLOW_S = 2.0
"""The slow viewer says so long after a frame came that it has drawn it."""


def run(*, quick: bool = False, limit_s: float | None = None) -> dict[str, Any]:
    """Serve a dashboard over a camera that is two hours long, as fast as the run takes its frames.

    One viewer draws at once, one is slow, one reloads its page ten times; all come over loopback.

    Args:
        quick: five minutes instead of two hours.
        limit_s: stop after so long on the wall; the result says how many hours of the camera that was.

    Returns:
        Memory over time and its growth over the last four fifths, threads and files before, during and after,
        frames read and dropped, events, and what each viewer got.
    """
    if not Path("/proc/self/statm").exists():
        raise BadInput("bench dashboard: reads /proc, which this system does not have; run it on Linux")
    hours = QUICK_HOURS if quick else HOURS
    with tempfile.TemporaryDirectory(prefix="onset-bench-") as name, _served(Path(name), hours * 3600) as (live, url):
        before = _resources()
        viewers = [_Viewer(url), _Viewer(url, slow_s=SLOW_S), _Viewer(url, reloads=RELOADS)]
        start_s = time.monotonic()
        session = live.start(_request()).session
        samples = _watched(live, viewers[2], hours, start_s + (limit_s or np.inf))
        wall_s = time.monotonic() - start_s
        for viewer in viewers:
            viewer.end()
        _settled()
        after, counts = _resources(), live.counts
        events = (Path(name) / "sessions" / session / "events.jsonl").read_text(encoding="utf-8").splitlines()
    frames, mebibytes = np.array([(sample["read"], sample["mib"]) for sample in samples], np.float64).T
    late = frames > frames[-1] / 5
    slope, _ = np.polyfit(frames[late], mebibytes[late], 1)
    return {
        "hours": counts.read / RATE_HZ / 3600,
        "wall_s": wall_s,
        "read": counts.read,
        "dropped": counts.dropped,
        "events": len(events),
        "peak_mib": float(mebibytes.max()),
        "growth_mib": float(slope * (frames[-1] - frames[late][0])),
        "threads": {"before": before["threads"], "most": max(s["threads"] for s in samples), "after": after["threads"]},
        "files": {"before": before["files"], "most": max(s["files"] for s in samples), "after": after["files"]},
        "viewers": [viewer.account() for viewer in viewers],
        "samples": samples[:: max(1, len(samples) // 60)],
    }


def render(result: dict[str, Any]) -> str:
    """The figures in some lines."""
    quick, slow, reloading = result["viewers"]
    threads, files = result["threads"], result["files"]
    return (
        f"{result['hours']:.2g} hours of a camera at 30 Hz in {result['wall_s'] / 60:.1f} minutes: "
        f"{result['read']} frames, {result['dropped']} dropped, {result['events']} events\n"
        f"memory: peak {result['peak_mib']:.0f} MiB, growth over the last four fifths {result['growth_mib']:+.1f} MiB\n"
        f"threads before/most/after: {threads['before']}/{threads['most']}/{threads['after']}, "
        f"open files and sockets: {files['before']}/{files['most']}/{files['after']}\n"
        f"viewers: {quick['frames']} frames and {quick['events']} events at once, {slow['frames']} and "
        f"{slow['events']} the slow one, {reloading['frames']} and {reloading['events']} the one that reloaded "
        f"{reloading['connections'] - 1 - reloading['cuts']} times; connections cut: "
        f"{sum(viewer['cuts'] for viewer in result['viewers'])}"
    )


@dataclass
class _Viewer:
    """A page that looks on over a WebSocket, in a thread of its own."""

    url: str
    slow_s: float = 0.0
    reloads: int = 0
    frames: int = 0
    connections: int = 0
    cuts: int = 0
    """Connections that ended though nobody closed them; a page connects again, and so does this."""
    events: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._reload, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._look, name="bench-viewer", daemon=True)
        self._thread.start()

    def reload(self) -> None:
        """Close the page and open it again."""
        self._reload.set()

    def end(self) -> None:
        """Close the page."""
        self._ended.set()
        self._thread.join(30)

    def account(self) -> dict[str, int]:
        """What it got."""
        return {
            "frames": self.frames,
            "events": len(self.events),
            "connections": self.connections,
            "cuts": self.cuts,
        }

    def _look(self) -> None:
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        while not self._ended.is_set():
            self._reload.clear()
            try:
                with connect(self.url, max_size=None, open_timeout=60, ping_interval=None) as socket:
                    self.connections += 1
                    while not self._reload.is_set() and not self._ended.is_set():
                        with suppress(TimeoutError):
                            self._take(socket, socket.recv(timeout=0.2))
            except (ConnectionClosed, OSError):
                self.cuts += 1
                self._ended.wait(1.0)

    def _take(self, socket: Any, message: str | bytes) -> None:
        if isinstance(message, str):
            said = json.loads(message)
            if said["type"] == "event":
                self.events.add(said["event"]["event_id"])
            return
        self.frames += 1
        self._ended.wait(self.slow_s)
        header = json.loads(message[4 : 4 + int.from_bytes(message[:4], "big")])
        socket.send(json.dumps({"type": "seen", "index": header["index"]}))


def _request() -> Any:
    from demo.dashboard.live_request import LiveRequest

    return LiveRequest(source="camera 0")


@contextmanager
def _served(data: Path, duration_s: float) -> Iterator[tuple[Any, str]]:
    """A dashboard whose camera is the endless one; the live run, and the address to look at."""
    from demo.dashboard.house import open_house
    from demo.dashboard.live_run import LiveRun
    from demo.dashboard.server import Address, build_server

    address = Address(port=0)
    listening = address.listen()
    house = open_house(data, Settings(recording=RecordingParameters(report=False)))
    house.live.close()
    house.live = LiveRun(
        house.data,
        house.settings,
        house.cameras,
        camera=lambda _address, _rate: EndlessCamera(duration_s, lambda: house.live.counts.read),
    )
    server = build_server(house, address)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="bench-server", daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.05)
        yield house.live, f"ws://127.0.0.1:{listening.getsockname()[1]}/onset/live"
    finally:
        server.should_exit = True
        thread.join(60)


def _watched(live: Any, reloading: _Viewer, hours: float, until_s: float) -> list[dict[str, float]]:
    """Samples of what the process holds, until the run has ended."""
    samples: list[dict[str, float]] = []
    start_s, reloads, frames = time.monotonic(), 0, hours * 3600 * RATE_HZ
    while not live.wait(SAMPLE_S):
        if time.monotonic() > until_s:
            live.stop()
        samples.append({"wall_s": round(time.monotonic() - start_s, 1), "read": live.counts.read, **_resources()})
        if live.counts.read > (reloads + 1) / (RELOADS + 1) * frames and reloads < RELOADS:
            reloads += 1
            reloading.reload()
    if live.status()["state"] != "idle":
        raise BadInput(f"bench dashboard: the run ended as {live.status()['state']}: {live.status()['reason']}")
    return samples


def _settled(limit_s: float = 20.0) -> None:
    """Give the server a moment to see that its viewers have gone."""
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s and any(t.name.startswith("onset-") for t in threading.enumerate()):
        time.sleep(0.1)
    time.sleep(1.0)


def _resources() -> dict[str, float]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return {"mib": round(pages * 4096 / 2**20, 1), "threads": threading.active_count(), "files": files}


if __name__ == "__main__":
    print(json.dumps(run(quick=True), indent=1))
