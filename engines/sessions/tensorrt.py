"""Inference with TensorRT on an NVIDIA card, from an engine that `onset build` made."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from engines.card_memory import CardMemory, NumbaCardMemory
from engines.checkpoint import Checkpoint
from engines.errors import BackendUnavailable, BadInput, OnsetError, in_one_line
from engines.graphics_card import GraphicsCard, NoCard, find_card
from engines.sessions.base import InferenceSession
from engines.tensorrt.execution import LIVE_BATCHES, Execution
from engines.tensorrt.flavour import Flavour, installed_flavours
from engines.tensorrt.kernel_file import keep_kernels, kernel_file, read_kernels
from engines.tensorrt.key import Precision
from engines.tensorrt.runtime import LoadedEngine
from engines.tensorrt.store import build_command, fitting_engine, read_engine
from engines.tensors import written_shape

WARM_UP_RUNS = 3
"""The first prepares, the second records a CUDA graph, the third starts it."""

_log = logging.getLogger(__name__)


class TensorRtSession(InferenceSession):
    """A checkpoint's engine in TensorRT, on the first card of this machine.

    Args:
        checkpoint: the model and its card; the engine lies beside it.
        precision: the engine to take; by default fp32, and fp16 where there is only that.
        graphs: run live batches as CUDA graphs.
        card: asks for this machine's card.
        flavours: installed flavours of TensorRT; looked up by default.
        memory: opens the card's memory.

    Raises:
        BackendUnavailable: if there is no card, no TensorRT or no engine that fits, or the engine does not run.
        BadCheckpoint: if the engine was altered.
    """

    backend: ClassVar[str] = "tensorrt"

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        precision: Precision | None = None,
        graphs: bool = True,
        card: Callable[[], GraphicsCard | NoCard] = find_card,
        flavours: Sequence[Flavour] | None = None,
        memory: Callable[[], CardMemory] = NumbaCardMemory,
    ) -> None:
        super().__init__(checkpoint)
        self._lock = threading.Lock()
        self._card = _present(card())
        installed = installed_flavours() if flavours is None else flavours
        self._stored = fitting_engine(checkpoint, self._card, installed, precision)
        self._flavour = next(each for each in installed if each.name == self._stored.manifest.key.flavour)
        content = read_engine(self._stored)
        self._kernel_file = kernel_file(self._stored, self._card)
        self._kernels = read_kernels(self._kernel_file, self._stored.manifest.engine_sha256)
        with self.explained("cannot be opened"):
            opened = memory()
            opened.attach()
            self._loaded = LoadedEngine(self._flavour, content, graphs=graphs, kernels=self._kernels)
            self._check_engine()
            self._execution = Execution(self._loaded, opened, graphs=graphs)
        self._warm_up()
        self._keep_kernels()

    def run_on_card(self, tensor: Any, *, stream: Any = None) -> Any:
        """Classify a batch that is on the card; what the model gives stays there.

        The values are not looked at, which would need a way back to the host: they must be finite.

        Args:
            tensor: normalised feature maps (N, C, H, W), float32 and contiguous, as numba-cuda, CuPy, PyTorch and
                others hold them (`__cuda_array_interface__`).
            stream: queue the work on this stream (a handle, or an object with `__cuda_stream__`) and return at once:
                keep the tensor until the stream is past it. Not the default stream, which allows no CUDA graph.
                Without one, the call returns when the outputs are there.

        Returns:
            A float32 numba-cuda array (N, K) on the card, valid until the next run.

        Raises:
            BadInput: if the tensor is not what the card says.
            BackendUnavailable: if the card fails.
            RuntimeError: if the session is closed.
        """
        if self._closed:
            raise RuntimeError(f"the {self.backend} session of {self.checkpoint.name} is closed")
        self._check_on_card(tensor)
        with self._lock, self.explained("failed"):
            return self._execution.run_on_card(tensor, stream=stream)

    def _run(self, tensor: np.ndarray) -> np.ndarray:
        with self._lock, self.explained("failed"):
            return self._execution.run(tensor)

    def _close(self) -> None:
        # A run that another thread is in comes to its end first.
        with self._lock:
            for part in (self._close_execution, self._keep_kernels):
                try:
                    part()
                except BackendUnavailable as fault:
                    # A card that failed fails here once more; the first fault is the one to be told.
                    _log.warning("%s", fault)
            self._loaded.close()

    def _close_execution(self) -> None:
        with self.explained("cannot be closed"):
            self._execution.close()

    def _engine(self) -> str:
        by = "the runtime" if self._loaded.records_graphs else "Onset" if self._execution.graphs else ""
        return ", ".join(
            (
                f"{self._flavour.title} on {self._card.name}",
                self._stored.manifest.key.precision,
                f"batches up to {self._loaded.largest_batch}",
                f"CUDA graphs recorded by {by}" if by else "no CUDA graphs",
            )
        )

    def _warm_up(self) -> None:
        """Run what live use runs until it runs at full speed; a model unlike its card is found now."""
        try:
            for batch in LIVE_BATCHES:
                for _ in range(WARM_UP_RUNS):
                    self.run(np.zeros((batch, *self.checkpoint.card.input_shape), np.float32))
        except BaseException:
            self.close()
            raise

    def _keep_kernels(self) -> None:
        """Write what was compiled on the card since it was last written."""
        with self.explained("cannot keep its kernels"):
            kernels = self._loaded.kernels()
        if kernels and kernels != self._kernels:
            self._kernels = kernels
            keep_kernels(self._kernel_file, kernels, self._stored.manifest.engine_sha256)

    def _check_engine(self) -> None:
        card = self.checkpoint.card
        promised = (card.input_shape, (len(card.classes),))
        found = (self._loaded.input_shape, self._loaded.output_shape)
        if found != promised:
            shapes = [written_shape((None, *shape)) for shape in (*found, *promised)]
            raise BackendUnavailable(
                f"engine {self._stored.path} turns {shapes[0]} into {shapes[1]} where the checkpoint's card says "
                f"{shapes[2]} into {shapes[3]}; run: {build_command(self.checkpoint, '--rebuild')}"
            )

    def _check_on_card(self, tensor: Any) -> None:
        interface = getattr(tensor, "__cuda_array_interface__", None)
        if interface is None:
            raise BadInput(f"{self.input.name} must be an array on the card, not {type(tensor).__name__}")
        shape, kind = tuple(interface["shape"]), np.dtype(interface["typestr"])
        if kind != np.float32:
            raise BadInput(f"{self.input.name} must be float32, not {kind}")
        if len(shape) != len(self.input.shape) or shape[1:] != self.input.shape[1:] or shape[0] < 1:
            raise BadInput(
                f"{self.input.name} must have shape {written_shape(self.input.shape)}, not {written_shape(shape)}"
            )
        if not _contiguous(shape, interface.get("strides"), kind.itemsize):
            raise BadInput(f"{self.input.name} must be contiguous on the card: copy it first")

    @contextmanager
    def explained(self, what: str = "failed") -> Iterator[None]:
        """Turn a fault of the card, its driver, numba-cuda or TensorRT into one line that names the checkpoint.

        All of them have exceptions of their own, none of which a user can do anything with. Whoever gives
        `run_on_card` a stream waits for it inside such a block: that is where a fault of the queued work comes out.

        Args:
            what: what went wrong, in words that follow "backend tensorrt".

        Raises:
            BackendUnavailable: in place of whatever was raised in the block; faults meant for the user pass through.
        """
        try:
            yield
        except OnsetError:
            raise
        except Exception as fault:
            raise BackendUnavailable(
                f"backend tensorrt {what} with checkpoint {self.checkpoint.name} on {self._card.name} "
                f"({in_one_line(fault)}); use onnxruntime, or build the engine again: "
                f"{build_command(self.checkpoint, '--rebuild')}"
            ) from fault


def _present(found: GraphicsCard | NoCard) -> GraphicsCard:
    if isinstance(found, NoCard):
        raise BackendUnavailable(f"backend tensorrt cannot run here: {found.detail}; {found.remedy}")
    return found


def _contiguous(shape: tuple[int, ...], strides: tuple[int, ...] | None, itemsize: int) -> bool:
    """Whether an array lies in memory in the order of its axes without gaps; axes of length one may step anyhow."""
    if strides is None:
        return True
    expected = itemsize
    for length, stride in zip(reversed(shape), reversed(tuple(strides)), strict=True):
        if length > 1 and stride != expected:
            return False
        expected *= length
    return True
