"""Starts that cannot be, in the whole dashboard: each says why and leaves nothing behind; and what the dial tells."""

from pathlib import Path
from typing import TYPE_CHECKING

from tests.demo.dashboard.conftest import chromium, opened_page, serving

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def _button(page: "Page", name: str) -> "Locator":
    return page.locator("#onset-live-controls").get_by_role("button", name=name, exact=True)


def test_a_camera_that_is_refused_is_said_and_leaves_no_session(tmp_path: Path) -> None:
    # Without the flag that answers the browser's question, a headless Chromium refuses.
    with (
        chromium("--use-fake-device-for-media-stream", "--deny-permission-prompts") as browser,
        serving(tmp_path) as served,
        opened_page(browser, served.url) as page,
    ):
        _button(page, "Start").click()
        page.get_by_role("heading", name="The browser may not use the camera").wait_for()
        assert list(served.house.data.sessions.iterdir()) == []
        assert _button(page, "Start").is_enabled()


def test_a_browser_without_a_camera_says_so(tmp_path: Path) -> None:
    with (
        chromium() as browser,
        serving(tmp_path) as served,
        opened_page(browser, served.url, permissions=["camera"]) as page,
    ):
        _button(page, "Start").click()
        page.get_by_role("heading", name="No camera was found").wait_for()
        assert list(served.house.data.sessions.iterdir()) == []


def test_an_address_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    with chromium() as browser, serving(tmp_path) as served, opened_page(browser, served.url) as page:
        page.get_by_role("combobox", name="Camera").click()
        page.get_by_role("option", name="Stream address").click()
        page.get_by_role("textbox", name="Address").fill("/etc/passwd")
        _button(page, "Start").click()
        page.get_by_text("neither a camera nor the address of a stream").wait_for()
        assert list(served.house.data.sessions.iterdir()) == []


def test_the_dial_says_what_its_position_costs(tmp_path: Path) -> None:
    with chromium() as browser, serving(tmp_path) as served, opened_page(browser, served.url) as page:
        page.get_by_role("button", name="Settings").click()
        dial = page.locator("onset-dial")
        figures = """async (position) => (await import("/onset/assets/live_dial.js")).dialFigures(position)"""
        usual, careful = page.evaluate(figures, 5), page.evaluate(figures, 1)
        assert usual["recall"] > careful["recall"]
        assert f"Finds {round(100 * usual['recall'])} %" in dial.inner_text()
        slider = page.get_by_role("slider", name="Sensitivity")
        slider.focus()
        for _ in range(4):
            page.keyboard.press("ArrowLeft")
        page.get_by_text(f"Finds {round(100 * careful['recall'])} %").wait_for()
        assert f"{careful['speech']:g} while speaking" in dial.inner_text()
