"""What one fold of a protocol leaves behind: enough to score it, to draw it, and not to do it again."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from engines.errors import BadInput
from trainers.saved_arrays import save_arrays


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldRecord:
    """One fold under one seed."""

    name: str
    """Of the split: the subject left out ("casme2/sub01"), "fold 3", "casme2 → smic-hs", "held out"."""
    seed: int
    place: int
    """Of the split among the protocol's splits, from 0."""
    train: Int64[np.ndarray, "train"]
    """Rows of the feature file that were trained on, further views included."""
    validation: Int64[np.ndarray, "validation"]
    """Rows that chose the epoch where the protocol has an inner split; empty otherwise."""
    test: Int64[np.ndarray, "test"]
    """Rows that are scored; clips themselves, no further views."""
    probabilities: Float32[np.ndarray, "test K"]
    """Of the test rows, by the weights that the protocol keeps: those of the last epoch, or of the one that the inner
    validation chose. The test rows have no say in it."""
    epoch_predictions: Int64[np.ndarray, "epochs test"]
    """Predicted class of the test rows after every epoch, for learning curves and the leaky score alone."""
    training_losses: Float32[np.ndarray, "trained_epochs"]
    """One an epoch; none of a model that is fitted at once."""
    validation_losses: Float32[np.ndarray, "epochs_or_none"]
    """One an epoch with an inner split, none otherwise."""
    kept_epoch: int
    """Number of the epoch whose weights were kept, from 1."""
    seconds: float
    peak_memory_mib: float
    """Of the process that worked on it, at its end."""

    @property
    def predicted(self) -> Int64[np.ndarray, "test"]:
        """The honest prediction of each test row."""
        place: np.ndarray = self.probabilities.argmax(axis=1).astype(np.int64)
        return place


def fold_path(folder: Path, seed: int, place: int) -> Path:
    """Where a fold's record lies in a run's folder."""
    return folder / "folds" / f"seed{seed}-{place:03d}.npz"


def save_fold(path: Path, record: FoldRecord) -> None:
    """Write a record so that it is there whole or not at all."""
    save_arrays(path, {field.name: np.asarray(getattr(record, field.name)) for field in fields(record)})


def load_fold(path: Path) -> FoldRecord:
    """Read a record back.

    Raises:
        BadInput: if the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            values = {field.name: file[field.name] for field in fields(FoldRecord)}
    except Exception:
        raise BadInput(f"fold record {path} cannot be read: remove it, and the fold is done again") from None
    plain = {name: value.item() if value.ndim == 0 else value for name, value in values.items()}
    return FoldRecord(**plain)
