"""Routes of the engine view: what is there, what is set going, and archives of checkpoints that come in."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from demo.dashboard.engine_desk import EngineDesk
from demo.dashboard.house import House
from demo.dashboard.json_requests import asked_object, text_in, texts_in
from engines.checkpoint_archive import LARGEST_BYTES
from engines.errors import BadInput, OnsetError, in_one_line

LARGEST_REQUEST = 16_384
"""Bytes of a request in JSON."""


def engine_routes(house: House) -> list[BaseRoute]:
    """Routes of the engine view.

    Args:
        house: whose checkpoints, jobs and choice they steer.
    """
    return desk_routes(EngineDesk(house.data, house.jobs, house.chosen), house.data.temporary)


def desk_routes(desk: EngineDesk, temporary: Path, *, largest_archive: int = LARGEST_BYTES) -> list[BaseRoute]:
    """The routes over a desk.

    Args:
        desk: what they steer.
        temporary: where archives that come in lie until they are unpacked.
        largest_archive: bytes of an archive at most.
    """

    async def overview(_request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(desk.overview))

    async def work(_request: Request) -> Response:
        return JSONResponse(desk.work())

    async def choose(request: Request) -> Response:
        return await _answer(
            request, lambda asked: desk.choose(text_in(asked, "checkpoint"), text_in(asked, "backend"))
        )

    async def build(request: Request) -> Response:
        return await _answer(
            request,
            lambda asked: desk.build(
                text_in(asked, "checkpoint"),
                precision=text_in(asked, "precision"),
                capabilities=texts_in(asked, "capabilities"),
                rebuild=asked.get("rebuild") is True,
            ).as_record(),
        )

    async def measure(request: Request) -> Response:
        return await _answer(request, lambda asked: desk.measure(text_in(asked, "checkpoint")).as_record())

    async def examine(request: Request) -> Response:
        return await _answer(request, lambda _asked: desk.examine().as_record())

    async def take_in(request: Request) -> Response:
        name = request.query_params.get("name", "")
        archive = temporary / f"checkpoint-{secrets.token_hex(8)}.zip"
        try:
            await _receive(request, archive, largest_archive)
            return JSONResponse(desk.take_in(archive, name).as_record())
        except BaseException as fault:  # a browser that goes away while it sends, too
            archive.unlink(missing_ok=True)
            if isinstance(fault, OnsetError):
                return _refusal(fault)
            raise

    return [
        Route("/onset/engines", overview),
        Route("/onset/engines/work", work),
        Route("/onset/engines/choose", choose, methods=["POST"]),
        Route("/onset/engines/build", build, methods=["POST"]),
        Route("/onset/engines/measure", measure, methods=["POST"]),
        Route("/onset/engines/examine", examine, methods=["POST"]),
        Route("/onset/checkpoints", take_in, methods=["POST"]),
    ]


async def _answer(request: Request, answer: Callable[[dict[str, Any]], Any]) -> Response:
    """What is asked for in JSON, done in a thread; what is wrong with it in one line."""
    try:
        asked = await asked_object(request, LARGEST_REQUEST)
        return JSONResponse(await run_in_threadpool(answer, asked))
    except OnsetError as fault:
        return _refusal(fault)


async def _receive(request: Request, archive: Path, largest: int) -> None:
    """Write the body into a file as it comes.

    Raises:
        BadInput: if it is larger than allowed, or the disk is full.
    """
    too_large = BadInput(
        f"the archive is larger than {largest / 1e6:.0f} MB: copy the folder into the data folder's checkpoints by hand"
    )
    if int(request.headers.get("content-length") or 0) > largest:
        raise too_large
    size = 0
    try:
        with archive.open("xb") as file:
            async for part in request.stream():
                size += len(part)
                if size > largest:
                    raise too_large
                await run_in_threadpool(file.write, part)
    except OSError as fault:
        raise BadInput(f"the archive cannot be kept ({fault.strerror}): make room, then try again") from None


def _refusal(fault: OnsetError) -> Response:
    return JSONResponse({"error": in_one_line(fault)}, 400)
