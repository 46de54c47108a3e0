"""Work behind the dashboard: progress, turns, cancelling, faults."""

import threading
from collections.abc import Iterator

import pytest

from demo.dashboard.jobs import REMEMBERED, JobBoard, Progress
from engines.errors import BadInput, OnsetError

PATIENCE_S = 10.0


@pytest.fixture
def board() -> Iterator[JobBoard]:
    """Two jobs at a time; all of them over at the end."""
    opened = JobBoard(at_once=2)
    yield opened
    opened.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("onset-job")]


def _until_told(told: threading.Event, begun: threading.Semaphore) -> object:
    def work(progress: Progress) -> str:
        begun.release()
        while not told.wait(0.01):
            progress.raise_if_cancelled()
        return "done"

    return work


def test_a_job_says_how_far_it_is_and_what_it_gave(board: JobBoard) -> None:
    halfway, onwards = threading.Event(), threading.Event()

    def work(progress: Progress) -> dict[str, int]:
        progress.report(0.5, "5 of 10")
        halfway.set()
        assert onwards.wait(PATIENCE_S)
        return {"frames": 10}

    job = board.start("replay", "clip.mp4", work)
    assert halfway.wait(PATIENCE_S)
    assert (job.state, job.fraction, job.note) == ("running", 0.5, "5 of 10")
    onwards.set()
    board.wait(job.id, PATIENCE_S)
    assert (job.state, job.fraction, job.result) == ("done", 1.0, {"frames": 10})
    assert job.as_record()["title"] == "clip.mp4"


def test_a_third_job_waits_its_turn(board: JobBoard) -> None:
    told, begun = threading.Event(), threading.Semaphore(0)
    jobs = [board.start("build", str(number), _until_told(told, begun)) for number in range(3)]  # type: ignore[arg-type]
    assert begun.acquire(timeout=PATIENCE_S)
    assert begun.acquire(timeout=PATIENCE_S)
    assert not begun.acquire(timeout=0.3)
    assert sorted(job.state for job in jobs) == ["running", "running", "waiting"]
    told.set()
    assert all(board.wait(job.id, PATIENCE_S) is job and job.state == "done" for job in jobs)


def test_running_and_waiting_jobs_can_be_cancelled(board: JobBoard) -> None:
    told, begun = threading.Event(), threading.Semaphore(0)
    jobs = [board.start("build", str(number), _until_told(told, begun)) for number in range(3)]  # type: ignore[arg-type]
    for job in jobs:
        board.cancel(job.id)
    assert [board.wait(job.id, PATIENCE_S) for job in jobs] == jobs
    assert {job.state for job in jobs} == {"cancelled"}


def test_faults_become_one_line(board: JobBoard, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_progress: Progress) -> None:
        raise BadInput("clip.mp4: no frame can be read; convert it")

    def break_down(_progress: Progress) -> None:
        raise ZeroDivisionError("by zero")

    refused, broken = board.start("replay", "a", refuse), board.start("replay", "b", break_down)
    board.wait(refused.id, PATIENCE_S), board.wait(broken.id, PATIENCE_S)
    assert (refused.state, refused.error) == ("failed", "clip.mp4: no frame can be read; convert it")
    assert (broken.state, broken.error) == ("failed", "ZeroDivisionError: by zero")
    assert "b failed" in caplog.text
    caplog.clear()


def test_old_jobs_are_forgotten_and_a_closed_board_takes_none(board: JobBoard) -> None:
    for number in range(REMEMBERED + 5):
        board.wait(board.start("quick", str(number), lambda _progress: None).id, PATIENCE_S)
    board.start("quick", "last", lambda _progress: None)
    assert len(board.all()) == REMEMBERED + 1
    assert board.all()[0].title == "last"
    board.close()
    with pytest.raises(OnsetError, match="closing"):
        board.start("quick", "late", lambda _progress: None)
