"""The replay view in a real browser: a video handed in, looked through frame by frame, labelled, and so afterwards."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.demo.dashboard.conftest import Served, opened_page, serving
from tests.demo.dashboard.numbered_clip import READ_NUMBER, film_numbered
from tests.realtime.demo_session import write_demo_session

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
REPLAY_MS = 180_000
VIEW = "document.querySelector('onset-replay')"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    path = tmp_path_factory.mktemp("film") / "numbered film (1).mp4"
    return path, film_numbered(path)


@pytest.fixture(scope="module")
def looked_through(
    browser: "Browser", film: tuple[Path, list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, "Page"]]:
    """A dashboard to which the film was handed in through the page, and that page with the film's session open."""
    with serving(tmp_path_factory.mktemp("replayed") / "data") as served, opened_page(browser, served.url) as page:
        to_replay(page)
        page.locator("#onset-replay-files input[type=file]").set_input_files(film[0])
        page.wait_for_selector("onset-replay .job progress")
        page.wait_for_function(f"{VIEW}.session", timeout=REPLAY_MS)
        yield served, page


def to_replay(page: "Page") -> None:
    page.get_by_role("tab", name="Replay").or_(page.get_by_role("tab", name="回放")).click()
    page.wait_for_selector("onset-replay .replay")


def wait_for_frame(page: "Page") -> int:
    """The number of the frame that is asked for, once a picture of that number is said to be shown."""
    page.wait_for_function(f"{VIEW}.player.canvas.dataset.index === String({VIEW}.player.index)")
    return int(page.evaluate(f"{VIEW}.player.index"))


def time_of(page: "Page") -> float:
    return float(page.evaluate(f"{VIEW}.player.time"))


def test_a_video_that_is_handed_in_becomes_a_session_with_its_events(
    looked_through: tuple[Served, "Page"], film: tuple[Path, list[dict[str, Any]]]
) -> None:
    served, page = looked_through
    assert [path.name for path in served.house.data.recordings.iterdir()] == ["numbered-film-(1).mp4"]
    events = page.evaluate(f"{VIEW}.session.events")
    for truth in film[1]:
        found = [event for event in events if abs(event["apex_s"] - truth["apex_s"]) < 0.1]
        assert len(found) == 1, (truth, events)
    assert page.locator("onset-replay .row.micro").count() == len([one for one in events if one["kind"] == "micro"])
    assert page.locator("#onset-replay-choice input").first.input_value().startswith("numbered-film-(1).mp4")


def test_the_picture_on_the_screen_is_the_frame_that_was_asked_for(looked_through: tuple[Served, "Page"]) -> None:
    _, page = looked_through
    page.locator("onset-replay .tracks").focus()
    for key, change in (("ArrowRight", 1), ("Shift+ArrowRight", 10), ("ArrowLeft", -1), ("Shift+ArrowLeft", -10)):
        page.evaluate(f"{VIEW}.player.seek(100)")
        before = wait_for_frame(page)
        page.keyboard.press(key)
        assert wait_for_frame(page) == before + change
        assert page.evaluate(READ_NUMBER) == before + change
    for key in ("Home", "End"):
        page.keyboard.press(key)
        index = wait_for_frame(page)
        assert page.evaluate(READ_NUMBER) == index
    for place in (7, 291, 58, 57, 200, 3, 130):
        page.evaluate(f"{VIEW}.player.seek({place})")
        assert wait_for_frame(page) == place
        assert page.evaluate(READ_NUMBER) == place


def test_scrubbing_with_the_pointer_goes_to_that_time(looked_through: tuple[Served, "Page"]) -> None:
    _, page = looked_through
    page.evaluate(f"{VIEW}.timeline.showAll()")
    box = page.locator("onset-replay .tracks").bounding_box()
    assert box is not None
    middle = box["y"] + 80
    page.mouse.move(box["x"] + 10, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.25 * box["width"], middle, steps=5)
    page.mouse.move(box["x"] + 0.5 * box["width"], middle, steps=5)
    page.mouse.up()
    index = wait_for_frame(page)
    assert page.evaluate(READ_NUMBER) == index
    assert time_of(page) == pytest.approx(0.5 * page.evaluate(f"{VIEW}.session.end"), abs=0.05)


def test_zooming_keeps_the_needle_and_stays_within_the_recording(looked_through: tuple[Served, "Page"]) -> None:
    _, page = looked_through
    page.evaluate(f"{VIEW}.player.seek(120)")
    page.locator("onset-replay .tracks").focus()
    for _ in range(12):
        page.keyboard.press("+")
    start, end = page.evaluate(f"[{VIEW}.timeline.from, {VIEW}.timeline.to]")
    assert end - start == pytest.approx(0.15, abs=0.01)
    assert start <= time_of(page) <= end
    for _ in range(12):
        page.keyboard.press("-")
    start, end = page.evaluate(f"[{VIEW}.timeline.from, {VIEW}.timeline.to]")
    assert (start, end) == (0, page.evaluate(f"{VIEW}.session.end"))


def test_events_in_turn_and_their_onset_apex_and_offset(looked_through: tuple[Served, "Page"]) -> None:
    _, page = looked_through
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    ordered = page.evaluate(f"{VIEW}.session.inOrder")
    for event in ordered:
        page.keyboard.press("n")
        assert wait_for_frame(page) == event["apex_index"]
        opened = page.locator("onset-replay .row.open")
        assert opened.get_attribute("data-number") == str(event["event_id"])
        for moment in ("onset", "apex", "offset"):
            opened.locator(f"[data-part={moment}]").click()
            assert wait_for_frame(page) == event[f"{moment}_index"]
            assert page.evaluate(READ_NUMBER) == event[f"{moment}_index"]
        assert opened.locator(".moment img").count() == 3
        assert opened.locator(".moment img").evaluate_all("all => all.every(one => one.complete && one.naturalWidth)")
    page.keyboard.press("p")
    assert wait_for_frame(page) == ordered[-2]["apex_index"]


def test_playing_goes_on_in_time_and_space_stops_it(looked_through: tuple[Served, "Page"]) -> None:
    _, page = looked_through
    page.keyboard.press("Home")
    page.locator("onset-replay .tracks").focus()
    page.keyboard.press("Space")
    page.wait_for_function(f"{VIEW}.player.time > 0.5")
    page.keyboard.press("Space")
    stopped = time_of(page)
    assert wait_for_frame(page) == page.evaluate(READ_NUMBER)
    page.keyboard.press("ArrowRight")
    assert time_of(page) > stopped


def test_the_face_alone_and_a_loop_magnified_anew(looked_through: tuple[Served, "Page"]) -> None:
    _, page = looked_through
    page.keyboard.press("Home")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    wait_for_frame(page)
    page.locator("onset-replay [data-part=face]").click()
    page.wait_for_function(f"{VIEW}.player.shown.width === 512 && {VIEW}.player.shown.height === 608")
    page.locator("onset-replay [data-part=face]").click()
    page.wait_for_function(f"{VIEW}.player.shown.width === 640")
    video = page.locator("onset-replay .magnified video")
    video.scroll_into_view_if_needed()  # Chromium plays nothing that nobody sees
    page.wait_for_function(f"{VIEW}.shadowRoot.querySelector('.magnified video').currentTime > 0")
    page.locator("onset-replay [data-part=factor]").fill("24")
    page.wait_for_selector("onset-replay video[data-factor='24']")
    page.wait_for_function(f"{VIEW}.shadowRoot.querySelector('.magnified video').videoWidth === 512")
    assert video.evaluate("video => video.src").startswith("blob:")


def test_a_label_and_notes_are_shown_at_once_after_a_reload_and_leave_the_spotted_ones(
    looked_through: tuple[Served, "Page"],
) -> None:
    served, page = looked_through
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    page.keyboard.press("n")
    event = page.evaluate(f"{VIEW}.lists.selected")
    folder = served.house.data.session(page.evaluate(f"{VIEW}.session.name"))
    spotted = (folder / "events.jsonl").read_bytes()
    page.locator("onset-replay .row.open [data-part=label]").select_option(label="another …")
    page.locator("onset-replay .row.open [data-part=own-label]").fill("<b>contempt</b> 轻蔑")
    page.locator("onset-replay .row.open [data-part=note]").fill("left side only")
    page.locator("onset-replay .row.open [data-part=save]").click()
    page.wait_for_selector("onset-replay .row.open .corrected")
    remark = json.loads((folder / "remarks.jsonl").read_text(encoding="utf-8"))
    assert (remark["event_id"], remark["label"]) == (event["event_id"], "<b>contempt</b> 轻蔑")
    page.locator("onset-replay [data-part=list-notes]").click()
    page.locator("onset-replay [data-part=moment-note]").fill("the bell rings")
    page.locator("onset-replay .remark button[type=submit]").click()
    page.wait_for_selector("onset-replay .note-row")

    page.reload()
    page.wait_for_selector("html[data-onset=ready]", state="attached")
    to_replay(page)
    page.wait_for_function(f"{VIEW}.session")
    row = page.locator(f"onset-replay .row[data-number='{event['event_id']}']")
    assert row.locator(".corrected").inner_text() == "<b>contempt</b> 轻蔑"
    assert row.locator("s").inner_text() == event["label"]
    page.locator("onset-replay [data-part=list-notes]").click()
    assert "the bell rings" in page.locator("onset-replay .note-row").inner_text()
    assert (folder / "events.jsonl").read_bytes() == spotted


def test_rejected_movements_come_with_their_reason(browser: "Browser", tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        write_demo_session(served.house.data.sessions / "interview", duration_s=20.0, frame_rate_hz=50.0)
        with opened_page(browser, served.url) as page:
            to_replay(page)
            page.evaluate(f"{VIEW}.open('interview')")
            page.wait_for_function(f"{VIEW}.session")
            page.locator("onset-replay [data-part=list-rejected]").click()
            assert page.locator("onset-replay .row.ghost").count() == 3
            page.locator("onset-replay .row.ghost .head").first.click()
            assert "blink" in page.locator("onset-replay .row.open").inner_text().lower()
            page.locator("onset-replay .row.open [data-part=label]").select_option("negative")
            page.locator("onset-replay .row.open [data-part=save]").click()
            page.wait_for_selector("onset-replay .row.open .corrected")
            # Its film is not there: that is said, and the pictures of the events are shown all the same.
            assert "is not where it was" in page.locator("onset-replay .stage .message").inner_text()
            page.locator("onset-replay [data-part=list-events]").click()
            page.locator("onset-replay .row.micro .head").first.click()
            pictures = "onset-replay .row.open .moment img"
            page.wait_for_function(
                "() => [...document.querySelector('onset-replay').shadowRoot.querySelectorAll('.row.open .moment img')]"
                ".every((one) => one.complete && one.naturalWidth)"
            )
            assert page.locator(pictures).count() == 3
            page.locator("onset-replay .magnified video").scroll_into_view_if_needed()
            page.wait_for_function(f"{VIEW}.shadowRoot.querySelector('.magnified video').currentTime > 0")
            page.locator("onset-replay [data-part=factor]").fill("20")  # made from the event's own clip
            page.wait_for_selector("onset-replay video[data-factor='20']")


def test_a_file_that_is_no_video_is_refused_in_words(page: "Page", dashboard: Served, tmp_path: Path) -> None:
    (tmp_path / "diary.mp4").write_text("no video at all, only a name")
    to_replay(page)
    page.locator("#onset-replay-files input[type=file]").set_input_files(tmp_path / "diary.mp4")
    page.get_by_text("diary.mp4: not a video").wait_for()
    assert list(dashboard.house.data.recordings.iterdir()) == []
    assert dashboard.house.jobs.all() == []


def test_chinese_on_a_phone_without_a_session(browser: "Browser", dashboard: Served) -> None:
    phone = {"width": 390, "height": 844}
    with opened_page(browser, dashboard.url, locale="zh-CN", viewport=phone) as page:
        to_replay(page)
        assert "尚未打开记录" in page.locator("onset-replay .welcome").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_nothing_is_left_to_be_translated(looked_through: tuple[Served, "Page"]) -> None:
    _, page = looked_through
    for part in ("events", "rejected", "notes"):
        page.locator(f"onset-replay [data-part=list-{part}]").click()
        assert "replay." not in page.locator("onset-replay .replay").inner_text()
