"""The live view in a real Chromium, against a server that says what a run would say."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.demo.dashboard.conftest import WAIT_MS
from tests.demo.dashboard.fake_live_server import FakeLiveServer, conditions, event, face, rejected
from tests.demo.dashboard.live_page import CURVE_COLOURS, FIGURES, PREVIEW_COLOUR

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page


@pytest.fixture
def server() -> Iterator[FakeLiveServer]:
    """A run that does as it is told."""
    with FakeLiveServer() as opened:
        yield opened


@pytest.fixture
def page(browser: "Browser", server: FakeLiveServer) -> Iterator["Page"]:
    """An English page that looks on."""
    yield from _opened(browser, server, locale="en-GB")


def _opened(browser: "Browser", server: FakeLiveServer, **context: Any) -> Iterator["Page"]:
    visit = browser.new_context(**{"viewport": {"width": 1280, "height": 720}} | context)
    visit.set_default_timeout(WAIT_MS)
    shown = visit.new_page()
    faults: list[str] = []
    shown.on("pageerror", lambda fault: faults.append(str(fault)))
    try:
        shown.goto(server.address)
        server.wait_for_viewers(1)
        _wait(shown, "link === 'open'")
        yield shown
        assert not faults
    finally:
        visit.close()


def _wait(page: "Page", condition: str) -> None:
    """Wait until something holds of the element's figures."""
    page.wait_for_function(f"() => {FIGURES}.{condition}")


def _play(server: FakeLiveServer, frames: int, **frame: Any) -> None:
    """Send frames one by one, each when the one before it was drawn."""
    for _ in range(frames):
        server.wait_for_seen(server.frame(**frame))


def _titles(page: "Page") -> list[str]:
    return page.locator("details.card time").all_inner_texts()


def _screen(page: "Page") -> "Locator":
    return page.locator("onset-live .screen")


def test_frames_are_drawn_with_what_was_measured_on_them(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    _play(server, 5, faces=[face(moving=["chin"], gates=["blink"])])
    figures = page.evaluate(FIGURES)
    assert figures["framesDrawn"] + figures["framesOvertaken"] == figures["framesReceived"] == 5
    _screen(page).wait_for(state="hidden")
    gray = page.evaluate(PREVIEW_COLOUR, [30, 30])
    assert max(gray[:3]) - min(gray[:3]) < 6  # the picture
    assert 60 <= gray[0] <= 160
    # The chin, last of the regions, is filled because it moves: it is yellower than the picture.
    chin = page.evaluate(PREVIEW_COLOUR, [240 + 40 * 3 - 5, 160 + 45 * 3 + 6])
    assert chin[0] > chin[2] + 15


def test_pictures_that_come_faster_than_they_are_drawn_make_way_and_are_all_accounted_for(
    server: FakeLiveServer, page: "Page"
) -> None:
    server.begin()
    sent = [server.frame() for _ in range(40)]
    for index in sent:
        server.wait_for_seen(index)
    assert sorted(server.viewers[0].seen) == sent  # each once
    _wait(page, "samples === 40")
    figures = page.evaluate(FIGURES)
    assert figures["framesDrawn"] + figures["framesOvertaken"] == 40


def test_the_newest_event_comes_first_and_says_what_it_is(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    server.event(event(1, 3.2))
    server.event(event(2, 65.25, kind="macro", label="surprise", offset_s=66.7, probabilities={"surprise": 0.9}))
    page.locator("details.card >> nth=1").wait_for()
    assert _titles(page) == ["1:05.25", "0:03.20"]
    newest, oldest = page.locator("details.card").all()
    assert newest.locator(".label").inner_text() == "surprise90 %"
    assert "macro" in newest.inner_text()
    assert oldest.locator(".label").inner_text() == "positive82 %"
    assert "280 ms" in oldest.inner_text()
    assert "Left lip corner up and out, left cheek up" in oldest.inner_text()
    assert page.locator(".tabs .count").first.inner_text() == "2"


def test_an_event_opens_to_pictures_units_and_figures(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    server.event(event(1, 3.2))
    card = page.locator("details.card")
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    card.locator(".inside").wait_for()
    page.wait_for_function(
        "() => document.querySelector('onset-live').shadowRoot.querySelectorAll('.still img').length === 5"
    )
    page.wait_for_function(
        "() => [...document.querySelector('onset-live').shadowRoot.querySelectorAll('.still img')].slice(0, 3)"
        ".every((image) => image.naturalWidth === 256)"
    )
    text = card.inner_text()
    for said in ("AU12", "lip corner puller", "left side", "Flow", "Strain", "1.52 px, 0.81 px needed", "42 ms"):
        assert said in text


def test_pictures_that_are_drawn_later_come_by_themselves(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    server.event(event(1, 3.2), drawn=False)
    page.locator("details.card").wait_for()
    assert page.locator(".thumbnail img").count() == 0
    server.drawn(1)
    page.wait_for_function(
        "() => document.querySelector('onset-live').shadowRoot.querySelector('.thumbnail img')?.naturalWidth"
    )


def test_an_event_is_on_the_screen_soon_after_it_is_certain(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    for number in range(1, 6):
        server.event(event(number, 2.0 * number), age_ms=30.0)
        _wait(page, f"eventToScreenMs.count === {number}")
    ages = page.evaluate(FIGURES)["eventToScreenMs"]
    assert 30.0 < ages["p50"] < 1000.0  # never less than it was old when it was sent; the bench has the true figure


def test_curves_show_movement_over_its_threshold_events_and_doubt(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    _play(server, 3, samples=60, strength=0.5)
    _play(server, 2, samples=30, strength=1.4, faces=[face(gates=["head-turn"])])
    page.locator(".legend").get_by_text("head turn").wait_for()
    page.wait_for_timeout(300)
    before = page.evaluate(CURVE_COLOURS)
    dark = before.get("0,1,2", 0)  # the curve, #0f172a
    assert dark > 300
    assert before.get("15,9,0", 0) > 100  # the gate's strip, #f59e0b
    server.event(event(1, 4.0))
    page.locator("details.card").wait_for()
    page.wait_for_timeout(300)
    after = page.evaluate(CURVE_COLOURS)
    micro = "0,7,6"  # onset, apex and offset: #0f766e
    assert after.get(micro, 0) > before.get(micro, 0) + 50


def test_hovering_tells_time_and_value(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    _play(server, 4, samples=100, strength=0.5)
    box = page.locator("canvas.curves").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 60)
    tip = page.locator(".tip")
    tip.wait_for()
    assert "Strength 0.50 px" in tip.inner_text()
    assert "Threshold 0.80 px" in tip.inner_text()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] - 40)
    tip.wait_for(state="hidden")


def test_paused_curves_stand_still_while_samples_go_on(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    _play(server, 3, samples=60)
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(200)
    still = page.evaluate(CURVE_COLOURS)
    _play(server, 3, samples=60, strength=1.5)
    _wait(page, "samples === 360")
    page.wait_for_timeout(200)
    assert page.evaluate(CURVE_COLOURS) == still
    page.get_by_role("button", name="Resume").click()
    page.wait_for_timeout(300)
    assert page.evaluate(CURVE_COLOURS) != still


def test_what_was_not_reported_is_shown_on_demand_with_its_reason(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    server.rejected(rejected(2.0, "rose only 0.41 px over its rest, 0.80 px needed"))
    server.rejected(rejected(5.0, "the eyes blinked from 4.90 s to 5.20 s"))
    _wait(page, "rejected === 2")
    page.get_by_role("tab", name="Not reported").click()
    cards = page.locator(".card.rejected")
    assert "The eyes blinked from 4.90 s to 5.20 s" in cards.first.inner_text()
    assert "Rose only 0.41 px over its rest" in cards.last.inner_text()
    assert page.locator("#onset-events").is_hidden()


def test_conditions_are_a_figure_bars_and_advice(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    server.conditions(conditions(64))
    panel = page.locator(".conditions")
    panel.get_by_text("64").wait_for()
    text = panel.inner_text()
    for said in ("fair", "Movements from 0.6 px can be seen", "put a lamp in front of you", "Frame rate"):
        assert said in text
    server.conditions(None)
    panel.get_by_text("Known after").wait_for()


def test_a_face_that_is_missing_for_two_seconds_is_said(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    _play(server, 2)
    hint = page.get_by_text("No face in the picture")
    assert hint.is_hidden()
    page.clock.install()
    for _ in range(6):
        page.clock.run_for(500)
        server.wait_for_seen(server.frame(faces=[]))
    page.clock.run_for(600)
    hint.wait_for()
    server.frame()
    page.clock.run_for(1200)
    hint.wait_for(state="hidden")


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ("idle", None, "Nothing is being watched"),
        ("starting", None, "Getting ready"),
        ("waiting-for-camera", None, "Waiting for the camera"),
        ("camera-lost", "camera 0: no frame for 4.0 s", "The camera is gone"),
        ("stopping", None, "Finishing"),
        ("failed", "camera 0: cannot be opened; close the program that uses it", "The run has ended with a fault"),
        (
            "failed",
            "tensorrt: no engine of this checkpoint fits; run onset build default",
            "This engine cannot run here",
        ),
        ("failed", "OSError: [Errno 28] No space left on device", "The disk is full"),
    ],
)
def test_every_state_says_what_is_and_what_to_do(
    server: FakeLiveServer, page: "Page", state: str, reason: str | None, said: str
) -> None:
    server.change(state=state, session="2026-11-21_10-00-00_camera-0", reason=reason)
    _screen(page).get_by_role("heading", name=said).wait_for()
    text = _screen(page).inner_text()
    assert len(text) > len(said) + 20
    assert reason is None or reason.split(":")[-1].strip()[1:] in text


def test_a_run_that_has_ended_names_its_session_and_report(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    _play(server, 2)
    server.change(state="idle")
    link = page.get_by_role("link", name="Report")
    link.wait_for()
    assert str(link.get_attribute("href")).endswith("/onset/sessions/2026-11-21_10-00-00_camera-0/files/report.html")


def test_a_page_that_was_cut_off_comes_back_by_itself_and_repeats_nothing(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    server.event(event(1, 3.2))
    _wait(page, "events === 1")
    server.drop()
    server.wait_for_viewers(0)
    _screen(page).get_by_role("heading", name="The dashboard does not answer").wait_for()
    server.told.append(server.told[0] | {"event": event(2, 5.0)})
    server.refusing = False
    server.wait_for_viewers(1, timeout_s=20)
    _wait(page, "events === 2")
    assert _titles(page) == ["0:05.00", "0:03.20"]
    _play(server, 3)
    _screen(page).wait_for(state="hidden")


def test_a_reload_comes_back_into_the_run_with_what_was_found(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    for number in (1, 2, 3):
        server.event(event(number, 2.0 * number))
    _wait(page, "events === 3")
    page.reload()
    page.locator("details.card >> nth=2").wait_for()
    assert _titles(page) == ["0:06.00", "0:04.00", "0:02.00"]
    assert page.evaluate(FIGURES)["eventToScreenMs"]["count"] == 0  # told again is not new


def test_a_new_run_begins_with_empty_lists(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    server.event(event(1, 3.2))
    _play(server, 2, samples=30)
    server.begin("2026-11-21_11-00-00_camera-0")
    _wait(page, "samples === 0")
    assert page.evaluate(FIGURES)["events"] == 0
    page.get_by_text("Nothing spotted yet").wait_for()


def test_lists_keep_the_newest_two_hundred(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    for number in range(1, 216):
        server.event(event(number, 2.0 * number))
        server.rejected(rejected(2.0 * number, "seen in a single frame: a flash or a misread picture"))
    _wait(page, "rejected === 215")
    assert page.locator("details.card").count() == 200
    assert page.locator(".card.rejected").count() == 200
    assert _titles(page)[0] == "7:10.00"
    assert page.locator(".tabs .count").first.inner_text() == "215"


def test_messages_of_the_run_can_be_put_away(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    server.notice("warning", "recording stopped: disk full")
    notice = page.locator(".notice.warning")
    notice.wait_for()
    assert "Recording stopped: disk full" in notice.inner_text()
    notice.get_by_role("button", name="Dismiss").click()
    notice.wait_for(state="detached")


def test_a_chinese_browser_reads_chinese_only(browser: "Browser", server: FakeLiveServer) -> None:
    for page in _opened(browser, server, locale="zh-CN"):
        server.begin()
        server.event(event(1, 3.2))
        server.conditions(conditions())
        server.rejected(rejected(2.0, "rose only 0.41 px over its rest, 0.80 px needed"))
        _play(server, 2, faces=[face(gates=["speech"])])
        page.locator("details.card summary").click()
        page.get_by_role("tab", name="未报告").click()
        page.get_by_text("仅超出静息 0.41 像素").wait_for()
        page.get_by_role("tab", name="事件").click()
        page.locator(".legend").get_by_text("说话或咀嚼").wait_for()
        text = page.locator("onset-live .live").inner_text()
        for said in (
            "积极",
            "左嘴角向上并向外、左脸颊向上",
            "嘴角上扬",
            "面部太暗（平均灰度 32/255）",
            "说话或咀嚼",
            "每秒",
        ):
            assert said in text
        # Names of things that have no other name may stay: AU12, px, p50 …
        left = [word for word in text.replace("/", " ").split() if word.isascii() and word.isalpha() and len(word) > 3]
        assert not left


def test_the_picture_can_be_shown_without_marks_and_it_is_remembered(server: FakeLiveServer, page: "Page") -> None:
    server.begin()
    moving = [face(moving=["chin"])]
    _play(server, 2, faces=moving)
    for name in ("Outline", "Regions", "Movement", "Doubts"):
        page.get_by_role("button", name=name, exact=True).click()
    page.reload()
    server.wait_for_viewers(1)
    _wait(page, "link === 'open'")
    assert page.get_by_role("button", name="Movement", exact=True).get_attribute("aria-pressed") == "false"
    _play(server, 2, faces=moving)
    plain = page.evaluate(PREVIEW_COLOUR, [240 + 40 * 3 - 5, 160 + 45 * 3 + 6])
    assert max(plain[:3]) - min(plain[:3]) < 6


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(browser: "Browser", server: FakeLiveServer, theme: str) -> None:
    for page in _opened(browser, server, locale="en-GB", viewport={"width": 390, "height": 844}):
        if theme == "dark":
            page.evaluate("document.body.classList.add('dark')")
        server.begin()
        server.event(event(1, 3.2))
        server.conditions(conditions())
        _play(server, 2, faces=[face(gates=["blink"])])
        page.locator("details.card summary").click()
        wide = page.evaluate(
            "() => [...document.querySelector('onset-live').shadowRoot.querySelectorAll('*')]"
            ".filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && one.checkVisibility())"
            ".map((one) => one.className)"
        )
        assert wide == []
