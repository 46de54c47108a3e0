"""The live run: its states, what everybody is told, and that it ends cleanly whatever happens."""

import errno
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from demo.dashboard.data_folder import DataFolder
from demo.dashboard.live_request import LiveRequest
from demo.dashboard.live_run import LiveRun
from demo.dashboard.live_viewer import LiveViewer
from engines.errors import BackendUnavailable, BadInput
from realtime.clock import Clock
from realtime.config import RecordingParameters, Settings
from realtime.session_reader import read_session
from realtime.signals import SignalsWriter
from realtime.sources import ScriptedSource, Source, VideoFile
from realtime.sources.browser_cameras import BrowserCameras
from realtime.watcher import Look, Watcher
from tests.demo.dashboard.live_cameras import TurnedCamera, of_kind, wait_until
from tests.realtime.filmed_faces import close_up
from tests.realtime.test_pipeline import UnhurriedClock
from tests.synthetic_faces import movement
from trainers.datasets.synthetic_rendering import frame_times_ns

SETTINGS = Settings(recording=RecordingParameters(report=False, poll_s=0.02))
CAMERA = LiveRequest(source="camera 0")


class Page:
    """A viewer that takes everything at once and draws every frame."""

    def __init__(self, live: LiveRun, *, draws: bool = True) -> None:
        self.messages: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.draws = draws
        self.viewer: LiveViewer | None = None
        self._lock = threading.RLock()
        self.viewer = live.subscribe(self._wake)
        self._wake()

    def _wake(self) -> None:
        if self.viewer is None:
            return
        with self._lock:
            self.messages += self.viewer.take()
            message = self.viewer.take_picture()
            if message is not None:
                self.frames.append(json.loads(message[4 : 4 + int.from_bytes(message[:4], "big")]))
        if message is not None and self.draws:
            self.viewer.seen(self.frames[-1]["index"])

    def states(self) -> list[str]:
        """The states that it was told, each once."""
        told = [message["state"] for message in of_kind(self.messages, "state")]
        return [state for place, state in enumerate(told) if place == 0 or state != told[place - 1]]


class Bench:
    """A live run over a camera that the test turns."""

    def __init__(self, folder: Path) -> None:
        self.camera = TurnedCamera()
        self.data = DataFolder(folder)
        self.cameras = BrowserCameras()
        self.live = LiveRun(self.data, SETTINGS, self.cameras, camera=self.plugged)

    def plugged(self, _address: str, _frame_rate_hz: float | None) -> Source:
        self.camera.closing.clear()
        return self.camera

    def run(self, request: LiveRequest = CAMERA, frames: int = 5) -> str:
        """Start, and wait for some frames."""
        session = self.live.start(request).session
        self.camera.turn(frames)
        # A camera that is not turned any more counts as away before long.
        wait_until(lambda: self.state in ("running", "camera-lost"))
        return session

    @property
    def state(self) -> str:
        return str(self.live.status()["state"])

    def stop(self) -> None:
        self.live.stop()
        assert self.live.wait(60)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "data")
    yield made
    made.live.close()
    made.cameras.close()


def test_from_start_to_stop_everybody_is_told_and_the_session_is_complete(bench: Bench) -> None:
    page = Page(bench.live)
    session = bench.run()
    bench.stop()
    assert page.states() == ["idle", "starting", "waiting-for-camera", "running", "stopping", "idle"]
    last = list(of_kind(page.messages, "state"))[-1]
    assert (last["session"], last["source"], last["reason"]) == (session, "camera 0", None)
    assert last["regions"][0] == "right inner brow"
    record = read_session(bench.data.session(session)).record
    assert (record["state"], record["reason"]) == ("stopped", "stopped in the dashboard")
    assert record["frames"]["read"] <= 5
    assert page.frames


def test_a_second_start_is_refused_in_one_line_and_works_after_a_stop(bench: Bench) -> None:
    first = bench.run()
    with pytest.raises(BadInput, match=f"live: a run is under way \\({first}\\); stop it"):
        bench.live.start(CAMERA)
    bench.stop()
    second = bench.run()
    assert second != first
    assert bench.live.sessions == (first, second)


@pytest.mark.parametrize("source", ["/etc/passwd", "../film.mp4", "file:///etc/passwd", "", "camera x", "7; ls"])
def test_a_page_can_name_cameras_and_streams_and_nothing_else(bench: Bench, source: str) -> None:
    with pytest.raises(BadInput, match="neither a camera nor the address of a stream"):
        bench.live.start(LiveRequest(source=source))
    assert bench.state == "idle"


def test_a_sensitivity_or_checkpoint_that_cannot_be_is_refused_at_once(bench: Bench) -> None:
    with pytest.raises(BadInput, match="sensitivity"):
        bench.live.start(LiveRequest(source="camera 0", sensitivity=40.0))
    with pytest.raises(BadInput, match="there is no such checkpoint"):
        bench.live.start(LiveRequest(source="camera 0", checkpoint="../../secret"))
    assert bench.state == "idle"


def test_no_camera_is_a_failed_run_with_one_line_and_a_new_start_works(bench: Bench) -> None:
    bench.camera.plugged = False
    page = Page(bench.live)
    bench.live.start(CAMERA)
    assert bench.live.wait(60)
    assert bench.state == "failed"
    assert bench.live.status()["reason"] == "camera 0: there is no such camera; plug it in"
    assert page.states()[-1] == "failed"
    bench.camera.plugged = True
    bench.run()
    assert bench.live.status()["reason"] is None


def test_a_fault_of_ours_is_a_failed_run_and_the_dashboard_lives_on(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    session = bench.run()
    bench.camera.breaks = RuntimeError("the driver broke")
    assert bench.live.wait(60)
    assert (bench.state, bench.live.status()["reason"]) == ("failed", "RuntimeError: the driver broke")
    assert "the live run failed" in caplog.text
    assert read_session(bench.data.session(session)).state == "failed"
    bench.camera.breaks = None
    bench.run()


def test_a_camera_that_is_pulled_and_put_back_is_lost_and_back(bench: Bench) -> None:
    page = Page(bench.live)
    session = bench.run()
    bench.camera.plugged = False
    wait_until(lambda: bench.state == "camera-lost")
    assert "no frame for" in str(bench.live.status()["reason"])
    bench.camera.plugged = True
    wait_until(lambda: bench.camera.opened == 2)
    bench.camera.turn(5)
    wait_until(lambda: bench.state == "running")
    bench.stop()
    assert page.states()[2:] == ["waiting-for-camera", "running", "camera-lost", "running", "stopping", "idle"]
    notices = [(message["level"], message["text"]) for message in of_kind(page.messages, "notice")]
    assert [level for level, _ in notices] == ["warning", "info"]
    assert "still waiting" in notices[0][1]
    assert "frames come again" in notices[1][1]
    signals = read_session(bench.data.session(session)).signals()
    gaps_s = signals.time_s[1:] - signals.time_s[:-1]
    assert gaps_s.max() > 0.3
    assert len(bench.live.sessions) == 1


def test_a_stop_while_the_camera_is_away_does_not_wait_for_it(bench: Bench) -> None:
    bench.run()
    bench.camera.plugged = False
    wait_until(lambda: bench.state == "camera-lost")
    bench.stop()
    assert (bench.state, bench.live.status()["reason"]) == ("idle", None)


def test_a_browser_camera_gets_a_ticket_and_nobody_coming_is_no_fault_when_stopped(bench: Bench) -> None:
    start = bench.live.start(LiveRequest(source="browser"))
    assert start.ticket is not None
    assert bench.cameras.source(start.ticket).state == "waiting"
    wait_until(lambda: bench.state == "waiting-for-camera")
    bench.stop()
    assert (bench.state, bench.live.status()["reason"]) == ("idle", None)
    with pytest.raises(BadInput):
        bench.cameras.source(start.ticket)


def test_a_full_disk_is_said_in_one_line_and_what_there_is_stays(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    session = bench.run()

    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SignalsWriter, "append", full)
    bench.camera.turn(3)
    assert bench.live.wait(60)
    assert bench.state == "failed"
    reason = str(bench.live.status()["reason"])
    assert "the disk is full; everything reported so far is kept. Free some space" in reason
    assert "--out" not in reason
    assert "\n" not in reason
    assert read_session(bench.data.session(session)).state == "failed"


def test_recording_can_be_switched_on_and_off_while_running(bench: Bench) -> None:
    with pytest.raises(BadInput, match="nothing is running"):
        bench.live.record(True)
    session = bench.run()
    assert bench.live.status()["recording"] is False
    bench.live.record(True)
    assert bench.live.status()["recording"] is True
    bench.camera.turn(10)
    wait_until(lambda: (bench.data.session(session) / "recording.mp4").exists())
    bench.live.record(False)
    bench.stop()
    with VideoFile(bench.data.session(session) / "recording.mp4") as video:
        frames = sum(1 for _ in video)
    record = read_session(bench.data.session(session)).record
    assert record["recordings"][0]["frames"] == frames > 0
    assert bench.live.status()["recording"] is False


def test_a_page_that_does_not_draw_holds_up_neither_the_run_nor_the_others(bench: Bench) -> None:
    pages = [Page(bench.live), Page(bench.live), Page(bench.live, draws=False)]
    bench.run()

    def both_see_more() -> bool:
        bench.camera.turn(1)
        return min(len(page.frames) for page in pages[:2]) > 25

    wait_until(both_see_more)
    assert len(pages[2].frames) == 2
    bench.stop()
    assert all(page.states()[-1] == "idle" for page in pages)


def test_five_runs_leave_no_thread_no_open_file_and_little_memory(bench: Bench) -> None:
    process = psutil.Process()
    page = Page(bench.live)
    files, memory = 0, 0
    for number in range(5):
        bench.run(LiveRequest(source="camera 0", record=True))
        bench.stop()
        if number == 1:  # what is loaded once is loaded now
            files, memory = process.num_fds(), process.memory_info().rss
        ours = {thread.name for thread in threading.enumerate() if thread.name.startswith("onset-")}
        assert ours == set()
    assert process.num_fds() <= files
    assert process.memory_info().rss - memory < 64 * 2**20
    assert page.states().count("running") == 5


def test_closing_ends_a_run_and_lets_everybody_go(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "data")
    page, program = Page(bench.live), bench.live.listen(lambda: None)
    session = bench.run()
    bench.live.close()
    assert page.viewer is not None
    assert page.viewer.closed == program.closed == "the dashboard is closing"
    assert read_session(bench.data.session(session)).state == "stopped"
    with pytest.raises(BadInput, match="closing"):
        bench.live.start(CAMERA)
    assert bench.live.subscribe(lambda: None).closed == "the dashboard is closing"


def test_events_are_told_as_they_are_on_disk_and_again_to_who_comes_later(tmp_path: Path) -> None:
    scene = close_up(movement((1, 2), start_s=1.3), duration_s=3.4, noise_sd=0.8)
    images = [(time_ns, scene.frame(time_ns / 1e9)) for time_ns in frame_times_ns(3.4, 30.0)]
    clock = UnhurriedClock()
    clock.room.release(len(images))
    data = DataFolder(tmp_path / "data")
    live = LiveRun(
        data,
        SETTINGS,
        BrowserCameras(),
        clock=clock,
        camera=lambda _address, _rate: ScriptedSource(images, live=True, clock=clock, name="camera 0"),
    )
    page, program = Page(live), live.listen(lambda: None)
    session = live.start(CAMERA).session
    assert live.wait(120)
    lines = [json.loads(line) for line in (data.session(session) / "events.jsonl").read_text().splitlines()]
    assert len(lines) == 1
    told = list(of_kind(page.messages, "event"))
    assert [message["event"] for message in told] == lines
    assert told[0]["media"] is None
    assert told[0]["settled_age_ms"] >= lines[0]["latency_ms"]
    media = next(of_kind(page.messages, "media"))
    folder = media["media"].removeprefix(f"/onset/sessions/{session}/files/")
    assert (media["event_id"], folder) == (1, "events/0001/")
    assert (data.session(session) / folder / "apex.png").is_file()
    sent = program.take()
    assert [message["data"] for message in of_kind(sent, "expression")] == lines
    assert [message["id"] for message in of_kind(sent, "expression")] == [f"{session}/1"]
    rejected = [json.loads(line) for line in (data.session(session) / "rejected.jsonl").read_text().splitlines()]
    assert [message["rejected"] for message in of_kind(page.messages, "rejected")] == rejected
    late = Page(live)
    again = list(of_kind(late.messages, "event"))
    assert [(message["event"], message["again"], message["media"]) for message in again] == [
        (lines[0], True, media["media"])
    ]
    live.close()


class Outlet:
    """Stands in for the Lab Streaming Layer."""

    made: list["Outlet"] = []  # noqa: RUF012 - emptied by the test

    def __init__(self, source_id: str, *, clock: Clock) -> None:
        self.source_id, self.clock, self.closed = source_id, clock, False
        self.looks = 0
        self.watcher = Watcher(on_look=self._look)
        Outlet.made.append(self)

    def _look(self, _look: Look) -> None:
        self.looks += 1

    def close(self) -> None:
        self.closed = True


def test_markers_are_sent_where_that_is_asked_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    Outlet.made.clear()
    monkeypatch.setattr("demo.dashboard.live_run.LabStreaming", Outlet)
    bench.run()
    bench.stop()
    assert Outlet.made == []
    bench.run(LiveRequest(source="camera 0", lab_streaming=True))
    assert bench.live.status()["lab_streaming"] is True
    bench.stop()
    (outlet,) = Outlet.made
    assert outlet.source_id == "onset-camera 0"
    assert outlet.looks > 0
    assert outlet.closed
    bench.run(LiveRequest(source="rtsp://someone:secret@camera/live", lab_streaming=True))
    bench.stop()
    assert Outlet.made[-1].source_id == "onset-rtsp://camera/live"


def test_without_the_layer_no_run_begins(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_source_id: str, *, clock: Clock) -> None:
        raise BackendUnavailable(f"Lab Streaming Layer: pylsl cannot be loaded ({type(clock).__name__})")

    monkeypatch.setattr("demo.dashboard.live_run.LabStreaming", missing)
    with pytest.raises(BackendUnavailable):
        bench.live.start(LiveRequest(source="camera 0", lab_streaming=True))
    assert bench.state == "idle"
    bench.run()
