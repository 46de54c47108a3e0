"""The whole way of the data, on a synthesised film: live equals replay, faults keep everything, no face is no fault."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.clock import MonotonicClock
from realtime.config import RecordingParameters, Settings
from realtime.events import ExpressionEvent
from realtime.frames import Frame
from realtime.pipeline import FrameCounts, Watcher
from realtime.session_reader import read_session
from realtime.session_run import SessionRun, replay
from realtime.sources import open_source
from realtime.sources.base import Source, SourceLost
from realtime.sources.scripted import ScriptedSource
from tests.videos import write_numbered
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_scenes import SceneParameters
from trainers.datasets.synthetic_videos import Filming, write_video

QUICK = Settings(recording=RecordingParameters(media=False, report=False))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Eight seconds of a face at 60 Hz, with its true expressions."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    scene = Scene.plan(SceneParameters(duration_s=8.0, head_shift_px=1.5, noise_sd=1.0), seed=5)
    return path, write_video(scene, path, Filming(frame_rate_hz=60.0))


@pytest.fixture(scope="module")
def events(film: tuple[Path, list[dict[str, Any]]]) -> list[ExpressionEvent]:
    return [timeless(event) for event in replay(film[0])]


def timeless(event: ExpressionEvent) -> ExpressionEvent:
    """The event without what depends on the wall clock."""
    return replace(event, latency_ms=None, settled_captured_ns=0)


def test_the_true_expressions_are_found_and_labelled(
    film: tuple[Path, list[dict[str, Any]]], events: list[ExpressionEvent]
) -> None:
    truths = [truth for truth in film[1] if truth["kind"] == "micro"]
    found = [
        any(event.onset_ns / 1e9 <= truth["apex_s"] <= event.offset_ns / 1e9 for event in events) for truth in truths
    ]
    assert truths
    assert sum(found) >= 0.8 * len(truths)
    assert all(event.label in event.probabilities for event in events)
    assert all(sum(event.probabilities.values()) == pytest.approx(1.0, abs=1e-4) for event in events)


def test_the_same_file_twice_gives_identical_events(
    film: tuple[Path, list[dict[str, Any]]], events: list[ExpressionEvent]
) -> None:
    assert events
    assert [timeless(event) for event in replay(film[0])] == events


class UnhurriedClock(MonotonicClock):
    """A camera's clock that never runs far ahead of the pipeline, however busy the machine: nothing is dropped."""

    def __init__(self) -> None:
        self.room = threading.Semaphore(100)

    def sleep_until(self, time_ns: int) -> None:
        """Wait until the pipeline has room for the next frame, whatever the time."""
        assert self.room.acquire(timeout=60), time_ns


def test_the_same_frames_through_a_scripted_camera_give_identical_events(
    film: tuple[Path, list[dict[str, Any]]], events: list[ExpressionEvent], tmp_path: Path
) -> None:
    with open_source(str(film[0])) as source:
        images = [(frame.time_ns, frame.image) for frame in source]
    clock = UnhurriedClock()
    camera = ScriptedSource(images, live=True, name="camera", clock=clock)
    run = SessionRun(camera, tmp_path / "session", QUICK)
    lived = [timeless(event) for event in run.run(Watcher(on_frame=lambda _counts, _faces: clock.room.release()))]
    assert run.counts.dropped == 0
    assert lived == events


def test_a_session_holds_what_the_contract_names(film: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    yielded = list(SessionRun(open_source(str(film[0])), tmp_path / "session").run())
    session = read_session(tmp_path / "session")
    assert session.state == "complete"
    assert [event["event_id"] for event in session.events] == [event.event_id for event in yielded]
    record = session.record
    assert record["frames"] == {"read": 480, "dropped": 0, "with_face": 480}
    assert record["frame_rate_hz"] == pytest.approx(60.0, rel=1e-3)
    assert {"track", "align", "movement", "spot", "recognise"} <= set(record["latency_ms"])
    assert record["checkpoint"] == "default"
    assert record["backend"] == "onnxruntime"
    assert record["flow_engine"] in ("cpu", "cuda")
    assert record["sensitivity"] == 5.0
    assert set(record["engines"]) == {"model", "flow", "reading"}
    assert record["engines"]["flow"].startswith(record["flow_engine"])
    for event in yielded:
        folder = session.media(event.event_id)
        assert {path.name for path in folder.iterdir()} == {
            "onset.png", "apex.png", "offset.png", "flow.png", "strain.png", "clip.mp4",
        }  # fmt: skip
    assert (tmp_path / "session" / "report.html").stat().st_size > 10_000
    assert "Flow engine" in (tmp_path / "session" / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "session" / "signals.parquet").is_file()
    for line in (tmp_path / "session" / "events.jsonl").read_text().splitlines():
        assert json.loads(line)["latency_ms"] > 0


def test_a_video_without_a_face_ends_well_and_empty(tmp_path: Path) -> None:
    write_numbered(tmp_path / "numbers.mp4", 30)
    run = SessionRun(open_source(str(tmp_path / "numbers.mp4")), tmp_path / "session")
    assert list(run.run()) == []
    assert run.state == "complete"
    assert run.counts.with_face == 0
    assert (tmp_path / "session" / "report.html").is_file()


class CutOff(Source):
    """A live stream that goes away after some frames."""

    live = True
    name = "cut-off"

    def __init__(self, images: list[np.ndarray], fault: Exception) -> None:
        self._images: Iterator[tuple[int, np.ndarray]] = iter(enumerate(images))
        self._fault = fault

    @property
    def description(self) -> dict[str, Any]:
        return {"kind": "cut-off"}

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def read(self) -> Frame | None:
        following = next(self._images, None)
        if following is None:
            raise self._fault
        index, image = following
        return Frame(index=index, time_ns=index * 33_000_000, captured_ns=index, image=image)


def test_a_stream_that_is_cut_off_ends_in_stopped_with_everything_kept(
    film: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    with open_source(str(film[0])) as source:
        images = [frame.image for frame in source][:150]
    notices: list[str] = []
    run = SessionRun(CutOff(images, SourceLost("cut-off: the stream ended after 5 s")), tmp_path / "session", QUICK)
    list(run.run(Watcher(on_notice=notices.append)))
    session = read_session(tmp_path / "session")
    assert session.state == "stopped"
    assert "the stream ended" in session.record["reason"]
    assert session.record["frames"]["read"] == 150
    assert notices == ["cut-off: the stream ended after 5 s"]


def test_a_fault_of_a_source_reaches_the_caller_and_the_session_says_failed(tmp_path: Path) -> None:
    images = [np.zeros((96, 128, 3), np.uint8)] * 5
    run = SessionRun(CutOff(images, RuntimeError("the driver broke")), tmp_path / "session", QUICK)
    with pytest.raises(RuntimeError, match="the driver broke"):
        list(run.run())
    session = read_session(tmp_path / "session")
    assert session.state == "failed"
    assert "the driver broke" in session.record["reason"]
    assert session.record["frames"]["read"] == 5


def test_a_stop_settles_and_keeps_what_was_seen(film: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    run = SessionRun(open_source(str(film[0])), tmp_path / "session", QUICK)

    def stop_at_200(counts: FrameCounts, _faces: int) -> None:
        if counts.read == 200:
            run.stop("enough")

    events = list(run.run(Watcher(on_frame=stop_at_200)))
    session = read_session(tmp_path / "session")
    assert session.state == "stopped"
    assert session.record["reason"] == "enough"
    assert session.record["frames"]["read"] == 200
    assert len(session.events) == len(events)
