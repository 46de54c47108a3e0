"""What an array must be before it enters a model, and one clear line where it is not."""

from dataclasses import dataclass

import numpy as np

from engines.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """Name, shape and dtype of an array; `None` in the shape is any length of at least one."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    units: str = ""
    """What one unit of a value is, in words; for people."""
    lowest: float | None = None
    """No value may be smaller."""
    highest: float | None = None
    """No value may be larger."""

    def __str__(self) -> str:
        """As it is written in messages: `x float32 (N, 3, 28, 28)`."""
        return f"{self.name} {self.dtype} {written_shape(self.shape)}"

    def check(self, array: object) -> None:
        """Raise where an array does not fit.

        Args:
            array: what is about to be used as this tensor.

        Raises:
            BadInput: naming the tensor, what it must be and what it is.
        """
        if not isinstance(array, np.ndarray):
            raise BadInput(f"{self.name} must be a NumPy array, not {type(array).__name__}")
        if array.dtype != np.dtype(self.dtype):
            raise BadInput(f"{self.name} must be {self.dtype}, not {array.dtype}: convert with astype({self.dtype!r})")
        if not self._fits(array.shape):
            raise BadInput(f"{self.name} must have shape {written_shape(self.shape)}, not {written_shape(array.shape)}")
        self._check_values(array)

    def _fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == len(self.shape) and all(
            length >= 1 if wanted is None else length == wanted
            for length, wanted in zip(shape, self.shape, strict=True)
        )

    def _check_values(self, array: np.ndarray) -> None:
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise BadInput(f"{self.name} holds values that are not finite (NaN or infinity)")
        if self.lowest is not None and array.min() < self.lowest:
            raise BadInput(f"{self.name} goes down to {array.min():g}; it may not go under {self.lowest:g}")
        if self.highest is not None and array.max() > self.highest:
            raise BadInput(f"{self.name} goes up to {array.max():g}; it may not exceed {self.highest:g}")


def written_shape(shape: tuple[int | None, ...]) -> str:
    """A shape for a message, `N` for any length: `(N, 3, 28, 28)`."""
    lengths = ["N" if length is None else str(length) for length in shape]
    return f"({lengths[0]},)" if len(lengths) == 1 else f"({', '.join(lengths)})"
