"""Routes of the session view: the list, each session with its files, and what can be done with it."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from demo.dashboard.house import House
from demo.dashboard.json_requests import asked_object, text_in, texts_in
from demo.dashboard.session_desk import SessionDesk
from demo.dashboard.session_files import PRIVATE, REPORT_POLICY, file_answer, file_of_session
from engines.errors import BadInput, OnsetError
from realtime.json_lines import as_json
from realtime.session_reader import REPORT_NAME

LARGEST_REQUEST = 65_536
"""Bytes of a request in JSON."""
USUAL_POINTS = 2000

Answer = Callable[[Request], Awaitable[Response]]


class SessionAnswers:
    """Takes requests apart, asks the desk, and puts its answers into responses.

    Args:
        house: whose sessions are shown.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._desk = SessionDesk(house)

    async def overview(self, request: Request) -> Response:
        """Every session; nothing (304) if the page has just this already, for it asks every few seconds."""
        content = as_json(await run_in_threadpool(self._desk.overview), indent=None)
        headers = {**PRIVATE, "etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)

    async def session(self, request: Request) -> Response:
        """One session."""
        return _json(await run_in_threadpool(self._desk.session, request.path_params["name"]))

    async def signals(self, request: Request) -> Response:
        """The curve of a session, thinned to `points`."""
        points = request.query_params.get("points", str(USUAL_POINTS))
        if not points.isdecimal() or len(points) > 9:
            raise BadInput("points: give a whole number")
        return _json(await run_in_threadpool(self._desk.curve, request.path_params["name"], int(points)))

    async def file(self, request: Request) -> Response:
        """A file of a session."""
        name, place = request.path_params["name"], request.path_params["place"]
        if place == REPORT_NAME:
            page = await run_in_threadpool(self._desk.report, name)
            if isinstance(page, str):
                return HTMLResponse(page, headers={**PRIVATE, "content-security-policy": REPORT_POLICY})
        return file_answer(file_of_session(self._house.data.session(name), place))

    async def entitle(self, request: Request) -> Response:
        """Give a session the title in the request."""
        title = text_in(await asked_object(request, LARGEST_REQUEST), "title")
        return _json(await run_in_threadpool(self._desk.entitle, request.path_params["name"], title))

    async def remove(self, request: Request) -> Response:
        """Delete a session, if the request names it once more."""
        asked, name = await asked_object(request, LARGEST_REQUEST), request.path_params["name"]
        if asked.get("confirm") != name:
            raise BadInput(f'{name}: deleting is for good; confirm it with {{"confirm": "{name}"}}')
        await run_in_threadpool(lambda: self._desk.remove(name, recording=asked.get("recording") is True))
        return JSONResponse({})

    async def export(self, request: Request) -> Response:
        """Begin an export; the answer is its job."""
        asked, named = await asked_object(request, LARGEST_REQUEST), request.path_params.get("name")
        names = texts_in(asked, "sessions") if named is None else [str(named)]
        job = await run_in_threadpool(self._desk.export, names, texts_in(asked, "formats"))
        return JSONResponse(job.as_record(), 202)

    async def archive(self, request: Request) -> Response:
        """Hand out what an export made."""
        path, name = self._desk.archive(request.path_params["key"])
        return FileResponse(path, media_type="application/zip", filename=name, headers=PRIVATE)

    async def comparison(self, request: Request) -> Response:
        """The sessions that the request names, side by side."""
        return _json(await run_in_threadpool(self._desk.compare, request.query_params.getlist("session")))


def session_routes(house: House) -> list[BaseRoute]:
    """Routes of the session view.

    Args:
        house: whose sessions they show.
    """
    answers, base = SessionAnswers(house), "/onset/sessions/{name}"
    return [
        _route("/onset/sessions", answers.overview, "GET"),
        _route("/onset/comparison", answers.comparison, "GET"),
        _route("/onset/exports", answers.export, "POST"),
        _route("/onset/exports/{key}", answers.archive, "GET"),
        _route(base, answers.session, "GET"),
        _route(base, answers.remove, "DELETE"),
        _route(f"{base}/title", answers.entitle, "POST"),
        _route(f"{base}/export", answers.export, "POST"),
        _route(f"{base}/signals", answers.signals, "GET"),
        _route(f"{base}/files/{{place:path}}", answers.file, "GET"),
    ]


def _route(path: str, answer: Answer, method: str) -> Route:
    """A route whose faults are said in one line."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except OnsetError as fault:
            return JSONResponse({"error": str(fault)}, 404 if method == "GET" else 422, headers=PRIVATE)

    return Route(path, answered, methods=[method])


def _json(content: dict[str, Any]) -> Response:
    return Response(as_json(content, indent=None), media_type="application/json", headers=PRIVATE)
