"""What the workers of the cluster tests do: of a module, so that it can be sent."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numba
import numpy as np
from jaxtyping import Float

from engines.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Job:
    """A number, and data that several jobs share."""

    number: int
    data: Float[np.ndarray, "N"]


def add_up(job: Job) -> tuple[int, Float[np.ndarray, "N"]]:
    """Writes into what it was given, as a job may."""
    job.data[0] += job.number
    return job.number, np.cumsum(job.data * job.number) / 7.0


def scaled(data: Float[np.ndarray, "N"], factor: int) -> float:
    return float((data * factor).sum())


def threads(_job: int) -> tuple[int, int, str | None]:
    return numba.get_num_threads(), cv2.getNumThreads(), os.environ.get("OMP_NUM_THREADS")


def process(_job: int) -> int:
    time.sleep(0.1)
    return os.getpid()


def die_the_first_time(mark: Path) -> str:
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def refuse_the_second(number: int) -> int:
    if number == 1:
        raise BadInput("clip 1: no frame 7; restore it")
    time.sleep(0.05)
    return number


class Unsendable(Exception):
    """Cannot be pickled: it wants two arguments and passes on one."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def fail_unsendably(_job: int) -> None:
    raise Unsendable("a", "b")


def wait_to_be_interrupted(mark: Path) -> None:
    mark.with_suffix(".begun").touch()
    try:
        for _ in range(600):
            time.sleep(0.05)
    except KeyboardInterrupt:
        mark.touch()
        raise
