"""What a person sees of a live run: frames drawn a second, and how old an event is when it is on the screen.

`onset demo` runs in a process of its own, as it does for a person; a real Chromium films a known film as its webcam,
640 × 480 at 30 Hz, sends it, and shows the live view. Everything is measured in the page.
"""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.benchmarks.browser_camera_clip import write_clip
from demo.benchmarks.browser_camera_stand import QUIET, WEBCAM, find_chromium
from engines.errors import BadInput

if TYPE_CHECKING:
    from playwright.sync_api import Page

SECONDS, QUICK_SECONDS = 120.0, 20.0
WARM_S = 8.0
"""The first seconds, in which page and run are loaded, are not counted."""
IDENTITY, CLIP_S, RATE_HZ = 1, 24.0, 30.0
FIGURES = "document.querySelector('onset-live').figures()"
_START_S, _END_S = 600.0, 120.0
_SERVE = "from demo.cli import entry; entry()"


def run(*, quick: bool = False, niceness: int = 0) -> dict[str, Any]:
    """Film, serve, watch and measure.

    Args:
        quick: twenty seconds instead of two minutes.
        niceness: of everything that is started; under 0 where other work must not disturb the measurement.

    Returns:
        Frames drawn a second and their age on the screen, ages of events on the screen in ms, frames that the run
        dropped, and those that the browser's camera lost before.

    Raises:
        BadInput: if Chromium or Playwright is missing.
    """
    seconds = QUICK_SECONDS if quick else SECONDS
    with tempfile.TemporaryDirectory(prefix="onset-bench-") as name:
        folder = Path(name)
        clip = write_clip(folder, identity=IDENTITY, frame_rate_hz=RATE_HZ, duration_s=CLIP_S)
        with _served(folder / "data", niceness) as url, _looking(url, clip.path, niceness) as page:
            return _measured(page, folder / "data" / "sessions", seconds)


def render(result: dict[str, Any]) -> str:
    """The figures in some lines."""
    frame, event = result["frame_age_ms"], result["event_to_screen_ms"]
    return (
        f"live view, browser's camera of 640x480 at {RATE_HZ:.0f} Hz, {result['seconds']:.0f} s: "
        f"{result['frames_per_second']:.1f} frames a second drawn of {result['frames_came_per_second']:.1f} that came, "
        f"{_shown(frame['p50'])} / {_shown(frame['p95'])} ms old (p50 / p95)\n"
        f"{result['events']} events, on the screen {_shown(event['p50'])} / {_shown(event['p95'])} ms after the "
        f"capture of the frame that settled them\n"
        f"the run read {result['read']} frames and dropped {result['dropped']}; "
        f"the browser lost {result['lost_in_browser']} before"
    )


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


@contextmanager
def _served(data: Path, niceness: int) -> Iterator[str]:
    """`onset demo` on a free port until the block ends."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    program = sys.executable if not niceness else _nice(data.with_name("nice-python"), sys.executable, niceness)
    arguments = [program, "-c", _SERVE, "demo", "--port", str(port), "--data", str(data)]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_for_answer(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_END_S)


def _wait_for_answer(url: str, process: "subprocess.Popen[bytes]") -> None:
    until_s = time.monotonic() + _START_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise BadInput("bench dashboard: onset demo does not start; try it by hand")


@contextmanager
def _looking(url: str, film: Path, niceness: int) -> Iterator["Page"]:
    """The live view in a headless Chromium whose webcam plays the film."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise BadInput("Playwright is not installed; install the extra [dev]") from None
    program = find_chromium()
    if program is None:
        raise BadInput("Chromium is not on the PATH; install the package chromium")
    if niceness:
        program = _nice(film.parent / "nice-chromium", program, niceness)
    arguments = [*QUIET, *WEBCAM, f"--use-file-for-fake-video-capture={film}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            visit = browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-GB")
            visit.add_init_script("localStorage.setItem('onset-notice-read', '1')")
            page = visit.new_page()
            page.goto(url)
            page.wait_for_selector("html[data-onset=ready]", state="attached", timeout=_END_S * 1000)
            yield page
        finally:
            browser.close()


def _nice(path: Path, program: str, niceness: int) -> str:
    # A browser is a session of its own, and Linux shares its cores between sessions first.
    group = f"echo {niceness} 2>/dev/null > /proc/self/autogroup"
    path.write_text(f'#!/bin/sh\n{group}\nexec nice -n {niceness} "{program}" "$@"\n')
    path.chmod(0o755)
    return str(path)


def _measured(page: "Page", sessions: Path, seconds: float) -> dict[str, Any]:
    page.locator("#onset-live-controls").get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function(f"() => {FIGURES}.state === 'running'", timeout=_START_S * 1000)
    page.wait_for_timeout(WARM_S * 1000)
    begin, begin_s = page.evaluate(FIGURES), time.monotonic()
    page.evaluate("document.querySelector('onset-live').measureAnew()")
    page.wait_for_timeout(seconds * 1000)
    end, passed_s = page.evaluate(FIGURES), time.monotonic() - begin_s
    page.locator("#onset-live-controls").get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function(f"() => {FIGURES}.state === 'idle'", timeout=_END_S * 1000)
    frames = json.loads((sessions / end["session"] / "session.json").read_text(encoding="utf-8"))["frames"]
    lost = end["camera"]["dropped"]
    return {
        "seconds": passed_s,
        "frames_per_second": (end["framesDrawn"] - begin["framesDrawn"]) / passed_s,
        "frames_came_per_second": (end["framesReceived"] - begin["framesReceived"]) / passed_s,
        "frame_age_ms": end["frameAgeMs"],
        "events": end["eventToScreenMs"]["count"],
        "event_to_screen_ms": end["eventToScreenMs"],
        "read": frames["read"],
        # What the page lost before it was sent is a gap in the indices: the run counts it, too.
        "dropped": frames["dropped"] - lost,
        "lost_in_browser": lost,
    }
