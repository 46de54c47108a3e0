"""Workers on Ray: the results of local ones, arrays sent once, faults as they were raised, nothing left behind."""

import contextlib
import importlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from engines.errors import BackendUnavailable, BadInput
from tests.trainers import cluster_jobs
from tests.trainers.cluster_jobs import Job
from tests.trainers.ray_of_two import needs_ray, ray_of_two
from trainers import cluster, ray_cluster
from trainers.cluster import RayWorkers, open_workers
from trainers.workers import LocalWorkers, Workers

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def two() -> Iterator[Workers]:
    """A Ray of this machine with two workers, ended after these tests."""
    with ray_of_two() as workers:
        yield workers


def bits(results: Iterator[tuple[int, object]]) -> list[bytes]:
    """Results in the order of their jobs, to the bit."""
    return [pickle.dumps(result) for _, result in sorted(results, key=lambda one: one[0])]


@needs_ray
def test_ray_gives_what_local_workers_give_to_the_bit(two: Workers) -> None:
    data = np.random.default_rng(1).random(100_000)
    jobs = [Job(number=number, data=data) for number in range(4)]
    first = data[0]
    on_ray = sorted(two.run(cluster_jobs.add_up, jobs), key=lambda one: one[0])
    here = sorted(LocalWorkers(2).run(cluster_jobs.add_up, jobs), key=lambda one: one[0])
    assert [place for place, _ in on_ray] == [0, 1, 2, 3]
    for (_, (number, sums)), (_, (expected_number, expected)) in zip(on_ray, here, strict=True):
        assert number == expected_number
        np.testing.assert_array_equal(sums, expected)
        assert sums.flags.writeable
    assert data[0] == first  # each job wrote into a copy of its own
    function = partial(cluster_jobs.scaled, data)
    assert bits(two.run(function, range(5))) == bits(LocalWorkers(1).run(function, range(5)))


@needs_ray
def test_as_many_at_a_time_as_there_are_workers_each_with_one_thread(two: Workers) -> None:
    assert two.count == 2
    assert {result for _, result in two.run(cluster_jobs.threads, range(3))} == {(1, 1, "1")}
    processes = {result for _, result in two.run(cluster_jobs.process, range(6))}
    assert len(processes) == 2
    assert os.getpid() not in processes
    with open_workers("auto", 1) as one:  # the Ray that runs already
        assert one.count == 1
        assert len({result for _, result in one.run(cluster_jobs.process, range(2))}) == 1
    assert two.count == 2  # and goes on running
    assert list(two.run(cluster_jobs.process, [])) == []


@needs_ray
def test_a_fault_of_a_job_arrives_as_it_was_raised(two: Workers) -> None:
    with pytest.raises(BadInput, match="clip 1: no frame 7; restore it") as fault:
        list(two.run(cluster_jobs.refuse_the_second, range(8)))
    assert "refuse_the_second" in fault.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Unsendable: ab"):
        list(two.run(cluster_jobs.fail_unsendably, [0]))


@needs_ray
def test_a_job_whose_worker_is_killed_is_done_again(
    two: Workers, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    marks = [tmp_path / "a", tmp_path / "b"]
    assert sorted(two.run(cluster_jobs.die_the_first_time, marks)) == [(0, "done"), (1, "done")]
    assert all(mark.exists() for mark in marks)
    time.sleep(0.5)  # Ray's own words about it would come in a thread
    assert capfd.readouterr().out == ""


@needs_ray
def test_other_code_in_a_worker_is_refused(two: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "our_version", lambda: "99.0")
    with pytest.raises(BackendUnavailable, match=r"has onset-live .*, this command 99.0; install the same"):
        list(two.run(cluster_jobs.process, [0]))


@needs_ray
def test_jobs_that_are_not_awaited_are_interrupted(two: Workers, tmp_path: Path) -> None:
    marks = [tmp_path / "a", tmp_path / "b"]
    results = two.run(cluster_jobs.wait_to_be_interrupted, marks)

    def interrupt_once_begun() -> None:
        while not all(mark.with_suffix(".begun").exists() for mark in marks):
            time.sleep(0.05)
        signal.raise_signal(signal.SIGINT)

    waiter = threading.Thread(target=interrupt_once_begun)
    waiter.start()
    with pytest.raises(KeyboardInterrupt):
        next(results)
    waiter.join()
    assert all(mark.exists() for mark in marks)
    assert len(list(two.run(cluster_jobs.process, range(2)))) == 2  # the workers are free again


@needs_ray
@pytest.mark.slow
def test_a_cluster_is_joined_at_its_address_and_left_running(two: Workers) -> None:
    address = importlib.import_module("ray").get_runtime_context().gcs_address
    script = (
        "from tests.trainers import cluster_jobs\n"
        "from trainers.cluster import open_workers\n"
        f"with open_workers({address!r}, 1) as workers:\n"
        "    print(workers.count, sorted(workers.run(cluster_jobs.refuse_the_second, [5, 6])))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (run.stdout, run.stderr, run.returncode) == ("1 [(0, 5), (1, 6)]\n", "", 0)
    assert len(list(two.run(cluster_jobs.process, range(2)))) == 2


def test_no_cluster_means_processes_here() -> None:
    with open_workers(None, 3) as workers:
        assert isinstance(workers, LocalWorkers)
        assert workers.count == 3


@pytest.mark.parametrize("address", ["here", "host:", ":6379", "host:port", "host:70000", "ray://host:10001", ""])
def test_what_is_no_address_is_named(address: str) -> None:
    with pytest.raises(BadInput, match='give "auto" or HOST:PORT'):
        RayWorkers(address)


def test_what_is_silent_closed_or_no_ray_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "ANSWER_S", 0.5)
    silent = socket.create_server(("127.0.0.1", 0))
    other = socket.create_server(("127.0.0.1", 0))

    def speak_http() -> None:
        connection, _ = other.accept()
        with connection:
            connection.recv(64)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    speaker = threading.Thread(target=speak_http)
    speaker.start()
    with silent, other:
        closed = socket.create_server(("127.0.0.1", 0))
        ports = [silent.getsockname()[1], other.getsockname()[1], closed.getsockname()[1]]
        closed.close()
        for port in ports:
            assert not ray_cluster.answers("127.0.0.1", port)
    speaker.join()


def test_without_ray_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(BackendUnavailable, match=r"pip install 'onset-live\[cluster\]'"),
        open_workers("auto"),
    ):
        pass


def test_the_front_door_does_not_load_ray() -> None:
    script = "import trainers.cluster, demo.commands.replay, sys; print('ray' in sys.modules, 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


@needs_ray
@pytest.mark.slow
def test_a_dead_address_on_the_command_line_ends_in_one_line(tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    words = ["replay", str(tmp_path), "--out", str(tmp_path / "out"), "--cluster", address]
    run = subprocess.run([sys.executable, "-m", "demo.cli", *words], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.startswith(f"onset: cluster {address}: no Ray answers there within 5 s; start one with")
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
