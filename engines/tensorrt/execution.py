"""Running a loaded engine on arrays of the host or of the card: buffers, streams, graphs, batches of any length."""

import logging
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from engines.card_memory import CardFault, CardMemory, RecordedWork, card_address, stream_handle

LIVE_BATCHES = (1, 2)
"""What live use asks for, an event alone or with its mirror image: these are recorded as CUDA graphs."""
_FLOAT_BYTES = 4

_log = logging.getLogger(__name__)


@runtime_checkable
class Engine(Protocol):
    """What is run: `LoadedEngine`, or a stand-in for it."""

    records_graphs: bool
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    largest_batch: int

    def bind(self, batch: int, source: int, result: int) -> None:
        """Say how many inputs come, where they lie and where the outputs go."""

    def enqueue(self, stream: int) -> None:
        """Queue one inference over what is bound."""


class Execution:
    """Runs an engine; for one thread at a time, which may be another one each time.

    Inputs always go through a buffer of its own on the card: a copy of some kilobytes costs a few microseconds, and
    in exchange the addresses never change, so that a recorded graph stays valid and alignment is never in doubt.

    Args:
        engine: the engine, loaded.
        memory: the card's memory.
        graphs: record live batches as CUDA graphs, where the engine's runtime does not do so itself.

    Raises:
        CardFault: from every method, if the card or TensorRT refuses.
    """

    def __init__(self, engine: Engine, memory: CardMemory, *, graphs: bool = True) -> None:
        self._engine = engine
        self._memory = memory
        self._records = graphs and not engine.records_graphs
        self._stream = memory.new_stream()
        self._own = stream_handle(self._stream)
        self._mark = memory.new_mark()
        self._last = self._own
        self._graphs: dict[int, RecordedWork] = {}
        self._input_bytes = _FLOAT_BYTES * int(np.prod(engine.input_shape))
        self._output_bytes = _FLOAT_BYTES * int(np.prod(engine.output_shape))
        self._capacity = 0
        self._views: dict[int, Any] = {}
        self._card_input: Any = None
        self._card_output: Any = None
        self._whole: Any = None
        """Outputs of a batch that went through in parts."""
        self._grow(min(max(LIVE_BATCHES), engine.largest_batch))

    @property
    def graphs(self) -> tuple[int, ...]:
        """Batches that are run as a graph recorded here: the live one that was run last, or none."""
        return tuple(sorted(self._graphs))

    def run(self, tensor: Float32[np.ndarray, "N ..."]) -> Float32[np.ndarray, "N K"]:
        """Copy a batch to the card, run it, copy the outputs back."""
        self._memory.attach()
        self._follow(self._own)
        self._reserve(len(tensor))
        result = np.empty((len(tensor), *self._engine.output_shape), np.float32)
        for first, count in self._parts(len(tensor)):
            self._staged_input[:count] = tensor[first : first + count]
            self._memory.upload(self._staged_input[:count], self._source, self._own)
            self._execute(count, self._own)
            self._memory.download(self._result, self._staged_output[:count], self._own)
            self._memory.wait(self._own)
            result[first : first + count] = self._staged_output[:count]
        return result

    def run_on_card(self, tensor: Any, *, stream: Any = None) -> Any:
        """Run a batch that is on the card; the outputs stay there.

        Args:
            tensor: float32 (N, *input_shape), contiguous, with `__cuda_array_interface__`.
            stream: queue everything on this stream and return at once; by default wait until the outputs are there.

        Returns:
            A float32 array (N, *output_shape) on the card, valid until the next run.
        """
        self._memory.attach()
        interface = tensor.__cuda_array_interface__
        if stream is None and interface.get("stream") is not None:
            self._memory.wait(int(interface["stream"]))
        handle = self._own if stream is None else stream_handle(stream)
        self._follow(handle)
        given = self._queued(card_address(tensor), interface["shape"][0], handle)
        if stream is None:
            self._memory.wait(handle)
        else:
            self._memory.set_mark(self._mark, handle)
        return given

    def close(self) -> None:
        """Wait for what is running and let everything go."""
        try:
            self._memory.attach()
            self._memory.wait_for(self._mark)
            self._memory.wait(self._own)
            self._forget_graphs()
        finally:
            self._graphs.clear()
            self._views.clear()
            self._card_input = self._card_output = self._whole = self._stream = None

    def _queued(self, source: int, count: int, stream: int) -> Any:
        self._reserve(count)
        if count <= self._engine.largest_batch:
            self._memory.copy(source, self._source, count * self._input_bytes, stream)
            self._execute(count, stream)
            return self._view(count)
        if self._whole is None or self._whole.shape[0] < count:
            self._settle()
            self._whole = self._memory.array((count, *self._engine.output_shape))
        result = card_address(self._whole)
        for first, part in self._parts(count):
            self._memory.copy(source + first * self._input_bytes, self._source, part * self._input_bytes, stream)
            self._execute(part, stream)
            self._memory.copy(self._result, result + first * self._output_bytes, part * self._output_bytes, stream)
        return self._whole[:count]

    def _parts(self, count: int) -> Iterator[tuple[int, int]]:
        """First and length of the batches that the engine can take."""
        largest = self._engine.largest_batch
        for first in range(0, count, largest):
            yield first, min(largest, count - first)

    def _execute(self, batch: int, stream: int) -> None:
        if self._graphs and batch not in self._graphs:
            # A graph replays the context as it was when it was recorded, and another batch changes the context.
            self._memory.wait(stream)
            self._forget_graphs()
        graph = self._graph(batch, stream) if self._records and batch in LIVE_BATCHES else None
        if graph is not None:
            graph.start(stream)
            return
        self._engine.bind(batch, self._source, self._result)
        self._engine.enqueue(stream)

    def _graph(self, batch: int, stream: int) -> RecordedWork | None:
        """The graph of a batch, recorded when it is first asked for; None where recording is refused."""
        if batch not in self._graphs:
            # An engine must not run on two streams at once.
            self._memory.wait(stream)
            # TensorRT puts off some of its preparation to the first run after a change: that must not be recorded.
            self._engine.bind(batch, self._source, self._result)
            self._engine.enqueue(self._own)
            self._memory.wait(self._own)
            try:
                self._graphs[batch] = self._memory.record(lambda: self._engine.enqueue(self._own), self._own)
            except CardFault as fault:
                _log.info("running without CUDA graphs (%s)", fault)
                self._records = False
                return None
        return self._graphs[batch]

    def _follow(self, stream: int) -> None:
        """Wait for what another stream still does with the buffers, before this one gets them."""
        if stream != self._last:
            self._memory.wait_for(self._mark)
            self._last = stream

    def _settle(self) -> None:
        """Wait for all work with the buffers: they are about to go."""
        self._memory.wait_for(self._mark)
        self._memory.wait(self._own)

    def _reserve(self, count: int) -> None:
        """Make the buffers long enough for what goes through them at once, by doubling: few batches make them grow."""
        if min(count, self._engine.largest_batch) > self._capacity:
            self._grow(min(self._engine.largest_batch, 1 << (count - 1).bit_length()))

    def _grow(self, batch: int) -> None:
        if self._capacity:
            self._settle()
        self._forget_graphs()
        self._views.clear()
        self._card_input = self._memory.array((batch, *self._engine.input_shape))
        self._card_output = self._memory.array((batch, *self._engine.output_shape))
        self._staged_input = self._memory.staging((batch, *self._engine.input_shape))
        self._staged_output = self._memory.staging((batch, *self._engine.output_shape))
        self._source, self._result = card_address(self._card_input), card_address(self._card_output)
        self._capacity = batch

    def _forget_graphs(self) -> None:
        while self._graphs:
            self._graphs.popitem()[1].close()

    def _view(self, batch: int) -> Any:
        """The outputs of a batch; slicing on the card is slow enough to be done once."""
        if batch not in self._views:
            self._views[batch] = self._card_output[:batch]
        return self._views[batch]
