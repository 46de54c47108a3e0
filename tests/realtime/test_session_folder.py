"""The session folder: what is in it, when, and that a kill or a full disk costs nothing that was reported."""

import json
import math
import os
import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from engines.errors import BadInput
from realtime.session_folder import SessionStatistics, SessionWriter
from realtime.session_reader import read_session
from realtime.signals import ROWS_PER_BATCH
from tests.realtime.session_fixtures import REGIONS, HandClock, a_rejected, a_sample, an_event

ROOT = Path(__file__).resolve().parents[2]


def a_writer(folder: Path, **changes: Any) -> SessionWriter:
    return SessionWriter(folder, source="clip.mp4", regions=REGIONS, checkpoint="default", **changes)


def add_samples(writer: SessionWriter, first: int, end: int) -> None:
    for index in range(first, end):
        writer.add_sample(a_sample(index), strength=0.0, threshold=0.8)


def session_json(folder: Path) -> dict[str, object]:
    record = json.loads((folder / "session.json").read_text())
    assert isinstance(record, dict)
    return record


def test_a_session_says_recording_at_once_and_complete_at_the_end(tmp_path: Path) -> None:
    writer = a_writer(tmp_path / "a" / "session", backend="onnxruntime")
    folder = writer.folder
    assert session_json(folder)["state"] == "recording"
    writer.add_event(an_event())
    writer.add_event(an_event(3.0, kind="macro", label="surprise"))
    writer.add_rejected(a_rejected())
    writer.finish(
        "complete",
        statistics=SessionStatistics(
            frames_read=400,
            frames_dropped=2,
            frames_with_face=390,
            duration_s=3.99,
            frame_rate_hz=100.0,
            latency_ms={"track": {"p50": 3.0, "p95": 4.0, "p99": 5.0}},
            further={"processing_rate_hz": 212.0},
        ),
    )
    record = session_json(folder)
    assert record["state"] == "complete"
    assert record["source"] == "clip.mp4"
    assert record["frames"] == {"read": 400, "dropped": 2, "with_face": 390}
    assert record["counts"] == {
        "events": 2,
        "micro": 1,
        "macro": 1,
        "rejected": 1,
        "labels": {"positive": 1, "surprise": 1},
    }
    assert record["duration_s"] == 3.99
    assert record["frame_rate_hz"] == 100.0
    assert record["processing_rate_hz"] == 212.0
    assert record["checkpoint"] == "default"
    assert record["backend"] == "onnxruntime"
    assert isinstance(record["versions"], dict)
    assert record["versions"]["numpy"] == np.__version__
    assert isinstance(record["latency_ms"], dict)
    assert record["latency_ms"]["track"]["p95"] == 4.0
    assert set(record["latency_ms"]["event_on_disk"]) == {"p50", "p95", "p99"}
    assert sorted(path.name for path in folder.iterdir()) == [
        "events",
        "events.jsonl",
        "rejected.jsonl",
        "session.json",
        "signals.parquet",
    ]


def test_an_event_is_on_disk_numbered_and_timed_before_it_is_returned(tmp_path: Path) -> None:
    clock = HandClock()
    with a_writer(tmp_path / "s", clock=clock) as writer:
        clock.time_ns = 1_512_000_000
        event = writer.add_event(an_event(1.0))  # settled by the frame captured at 1.5 s
        assert (event.event_id, event.latency_ms) == (1, 12.0)
        (line,) = (tmp_path / "s" / "events.jsonl").read_text().splitlines()
        assert json.loads(line) == event.as_record()
        assert set(json.loads(line)) >= {
            *(
                "event_id",
                "face_id",
                "onset_index",
                "apex_index",
                "offset_index",
                "onset_s",
                "apex_s",
                "offset_s",
            ),
            *("kind", "label", "probabilities", "regions", "strength", "latency_ms", "checkpoint"),
        }
        assert writer.add_event(an_event(4.0)).event_id == 2


def test_every_frame_has_its_row_of_signals(tmp_path: Path) -> None:
    rows = 3 * ROWS_PER_BATCH + 5
    with a_writer(tmp_path / "s") as writer:
        for index in range(rows):
            if index == 7:
                writer.add_empty_frame(index, index * 10_000_000)
            else:
                gates = ("blink", "light") if index == 9 else ()
                writer.add_sample(a_sample(index, gates), strength=index / 100, threshold=0.8)
    signals = read_session(tmp_path / "s").signals()
    assert signals.regions == REGIONS
    np.testing.assert_array_equal(signals.index, np.arange(rows))
    np.testing.assert_allclose(signals.time_s, np.arange(rows) / 100)
    np.testing.assert_array_equal(signals.displacement[20], a_sample(20).displacement)
    assert np.isnan(signals.displacement[7]).all()
    assert signals.face_id[7] == 0
    assert set(signals.face_id) == {0, 1}
    assert signals.gates[7:10] == (("no-face",), (), ("blink", "light"))
    table = pq.read_table(tmp_path / "s" / "signals.parquet")
    assert {"index", "time_s", "face_id", "strength", "threshold", "gates"} <= set(table.column_names)
    assert {"right_lip_corner_x", "right_lip_corner_y"} <= set(table.column_names)


def test_a_session_without_a_single_frame_closes_and_reads(tmp_path: Path) -> None:
    a_writer(tmp_path / "s").finish("complete")
    session = read_session(tmp_path / "s")
    assert session.state == "complete"
    assert (session.events, len(session.signals())) == ((), 0)


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (None, "stopped", None),
        (KeyboardInterrupt(), "stopped", "interrupted"),
        (OSError("gone"), "failed", "OSError: gone"),
    ],
)
def test_leaving_an_unfinished_session_says_how(
    tmp_path: Path, error: BaseException | None, state: str, reason: str | None
) -> None:
    writer = a_writer(tmp_path / "s")
    writer.__exit__(type(error) if error else None, error, None)
    record = session_json(tmp_path / "s")
    assert (record["state"], record["reason"]) == (state, reason)
    writer.finish("complete")  # a second end changes nothing
    assert session_json(tmp_path / "s")["state"] == state


def test_an_existing_session_is_refused_unless_told(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with a_writer(folder) as writer:
        writer.add_event(an_event())
    (folder / "my notes.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"s: holds a session already.*--overwrite"):
        a_writer(folder)
    assert len(read_session(folder).events) == 1
    a_writer(folder, overwrite=True).finish("complete")
    assert read_session(folder).events == ()
    assert (folder / "my notes.txt").read_text() == "mine"


def test_a_folder_of_something_else_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("somebody else's\n")
    (tmp_path / "session.json").write_text('{"state": "complete"}')
    for overwrite in (False, True):
        with pytest.raises(BadInput, match="not empty and not a session folder"):
            a_writer(tmp_path, overwrite=overwrite)
    assert (tmp_path / "events.jsonl").read_text() == "somebody else's\n"


def test_overwriting_does_not_follow_a_link_out_of_the_folder(tmp_path: Path) -> None:
    a_writer(tmp_path / "s").finish("complete")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept")
    (tmp_path / "s" / "events").rmdir()
    (tmp_path / "s" / "events").symlink_to(elsewhere)
    a_writer(tmp_path / "s", overwrite=True).finish("complete")
    assert (elsewhere / "kept").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"file/s: cannot be written as a session folder \(Not a directory\)"):
        a_writer(tmp_path / "file" / "s")
    with pytest.raises(BadInput, match="cannot be written as a session folder"):
        a_writer(tmp_path / "file")
    with pytest.raises(BadInput, match="cannot be written as a session folder"):
        a_writer(Path("/proc/session"))


def test_half_a_last_line_is_left_out_and_said(tmp_path: Path) -> None:
    writer = a_writer(tmp_path / "s")
    writer.add_event(an_event())
    with (tmp_path / "s" / "events.jsonl").open("a") as file:
        file.write('{"event_id": 2, "onset_s": 1')
    session = read_session(tmp_path / "s")
    assert session.state == "interrupted"
    assert [event["event_id"] for event in session.events] == [1]
    assert session.notes == ("events.jsonl: the last line was cut off by a crash and is left out",)
    writer.finish("stopped")


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    with a_writer(tmp_path / "s") as writer:
        writer.add_event(an_event())
    path = tmp_path / "s" / "events.jsonl"
    path.write_text("not json\n" + path.read_text())
    with pytest.raises(BadInput, match=r"events\.jsonl: line 1 is not JSON"):
        read_session(tmp_path / "s")
    with pytest.raises(BadInput, match="expected a session folder"):
        read_session(tmp_path)


def test_kill_9_at_any_moment_keeps_every_reported_event(tmp_path: Path) -> None:
    chance = random.Random(2)
    for attempt in range(4):
        folder = tmp_path / str(attempt)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.realtime.crashing_session", str(folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process.stdout as reports:
            wanted = chance.randint(1, 120)
            reported = [reports.readline().split() for _ in range(wanted)]
            process.kill()
            reported += [line.split() for line in reports.read().splitlines() if len(line.split()) == 2]
        process.wait()
        session = read_session(folder)
        assert session.state == "interrupted"
        on_disk = {(event["event_id"], event["onset_s"]) for event in session.events}
        for event_id, onset_ns in reported:
            assert (int(event_id), int(onset_ns) / 1e9) in on_disk
        signals = session.signals()
        assert len(signals) >= 10 * len(reported) - ROWS_PER_BATCH
        np.testing.assert_array_equal(signals.index, 10 + np.arange(len(signals)))


@contextmanager
def a_disk_that_is_full_at(size: int) -> Iterator[None]:
    """No file may grow past this size: the kernel then fails writes as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_one_line_and_keeps_what_is_there(tmp_path: Path) -> None:
    writer = a_writer(tmp_path / "s")
    first = writer.add_event(an_event())
    size = os.path.getsize(tmp_path / "s" / "events.jsonl")  # noqa: PTH202  # one stat call, no second object
    add_samples(writer, 0, ROWS_PER_BATCH)
    with a_disk_that_is_full_at(size + 100):
        with pytest.raises(BadInput, match=r"s: the disk is full; everything reported so far is kept\. Free some"):
            writer.add_event(an_event(2.0))
        with pytest.raises(BadInput, match="the disk is full"):
            add_samples(writer, ROWS_PER_BATCH, 3 * ROWS_PER_BATCH)
        with pytest.raises(BadInput, match="the disk is full"):
            writer.finish("failed", reason="the disk is full")
    session = read_session(tmp_path / "s")
    assert session.state == "interrupted"
    assert session.events == (first.as_record(),)
    assert session.notes == ()
    np.testing.assert_array_equal(session.signals().index, np.arange(ROWS_PER_BATCH))


def test_room_for_the_short_file_alone_still_says_how_it_ended(tmp_path: Path) -> None:
    writer = a_writer(tmp_path / "s")
    with a_disk_that_is_full_at(6000), pytest.raises(BadInput, match="the disk is full"):
        add_samples(writer, 0, 100 * ROWS_PER_BATCH)
    kept = len(read_session(tmp_path / "s").signals())
    assert kept % ROWS_PER_BATCH == 0
    assert kept > 0
    with a_disk_that_is_full_at(1800), pytest.raises(BadInput, match="the disk is full"):
        writer.finish("failed", reason="the disk is full")
    session = read_session(tmp_path / "s")
    assert (session.state, session.record["reason"]) == ("failed", "the disk is full")
    assert len(session.signals()) == kept


def test_numbers_that_json_does_not_know_become_null(tmp_path: Path) -> None:
    with a_writer(tmp_path / "s", further={"config": {"path": Path("a"), "rate": float("nan")}}) as writer:
        writer.add_event(
            an_event(strength=float(np.float64(1.5)), probabilities={"positive": 0.5, "negative": math.nan})
        )
    assert session_json(tmp_path / "s")["config"] == {"path": "a", "rate": None}
    assert read_session(tmp_path / "s").events[0]["probabilities"] == {"positive": 0.5, "negative": None}
