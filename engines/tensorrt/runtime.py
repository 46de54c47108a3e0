"""A built engine, loaded by TensorRT and ready to be queued on a stream of the card.

Nothing here runs on a machine without a card; TensorRT says so itself, in a line of its own. What the two flavours do
differently once an engine runs: TensorRT for RTX compiles the engine's kernels on the card when it is opened, keeps
them for the next start, and records CUDA graphs by itself; datacenter TensorRT does neither.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engines.card_memory import CardFault
from engines.tensorrt.flavour import Flavour
from engines.tensorrt.log import HeardLog, listening, shared_log

LONGEST_REASON = 240
"""Characters of TensorRT's own words that go into a message."""
_OWN_PLACES = re.compile(r"\[[\w.:]+\]\s*|In \S+ at \S+:\d+[.)]?\s*")
"""Where in its own source TensorRT found a fault."""


class LoadedEngine:
    """One engine, one execution context, one profile; for one thread at a time.

    The card must be current in the calling thread. Inputs and outputs are float32 and contiguous.

    Args:
        flavour: the TensorRT that the engine was built with.
        content: the engine, checked against its manifest.
        graphs: let the runtime record CUDA graphs by itself, where it can.
        kernels: what `kernels` gave at an earlier time; what does not fit this card is passed over.

    Raises:
        CardFault: if TensorRT refuses the engine, or it is none of ours; in TensorRT's words.
    """

    def __init__(self, flavour: Flavour, content: bytes, *, graphs: bool = True, kernels: bytes = b"") -> None:
        self._module: Any = flavour.module
        self._heard = HeardLog()
        self._config: Any = None
        self._cache: Any = None
        self.records_graphs = False
        """Whether the runtime was told to record CUDA graphs by itself, and took the word."""
        with self._listening():
            self._runtime = self._module.Runtime(shared_log(flavour.module))
            self._engine = self._given(self._runtime.deserialize_cuda_engine(content), "does not load the engine")
            self._find_tensors()
            self._context = self._given(self._new_context(graphs, kernels), "cannot prepare the engine to run")
        self._bound: tuple[int, int, int] | None = None

    def bind(self, batch: int, source: int, result: int) -> None:
        """Say how many inputs come, where they lie and where the outputs go.

        Args:
            batch: from 1 to `largest_batch`.
            source: address of the inputs on the card, aligned to 256 bytes.
            result: address for the outputs, likewise.

        Raises:
            CardFault: if TensorRT refuses.
        """
        if self._bound == (batch, source, result):
            return
        self._bound = None
        with self._listening():
            bound = (
                self._context.set_input_shape(self._input, (batch, *self.input_shape))
                and self._context.set_tensor_address(self._input, source)
                and self._context.set_tensor_address(self._output, result)
            )
        if not bound:
            raise self._fault(f"refuses a batch of {batch}")
        self._bound = (batch, source, result)

    def enqueue(self, stream: int) -> None:
        """Queue one inference over what is bound.

        Raises:
            CardFault: if it cannot be queued.
        """
        with self._listening():
            queued = self._context.execute_async_v3(stream)
        if not queued:
            raise self._fault("cannot run the engine")

    def kernels(self) -> bytes:
        """The kernels that were compiled on this card so far, for the next start; empty where nothing is kept."""
        serialized = None if self._cache is None else self._cache.serialize()
        return b"" if serialized is None else bytes(serialized)

    def close(self) -> None:
        """Let everything go, the last first: TensorRT does not hold on to what its objects use."""
        self._context = self._config = self._cache = self._engine = self._runtime = None

    def __del__(self) -> None:
        # Attributes of an object that is forgotten go in any order, and a cache that goes before its context crashes.
        self.close()

    def _find_tensors(self) -> None:
        engine, input_mode = self._engine, self._module.TensorIOMode.INPUT
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        inputs = [name for name in names if engine.get_tensor_mode(name) == input_mode]
        outputs = [name for name in names if name not in inputs]
        if len(inputs) != 1 or len(outputs) != 1:
            raise CardFault(f"the engine has {len(inputs)} inputs and {len(outputs)} outputs, not one of each")
        self._input, self._output = inputs[0], outputs[0]
        if any(engine.get_tensor_dtype(name) != self._module.DataType.FLOAT for name in names):
            raise CardFault("the engine takes or gives something else than float32")
        self.input_shape: tuple[int, ...] = tuple(engine.get_tensor_shape(self._input))[1:]
        """Of one input."""
        self.output_shape: tuple[int, ...] = tuple(engine.get_tensor_shape(self._output))[1:]
        """Of one output."""
        _, _, largest = engine.get_tensor_profile_shape(self._input, 0)
        self.largest_batch = int(largest[0])

    def _new_context(self, graphs: bool, kernels: bytes) -> Any:
        strategies = getattr(self._module, "CudaGraphStrategy", None)
        if strategies is None:
            return self._engine.create_execution_context()
        config = self._config = self._engine.create_runtime_config()
        # Kernels for a batch size are compiled before it first runs and not behind its back, so that the same input
        # gives the same answer from the first event on.
        config.dynamic_shapes_kernel_specialization_strategy = (
            self._module.DynamicShapesKernelSpecializationStrategy.EAGER
        )
        if graphs:
            config.cuda_graph_strategy = strategies.WHOLE_GRAPH_CAPTURE
            self.records_graphs = config.cuda_graph_strategy == strategies.WHOLE_GRAPH_CAPTURE
        self._cache = config.create_runtime_cache()
        if kernels:
            self._cache.deserialize(kernels)
        config.set_runtime_cache(self._cache)
        return self._engine.create_execution_context(config)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Hear what TensorRT says from here on; what it said before has nothing to do with a fault that comes now."""
        self._heard.errors.clear()
        self._heard.warnings.clear()
        with listening(self._heard):
            yield

    def _given(self, made: Any, what: str) -> Any:
        """TensorRT gives nothing where it fails, and says why in its log."""
        if made is None:
            raise self._fault(what)
        return made

    def _fault(self, what: str) -> CardFault:
        # The first is the cause; what follows tells how it came up through the callers.
        reason = _OWN_PLACES.sub("", self._heard.errors[0]) if self._heard.errors else "it gives no reason"
        return CardFault(f"TensorRT {what}: {reason[:LONGEST_REASON].strip()}")
