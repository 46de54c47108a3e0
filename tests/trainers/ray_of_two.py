"""A Ray of two workers on this machine for a module of tests, and a look that nothing of it is left."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from trainers.cluster import open_workers
from trainers.ray_cluster import ray_is_installed
from trainers.workers import Workers

needs_ray = pytest.mark.skipif(not ray_is_installed(), reason="Ray is not installed; pip install 'onset-live[cluster]'")


def ray_processes() -> set[int]:
    """Processes of a Ray that this one started, and theirs."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            if any(f"{os.sep}ray{os.sep}" in part or part.startswith("ray::") for part in child.cmdline()):
                found.add(child.pid)
        except psutil.Error:  # it has ended meanwhile
            continue
    return found


@contextmanager
def ray_of_two() -> Iterator[Workers]:
    """Two workers; what is started in here through `open_workers` uses the same Ray."""
    with open_workers("auto", 2) as workers:
        yield workers
        started = ray_processes()
        assert started
    deadline = time.monotonic() + 10.0
    while any(psutil.pid_exists(pid) for pid in started) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in started if psutil.pid_exists(pid)]
