"""The sessions view in a real Chromium: looked at, compared, exported and re-opened, deleted after a question."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pympi.Elan import Eaf

from tests.demo.dashboard.conftest import Served, opened_page
from tests.realtime.export.sessions import film, with_remarks, write_session

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VIEW = "onset-sessions"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def filled(dashboard: Served) -> Served:
    """Two sessions of one recording, one of another, a damaged one."""
    data = dashboard.house.data
    source = str(film(data.recordings / "talk.mp4"))
    with_remarks(write_session(data.sessions / "first", source=source))
    write_session(data.sessions / "second", source=source)
    write_session(data.sessions / "third", source="elsewhere.mp4")
    (write_session(data.sessions / "broken") / "session.json").write_text("{")
    return dashboard


@pytest.fixture
def sessions(browser: "Browser", filled: Served) -> Iterator["Page"]:
    with opened_page(browser, filled.url) as page:
        yield in_view(page)


def in_view(page: "Page") -> "Page":
    page.click("#onset-tab-sessions-button")
    page.wait_for_selector(f"{VIEW} .list tbody tr")
    return page


def rows(page: "Page") -> list[str]:
    found = page.eval_on_selector_all(f"{VIEW} .list tbody tr[data-name]", "rows => rows.map(row => row.dataset.name)")
    return [str(name) for name in found]


def show(page: "Page", name: str) -> None:
    page.click(f"{VIEW} tr[data-name='{name}'] button.name")
    page.wait_for_selector(f"{VIEW} .details[data-session='{name}']")


def test_a_session_at_a_glance(sessions: "Page", filled: Served) -> None:
    assert sorted(rows(sessions)) == ["broken", "first", "second", "third"]
    show(sessions, "first")
    sessions.wait_for_selector(f"{VIEW} svg.course path.curve[d^='M']", state="attached")
    details = sessions.inner_text(f"{VIEW} .details")
    for words in ("The source was read to its end", "talk.mp4", "1 corrected by a person", "The head turned"):
        assert words in details, words
    tiles = sessions.eval_on_selector_all(f"{VIEW} .tiles b", "found => found.map(one => one.textContent)")
    assert tiles == ["3", "1", "2", "3"]
    assert sessions.locator(f"{VIEW} svg.course rect.event").count() == 4
    show(sessions, "broken")
    assert "session.json cannot be read" in sessions.inner_text(f"{VIEW} .details")
    assert not sessions.is_visible(f"{VIEW} [data-part=export]")
    # A title is kept beside what was recorded, at once.
    show(sessions, "third")
    sessions.fill(f"{VIEW} [data-part=title]", "被试 7")
    sessions.press(f"{VIEW} [data-part=title]", "Enter")
    sessions.wait_for_selector(f"{VIEW} tr[data-name='third'] b:has-text('被试 7')")
    assert (filled.house.data.sessions / "third" / "title.txt").read_text() == "被试 7\n"


def test_searching_and_sorting(sessions: "Page") -> None:
    sessions.click(f"{VIEW} [data-column=session]")
    assert rows(sessions)[1] == "third"  # "broken" has no source and goes by its own name; then "elsewhere.mp4"
    assert sessions.get_attribute(f"{VIEW} th.session", "aria-sort") == "ascending"
    sessions.fill(f"{VIEW} [data-part=search]", "talk")
    assert sorted(rows(sessions)) == ["first", "second"]
    sessions.fill(f"{VIEW} [data-part=search]", "damaged")
    assert rows(sessions) == ["broken"]
    sessions.fill(f"{VIEW} [data-part=search]", "nothing of the kind")
    assert "No session fits" in sessions.inner_text(f"{VIEW} .list tbody")


def test_export_and_open_again(sessions: "Page", tmp_path: Path) -> None:
    show(sessions, "first")
    sessions.click(f"{VIEW} .details [data-part=export]")
    boxes = sessions.locator(f"{VIEW} dialog.export [data-format]")
    assert boxes.evaluate_all("boxes => boxes.map(box => [box.value, box.checked])") == [
        [name, True] for name in ("csv", "json", "elan", "video", "report")
    ]
    sessions.uncheck(f"{VIEW} [data-format=report]")
    sessions.click(f"{VIEW} [data-part=export-start]")
    sessions.wait_for_selector(f"{VIEW} [data-part=save]", timeout=120_000)  # a video is drawn
    with sessions.expect_download() as fetched:
        sessions.click(f"{VIEW} [data-part=save]")
    assert fetched.value.suggested_filename == "first.zip"
    fetched.value.save_as(tmp_path / "first.zip")
    with zipfile.ZipFile(tmp_path / "first.zip") as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    document = json.loads((tmp_path / "first" / "first.json").read_text())
    assert [event["label"] for event in document["events"]] == ["positive", "negative", None, "surprise"]
    assert document["events"][1]["remark"]["label"] == "轻蔑"
    assert "轻蔑" in (tmp_path / "first" / "events.csv").read_text(encoding="utf-8-sig")
    assert len(Eaf(str(tmp_path / "first" / "first.eaf")).get_annotation_data_for_tier("micro")) == 2
    assert (tmp_path / "first" / "first.annotated.mp4").stat().st_size > 10_000
    assert not (tmp_path / "first" / "first.html").exists()
    # What was left out is remembered, and the archive is still to be had after the page is loaded again.
    sessions.reload()
    in_view(sessions)
    sessions.wait_for_selector(f"{VIEW} [data-part=save]")
    show(sessions, "first")
    sessions.click(f"{VIEW} .details [data-part=export]")
    assert not sessions.is_checked(f"{VIEW} [data-format=report]")


def test_nothing_is_deleted_without_a_yes_and_everything_with_it(sessions: "Page", filled: Served) -> None:
    data = filled.house.data
    show(sessions, "second")
    for way_out in ("button", "Escape"):
        sessions.click(f"{VIEW} .details [data-part=delete]")
        dialog = sessions.locator(f"{VIEW} dialog.delete")
        assert "cannot be taken back" in dialog.inner_text()
        assert dialog.locator("button").first.evaluate("one => one.matches(':focus')")  # Cancel
        if way_out == "Escape":
            sessions.keyboard.press("Escape")
        else:
            dialog.locator("button").first.click()
        dialog.wait_for(state="detached")
        assert (data.sessions / "second" / "events.jsonl").exists()
    sessions.click(f"{VIEW} .details [data-part=delete]")
    sessions.click(f"{VIEW} [data-part=delete-confirm]")
    sessions.wait_for_selector(f"{VIEW} tr[data-name='second']", state="detached")
    assert sorted(path.name for path in data.sessions.iterdir()) == ["broken", "first", "third"]
    assert (data.recordings / "talk.mp4").exists()
    assert "Deleted" in sessions.inner_text(f"{VIEW} .message")
    sessions.wait_for_function(f"document.querySelector('{VIEW}').shadowRoot.activeElement?.type === 'search'")


def test_several_are_deleted_with_their_recording(sessions: "Page", filled: Served) -> None:
    for name in ("first", "second"):
        sessions.check(f"{VIEW} tr[data-name='{name}'] input")
    sessions.click(f"{VIEW} [data-part=delete-chosen]")
    sessions.check(f"{VIEW} [data-part=delete-recording]")
    sessions.click(f"{VIEW} [data-part=delete-confirm]")
    for name in ("first", "second"):
        sessions.wait_for_selector(f"{VIEW} tr[data-name='{name}']", state="detached")
    assert sorted(path.name for path in filled.house.data.sessions.iterdir()) == ["broken", "third"]
    assert list(filled.house.data.recordings.iterdir()) == []


def test_comparison(sessions: "Page") -> None:
    sessions.check(f"{VIEW} tr[data-name='first'] input")
    assert sessions.is_disabled(f"{VIEW} [data-part=compare]")
    for name in ("second", "third"):
        sessions.check(f"{VIEW} tr[data-name='{name}'] input")
    sessions.click(f"{VIEW} [data-part=compare]")
    sessions.wait_for_selector(f"{VIEW} .details[data-compared='3'] svg.lanes")
    assert sessions.locator(f"{VIEW} svg.lanes rect.event").count() == 12
    heads = sessions.locator(f"{VIEW} table.compared thead th").all_inner_texts()
    assert len(set(heads)) == 3 or len({head for head in heads if head.startswith("talk.mp4, ")}) == 1
    sessions.uncheck(f"{VIEW} tr[data-name='third'] input")
    sessions.click(f"{VIEW} [data-part=compare]")
    sessions.wait_for_selector(f"{VIEW} .details[data-compared='2'] section.met")
    assert "agreement (F1) 1.00" in sessions.inner_text(f"{VIEW} section.met")
    assert sessions.locator(f"{VIEW} section.met tbody tr").count() == 4
    assert sessions.locator(f"{VIEW} svg.lanes line.met").count() == 4


def test_opening_in_the_replay_view(sessions: "Page") -> None:
    show(sessions, "first")
    sessions.click(f"{VIEW} [data-part=replay]")
    sessions.wait_for_selector("#onset-tab-replay-button[aria-selected=true]")
    sessions.wait_for_function("document.querySelector('onset-replay')?.session?.name === 'first'")


def test_the_report_cannot_reach_the_dashboard(sessions: "Page") -> None:
    show(sessions, "first")
    with sessions.context.expect_page() as opened:
        sessions.click(f"{VIEW} [data-part=report]")
    report = opened.value
    report.wait_for_load_state()
    assert "轻蔑" in report.inner_text("#remarks")
    assert report.evaluate("() => fetch('/onset/sessions').then(() => 'reached', () => 'refused')") == "refused"
    assert (
        report.evaluate("() => { try { return document.cookie + 'read'; } catch { return 'refused'; } }") == "refused"
    )


def test_thousands_of_sessions(browser: "Browser", dashboard: Served) -> None:
    record = {"format": "onset-session/1", "state": "complete", "source": "camera 0", "duration_s": 60.0}
    for number in range(2000):
        folder = dashboard.house.data.sessions / f"s{number:04d}"
        folder.mkdir()
        counts = {"micro": number % 7, "macro": 0, "rejected": 0, "labels": {}}
        told = {**record, "started_at": f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}+00:00", "counts": counts}
        (folder / "session.json").write_text(json.dumps(told))
    with opened_page(browser, dashboard.url) as page:
        in_view(page)
        assert "2000 sessions" in page.inner_text(f"{VIEW} .list .bar")
        first = rows(page)
        assert first[0] == "s1999"
        assert len(first) < 500  # the rest is laid out when it comes into sight
        page.eval_on_selector(f"{VIEW} .scroller", "one => { one.scrollTop = one.scrollHeight; }")
        page.wait_for_function(
            f"document.querySelector('{VIEW}').shadowRoot.querySelectorAll('tbody tr').length > {len(first)}"
        )
        page.fill(f"{VIEW} [data-part=search]", "s0007")
        assert rows(page) == ["s0007"]


def test_on_a_phone_in_chinese(browser: "Browser", filled: Served) -> None:
    with opened_page(browser, filled.url, viewport=PHONE, locale="zh-CN") as page:
        in_view(page)
        assert "录制时间" not in page.inner_text(f"{VIEW} .list")  # cards instead of columns
        show(page, "first")
        assert "在回放中打开" in page.inner_text(f"{VIEW} .details")
        assert not page.is_visible(f"{VIEW} .list")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.click(f"{VIEW} .back")
        assert page.is_visible(f"{VIEW} .list")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_yet(browser: "Browser", dashboard: Served) -> None:
    with opened_page(browser, dashboard.url) as page:
        page.click("#onset-tab-sessions-button")
        page.wait_for_selector(f"{VIEW} .welcome:not([hidden])")
        assert "No sessions yet" in page.inner_text(f"{VIEW} .welcome")
        # One that comes while the page is open is shown without a reload.
        write_session(dashboard.house.data.sessions / "new")
        page.wait_for_selector(f"{VIEW} tr[data-name='new']")
