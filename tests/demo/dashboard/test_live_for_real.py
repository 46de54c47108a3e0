"""The whole dashboard, watched through a browser whose webcam is a film with known expressions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from demo.benchmarks.browser_camera_clip import Clip, write_clip
from realtime.video_recorder import RECORDING_NAME
from tests.demo.dashboard.conftest import Served, chromium, opened_page, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FIGURES = "document.querySelector('onset-live').figures()"
STARTED_MS, RUN_MS = 120_000, 90_000
APEX_S = 0.1
"""As far as an apex of a film of 30 Hz may lie from the truth when frames were lost on the way."""
LEARNING_S = 5.0
MOST_ROUNDS = 3
"""The film goes round and round; what a busy machine lost in one round it may see in the next."""
PLAIN_PX = 1.1
"""Expressions from this size on are plain to see."""
# The number that the film writes over its pictures, read off the preview: which moment of the film is shown when. A
# busy machine plays the film slower, so it is read all the time.
READ_FILM = """() => { globalThis.readings = []; setInterval(() => {
  const { preview } = document.querySelector("onset-live").parts;
  if (!preview.shown) return;
  const { image, header } = preview.shown;
  const canvas = new OffscreenCanvas(640, 480);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, 640, 480);
  let number = 0;
  for (let bit = 12; bit >= 0; bit -= 1) {
    const { data } = context.getImageData(bit * 32 + 4, 2, 24, 12);
    let sum = 0;
    for (let place = 0; place < data.length; place += 4) sum += data[place];
    number = (number << 1) | ((sum / (data.length / 4) > 128 ? 1 : 0) ^ (number & 1));
  }
  globalThis.readings.push([header.time_s, number]);
}, 200); }"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A face with a natural head that shows an expression every two or three seconds."""
    return write_clip(tmp_path_factory.mktemp("film"), identity=1, frame_rate_hz=30.0, duration_s=17.0)


@pytest.fixture(scope="module")
def filmed(clip: Clip) -> Iterator["Browser"]:
    """A Chromium whose webcam plays the film, and which may use it."""
    webcam = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    with chromium(*webcam, f"--use-file-for-fake-video-capture={clip.path}") as browser:
        yield browser


def _button(page: "Page", name: str) -> Any:
    return page.locator("#onset-live-controls").get_by_role("button", name=name, exact=True)


def _wait(page: "Page", condition: str, timeout_ms: float = 30_000) -> None:
    page.wait_for_function(f"() => {FIGURES}.{condition}", timeout=timeout_ms)


def _start(page: "Page") -> None:
    _button(page, "Start").click()
    _wait(page, "state === 'running'", STARTED_MS)  # the first run of a machine compiles its kernels
    _wait(page, "framesDrawn > 3")


def _film_moment(readings: list[tuple[float, int]], time_s: float, clip: Clip) -> float:
    """What moment of the film was shown at a time of the session."""
    near_s, number = min(readings, key=lambda reading: abs(reading[0] - time_s))
    return number / clip.frame_rate_hz + time_s - near_s


def _events(page: "Page") -> list[dict[str, Any]]:
    """Events as the list shows them, oldest first."""
    rows: list[list[str]] = page.evaluate(
        "() => [...document.querySelector('onset-live').shadowRoot.querySelectorAll('details.card')].reverse()"
        ".map((card) => ['time', '.kind'].map((part) => card.querySelector(part).textContent))"
    )
    return [{"apex_s": _seconds(time), "kind": kind} for time, kind in rows]


def _seconds(clock: str) -> float:
    minutes, seconds = clock.split(":")
    return 60 * int(minutes) + float(seconds)


def _lines(served: Served, session: str) -> list[dict[str, Any]]:
    path = served.house.data.session(session) / "events.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_known_expressions_of_a_webcam_come_into_the_list(filmed: "Browser", clip: Clip, tmp_path: Path) -> None:
    with serving(tmp_path) as served, opened_page(filmed, served.url) as page:
        _start(page)
        page.evaluate(READ_FILM)
        session = page.evaluate(FIGURES)["session"]
        newest = "document.querySelector('onset-live').parts.curves.samples.newest"
        plain = [
            truth.apex_s
            for truth, size_px in zip(clip.truths, clip.amplitudes_px, strict=True)
            if truth.kind == "micro" and truth.apex_s is not None and size_px >= PLAIN_PX
        ]
        assert len(plain) >= 3
        end_s = max(LEARNING_S, page.evaluate(newest))
        for _ in range(MOST_ROUNDS):
            # One whole round of the film, and a second for what is settled late.
            end_s += clip.frames / clip.frame_rate_hz
            page.wait_for_function(f"() => {newest} > {end_s + 1.5}", timeout=RUN_MS)
            shown, readings = _events(page), page.evaluate("globalThis.readings")
            apexes = [_film_moment(readings, one["apex_s"], clip) for one in shown if one["kind"] == "micro"]
            found = [apex_s for apex_s in plain if any(abs(shown_s - apex_s) <= APEX_S for shown_s in apexes)]
            if len(found) >= len(plain) / 2:
                break
        _button(page, "Stop").click()
        _wait(page, "state === 'idle'", 60_000)

        written = _lines(served, session)[: len(shown)]
        assert [(round(line["apex_s"], 2), line["kind"]) for line in written] == [
            (one["apex_s"], one["kind"]) for one in shown
        ]
        assert len(found) >= len(plain) / 2, f"of those at {plain} the list shows {apexes}"

        record = json.loads((served.house.data.session(session) / "session.json").read_text(encoding="utf-8"))
        assert record["state"] in ("complete", "stopped")
        assert page.request.get(f"{served.url}/onset/sessions/{session}/files/report.html").ok
        page.wait_for_function(
            "() => [...document.querySelectorAll('#onset-live-controls button')].map((button) => button.disabled)"
            ".slice(-4, -1).join() === 'false,true,true'"
        )


@pytest.mark.slow
def test_a_reload_and_a_second_page_find_the_run_going_on(filmed: "Browser", tmp_path: Path) -> None:
    with serving(tmp_path) as served, opened_page(filmed, served.url) as page:
        _start(page)
        session = page.evaluate(FIGURES)["session"]
        with opened_page(filmed, served.url) as second:
            _wait(second, "state === 'running'")
            _wait(second, "framesDrawn > 3")
            assert second.evaluate(FIGURES)["session"] == session
            _button(second, "Stop").wait_for()
            second.wait_for_function(
                "() => [...document.querySelectorAll('#onset-live-controls button')]"
                ".some((button) => button.innerText.trim() === 'Start' && button.disabled)"
            )
            page.reload()
            page.wait_for_selector("html[data-onset=ready]", state="attached")
            # The camera of this page goes on where it was, in the same session.
            _wait(page, "camera !== null", 60_000)
            _wait(page, "framesDrawn > 3", 60_000)
            assert page.evaluate(FIGURES)["session"] == session
            _button(second, "Stop").click()
            _wait(second, "state === 'idle'", 60_000)
            _wait(page, "state === 'idle'")
        assert [path.name for path in served.house.data.sessions.iterdir()] == [session]


@pytest.mark.slow
def test_video_is_kept_when_it_is_asked_for(filmed: "Browser", tmp_path: Path) -> None:
    with serving(tmp_path) as served, opened_page(filmed, served.url) as page:
        _start(page)
        _button(page, "Record video").click()
        _button(page, "Stop recording").wait_for()
        page.locator(".chip.recording").wait_for()
        page.wait_for_timeout(1500)
        _button(page, "Stop recording").click()
        _button(page, "Record video").wait_for()
        _button(page, "Stop").click()
        _wait(page, "state === 'idle'", 60_000)
        session = page.evaluate(FIGURES)["session"]
        assert (served.house.data.session(session) / RECORDING_NAME).stat().st_size > 10_000
