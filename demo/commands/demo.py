"""`onset demo`: the dashboard in the browser."""

import os
import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from demo.commands.run_flags import settings_under
from engines.errors import BadInput
from realtime.config import Settings

PASSWORD_VARIABLE = "ONSET_PASSWORD"
INTERRUPTED = 130


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Open the dashboard: live, replay, sessions and engines in the browser. Ctrl-C ends it and keeps everything."""

    host: str = "127.0.0.1"
    """Address to listen on; any that others can reach demands a password."""
    port: int = 7860
    """Port to listen on; 0 takes a free one."""
    data: Path = Path("~/onset")
    """Folder of sessions, recordings and checkpoints."""
    password_file: Path | None = None
    """File whose first line is the password; the variable ONSET_PASSWORD does the same."""
    certificate: Path | None = None
    """PEM file for TLS, with --key; a browser on another machine gives its camera to an https page alone."""
    key: Path | None = None
    """PEM file with the certificate's key."""
    open_browser: bool = False
    """Show it in this machine's browser."""
    config: Path | None = None
    """TOML file with settings; flags win over it."""
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)

    def run(self) -> int:
        """Serve until Ctrl-C."""
        from demo.dashboard.house import open_house
        from demo.dashboard.server import Address, build_server

        address = Address(
            host=self.host,
            port=self.port,
            password=self._password(),
            certificate=self.certificate,
            key=self.key,
        )
        listening = address.listen()
        url = address.url(listening.getsockname()[1])
        server = build_server(open_house(self.data, self.settings), address)
        print(f"Onset is at {url} (Ctrl-C ends it)", flush=True)
        if address.password and not address.secure:
            print("onset: without --certificate the password and the pictures travel unencrypted", file=sys.stderr)
        if self.open_browser:
            webbrowser.open(url)
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:
            return INTERRUPTED
        return 0 if server.started else 1

    def _password(self) -> str | None:
        if self.password_file is None:
            return os.environ.get(PASSWORD_VARIABLE) or None
        try:
            lines = self.password_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as fault:
            raise BadInput(
                f"--password-file {self.password_file}: cannot be read ({fault}); correct the path"
            ) from None
        if not lines or not lines[0].strip():
            raise BadInput(f"--password-file {self.password_file}: its first line is empty; write the password there")
        return lines[0].strip()


def defaults(words: Sequence[str]) -> Demo:
    """Defaults under the flags, with the configuration file in them."""
    return Demo(settings=settings_under(words))


COMMAND = Demo
