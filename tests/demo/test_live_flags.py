"""`onset live --record` and `--lsl`: a video beside the results, and markers for other machines."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import demo.commands.live
from demo.commands.live import Live
from engines.errors import BackendUnavailable
from realtime.events import ExpressionEvent
from realtime.frames import Frame
from realtime.session_reader import read_session
from realtime.sources import ScriptedSource, SourceLost, VideoFile
from realtime.watcher import Watcher
from tests.realtime.filmed_faces import close_up
from tests.synthetic_faces import movement
from trainers.datasets.synthetic_rendering import frame_times_ns


class Outlet:
    """Keeps what would be sent."""

    sent: list[ExpressionEvent]
    source_id = ""
    closed = False

    def __init__(self, source_id: str) -> None:
        Outlet.source_id = source_id
        Outlet.sent = []
        Outlet.closed = False
        self.watcher = Watcher(on_event=Outlet.sent.append)

    def close(self) -> None:
        Outlet.closed = True


@pytest.fixture
def _camera(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = close_up(movement((1, 2), start_s=1.3), duration_s=3.0, noise_sd=0.8)
    images = [(time_ns, scene.frame(time_ns / 1e9)) for time_ns in frame_times_ns(3.0, 20.0)]

    def camera(_address: str, **_wanted: Any) -> ScriptedSource:
        return ScriptedSource(images, live=True, name="camera 0")

    monkeypatch.setattr(demo.commands.live, "open_source", camera)


@pytest.mark.usefixtures("_camera")
def test_frames_are_recorded_and_events_are_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.commands.live, "LabStreaming", Outlet)
    camera = "rtsp://someone:secret@camera/live"
    assert Live(out=tmp_path / "session", camera=camera, record=True, lsl=True, json=True).run() == 0
    assert Outlet.source_id == "onset-rtsp://camera/live"
    session = read_session(tmp_path / "session")
    with VideoFile(tmp_path / "session" / session.record["recording"]) as video:
        frames = sum(1 for _ in video)
    assert frames == session.record["recordings"][0]["frames"] == session.record["frames"]["read"]
    assert [event.event_id for event in Outlet.sent] == [event["event_id"] for event in session.events]
    assert Outlet.closed


@pytest.mark.usefixtures("_camera")
def test_without_the_layer_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_source_id: str) -> None:
        raise BackendUnavailable("Lab Streaming Layer: pylsl cannot be loaded")

    monkeypatch.setattr(demo.commands.live, "LabStreaming", missing)
    with pytest.raises(BackendUnavailable):
        Live(out=tmp_path / "session", lsl=True).run()
    assert not (tmp_path / "session").exists()


class Pulled(ScriptedSource):
    """A camera that is pulled out after its frames, once; the next one ends."""

    times = 0

    def read(self) -> Frame | None:
        frame = super().read()
        if frame is None and Pulled.times == 0:
            Pulled.times += 1
            raise SourceLost("camera 0: gave no frame for 0.5 s; check its cable")
        return frame


def test_a_camera_that_comes_back_goes_on_in_the_same_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blank = [(index * 50_000_000, np.zeros((48, 64, 3), np.uint8)) for index in range(8)]

    def camera(_address: str, **_wanted: Any) -> ScriptedSource:
        return Pulled(blank, live=True, name="camera 0", frame_rate_hz=20.0)

    Pulled.times = 0
    monkeypatch.setattr(demo.commands.live, "open_source", camera)
    assert Live(out=tmp_path / "session", json=True).run() == 0
    session = read_session(tmp_path / "session")
    assert session.state == "complete"
    assert session.record["frames"]["read"] == 16
    assert session.record["frames"]["dropped"] >= 15, "a second without it, at 20 Hz"
    times_s = session.signals().time_s
    assert (times_s[1:] - times_s[:-1]).max() > 1.0
