"""Inference with ONNX Runtime on the CPU."""

from typing import Any, ClassVar

import numpy as np
import onnxruntime

from engines.checkpoint import Checkpoint
from engines.errors import BadCheckpoint, first_line
from engines.sessions.base import InferenceSession

PROVIDERS = ("CPUExecutionProvider",)
"""Named, so that a machine with other providers installed gives the same numbers."""
THREADS = 1
"""The models are small: a second thread costs more in waking than it saves, and capture needs the core."""
SILENT = 4
"""ONNX Runtime's severity of fatal faults; all others come back as exceptions, in one line of ours."""


class OnnxRuntimeSession(InferenceSession):
    """A checkpoint's `model.onnx` in ONNX Runtime.

    Args:
        checkpoint: the model and its card.
        threads: CPU threads that one inference may use.

    Raises:
        BadCheckpoint: if the model cannot be read, or is not what its card says.
    """

    backend: ClassVar[str] = "onnxruntime"

    def __init__(self, checkpoint: Checkpoint, *, threads: int = THREADS) -> None:
        super().__init__(checkpoint)
        self._threads = threads
        self._session: Any = self._opened()
        self._name = self._input_name()
        self._warm_up()

    def _opened(self) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = SILENT
        # Threads that spin while they wait would take the cores from capture and tracking.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(str(self.checkpoint.model_path), options, providers=list(PROVIDERS))
        except Exception as fault:  # ONNX Runtime has a class of its own for each status
            raise self._unfit(f"cannot be run ({first_line(fault)})") from None

    def _input_name(self) -> str:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise self._unfit(f"has {len(inputs)} inputs and {len(outputs)} outputs; it must have one of each")
        kind, shape = inputs[0].type, tuple(inputs[0].shape)
        if kind != "tensor(float)" or shape[1:] != self.checkpoint.card.input_shape:
            raise self._unfit(f"takes {kind} {shape}; its card says {self.input}")
        if isinstance(shape[0], int):
            raise self._unfit(f"is fixed to a batch of {shape[0]}; export it with a free one")
        return str(inputs[0].name)

    def _unfit(self, fault: str) -> BadCheckpoint:
        return BadCheckpoint(f"checkpoint {self.checkpoint.folder}: model.onnx {fault}")

    def _run(self, tensor: np.ndarray) -> np.ndarray:
        result: np.ndarray = self._session.run(None, {self._name: tensor})[0]
        return result

    def _close(self) -> None:
        self._session = None

    def _engine(self) -> str:
        return f"ONNX Runtime {onnxruntime.__version__} on the CPU, {self._threads} thread(s)"
