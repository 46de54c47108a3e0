"""A whole dashboard on a port of its own, and a real Chromium to look at it with."""

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from demo.kernels import prepare_kernels

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from demo.dashboard.house import House

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET_START = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 30_000


@dataclass(frozen=True, kw_only=True)
class Served:
    """A dashboard that answers."""

    url: str
    house: "House"


@contextmanager
def serving(data: Path, *, host: str = "127.0.0.1", **address: object) -> Iterator[Served]:
    """Serve a dashboard over a data folder in a thread, until the block ends; nothing is left of it then."""
    from demo.dashboard.house import open_house
    from demo.dashboard.server import Address, build_server

    where = Address(host=host, port=0, **address)  # type: ignore[arg-type]
    listening = where.listen()
    house = open_house(data)
    # Built in a thread of its own: Playwright keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as builder:
        server = builder.submit(build_server, house, where).result()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="test-dashboard")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.02)
        assert server.started
        yield Served(url=where.url(listening.getsockname()[1]), house=house)
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
        assert not thread.is_alive()


@pytest.fixture(scope="session", autouse=True)
def _kernels() -> None:
    """Compile every kernel of a run beforehand, on a fresh machine: the tests' patience is for what comes after."""
    prepare_kernels(Console(quiet=True))


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Served]:
    """A dashboard of its own for one test, open to this machine."""
    with serving(tmp_path / "data") as served:
        yield served


@pytest.fixture
def serve() -> Callable[..., object]:
    """`with serve(folder, password=…) as served:` for other addresses than the plain one."""
    return serving


@contextmanager
def chromium(*flags: str) -> Iterator["Browser"]:
    """A headless Chromium with further flags; skips the test where there is none."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: install the package `chromium`")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET_START, *flags])
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A Chromium without a camera."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: "Browser", dashboard: Served) -> Iterator["Page"]:
    """The dashboard in a window of 1280×720, in English, its notice already read."""
    with opened_page(browser, dashboard.url) as shown:
        yield shown


@contextmanager
def opened_page(browser: "Browser", url: str, *, notice: bool = False, **context: object) -> Iterator["Page"]:
    """A page that is ready to be used.

    Args:
        browser: from `chromium`.
        url: of the dashboard.
        notice: leave the first visit's notice open.
        context: for Playwright's `new_context`: locale, color_scheme, viewport, permissions …
    """
    wanted: dict[str, object] = {"viewport": {"width": 1280, "height": 720}, "locale": "en-GB", **context}
    visit = browser.new_context(**wanted)  # type: ignore[arg-type]
    visit.set_default_timeout(WAIT_MS)
    if not notice:
        visit.add_init_script("localStorage.setItem('onset-notice-read', '1')")
    shown = visit.new_page()
    try:
        shown.goto(url)
        shown.wait_for_selector("html[data-onset=ready]", state="attached")
        shown.wait_for_selector("#onset-tabs")
        yield shown
    finally:
        visit.close()
