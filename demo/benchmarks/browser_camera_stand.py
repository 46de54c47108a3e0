"""A page with a camera and nothing else, the server behind it, and a real Chromium whose webcam is a film."""

import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from demo.dashboard.camera_routes import camera_routes
from demo.dashboard.words import all_words
from engines.errors import BadInput
from realtime.sources.browser_cameras import BrowserCameras

if TYPE_CHECKING:
    from playwright.sync_api import Page

ASSETS = Path(__file__).parents[1] / "dashboard" / "assets"
PAGE = Path(__file__).with_name("browser_camera.html")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A connection of a page with itself, for the WebRTC variant.
    "--allow-loopback-in-peer-connection",
)
WEBCAM = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
_START_S = 20.0
_LONGEST_WAIT_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate for this machine, and its key."""

    certificate: Path
    key: Path


@dataclass(kw_only=True)
class Stand:
    """The server's cameras as the page needs them."""

    cameras: BrowserCameras
    url: str = ""
    server: uvicorn.Server | None = None
    film: Path | None = None
    """What the page gets when it asks for a film."""
    recoded: dict[int, bytes] = field(default_factory=dict)
    """Pictures that the page made of it, by their number."""


@contextmanager
def serve(certificate: Certificate | None = None) -> Iterator[Stand]:
    """Serve the page on loopback until the block ends.

    Args:
        certificate: speaks TLS with it.
    """
    # A call waits for the film to begin again before it sends.
    stand = Stand(cameras=BrowserCameras(expires_s=_LONGEST_WAIT_S))
    app = Starlette(routes=[*_routes(stand), *camera_routes(stand)])
    configuration = uvicorn.Config(
        app,
        port=0,
        log_level="warning",
        ws_max_size=32 * 2**20,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
        ssl_certfile=certificate.certificate if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    listening = configuration.bind_socket()
    server = stand.server = uvicorn.Server(configuration)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="onset-camera-stand")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.02)
        stand.url = f"{'https' if certificate else 'http'}://127.0.0.1:{listening.getsockname()[1]}"
        yield stand
    finally:
        stand.cameras.close()
        server.should_exit = True
        thread.join(_START_S)
        listening.close()


def self_signed(folder: Path) -> Certificate:
    """A certificate for 127.0.0.1 that nobody vouches for.

    Raises:
        BadInput: if openssl is not installed or fails.
    """
    made = Certificate(certificate=folder / "certificate.pem", key=folder / "key.pem")
    program = shutil.which("openssl")
    if program is None:
        raise BadInput("openssl is not on the PATH; install it to try TLS")
    subprocess.run(
        [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(made.key), "-out", str(made.certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    ssl.create_default_context().load_verify_locations(made.certificate)
    return made


@contextmanager
def browse(stand: Stand, film: Path, *flags: str) -> Iterator["Page"]:
    """Open the page in a headless Chromium whose webcam plays a film.

    Args:
        stand: serves the page.
        film: .y4m or .mjpeg, played again and again from the moment at which the page asks for the camera.
        flags: further ones of Chromium's.

    Raises:
        BadInput: if there is no Chromium, or Playwright is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise BadInput("Playwright is not installed; install the extra [dev]") from None
    program = find_chromium()
    if program is None:
        raise BadInput("Chromium is not on the PATH; install the package chromium")
    arguments = [*QUIET, *WEBCAM, f"--use-file-for-fake-video-capture={film}", *flags]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            page = browser.new_context(ignore_https_errors=True, locale="en-GB").new_page()
            page.goto(stand.url)
            page.wait_for_function("window.CameraSender !== undefined")
            yield page
        finally:
            browser.close()


def find_chromium() -> str | None:
    """The browser's program, None where none is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def send_camera(page: "Page", ticket: str, **settings: Any) -> None:
    """Let the page send its camera; returns as soon as it has asked for it.

    Args:
        page: from `browse`.
        ticket: of `BrowserCameras.offer`.
        settings: of the page's `film`: coding, quality, frameRate, webRtc.
    """
    page.evaluate(f"film({json.dumps({'ticket': ticket, **settings})})")


def _routes(stand: Stand) -> list[BaseRoute]:
    async def film(_request: Request) -> Response:
        return FileResponse(stand.film) if stand.film is not None else Response(status_code=404)

    async def recoded(request: Request) -> Response:
        stand.recoded[int(request.query_params["number"])] = await request.body()
        return Response()

    return [
        Route("/", _page),
        Route("/film", film),
        Route("/recoded", recoded, methods=["POST"]),
        Route("/onset/words.json", _words),
        Mount("/onset/assets", StaticFiles(directory=ASSETS)),
    ]


async def _page(_request: Request) -> Response:
    return HTMLResponse(PAGE.read_text(encoding="utf-8"))


async def _words(_request: Request) -> Response:
    return JSONResponse(all_words())
