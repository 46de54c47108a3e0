"""Memory, streams and recorded work of the card, as inference needs them.

Arrays and streams are numba-cuda's, so that kernels take them as they are; copies and graphs go to the driver by
address, which costs a microsecond where a wrapped copy costs ten. One thread at a time.
"""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from engines.errors import BackendUnavailable

Shape = tuple[int, ...]


class CardFault(Exception):
    """The card or its driver refused; the message names the call and the driver's word for the fault."""


@runtime_checkable
class RecordedWork(Protocol):
    """Work that was recorded once and is started as a whole: a CUDA graph."""

    def start(self, stream: int) -> None:
        """Start it on a stream."""

    def close(self) -> None:
        """Let it go; nothing of it may still be running."""


@runtime_checkable
class CardMemory(Protocol):
    """What a session asks of the card's memory. Streams are handles, as `stream_handle` gives them."""

    def attach(self) -> None:
        """Make the card current in the calling thread."""

    def array(self, shape: Shape) -> Any:
        """A float32 array on the card, contiguous and not initialised, that can be sliced by its first axis."""

    def staging(self, shape: Shape) -> np.ndarray:
        """A float32 array on the host that copies to and from the card without a detour: page-locked."""

    def new_stream(self) -> Any:
        """A stream of its own, for `stream_handle`; lives as long as the object."""

    def upload(self, host: np.ndarray, address: int, stream: int) -> None:
        """Queue a copy of a contiguous staging array to the card."""

    def download(self, address: int, host: np.ndarray, stream: int) -> None:
        """Queue a copy from the card that fills a contiguous staging array."""

    def copy(self, source: int, destination: int, size: int, stream: int) -> None:
        """Queue a copy of so many bytes from one address on the card to another."""

    def wait(self, stream: int) -> None:
        """Wait for everything that was queued on a stream."""

    def new_mark(self) -> Any:
        """Something to mark a place in a stream with."""

    def set_mark(self, mark: Any, stream: int) -> None:
        """Mark the place after everything that was queued on a stream so far."""

    def wait_for(self, mark: Any) -> None:
        """Wait until the work before a mark is done; at once where it was never set."""

    def record(self, work: Callable[[], None], stream: int) -> RecordedWork:
        """Record what `work` queues on a stream, without running it."""


def card_address(array: Any) -> int:
    """Where an array lies on the card."""
    address: int = array.__cuda_array_interface__["data"][0]
    return address


def stream_handle(stream: Any) -> int:
    """The driver's handle of a stream of any library.

    Args:
        stream: a handle already, or an object with `__cuda_stream__`, as numba-cuda's and cuda.core's have.

    Raises:
        TypeError: if it is neither.
    """
    if isinstance(stream, int):
        return stream
    protocol = getattr(stream, "__cuda_stream__", None)
    if protocol is None:
        raise TypeError(f"a CUDA stream is needed, not {type(stream).__name__}")
    return int(protocol()[1])


class NumbaCardMemory:
    """`CardMemory` on the first card of this machine.

    Args:
        driver: the driver's calls, as `cuda.bindings.driver` has them, which is the default.

    Raises:
        BackendUnavailable: if numba-cuda is not installed.
    """

    def __init__(self, driver: Any = None) -> None:
        # Loaded only when used: the base install has neither.
        try:
            from cuda.bindings import driver as installed
            from numba import cuda
        except ImportError as fault:
            raise BackendUnavailable(f"{fault}: pip install 'onset-live[cuda]'") from None
        self._cuda: Any = cuda
        self._driver: Any = installed if driver is None else driver

    def attach(self) -> None:
        """Make the card current in the calling thread."""
        self._cuda.current_context()

    def array(self, shape: Shape) -> Any:
        """A float32 array on the card; the driver aligns it to 256 bytes, which TensorRT asks for."""
        return self._cuda.device_array(shape, np.float32)

    def staging(self, shape: Shape) -> np.ndarray:
        """A page-locked float32 array on the host."""
        pinned: np.ndarray = self._cuda.pinned_array(shape, np.float32)
        return pinned

    def new_stream(self) -> Any:
        """A numba-cuda stream."""
        return self._cuda.stream()

    def upload(self, host: np.ndarray, address: int, stream: int) -> None:
        """Queue a copy to the card."""
        self._ask("cuMemcpyHtoDAsync", address, host.ctypes.data, host.nbytes, stream)

    def download(self, address: int, host: np.ndarray, stream: int) -> None:
        """Queue a copy from the card."""
        self._ask("cuMemcpyDtoHAsync", host.ctypes.data, address, host.nbytes, stream)

    def copy(self, source: int, destination: int, size: int, stream: int) -> None:
        """Queue a copy on the card."""
        self._ask("cuMemcpyDtoDAsync", destination, source, size, stream)

    def wait(self, stream: int) -> None:
        """Wait for a stream; a fault of the work that was queued comes out here."""
        self._ask("cuStreamSynchronize", stream)

    def new_mark(self) -> Any:
        """A numba-cuda event without a clock, freed with the object."""
        return self._cuda.event(timing=False)

    def set_mark(self, mark: Any, stream: int) -> None:
        """Record the event."""
        self._ask("cuEventRecord", int(mark.handle), stream)

    def wait_for(self, mark: Any) -> None:
        """Wait for the event."""
        self._ask("cuEventSynchronize", int(mark.handle))

    def record(self, work: Callable[[], None], stream: int) -> RecordedWork:
        """Record a CUDA graph; the stream must not be the default one."""
        # Only this thread is held to what may be recorded: others go on allocating.
        mode = self._driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        # Memory that the collector frees meanwhile would end the recording.
        with self._cuda.defer_cleanup():
            self._ask("cuStreamBeginCapture", stream, mode)
            try:
                work()
            except BaseException:
                # The stream is of no use until its recording has been ended, however that goes.
                _, half = self._driver.cuStreamEndCapture(stream)
                if int(half or 0):
                    self._driver.cuGraphDestroy(half)
                raise
            graph = self._ask("cuStreamEndCapture", stream)
        try:
            return _Graph(self._ask, self._ask("cuGraphInstantiate", graph, 0))
        finally:
            self._driver.cuGraphDestroy(graph)

    def _ask(self, call: str, *arguments: Any) -> Any:
        status, *values = getattr(self._driver, call)(*arguments)
        if int(status):
            raise CardFault(f"{call} gives {status.name}")
        return values[0] if values else None


class _Graph:
    """A CUDA graph that is ready to run."""

    def __init__(self, ask: Callable[..., Any], executable: Any) -> None:
        self._ask = ask
        self._executable = executable

    def start(self, stream: int) -> None:
        self._ask("cuGraphLaunch", self._executable, stream)

    def close(self) -> None:
        self._ask("cuGraphExecDestroy", self._executable)
