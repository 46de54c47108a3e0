"""A card made of the host's memory that is as late as it may be: nothing runs before it is waited for.

What a real card only sometimes does, this one always does: work that nobody waits for is not done, staging that is
written to too early is copied as it then is, memory that was let go is gone, and what is recorded does not run.
"""

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from engines.card_memory import CardFault

Job = Callable[[], None]
ALIGNMENT = 256


class StandInArray:
    """Float32 on the "card": only its address is of use to anyone."""

    def __init__(self, content: np.ndarray, owner: Any, **interface: Any) -> None:
        self._content = content
        self._owner = owner
        self.shape = content.shape
        self.__cuda_array_interface__ = {
            "shape": content.shape,
            "typestr": content.dtype.str,
            "data": (content.ctypes.data, False),
            "strides": None if content.flags.c_contiguous else content.strides,
            "version": 3,
            **interface,
        }

    def __getitem__(self, part: slice) -> "StandInArray":
        return StandInArray(self._content[part], self._owner)

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise AssertionError("the host looks at memory of the card")


class Allocation:
    """Memory, alive as long as an array of it."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        count = int(np.prod(shape))
        raw = np.full(count + ALIGNMENT // 4, np.nan, np.float32)
        shift = (-raw.ctypes.data % ALIGNMENT) // 4
        self.content = raw[shift : shift + count].reshape(shape)


class StandInStream:
    """Work in the order of its coming."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.jobs: list[Job] = []

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.number


class StandInGraph:
    """Recorded work."""

    def __init__(self, card: "StandInCard", jobs: list[Job]) -> None:
        self._card = card
        self._jobs = jobs
        self.starts = 0
        self.closed = False

    def start(self, stream: int) -> None:
        assert not self.closed
        self.starts += 1
        for job in self._jobs:
            self._card.queue(stream, job)

    def close(self) -> None:
        assert not self.closed
        self.closed = True


class StandInCard:
    """`CardMemory` on the host."""

    def __init__(self, *, records: bool = True) -> None:
        self._records = records
        self._streams: dict[int, StandInStream] = {}
        self._live: weakref.WeakSet[Allocation] = weakref.WeakSet()
        self._recording: list[Job] | None = None
        self.graphs: list[StandInGraph] = []
        self.broken = False
        """Set it, and every call fails as after an illegal access."""
        self.attached = 0

    def attach(self) -> None:
        self.attached += 1

    def array(self, shape: tuple[int, ...]) -> StandInArray:
        allocation = Allocation(shape)
        self._live.add(allocation)
        return StandInArray(allocation.content, allocation)

    def holding(self, content: np.ndarray, **interface: Any) -> StandInArray:
        """An array of the caller's on the card."""
        allocation = Allocation(content.shape)
        allocation.content[...] = content
        self._live.add(allocation)
        return StandInArray(allocation.content, allocation, **interface)

    def staging(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, np.nan, np.float32)

    def new_stream(self) -> StandInStream:
        stream = StandInStream(1000 + len(self._streams))
        self._streams[stream.number] = stream
        return stream

    def upload(self, host: np.ndarray, address: int, stream: int) -> None:
        assert host.flags.c_contiguous
        self.queue(stream, lambda: self._write(address, host))

    def download(self, address: int, host: np.ndarray, stream: int) -> None:
        assert host.flags.c_contiguous
        self.queue(stream, lambda: np.copyto(host, self.read(address, host.size).reshape(host.shape)))

    def copy(self, source: int, destination: int, size: int, stream: int) -> None:
        self.queue(stream, lambda: self._write(destination, self.read(source, size // 4)))

    def wait(self, stream: int) -> None:
        self._check()
        assert self._recording is None, "waiting is not allowed while work is recorded"
        self._run(stream, len(self._streams[stream].jobs))

    def new_mark(self) -> dict[str, int]:
        return {}

    def set_mark(self, mark: dict[str, int], stream: int) -> None:
        mark["stream"], mark["jobs"] = stream, len(self._streams[stream].jobs)

    def wait_for(self, mark: dict[str, int]) -> None:
        self._check()
        if mark:
            self._run(mark["stream"], min(mark["jobs"], len(self._streams[mark["stream"]].jobs)))
            mark.clear()

    def record(self, work: Job, stream: int) -> StandInGraph:
        assert not self._streams[stream].jobs, "work is recorded on a stream that is not at rest"
        if not self._records:
            raise CardFault("cuStreamBeginCapture gives CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED")
        self._recording = []
        try:
            work()
            self.graphs.append(StandInGraph(self, self._recording))
        finally:
            self._recording = None
        return self.graphs[-1]

    def queue(self, stream: int, job: Job) -> None:
        """Work that a library queues."""
        self._check()
        if self._recording is not None:
            self._recording.append(job)
        else:
            self._streams[stream].jobs.append(job)

    def read(self, address: int, count: int) -> np.ndarray:
        """A copy of what lies at an address."""
        return self._place(address, count).copy()

    def _write(self, address: int, content: np.ndarray) -> None:
        self._place(address, content.size)[...] = content.ravel()

    def _place(self, address: int, count: int) -> np.ndarray:
        for allocation in self._live:
            first = address - allocation.content.ctypes.data
            if first >= 0 and first + 4 * count <= allocation.content.nbytes:
                return allocation.content.reshape(-1)[first // 4 : first // 4 + count]
        raise AssertionError(f"{count} numbers at {address:#x} are not memory of the card")

    def write(self, address: int, content: np.ndarray) -> None:
        """What a kernel writes."""
        self._write(address, content)

    def _run(self, stream: int, count: int) -> None:
        jobs = self._streams[stream].jobs
        for _ in range(count):
            jobs.pop(0)()

    def _check(self) -> None:
        if self.broken:
            raise CardFault("cuStreamSynchronize gives CUDA_ERROR_ILLEGAL_ADDRESS")
