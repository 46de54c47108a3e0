"""Workers on this machine: the same results however many, faults as raised, nobody left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from engines.errors import BadInput
from trainers.workers import LocalWorkers

_ROOT = Path(__file__).resolve().parents[2]


def squared(number: int) -> int:
    """A quick job; refuses 13."""
    if number == 13:
        raise BadInput("13: give another number")
    return number * number


def sign_in(folder: Path) -> None:
    """A job that leaves its process's number in a folder and then takes longer than any test."""
    (folder / str(os.getpid())).touch()
    time.sleep(300)


def test_two_workers_give_what_one_gives_and_raise_what_a_job_raised() -> None:
    jobs = [3, 1, 2, 5]
    alone = dict(LocalWorkers(1).run(squared, jobs))
    assert alone == {0: 9, 1: 1, 2: 4, 3: 25}
    assert dict(LocalWorkers(2).run(squared, jobs)) == alone
    for count in (1, 2):
        with pytest.raises(BadInput, match="13: give another number"):
            list(LocalWorkers(count).run(squared, [13, 2]))


def test_workers_end_with_a_caller_that_was_killed(tmp_path: Path) -> None:
    with _caller_of_two(tmp_path) as caller:
        caller.kill()
        caller.wait()
    _all_gone(tmp_path)


def test_ctrl_c_does_not_wait_for_what_is_being_worked_on(tmp_path: Path) -> None:
    with _caller_of_two(tmp_path) as caller:
        caller.send_signal(signal.SIGINT)
        assert caller.wait(timeout=60) == 130
    _all_gone(tmp_path)


@contextmanager
def _caller_of_two(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose two workers have signed in."""
    script = (
        "import signal, sys; from pathlib import Path\n"
        "from tests.trainers.test_workers import sign_in\n"
        "from trainers.workers import LocalWorkers\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it\n"
        "try:\n"
        "    list(LocalWorkers(2).run(sign_in, [Path(sys.argv[1])] * 4))\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    caller = subprocess.Popen([sys.executable, "-c", script, str(folder)], cwd=_ROOT)
    try:
        while caller.poll() is None and len(list(folder.iterdir())) < 2:
            time.sleep(0.01)
        yield caller
    finally:
        caller.kill()
        caller.wait()


def _all_gone(folder: Path) -> None:
    workers = [int(file.name) for file in folder.iterdir()]
    assert len(workers) == 2
    patience_s = 30.0
    while any(map(_runs, workers)) and patience_s > 0:
        time.sleep(0.05)
        patience_s -= 0.05
    assert not any(map(_runs, workers))


def _runs(number: int) -> bool:
    try:
        status: str = psutil.Process(number).status()
    except psutil.NoSuchProcess:
        return False
    return bool(status != psutil.STATUS_ZOMBIE)
