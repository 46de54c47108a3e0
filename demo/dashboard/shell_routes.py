"""Routes of the page itself: its assets and words, and the jobs."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from demo.dashboard.house import House
from demo.dashboard.words import all_words

ASSETS = Path(__file__).with_name("assets")
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def shell_routes(house: House) -> list[BaseRoute]:
    """Assets, words and jobs.

    Args:
        house: whose jobs are listed.
    """

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "index.json":
            return JSONResponse(sorted(path.name for path in ASSETS.iterdir()))
        # Only what lies in the folder itself, by its name.
        path = next((one for one in ASSETS.iterdir() if one.name == name and one.suffix in KINDS), None)
        if path is None:
            return PlainTextResponse("there is no such file", 404)
        return FileResponse(path, media_type=KINDS[path.suffix], headers={"cache-control": "no-cache"})

    async def all_the_words(_request: Request) -> Response:
        return JSONResponse(all_words())

    async def jobs(_request: Request) -> Response:
        return JSONResponse([job.as_record() for job in house.jobs.all()])

    async def cancel(request: Request) -> Response:
        house.jobs.cancel(request.path_params["id"])
        return JSONResponse({})

    return [
        Route("/onset/assets/{name}", asset),
        Route("/onset/words.json", all_the_words),
        Route("/onset/jobs", jobs),
        Route("/onset/jobs/{id}/cancel", cancel, methods=["POST"]),
    ]
