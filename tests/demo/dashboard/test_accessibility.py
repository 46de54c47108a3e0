"""Every view for everybody: named, readable in light and dark, by the keyboard, on a phone, in both languages."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.demo.dashboard.conftest import Served, opened_page, serving
from tests.demo.dashboard.page_checks import (
    TABS,
    nameless,
    poor_contrast,
    show_tab,
    unreached_by_keyboard,
    wider_than_the_screen,
)
from tests.realtime.demo_session import SCRIPTS, write_demo_session

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE: Any = {"width": 390, "height": 844}
OPEN = "onset-sessions .details button.primary"
"""Opens the session that is shown in the replay view."""
ENGINE_PARTS = ("card", "engines", "speed", "machine")
Check = Callable[["Page"], list[str]]


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A dashboard with a session to look at."""
    data: Path = tmp_path_factory.mktemp("house") / "data"
    chosen = [SCRIPTS[0], *(script for script in SCRIPTS if script.rejected)][:2]
    write_demo_session(data / "sessions" / "an-interview", scripts=chosen, duration_s=14.0, frame_rate_hz=30)
    with serving(data) as served:
        yield served


def _faults(page: "Page", check: Check) -> str:
    """What a check finds, a line each with its view; empty where all is well."""
    found: list[str] = []

    def look(place: str) -> None:
        found.extend(f"{place}: {fault}" for fault in check(page))

    for name in TABS:
        show_tab(page, name)
        if name == "sessions":
            page.locator("onset-sessions").get_by_text("interview_07.mp4").first.click()
            page.locator(OPEN).wait_for()
        if name == "engines":
            for part in ENGINE_PARTS:
                page.locator(f"onset-engines #tab-{part}").click()
                look(f"{name}, {part}")
        else:
            look(name)
    _open_in_replay(page)
    look("replay of a session")
    return "\n".join(found)


def _open_in_replay(page: "Page") -> None:
    show_tab(page, "sessions")
    page.locator(OPEN).click()
    # Opened and drawn: until then it shows controls that a session whose video is gone does not have.
    page.wait_for_selector("onset-replay .replay[data-state=session]")
    page.wait_for_load_state("networkidle")


def test_everything_that_is_operated_or_pictured_has_a_name(browser: "Browser", lived_in: Served) -> None:
    with opened_page(browser, lived_in.url) as page:
        assert _faults(page, nameless) == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(browser: "Browser", lived_in: Served, scheme: str) -> None:
    with opened_page(browser, lived_in.url, color_scheme=scheme) as page:
        assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
        assert _faults(page, poor_contrast) == ""


def test_the_tab_key_comes_to_everything_and_shows_where_it_is(browser: "Browser", lived_in: Served) -> None:
    with opened_page(browser, lived_in.url) as page:
        assert _faults(page, unreached_by_keyboard) == ""


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_a_phone_scrolls_one_way_only(browser: "Browser", lived_in: Served, locale: str) -> None:
    with opened_page(browser, lived_in.url, viewport=PHONE, locale=locale, has_touch=True) as page:
        assert page.evaluate("document.documentElement.lang").startswith(locale[:2])
        assert _faults(page, wider_than_the_screen) == ""


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 720}, PHONE], ids=["screen", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_notice_can_be_read_and_put_away(browser: "Browser", lived_in: Served, scheme: Any, viewport: Any) -> None:
    with opened_page(browser, lived_in.url, notice=True, color_scheme=scheme, viewport=viewport) as page:
        dialog = page.get_by_role("dialog", name="Before you begin")
        dialog.wait_for()
        assert ([*nameless(page), *poor_contrast(page), *wider_than_the_screen(page)]) == []
        page.keyboard.press("Enter")  # what puts it away has the focus
        dialog.wait_for(state="hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_door_is_for_everybody_too(browser: "Browser", tmp_path: Path, scheme: Any) -> None:
    with serving(tmp_path / "data", password="a long password") as served:
        visit = browser.new_context(viewport=PHONE, color_scheme=scheme)
        try:
            page = visit.new_page()
            page.goto(served.url)
            page.locator("input[type=password]").wait_for()
            checks = (nameless, poor_contrast, wider_than_the_screen, unreached_by_keyboard)
            assert [fault for check in checks for fault in check(page)] == []
        finally:
            visit.close()


def test_what_is_wrong_is_found(browser: "Browser") -> None:
    """The checks themselves, on a page where everything is wrong."""
    visit = browser.new_context(viewport=PHONE)
    try:
        page = visit.new_page()
        page.set_content(
            "<body style='background: white'><button></button><p style='color: #aaa'>faint</p>"
            "<a href='#' style='outline: none'>ringless</a>"
            "<div id=host></div><div style='width: 500px; height: 9px'></div>"
            "<script>host.attachShadow({mode: 'open'}).innerHTML = `<p style='color: #bbb'>deep</p>"
            "<span tabindex=0 onfocus='this.blur()'>evades</span>`</script>"
        )
        assert [fault.split(":")[0] for fault in nameless(page)] == ["button"]
        assert [fault.split('"')[1] for fault in poor_contrast(page)] == ["faint", "deep"]
        unreached = unreached_by_keyboard(page)
        assert [fault for fault in unreached if "evades" in fault]
        assert [fault for fault in unreached if "ringless" in fault and "no focus ring" in fault]
        assert wider_than_the_screen(page)[0] == "the page"
    finally:
        visit.close()
