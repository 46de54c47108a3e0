import threading

import pytest

from realtime.worker import Worker


def test_jobs_are_done_in_order_and_close_waits_for_all() -> None:
    done: list[int] = []
    worker = Worker("test", done.append)
    for job in range(50):
        worker.submit(job)
    worker.close()
    assert done == list(range(50))


def test_a_fault_reaches_the_caller_and_ends_the_work() -> None:
    done: list[int] = []

    def work(job: int) -> None:
        if job == 1:
            raise ValueError("job 1 is broken")
        done.append(job)

    worker = Worker("test", work)
    worker.submit(0)
    worker.submit(1)
    worker.wait_below(1)
    with pytest.raises(ValueError, match="job 1 is broken"):
        worker.submit(2)
    with pytest.raises(ValueError, match="job 1 is broken"):
        worker.close()
    assert done == [0]


def test_wait_below_holds_the_caller_until_the_queue_is_short() -> None:
    gate = threading.Event()
    done: list[int] = []

    def work(job: int) -> None:
        gate.wait(5)
        done.append(job)

    worker = Worker("test", work)
    for job in range(3):
        worker.submit(job)
    threading.Timer(0.05, gate.set).start()
    worker.wait_below(2)
    assert len(done) >= 2
    worker.close()
