"""Where pages look at the live run, and where other programs take its events."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar, runtime_checkable

import anyio
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from demo.dashboard.data_folder import DataFolder
from demo.dashboard.event_stream import server_sent_events, socket_events
from demo.dashboard.live_run import LiveRun
from demo.dashboard.live_viewer import LiveViewer
from demo.dashboard.subscribers import CLOSING, Subscriber

GOING_AWAY, TRY_AGAIN = 1001, 1013
"""The WebSocket's codes for a server that ends, and for a listener that was too slow."""
EVENT_STREAM = "text/event-stream"

Listener = TypeVar("Listener", bound=Subscriber)


@runtime_checkable
class HasLive(Protocol):
    """The part of the house that is needed here."""

    live: LiveRun
    data: DataFolder


def live_routes(house: HasLive) -> list[BaseRoute]:
    """The live view's WebSocket, and the event stream.

    Args:
        house: whose run is shown.
    """

    async def look(socket: WebSocket) -> None:
        await socket.accept()
        with _listening(house.live, house.live.subscribe) as (viewer, waked):
            await _until_either(_send(socket, viewer, waked), _receive(socket, viewer))

    async def listen(socket: WebSocket) -> None:
        await socket.accept()
        after = socket.query_params.get("after")
        with _listening(house.live, house.live.listen) as (program, waked):
            told = socket_events(house.live, house.data, program, waked, after)
            await _until_either(_pass_on(socket, told, program), _receive(socket, None))

    async def stream(request: Request) -> StreamingResponse:
        after = request.headers.get("last-event-id") or request.query_params.get("after")

        async def content() -> Any:
            with _listening(house.live, house.live.listen) as (program, waked):
                async for part in server_sent_events(house.live, house.data, program, waked, after):
                    yield part

        # Proxies must not hold events back, nor anybody keep them.
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(content(), media_type=EVENT_STREAM, headers=headers)

    return [
        WebSocketRoute("/onset/live", look),
        WebSocketRoute("/onset/events", listen),
        Route("/onset/events", stream),
    ]


@contextmanager
def _listening(
    live: LiveRun, join: Callable[[Callable[[], None]], Listener]
) -> Iterator[tuple[Listener, asyncio.Event]]:
    """Listen to the run as long as the body lasts, and be waked in this event loop."""
    loop, waked = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(waked.set)

    subscriber = join(wake)
    try:
        yield subscriber, waked
    finally:
        live.leave(subscriber)


async def _send(socket: WebSocket, viewer: LiveViewer, waked: asyncio.Event) -> None:
    """Send what waits: messages first, then the newest frame."""
    while True:
        waked.clear()
        for message in viewer.take():
            await socket.send_text(json.dumps(message, allow_nan=False))
        picture = viewer.take_picture()
        if picture is not None:
            await socket.send_bytes(picture)
        if viewer.closed is not None:
            await _close(socket, viewer.closed)
            return
        await waked.wait()


async def _pass_on(socket: WebSocket, told: Any, program: Subscriber) -> None:
    async for message in told:
        await socket.send_text(json.dumps(message, allow_nan=False))
    await _close(socket, program.closed or CLOSING)


async def _close(socket: WebSocket, reason: str) -> None:
    await socket.close(GOING_AWAY if reason == CLOSING else TRY_AGAIN, reason)


async def _receive(socket: WebSocket, viewer: LiveViewer | None) -> None:
    """Take what a page says: which frame it has drawn. Anything else is let go."""
    while True:
        text = (await socket.receive()).get("text")
        if socket.client_state is WebSocketState.DISCONNECTED:
            return
        try:
            said = json.loads(text or "")
            index = said["index"] if said["type"] == "seen" else None
        except (ValueError, TypeError, KeyError):
            continue
        if viewer is not None and isinstance(index, int):
            viewer.seen(index)


async def _until_either(*parts: Coroutine[Any, Any, None]) -> None:
    """Let all parts go on until one ends; a connection that breaks is an end like any other."""

    async def one(part: Coroutine[Any, Any, None]) -> None:
        with suppress(WebSocketDisconnect, OSError):
            await part
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for part in parts:
            group.start_soon(one, part)
