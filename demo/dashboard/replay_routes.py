"""Routes of the replay view: a session's course, its frames one by one, magnified loops, and remarks."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from demo.dashboard.house import House
from demo.dashboard.magnified_loops import MagnifiedLoops
from demo.dashboard.replayed_session import replayed_session
from demo.dashboard.session_files import PRIVATE
from engines.errors import OnsetError
from realtime.frame_shelf import FrameShelf
from realtime.json_lines import as_json
from realtime.session_course import session_course
from realtime.session_reader import read_session
from realtime.session_remarks import add_remark

IDLE_S = 20.0
LARGEST_REMARK = 32_768
_REMARK_FIELDS: dict[str, tuple[type, ...]] = {
    "event_id": (int,),
    "rejected_number": (int,),
    "time_s": (int, float),
    "label": (str,),
    "note": (str,),
}

Answer = Callable[[Request], Awaitable[Response]]


class ReplayDesk:
    """Answers what the replay view asks; keeps the pictures that are looked through.

    Args:
        house: whose sessions are looked through.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._shelf = FrameShelf((house.data.recordings,))
        self._loops = MagnifiedLoops(house.data.temporary)
        self._one_loop_at_a_time = asyncio.Semaphore(1)
        self._closing: asyncio.TimerHandle | None = None
        house.on_removed += [self._shelf.forget, self._loops.forget]

    async def session(self, request: Request) -> Response:
        """All there is to know of a session but its course."""
        folder = self._house.data.session(request.path_params["name"])
        record = await run_in_threadpool(replayed_session, self._house, folder)
        return Response(as_json(record, indent=None), media_type="application/json", headers=PRIVATE)

    async def course(self, request: Request) -> Response:
        """The course of a session, frame by frame."""
        folder = self._house.data.session(request.path_params["name"])
        content = await run_in_threadpool(lambda: session_course(read_session(folder).signals()).as_bytes())
        return Response(content, media_type="application/octet-stream", headers=PRIVATE)

    async def frame(self, request: Request) -> Response:
        """One frame; with `face=NUMBER` the face alone, cut out where it is in the frame of that number."""
        folder = self._house.data.session(request.path_params["name"])
        face_of = request.query_params.get("face")
        if face_of is not None and not face_of.isdecimal():
            return _fault("face: give the number of a frame", 422)
        try:
            content = await run_in_threadpool(
                self._shelf.jpeg, folder, request.path_params["index"], None if face_of is None else int(face_of)
            )
        finally:  # what cannot be shown may have opened the video, too
            self._close_later()
        return Response(content, media_type="image/jpeg", headers=PRIVATE)

    async def magnified(self, request: Request) -> Response:
        """The loop of one event, magnified `factor` times."""
        folder = self._house.data.session(request.path_params["name"])
        try:
            factor = float(request.query_params.get("factor", "10"))
        except ValueError:
            return _fault("factor: give a number", 422)
        async with self._one_loop_at_a_time:
            frames = await run_in_threadpool(self._shelf.frames, folder)
            content = await run_in_threadpool(self._loops.loop, frames, request.path_params["event"], factor)
        return Response(content, media_type="video/mp4", headers=PRIVATE)

    async def remark(self, request: Request) -> Response:
        """Keep a remark."""
        folder = self._house.data.session(request.path_params["name"])
        said = await _remark_in(request)
        if said is None:
            return _fault(f"a remark has the fields {', '.join(_REMARK_FIELDS)} and nothing else", 422)
        remark = await run_in_threadpool(lambda: add_remark(folder, **said))
        return JSONResponse(remark.as_record(), 201)

    def _close_later(self) -> None:
        """Close the video some seconds after the last look into it."""
        if self._closing is not None:
            self._closing.cancel()
        self._closing = asyncio.get_running_loop().call_later(IDLE_S, self._close)

    def _close(self) -> None:
        self._closing = None
        if self._shelf.close_idle(IDLE_S - 1):
            self._close_later()


def replay_routes(house: House) -> list[BaseRoute]:
    """Routes of the replay view.

    Args:
        house: whose sessions are looked through.
    """
    desk, base = ReplayDesk(house), "/onset/sessions/{name}"
    return [
        Route(f"{base}/replay", _answering(desk.session)),
        Route(f"{base}/course", _answering(desk.course)),
        Route(f"{base}/frames/{{index:int}}.jpg", _answering(desk.frame)),
        Route(f"{base}/events/{{event:int}}/magnified.mp4", _answering(desk.magnified)),
        Route(f"{base}/remarks", _answering(desk.remark), methods=["POST"]),
    ]


def _answering(answer: Answer) -> Answer:
    """What cannot be answered is said in one line."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except OnsetError as fault:
            return _fault(str(fault), 404 if request.method == "GET" else 422)

    return answered


def _fault(text: str, status: int) -> Response:
    return JSONResponse({"error": text}, status)


async def _remark_in(request: Request) -> dict[str, Any] | None:
    """What a remark says; None where it is too long or something else."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_REMARK:
            return None
    try:
        said = json.loads(body)
    except ValueError:
        return None
    if not isinstance(said, dict) or not said.keys() <= _REMARK_FIELDS.keys():
        return None
    said = {name: value for name, value in said.items() if value is not None}
    fits = (isinstance(value, _REMARK_FIELDS[name]) and not isinstance(value, bool) for name, value in said.items())
    return said if all(fits) else None
