"""The report: one page that needs nothing else, says what the session holds, and stays small and safe."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engines.errors import BadInput
from realtime.report import write_report
from realtime.report.embedding import Embedder
from realtime.report.page import render
from realtime.session_folder import SessionStatistics, SessionWriter
from realtime.session_reader import read_session
from tests.realtime.demo_session import SCRIPTS, write_demo_session
from tests.realtime.session_fixtures import REGIONS, a_rejected, a_sample, an_event

VOID = frozenset(("meta", "link", "br", "img", "input", "hr", "source"))
HOSTILE = """<script>alert(1)</script>&"'><img src=x onerror=alert(2)>.mp4"""


class Page(HTMLParser):
    """Reads a page, holds that every element is closed, and keeps what is in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(set(self.ids)) == len(self.ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        found = [attributes for name, attributes in self.elements if name == tag]
        return [one for one in found if all((one.get(key) or "").startswith(value) for key, value in wanted.items())]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demo_session(tmp_path_factory.mktemp("sessions") / "demo")


@pytest.fixture(scope="module")
def demo_page(demo: Path) -> str:
    page = write_report(demo)
    assert page == demo / "report.html"
    return page.read_text(encoding="utf-8")


def small_session(folder: Path, *, source: str = "clip.mp4", state: str = "complete", with_face: bool = True) -> Path:
    writer = SessionWriter(folder, source=source, regions=REGIONS)
    for index in range(200):
        if with_face:
            sample = replace(a_sample(0), index=index, time_ns=index * 10_000_000)
            writer.add_sample(sample, strength=0.1, threshold=0.8)
        else:
            writer.add_empty_frame(index, index * 10_000_000)
    seen = 200 if with_face else 0
    statistics = SessionStatistics(frames_read=200, frames_with_face=seen, duration_s=1.99, frame_rate_hz=100.0)
    writer.finish(state, reason=None, statistics=statistics)  # type: ignore[arg-type]  # one of the three states
    return folder


def test_the_page_needs_nothing_but_itself(demo_page: str) -> None:
    page = Page(demo_page)
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy[0]["content"] is not None
    assert policy[0]["content"].startswith("default-src 'none'")
    for _, attributes in page.elements:
        for name in ("src", "href", "poster", "srcset", "action", "data"):
            if (value := attributes.get(name)) is not None:
                assert value.startswith(("data:image/", "data:video/mp4", "#")), value[:80]
    assert "http://" not in demo_page
    assert "https://" not in demo_page
    style = re.search(r"<style>(.*?)</style>", demo_page, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_every_link_leads_somewhere(demo_page: str) -> None:
    page = Page(demo_page)
    targets = {attributes["href"] for attributes in page.all("a")}
    assert {f"#event-{number}" for number in range(1, 6)} <= targets
    assert targets <= {f"#{name}" for name in page.ids}


def test_each_event_is_told_with_its_values_and_pictures(demo: Path, demo_page: str) -> None:
    page, session = Page(demo_page), read_session(demo)
    assert len(session.events) == 5
    for event in session.events:
        minutes, seconds = divmod(event["apex_s"], 60)
        assert f"Apex {minutes:.0f}:{seconds:05.2f}" in page.text
        assert f"{event['label'].capitalize()} 78% {event['kind']}" in page.text
        assert f"{event['strength']:.2f} px" in page.text
        assert f"Frames {event['onset_index']} – {event['apex_index']} – {event['offset_index']}" in page.text
        described = [str(image["alt"]) for image in page.all("img")]
        assert len([words for words in described if f"event {event['event_id']}" in words]) == 5
    assert len(page.all("video")) == 5
    assert "4 micro-expressions and 1 macro-expression in 52 s" in page.text
    assert "right lip corner up and out, 1.9 px" in page.text
    assert "Action units this suggests AU12, lip corner puller, right side only" in page.text
    assert "AU1, inner brow raiser (perhaps) AU2, outer brow raiser" in page.text
    assert "4.6" in page.text  # micro-expressions a minute
    assert "95 %" in page.text  # of the frames show a face


def test_what_was_not_reported_is_grouped_by_reason(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s", source="clip.mp4", regions=REGIONS)
    for onset_s in (1.0, 2.0, 3.0):
        writer.add_rejected(a_rejected(onset_s, f"the eyes blinked from {onset_s:.2f} s to {onset_s + 0.2:.2f} s"))
    writer.add_rejected(a_rejected(4.0, "rose only 0.62 px over its surroundings, 0.80 px needed"))
    writer.finish("complete")
    page = Page(write_report(tmp_path / "s").read_text(encoding="utf-8"))
    assert len(page.all("details", **{"class": "group"})) == 2
    assert "3 The eyes blinked At" in page.text
    assert "1 Rose only … px over its surroundings At" in page.text
    assert "the eyes blinked from 2.00 s to 2.20 s" in page.text


def test_speed_is_told_stage_by_stage(demo_page: str) -> None:
    text = Page(demo_page).text
    assert "Find the face 2.94 ms 3.40 ms 4.80 ms" in text
    assert "Spot expressions 11 µs 16 µs 30 µs" in text


def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s", source=HOSTILE, regions=("</script><b>chin",), checkpoint=HOSTILE)
    writer.add_event(an_event(label=HOSTILE, probabilities={HOSTILE: 1.0}, regions=(HOSTILE,)))
    writer.add_rejected(a_rejected(2.0, "</script><script>alert(3)</script>"))
    writer.add_sample(a_sample(0, ("<i>gate",), regions=1), strength=0.1, threshold=0.8)
    writer.add_sample(a_sample(1, ("<i>gate",), regions=1), strength=0.1, threshold=0.8)
    writer.finish("failed", reason="<script>alert(4)</script>")
    text = write_report(tmp_path / "s").read_text(encoding="utf-8")
    page = Page(text)
    assert len(page.all("script")) == 2  # the values under the pointer, and ours
    assert "<script>alert" not in text
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert not page.all("i", **{"class": "gate"})
    assert "alert(1)" in page.text


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("complete", None, "Complete. The source was read to its end."),
        ("stopped", "the stream ended early", "Stopped. the stream ended early. The run was ended"),
        ("failed", "OSError: gone", "Failed. OSError: gone. The run broke off"),
    ],
)
def test_the_page_says_how_the_run_ended(tmp_path: Path, state: str, reason: str | None, words: str) -> None:
    folder = small_session(tmp_path / "s", state=state)
    record = json.loads((folder / "session.json").read_text())
    (folder / "session.json").write_text(json.dumps(record | {"reason": reason}))
    assert words in Page(write_report(folder).read_text(encoding="utf-8")).text


def test_a_killed_run_still_gets_its_report(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s", source="camera 0", regions=REGIONS)
    writer.add_event(an_event())
    for index in range(128):
        writer.add_sample(a_sample(index), strength=0.1, threshold=0.8)
    page = Page(write_report(tmp_path / "s").read_text(encoding="utf-8"))
    assert "Interrupted." in page.text
    assert "1 micro-expression in 1.3 s" in page.text
    assert "No pictures were kept of this event." in page.text
    writer.finish("stopped")


def test_a_calm_face_is_a_result_too(tmp_path: Path) -> None:
    folder = small_session(tmp_path / "s")
    page = Page(write_report(folder).read_text(encoding="utf-8"))
    assert "No micro-expressions in 2.0 s" in page.text
    assert "Nothing moved above the threshold." in page.text
    (folder / "rejected.jsonl").write_text(
        "\n".join(json.dumps(a_rejected(1.0, "blink", strength).as_record()) for strength in (0.9, 1.4, 1.1))
    )
    page = Page(write_report(folder).read_text(encoding="utf-8"))
    assert "came at 0:01.00 : left inner brow, 1.40 px against a threshold of 0.80 px. Why not: blink." in page.text


def test_a_video_without_a_face_says_so(tmp_path: Path) -> None:
    page = Page(write_report(small_session(tmp_path / "s", with_face=False)).read_text(encoding="utf-8"))
    assert "No face was seen in any of the 200 frames." in page.text
    assert "0 %" in page.text
    assert "Timeline" not in page.text


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("/home/someone/private/clip.mp4", "clip.mp4"),
        ("rtsp://user:secret@camera.local:554/stream?channel=1", "rtsp://camera.local:554/stream?channel=1"),
        ("camera 0", "camera 0"),
    ],
)
def test_the_page_gives_away_neither_paths_nor_passwords(tmp_path: Path, source: str, shown: str) -> None:
    folder = small_session(tmp_path / "s", source=source)
    text = write_report(folder).read_text(encoding="utf-8")
    assert f"<h1>{shown}</h1>" in text
    assert "someone" not in text
    assert "secret" not in text + (folder / "session.json").read_text()


def test_a_slow_camera_is_told_what_it_misses(tmp_path: Path) -> None:
    folder = small_session(tmp_path / "s")
    assert "frames a second a frame lasts" not in render(read_session(folder))
    record = json.loads((folder / "session.json").read_text())
    (folder / "session.json").write_text(json.dumps(record | {"frame_rate_hz": 25.0}))
    assert "At 25 frames a second a frame lasts 40 ms" in render(read_session(folder))


def test_lost_signals_leave_the_events(tmp_path: Path) -> None:
    folder = small_session(tmp_path / "s")
    (folder / "signals.parquet").unlink()
    (folder / "events.jsonl").write_text(json.dumps(an_event(event_id=1).as_record()))
    page = Page(write_report(folder).read_text(encoding="utf-8"))
    assert "No signals were recorded." in page.text
    assert "no readable signals.parquet" in page.text
    assert "1 micro-expression" in page.text


def test_the_page_stays_small_however_much_happened(demo: Path) -> None:
    session = read_session(demo)
    many = [event | {"event_id": 1 + number % 5} for number, event in enumerate(40 * session.events)]
    numbered = replace(session, events=tuple(many))
    budget = Embedder(clip_bytes=300_000, picture_bytes=400_000)
    text = render(numbered, budget)
    assert len(text) < 3_500_000
    assert "beside this page; it holds no more of them" in text


def test_a_long_recording_is_thinned(tmp_path: Path) -> None:
    folder = write_demo_session(tmp_path / "s", duration_s=150.0, media=False, scripts=SCRIPTS[:2])
    page = write_report(folder)
    assert page.stat().st_size < 300_000
    assert (folder / "signals.parquet").stat().st_size > 1_000_000
    lanes = re.findall(r'class="curve" d="([^"]*)"', page.read_text(encoding="utf-8"))
    assert len(lanes) == 7 + 2
    for lane in lanes:
        assert len(lane.split()) < 4100


def test_only_a_session_has_a_report(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected a session folder"):
        write_report(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.fixture(autouse=True)
def _no_partial_page_left(tmp_path: Path) -> Iterator[None]:
    yield
    assert not list(tmp_path.rglob("*.tmp"))
