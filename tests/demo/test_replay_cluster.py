"""`onset replay --cluster`: the sessions of local replays, faults and Ctrl-C as there."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from demo.cli import main
from demo.clustered_replay import ReplayJob, replay_job, replay_on
from demo.recordings import Recording
from realtime.config import Settings
from realtime.session_run import SessionRun
from tests.trainers.ray_of_two import needs_ray, ray_of_two
from trainers.datasets.synthetic_videos import plan_takes, synthesize
from trainers.workers import LocalWorkers, Workers


@pytest.fixture(scope="module")
def two() -> Iterator[Workers]:
    with ray_of_two() as workers:
        yield workers


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short films and a file that is none."""
    folder = tmp_path_factory.mktemp("films")
    synthesize(folder, plan_takes(count=2, frame_rates_hz=(30.0,), duration_s=5.0))
    (folder / "notes.mp4").write_text("these are notes, not a film\n" * 50)
    return folder


def without_times(lines: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in lines.read_text().splitlines()]
    return [{name: value for name, value in record.items() if name != "latency_ms"} for record in records]


def session(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / "session.json").read_text())
    return record


@needs_ray
@pytest.mark.slow
@pytest.mark.usefixtures("two")
def test_the_sessions_are_those_of_a_local_replay(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # workers have another current folder: paths must reach them whole
    said = {}
    for out, cluster in (("here", []), ("there", ["--cluster", "auto"])):
        assert main(["replay", str(films), "--out", out, "--json", *cluster]) == 2  # for the notes
        said[out] = capsys.readouterr()
    names = sorted(folder.name for folder in (tmp_path / "there").iterdir())
    assert names == ["gentle-30hz-01", "gentle-30hz-02"]
    events = 0
    for name in names:
        here, there = tmp_path / "here" / name, tmp_path / "there" / name
        for file in ("events.jsonl", "rejected.jsonl"):
            assert without_times(there / file) == without_times(here / file)
        signals = [pq.read_table(folder / "signals.parquet").to_pydict() for folder in (here, there)]
        assert repr(signals[0]) == repr(signals[1])  # NaN is equal to itself in words
        for field in ("state", "frames", "duration_s", "frame_rate_hz", "counts", "checkpoint"):
            assert session(there)[field] == session(here)[field]
        assert (there / "report.html").is_file()
        events += len(without_times(there / "events.jsonl"))
    assert events > 0
    here, there = (json.loads(said[out].out)["sessions"] for out in ("here", "there"))
    assert [one.get("events") for one in there] == [one.get("events") for one in here]
    assert there[2] == here[2]
    assert said["there"].err.splitlines()[-1] == said["here"].err.splitlines()[-1]
    assert "notes.mp4" in said["there"].err


@needs_ray
def test_words_for_a_person(two: Workers, films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = ReplayJob(
        recording=Recording(address=str(films / "gentle-30hz-01.mp4"), folder=tmp_path / "session"),
        settings=Settings(), checkpoint="default", backend="auto", overwrite=False,
    )  # fmt: skip
    code, [summary] = replay_on(two, [job], quiet=False)
    assert code == 0
    assert (summary["state"], summary["frames"]) == ("complete", 150)
    said = capsys.readouterr().out
    assert said.startswith(f"{tmp_path / 'session'}: complete: ")
    assert said.endswith("(150 frames)\n")
    code, [summary] = replay_on(two, [job], quiet=False)
    assert code == 2
    assert "holds a session already" in summary["error"]
    assert replay_on(two, [replace(job, overwrite=True)], quiet=True)[0] == 0


def test_a_job_that_is_called_off_ends_its_session_cleanly(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ReplayJob(
        recording=Recording(address=str(films / "gentle-30hz-01.mp4"), folder=tmp_path / "session"),
        settings=Settings(), checkpoint="default", backend="auto", overwrite=False,
    )  # fmt: skip
    begin = ReplayJob.session_run

    def interrupted_from_the_start(self: ReplayJob) -> SessionRun:
        run = begin(self)
        run.stop("stopped with Ctrl-C")
        return run

    monkeypatch.setattr(ReplayJob, "session_run", interrupted_from_the_start)
    replayed = replay_job(job)
    assert (replayed.code, replayed.summary["state"]) == (130, "stopped")
    assert session(tmp_path / "session")["reason"] == "stopped with Ctrl-C"


class InterruptedWorkers(LocalWorkers):
    """Ctrl-C comes after the first job."""

    def run(self, function: Any, jobs: Any) -> Iterator[tuple[int, Any]]:
        yield 0, function(jobs[0])
        raise KeyboardInterrupt


def test_ctrl_c_keeps_what_is_done_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [
        ReplayJob(
            recording=Recording(address=str(tmp_path / name), folder=tmp_path / "out"),
            settings=Settings(), checkpoint="default", backend="auto", overwrite=False,
        )
        for name in ("a.mp4", "b.mp4")
    ]  # fmt: skip
    code, summaries = replay_on(InterruptedWorkers(1), jobs, quiet=True)
    assert code == 130
    assert [summary["source"] for summary in summaries] == [str(tmp_path / "a.mp4")]
    assert "1 of 2 recordings done" in capsys.readouterr().err
