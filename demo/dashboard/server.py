"""The dashboard as a server: our routes, Gradio's page, the door before both, and how it ends."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from demo.dashboard.access import SHORTEST_PASSWORD, Access, is_loopback
from demo.dashboard.house import House
from engines.errors import BadInput

LARGEST_UPLOAD = "20gb"
"""A quarter of an hour of uncompressed-looking high-speed video; anything longer is put into the folder by hand."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the dashboard listens, and who may come in."""

    host: str = "127.0.0.1"
    port: int = 7860
    password: str | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what would let strangers in, and files that are not there."""
        if not is_loopback(self.host) and not self.password:
            raise BadInput(
                f"--host {self.host}: others could watch through it; set a password with --password-file "
                "or the variable ONSET_PASSWORD, or leave --host out"
            )
        if self.password is not None and len(self.password) < SHORTEST_PASSWORD:
            raise BadInput(f"the password has {len(self.password)} characters; take at least {SHORTEST_PASSWORD}")
        if (self.certificate is None) != (self.key is None):
            raise BadInput("--certificate and --key belong together; give both or none")
        for flag, path in (("--certificate", self.certificate), ("--key", self.key)):
            if path is not None and not path.is_file():
                raise BadInput(f"{flag} {path}: there is no such file; give a PEM file")

    @property
    def secure(self) -> bool:
        """Whether the server speaks TLS."""
        return self.certificate is not None

    def listen(self) -> socket.socket:
        """Take the port.

        Raises:
            BadInput: if it is taken or the address is not of this machine.
        """
        try:
            family = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((self.host, self.port), family=family, backlog=128)
        except OSError as fault:
            raise BadInput(
                f"{self.host}:{self.port}: cannot listen there ({fault.strerror}); choose another --port or --host"
            ) from None

    def url(self, port: int) -> str:
        """What to type into the browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{port}"


def build_server_app(house: House, address: Address) -> ASGIApp:
    """The whole application; closing it closes the house.

    Args:
        house: what is shown and steered.
        address: decides who may come in.
    """
    # Before Gradio is imported: it reads them then.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(house.data.temporary)
    import gradio as gr

    from demo.dashboard.app import HEAD, build_app
    from demo.dashboard.routes import all_routes
    from demo.dashboard.theme import theme
    from demo.dashboard.words import translations

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(house.close)

    app = FastAPI(lifespan=living, routes=all_routes(house), docs_url=None, redoc_url=None, openapi_url=None)

    async def mount() -> None:
        gr.mount_gradio_app(
            app,
            build_app(house),
            path="/",
            server_name=address.host,
            server_port=address.port,
            footer_links=[],
            run_history=False,
            allowed_paths=[],
            blocked_paths=[str(house.data.sessions), str(house.data.recordings), str(house.data.checkpoints)],
            max_file_size=LARGEST_UPLOAD,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            i18n=translations(),
            theme=theme(),
            head=HEAD,
        )

    # Inside a loop: outside of one Gradio makes its own for every lock, and leaves them open.
    asyncio.run(mount())
    return Access(app, host=address.host, password=address.password, secure=address.secure)


def build_server(house: House, address: Address) -> uvicorn.Server:
    """The server, not yet listening: `server.run(sockets=[address.listen()])`."""
    configuration = uvicorn.Config(
        build_server_app(house, address),
        log_level="warning",
        ws_max_size=32 * 2**20,
        ws_per_message_deflate=False,  # pictures are compressed already
        timeout_graceful_shutdown=3,  # viewers stay connected as long as they are let
        server_header=False,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
    )
    return uvicorn.Server(configuration)
