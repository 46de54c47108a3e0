"""A server that says what a live run would say: the test double behind the live view, driven by the test."""

import asyncio
import json
import math
import socket
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from demo.dashboard.words import all_words
from realtime.faces.landmarks import REGION_NAMES

ASSETS = Path(__file__).resolve().parents[3] / "demo" / "dashboard" / "assets"
SESSION = "2026-11-21_10-00-00_camera-0"
WIDTH, HEIGHT = 640, 480
_PAGE = """<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>
body { margin: 0; padding: 12px; font-family: system-ui, sans-serif; background: var(--body-background-fill);
  --body-background-fill: #fff; --body-text-color: #0f172a; --body-text-color-subdued: #475569;
  --block-background-fill: #fff; --border-color-primary: #e2e8f0; --color-accent: #0d9488; }
body.dark { --body-background-fill: #0f172a; --body-text-color: #f1f5f9; --body-text-color-subdued: #94a3b8;
  --block-background-fill: #1e293b; --border-color-primary: #334155; --color-accent: #14b8a6; }
</style><script type="module" src="/onset/assets/live.js"></script></head>
<body><onset-live></onset-live></body></html>"""
_KINDS = {".js": "text/javascript", ".css": "text/css"}


def picture(shade: int) -> bytes:
    """A JPEG of one gray, 640 by 480."""
    return bytes(cv2.imencode(".jpg", np.full((HEIGHT, WIDTH, 3), shade, np.uint8))[1].tobytes())


def face(*, moving: Sequence[str] = (), gates: Sequence[str] = ()) -> dict[str, Any]:
    """A face as a header describes it: an oval, and a square for every region; some of them move."""
    around = np.linspace(0, 2 * math.pi, 36, endpoint=False)
    outline = [[320 + 120 * math.cos(a), 240 + 160 * math.sin(a)] for a in around]
    regions = []
    for row, name in enumerate(REGION_NAMES):
        x, y = 240 + 40 * (row % 5), 160 + 45 * (row // 5)
        square = [[x - 9, y - 9], [x + 9, y - 9], [x + 9, y + 9], [x - 9, y + 9]]
        over = name in moving
        regions.append({"name": name, "points": square, "movement": [3.0, -4.0] if over else [0.1, 0.0], "over": over})
    return {
        "face_id": 1, "outline": outline, "regions": regions, "gates": list(gates), "strength": 0.4, "threshold": 0.8,
    }  # fmt: skip


def event(number: int, apex_s: float, **changes: Any) -> dict[str, Any]:
    """A line of `events.jsonl`."""
    movements = [
        {"region": "left lip corner", "right_px": 1.2, "down_px": -0.9, "amplitude_px": 1.5},
        {"region": "left cheek", "right_px": 0.2, "down_px": -0.7, "amplitude_px": 0.73},
    ]
    return {
        "event_id": number, "face_id": 1, "onset_index": round(30 * (apex_s - 0.12)), "apex_index": round(30 * apex_s),
        "offset_index": round(30 * (apex_s + 0.16)), "onset_s": apex_s - 0.12, "apex_s": apex_s,
        "offset_s": apex_s + 0.16, "regions": ["left lip corner", "left cheek"], "strength": 1.52, "threshold": 0.81,
        "kind": "micro", "movements": movements,
        "action_units": [{"unit": 12, "name": "lip corner puller", "side": "left", "score": 0.96}],
        "description": "left lip corner up and out, 1.5 px: AU12, one-sided", "label": "positive",
        "probabilities": {"negative": 0.11, "positive": 0.82, "surprise": 0.07}, "latency_ms": 41.5,
        "checkpoint": "default",
    } | changes  # fmt: skip


def rejected(apex_s: float, reason: str) -> dict[str, Any]:
    """A line of `rejected.jsonl`."""
    return {
        "face_id": 1, "onset_index": round(30 * apex_s) - 3, "apex_index": round(30 * apex_s),
        "offset_index": round(30 * apex_s) + 3, "onset_s": apex_s - 0.1, "apex_s": apex_s, "offset_s": apex_s + 0.1,
        "regions": ["upper lip"], "strength": 0.5, "threshold": 0.8, "reason": reason,
    }  # fmt: skip


def conditions(quality: int = 64) -> dict[str, Any]:
    """The field "conditions" of `session.json`."""
    aspects = {
        "light": 0.72, "distance": 0.95, "frame rate": 0.77, "motion": 1.0, "readability": 1.0, "noise": 0.98,
        "calm": 1.0,
    }  # fmt: skip
    advice = [
        "The face is dark (mean gray 32 of 255): put a lamp in front of you, not behind you.",
        "At 30 frames a second the shortest micro-expressions, of 40 ms, last about one frame or none: "
        "a camera of 100 Hz or more, or a lower resolution, sees them.",
    ]
    faces = [{"face_id": 1, "quality": quality, "aspects": aspects, "advice": advice}]
    return {"quality": quality, "word": "fair", "smallest_movement_px": 0.62, "advice": advice, "faces": faces}


@dataclass(eq=False)
class Viewer:
    """One connected page."""

    line: WebSocket
    seen: list[int] = field(default_factory=list)


class FakeLiveServer:
    """Serves the assets and one live run that does as it is told; a context manager."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {
            "type": "state", "state": "idle", "session": None, "source": None, "recording": False,
            "regions": list(REGION_NAMES), "sensitivity": 5.0, "checkpoint": "default", "backend": "auto",
            "reason": None,
        }  # fmt: skip
        self.viewers: list[Viewer] = []
        self.told: list[dict[str, Any]] = []
        """Events, which a page that comes later is told again."""
        self.refusing = False
        self.index = 0
        self.pictures = [picture(shade) for shade in (70, 110, 150)]
        self._changed = threading.Condition()
        self._listening = socket.create_server(("127.0.0.1", 0))
        configuration = uvicorn.Config(self._app(), log_level="error", ws_per_message_deflate=False)
        self._server = uvicorn.Server(configuration)
        run = {"sockets": [self._listening]}
        self._thread = threading.Thread(target=self._server.run, kwargs=run, name="onset-fake-live")

    def __enter__(self) -> "FakeLiveServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.refusing = True
        self._drop()
        self._server.should_exit = True
        self._thread.join(10)

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def wait_for_viewers(self, count: int, timeout_s: float = 10.0) -> None:
        """Return when so many pages look on."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.viewers) == count, timeout_s)

    def wait_for_seen(self, index: int, timeout_s: float = 10.0) -> None:
        """Return when every page has said that it is done with a frame."""
        with self._changed:
            assert self._changed.wait_for(lambda: all(index in one.seen for one in self.viewers), timeout_s)

    def change(self, **state: Any) -> None:
        """Tell every page a new state."""
        self.state |= state
        self._tell(self.state)

    def begin(self, session: str = SESSION) -> None:
        """A run begins and gives pictures."""
        self.told.clear()
        self.change(state="running", session=session, source="camera 0", reason=None)

    def event(self, record: dict[str, Any], age_ms: float = 30.0, *, drawn: bool = True) -> None:
        """An event is settled."""
        session = self.state["session"]
        media = self._media_of(record["event_id"]) if drawn else None
        message = {"type": "event", "session": session, "event": record, "media": media, "settled_age_ms": age_ms}
        self.told.append(message | {"again": True})
        self._tell(message)

    def drawn(self, number: int) -> None:
        """The pictures of an event are on the disk."""
        session = self.state["session"]
        self._tell({"type": "media", "session": session, "event_id": number, "media": self._media_of(number)})

    def _media_of(self, number: int) -> str:
        return f"/onset/sessions/{self.state['session']}/files/events/{number:04d}/"

    def rejected(self, record: dict[str, Any]) -> None:
        """A movement is not reported."""
        self._tell({"type": "rejected", "session": self.state["session"], "rejected": record})

    def conditions(self, record: dict[str, Any] | None) -> None:
        """The conditions of the last second."""
        self._tell({"type": "conditions", "conditions": record})

    def notice(self, level: str, text: str) -> None:
        """A message of the run."""
        self._tell({"type": "notice", "level": level, "text": text})

    def frame(self, faces: Sequence[dict[str, Any]] | None = None, *, samples: int = 1, strength: float = 0.4) -> int:
        """A frame of a 30 Hz camera, with its samples; gives its index."""
        self.index += samples
        times = [(self.index - samples + 1 + step) / 30 for step in range(samples)]
        shown = [face()] if faces is None else list(faces)
        gates = shown[0]["gates"] if shown else []
        header = {
            "type": "frame", "index": self.index, "time_s": times[-1], "width": WIDTH, "height": HEIGHT,
            "faces": shown,
            "samples": {
                "time_s": times, "strength": [strength] * samples, "threshold": [0.8] * samples,
                "gates": [gates] * samples, "regions": [[0.05 * row for row in range(19)]] * samples,
            },
            "counts": {"read": self.index, "dropped": 2, "with_face": self.index}, "frame_rate_hz": 29.97,
            "latency_ms": {"p50": 38.0, "p95": 71.0}, "captured_age_ms": 25.0,
        }  # fmt: skip
        encoded = json.dumps(header).encode()
        self._tell(struct.pack(">I", len(encoded)) + encoded + self.pictures[self.index % len(self.pictures)])
        return self.index

    def drop(self) -> None:
        """Cut every page off and take none until `refusing` is False again."""
        self.refusing = True
        self._drop()

    def _drop(self) -> None:
        for viewer in list(self.viewers):
            self._run(viewer.line.close(1012))

    def _tell(self, message: dict[str, Any] | bytes) -> None:
        for viewer in list(self.viewers):
            sent = viewer.line.send_bytes(message) if isinstance(message, bytes) else viewer.line.send_json(message)
            self._run(sent)

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _app(self) -> Starlette:
        routes = [
            Route("/", self._page),
            Route("/onset/assets/{name}", self._asset),
            Route("/onset/words.json", self._words),
            Route("/onset/sessions/{session}/files/events/{number}/{name}", self._media),
            WebSocketRoute("/onset/live", self._viewer),
        ]
        return Starlette(routes=routes, lifespan=self._living)

    def _living(self, _app: Starlette) -> Any:
        return _Living(self)

    async def _page(self, _request: Request) -> Response:
        return HTMLResponse(_PAGE)

    async def _words(self, _request: Request) -> Response:
        return JSONResponse(all_words())

    async def _asset(self, request: Request) -> Response:
        path = ASSETS / request.path_params["name"]
        return FileResponse(path, media_type=_KINDS.get(path.suffix), headers={"cache-control": "no-cache"})

    async def _media(self, request: Request) -> Response:
        shade = {"onset.png": 60, "apex.png": 120, "offset.png": 180}.get(request.path_params["name"])
        if shade is None:
            return Response(status_code=404)
        return Response(cv2.imencode(".png", np.full((304, 256), shade, np.uint8))[1].tobytes(), media_type="image/png")

    async def _viewer(self, line: WebSocket) -> None:
        if self.refusing:
            await line.close(1013)
            return
        await line.accept()
        await line.send_json(self.state)
        for message in self.told:
            await line.send_json(message)
        viewer = Viewer(line)
        with self._changed:
            self.viewers.append(viewer)
            self._changed.notify_all()
        try:
            while True:
                said = await line.receive_json()
                with self._changed:
                    viewer.seen.append(said["index"])
                    self._changed.notify_all()
        except (WebSocketDisconnect, RuntimeError):
            pass  # the page has gone, or was cut off
        finally:
            with self._changed:
                self.viewers.remove(viewer)
                self._changed.notify_all()

    def _ready(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop


class _Living:
    """Tells the server in which loop it lives."""

    def __init__(self, server: FakeLiveServer) -> None:
        self._server = server

    async def __aenter__(self) -> None:
        self._server._ready(asyncio.get_running_loop())

    async def __aexit__(self, *_: object) -> None:
        return None
