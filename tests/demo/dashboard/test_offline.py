"""Nothing leaves the machine: not what the page asks for, not what it is made of, not what the server does."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.demo.dashboard.conftest import opened_page, serving
from tests.demo.dashboard.page_checks import TABS, from_elsewhere, show_tab
from tests.realtime.demo_session import SCRIPTS, write_demo_session

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OWN_SCHEMES = frozenset({"data", "blob", "about"})


@pytest.fixture
def asked_of_others(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every other machine that this process looks up or connects to from now on."""
    asked: list[str] = []
    look_up: Callable[..., Any] = socket.getaddrinfo
    connect: Callable[..., Any] = socket.socket.connect

    def looked_up(host: Any, *arguments: Any, **named: Any) -> Any:
        _note(asked, host)
        return look_up(host, *arguments, **named)

    def connected(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _note(asked, address[0])
        return connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(socket.socket, "connect", connected)
    return asked


def _note(asked: list[str], host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name not in ("127.0.0.1", "localhost", "::1", "None", ""):
        asked.append(name)


def test_a_visit_to_every_view_asks_nobody_else(browser: "Browser", tmp_path: Path, asked_of_others: list[str]) -> None:
    write_demo_session(
        tmp_path / "data" / "sessions" / "an-interview", scripts=SCRIPTS[:1], duration_s=6.0, frame_rate_hz=30
    )
    asked: list[str] = []
    faults: list[str] = []
    with serving(tmp_path / "data") as served, opened_page(browser, served.url) as first:
        # A page of its own, listened to from the start: one that is loaded again breaks off what it waited for.
        page = first.context.new_page()
        _listen(page, asked, faults)
        page.goto(served.url)
        page.wait_for_selector("html[data-onset=ready]", state="attached")
        for name in TABS:
            show_tab(page, name)
            if name == "sessions":
                page.locator("onset-sessions").get_by_text("interview_07.mp4").first.click()
                page.locator("onset-sessions").get_by_role("button", name="Open in Replay").wait_for()
        assert from_elsewhere(page) == []
        home = urlsplit(served.url).netloc
    elsewhere = [url for url in asked if urlsplit(url).netloc != home and urlsplit(url).scheme not in OWN_SCHEMES]
    assert len(asked) > 20
    assert elsewhere == []
    assert faults == []
    assert asked_of_others == []


def _listen(page: "Page", asked: list[str], faults: list[str]) -> None:
    """Note every request and socket of the page, and every error that it has or is answered with."""
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda opened: asked.append(opened.url))
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("response", lambda answer: faults.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)


def test_a_page_that_would_ask_elsewhere_is_held_back(page: "Page") -> None:
    said = page.evaluate("fetch('https://fonts.example.org/a.woff2').then(() => 'asked', (fault) => fault.message)")
    assert said == "Failed to fetch"
    held = page.evaluate(
        """() => new Promise((resolve) => {
          document.addEventListener("securitypolicyviolation", (fault) => resolve(fault.blockedURI), { once: true });
          document.body.append(Object.assign(new Image(), { src: "https://pictures.example.org/face.png" }));
        })"""
    )
    assert held == "https://pictures.example.org/face.png"
