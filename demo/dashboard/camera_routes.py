"""Where a page brings its browser's camera to a run: `/onset/camera?ticket=…`, a WebSocket."""

import asyncio
import json
from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from demo.dashboard.camera_messages import image_of, read_format
from engines.errors import BadInput
from realtime.clock import Clock, MonotonicClock, to_nanoseconds
from realtime.sources.browser_cameras import BrowserCameras
from realtime.sources.pushed import Delivery, Listener, SenderRefused
from realtime.sources.remote_clock import SETTLED, RemoteClock

IMAGES_AT_ONCE = 32
"""Images that a page may have under way: a second of a usual camera, so that a hiccup here costs none."""
CLOCK_EVERY_S = 2.0
PATIENCE_S = 10.0
"""Longest wait for what a page has to say before its first image."""
REFUSED = 1008
"""The WebSocket's code for a policy violation."""

Message = dict[str, Any]


@runtime_checkable
class HasCameras(Protocol):
    """The part of the house that is needed here."""

    cameras: BrowserCameras


def camera_routes(house: HasCameras) -> list[BaseRoute]:
    """The route of the browser's camera.

    Args:
        house: whose tickets are good here.
    """

    async def camera(socket: WebSocket) -> None:
        await CameraVisit(socket, house.cameras).serve()

    return [WebSocketRoute("/onset/camera", camera)]


class CameraVisit:
    """One connection of a page with a camera.

    First the page says what it has, then the clocks are compared, then images come. Nothing is decoded here: an image
    is put into the queue of its source as it came, and the page is told when it was taken from there. That way the
    page knows how far behind the run is and lets images go itself, which leaves a gap in their numbers.

    Args:
        socket: not yet accepted.
        cameras: knows the tickets.
        clock: the one that stamps the frames.
    """

    def __init__(self, socket: WebSocket, cameras: BrowserCameras, clock: Clock | None = None) -> None:
        self._socket = socket
        self._cameras = cameras
        self._clock = clock or MonotonicClock()
        self._there = RemoteClock()
        self._asked_ns: dict[int, int] = {}
        self._questions = 0
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue()
        self._delivery: Delivery | None = None

    async def serve(self) -> None:
        """Take images until the page, the run or the connection ends."""
        await self._socket.accept()
        try:
            delivery = self._delivery = await self._begin()
        except BadInput as fault:
            await self._refuse(str(fault), final=not isinstance(fault, SenderRefused))
            return
        except TimeoutError:
            await self._refuse("the page did not say in time what camera it has; load it again", final=True)
            return
        except WebSocketDisconnect:
            return
        others = [asyncio.create_task(self._send_all()), asyncio.create_task(self._keep_clock())]
        try:
            await self._receive_all(delivery)
        except WebSocketDisconnect:
            pass
        except BadInput as fault:
            await self._refuse(str(fault), final=True)
        finally:
            delivery.leave("its page was closed or the connection cut")
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    async def _begin(self) -> Delivery:
        source = self._cameras.source(self._socket.query_params.get("ticket", ""))
        async with asyncio.timeout(PATIENCE_S):
            page, camera = read_format(await self._receive_message("hello"))
            for _ in range(SETTLED):
                await self._send(self._question())
                self._set_clock(await self._receive_message("clock"), self._clock.now_ns())
        loop = asyncio.get_running_loop()

        def tell(message: Message) -> None:
            # The server may end before the thread that reads the images does.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._outgoing.put_nowait, message)

        listener = Listener(
            taken=lambda index: tell({"type": "taken", "index": index}),
            ended=lambda reason: tell({"type": "ended" if reason is None else "failed", "text": reason or ""}),
        )
        delivery = source.connect(camera, page, listener)
        await self._send({"type": "ready", "next_index": delivery.next_index, "credits": IMAGES_AT_ONCE})
        return delivery

    async def _receive_all(self, delivery: Delivery) -> None:
        while True:
            content = await self._receive()
            received_ns = self._clock.now_ns()
            if isinstance(content, bytes):
                delivery.push(image_of(content, self._there, received_ns))
                continue
            message = _message_of(content)
            if message.get("type") == "clock":
                self._set_clock(message, received_ns)
            elif message.get("type") == "complete":
                delivery.complete(_count_of(message))
            elif message.get("type") == "leave":
                delivery.leave(str(message.get("reason", ""))[:200] or "its page let it go")
            else:
                raise BadInput(f"camera page: unknown message {str(message.get('type'))[:40]!r}; load the page again")

    async def _send_all(self) -> None:
        """Send what others leave to be sent; the last message closes the connection."""
        while True:
            message = await self._outgoing.get()
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._send(message)
                if message["type"] in ("ended", "failed"):
                    await self._socket.close()

    async def _keep_clock(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_EVERY_S)
            self._outgoing.put_nowait({"type": "clock"})

    def _question(self) -> Message:
        self._questions += 1
        # A page that never answers shall not fill the memory.
        self._asked_ns = {number: at for number, at in self._asked_ns.items() if number > self._questions - SETTLED}
        self._asked_ns[self._questions] = self._clock.now_ns()
        bound_ns = self._there.uncertainty_ns
        return {
            "type": "clock",
            "number": self._questions,
            "round_trip_ms": None if bound_ns is None else round(2 * bound_ns / 1e6, 3),
        }

    def _set_clock(self, answer: Message, received_ns: int) -> None:
        asked_ns = self._asked_ns.pop(answer.get("number", 0), None)
        try:
            there_ns, back_ns = (to_nanoseconds(float(answer[name]) / 1e3) for name in ("there_ms", "back_ms"))
        except (KeyError, TypeError, ValueError, OverflowError):
            raise BadInput("camera page: an answer about its clock without times; load the page again") from None
        if asked_ns is not None:
            self._there.add(sent_ns=asked_ns, there_ns=there_ns, back_ns=back_ns, received_ns=received_ns)

    async def _receive(self) -> str | bytes:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        content: str | bytes | None = message.get("bytes")
        return content if content is not None else str(message.get("text", ""))

    async def _receive_message(self, kind: str) -> Message:
        content = await self._receive()
        message = _message_of(content) if isinstance(content, str) else {}
        if message.get("type") != kind:
            raise BadInput(f"camera page: expected its {kind}; load the page again")
        return message

    async def _send(self, message: Message) -> None:
        await self._socket.send_json(self._question() if message == {"type": "clock"} else message)

    async def _refuse(self, text: str, *, final: bool) -> None:
        """Say why and close; one that is final is not worth another try."""
        if self._socket.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._send({"type": "refused", "text": text, "final": final})
                await self._socket.close(REFUSED)


def _message_of(content: str) -> Message:
    try:
        message = json.loads(content)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise BadInput("camera page: a message that is no JSON object; load the page again")
    return message


def _count_of(message: Message) -> int:
    frames = message.get("frames")
    if not isinstance(frames, int) or frames < 0:
        raise BadInput("camera page: ended without saying how many images there were; load the page again")
    return frames
