"""Takes the pictures of the README's gallery from a real dashboard: `python -m tests.demo.dashboard.gallery`.

The example is replayed into a data folder of its own and played as the browser's camera, so the pictures show what a
newcomer sees: real events, a synthesised face, nobody's data.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.recordings import example_video
from realtime.session_run import SessionRun
from realtime.sources import open_source
from tests.demo.dashboard.conftest import Served, chromium, opened_page, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "gallery"
LIVE_MS = 26_000
"""The example is twelve seconds long; its events are on the page after two rounds."""
STILL_MS = 2500
"""So that what moves has come to rest and pictures have come."""
PHONE = {"width": 390, "height": 844}


def main() -> int:
    """Take every picture, or those whose names are given."""
    wanted = set(sys.argv[1:])
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        film = _as_webcam(example_video(), Path(folder) / "webcam.mjpeg")
        flags = (
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        )
        with serving(Path(folder) / "data") as served, chromium(*flags) as browser:
            _replay_example(served)
            for name, (view, prepare, context) in PICTURES.items():
                if wanted and name not in wanted:
                    continue
                with opened_page(browser, served.url, **context) as page:
                    page.get_by_role("tab").nth(view).click()
                    prepare(page)
                    page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=88)
                    if view == LIVE:
                        _stop(page)
                print(name, flush=True)
    return 0


def _as_webcam(video: Path, path: Path) -> Path:
    """The video as Chromium plays it for a camera."""
    command = ["ffmpeg", "-loglevel", "error", "-i", str(video), "-r", "30", "-c:v", "mjpeg", "-q:v", "2", str(path)]
    subprocess.run(command, check=True)
    return path


def _replay_example(served: Served) -> None:
    """Two sessions of the example at two positions of the dial, so that there is something to open and to compare."""
    video = served.house.data.new_recording("example.mp4")
    video.write_bytes(example_video().read_bytes())
    for _ in range(2):
        run = SessionRun(open_source(video), served.house.data.new_session("example"))
        list(run.run())


def _watch(page: "Page") -> None:
    page.get_by_role("button", name=re.compile("Start|开始")).first.click()
    page.wait_for_timeout(LIVE_MS)


def _stop(page: "Page") -> None:
    page.get_by_role("button", name=re.compile("Stop|停止")).first.click()
    page.wait_for_timeout(STILL_MS)


def _open_session(page: "Page") -> None:
    page.click("onset-sessions tr[data-name*=example] button.name")
    page.wait_for_timeout(STILL_MS)


def _compare(page: "Page") -> None:
    page.wait_for_selector("onset-sessions tr[data-name*=example]")
    for box in page.locator("onset-sessions tr[data-name*=example] input[type=checkbox]").all():
        box.check()
    page.click("onset-sessions [data-part=compare]")
    page.wait_for_timeout(STILL_MS)


def _replay(page: "Page") -> None:
    page.get_by_role("tab").nth(SESSIONS).click()
    _open_session(page)
    page.click("onset-sessions [data-part=replay]")
    page.wait_for_timeout(STILL_MS)
    page.keyboard.press("n")
    page.wait_for_timeout(STILL_MS)


def _still(page: "Page") -> None:
    page.wait_for_timeout(STILL_MS)


LIVE, REPLAY, SESSIONS, ENGINES = range(4)
DARK: dict[str, Any] = {"color_scheme": "dark"}
PICTURES: dict[str, tuple[int, Callable[["Page"], None], dict[str, Any]]] = {
    "replay-light": (REPLAY, _replay, {}),
    "replay-dark": (REPLAY, _replay, DARK),
    "sessions-light": (SESSIONS, _open_session, {}),
    "sessions-dark": (SESSIONS, _compare, DARK),
    "engines-light": (ENGINES, _still, {}),
    "engines-dark": (ENGINES, _still, DARK),
    "live-light": (LIVE, _watch, {}),
    "live-dark": (LIVE, _watch, DARK),
    "live-phone": (LIVE, _watch, {"viewport": PHONE, "locale": "zh-CN"}),
}

if __name__ == "__main__":
    sys.exit(main())
