"""What every inference session promises; each engine writes only the part that differs."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float32

from engines.checkpoint import Checkpoint
from engines.errors import BadCheckpoint
from engines.tensors import TensorSpec, written_shape


class InferenceSession(ABC):
    """A loaded model. `run` may be called from one thread at a time; `close` is safe to repeat.

    Args:
        checkpoint: the model and its card.
    """

    backend: ClassVar[str]
    """Name that `open_session` knows the engine by."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.choice = f"{self.backend}: as asked"
        """Which engine was taken and why, in words."""
        self.input = TensorSpec(
            name="model input",
            shape=(None, *checkpoint.card.input_shape),
            dtype=checkpoint.card.input_dtype,
        )
        self._closed = False

    def run(self, tensor: Float32[np.ndarray, "..."]) -> Float32[np.ndarray, "N K"]:
        """Classify a batch.

        Args:
            tensor: normalised feature maps (N, C, H, W), as `engines.inputs.normalise` makes them.

        Returns:
            What the model gives for each of the K classes; the card says whether logits or probabilities.

        Raises:
            BadInput: if the tensor is not what the card says.
            BadCheckpoint: if the model gives something else than one finite number for each class.
            RuntimeError: if the session is closed.
        """
        if self._closed:
            raise RuntimeError(f"the {self.backend} session of {self.checkpoint.name} is closed")
        self.input.check(tensor)
        result = self._run(np.ascontiguousarray(tensor))
        self._check_result(result, len(tensor))
        return result

    def close(self) -> None:
        """Let the engine go."""
        if not self._closed:
            self._closed = True
            self._close()

    def describe(self) -> str:
        """One line for reports: model, engine and why that engine."""
        card = self.checkpoint.card
        return f"{card.model} ({self.checkpoint.name}) {self.input}, {self._engine()}; {self.choice}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _warm_up(self) -> None:
        """Run once on zeros: the first event does not wait, and a model unlike its card is found now."""
        try:
            self.run(np.zeros((2, *self.checkpoint.card.input_shape), np.float32))
        except BaseException:
            self.close()
            raise

    def _check_result(self, result: np.ndarray, batch: int) -> None:
        expected = (batch, len(self.checkpoint.card.classes))
        if result.shape != expected or result.dtype != np.float32:
            raise BadCheckpoint(
                f"checkpoint {self.checkpoint.folder}: the model gives {result.dtype} "
                f"{written_shape(result.shape)} where its card promises float32 {written_shape(expected)}"
            )
        if not np.isfinite(result).all():
            raise BadCheckpoint(f"checkpoint {self.checkpoint.folder}: the model gives values that are not finite")

    @abstractmethod
    def _run(self, tensor: np.ndarray) -> np.ndarray:
        """Feed a checked, contiguous batch; return what comes out."""

    @abstractmethod
    def _close(self) -> None:
        """Free the engine; called once."""

    @abstractmethod
    def _engine(self) -> str:
        """Engine, version and settings in words."""
