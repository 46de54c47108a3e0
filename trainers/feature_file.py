"""Feature files: the maps of many clips with their labels, subjects and data sets."""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from engines.errors import BadInput
from trainers.saved_arrays import save_arrays

UNNAMED = "unnamed"
"""Stands for the subject, data set or clip where a file does not say."""
PER_CLIP_NAMES = ("subject", "dataset", "clip")
ITSELF = ""
"""Variant of a row that is the clip itself."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureFile:
    """What a feature file holds, one entry a clip."""

    path: Path
    x: UInt8[np.ndarray, "N H W C"] | Float32[np.ndarray, "N H W C"]
    """Maps as an input recipe makes them."""
    y: Int64[np.ndarray, "N"]
    """Labels: places in `label_names` where that is given."""
    subject: np.ndarray
    """Names; unique only together with the data set."""
    dataset: np.ndarray
    clip: np.ndarray
    label_names: tuple[str, ...] | None
    """None where the file does not name its labels."""
    variant: np.ndarray
    """`ITSELF` for a clip; any other name is a further view of the same clip, such as the frame after its apex, which
    may be trained on where its clip is, and is never scored."""
    recipe: str | None = None
    """Input recipe that made the maps; None where the file does not say."""

    def __len__(self) -> int:
        return len(self.y)

    def arrays(self) -> dict[str, np.ndarray]:
        """What `save_features` writes."""
        named: dict[str, np.ndarray] = {name: getattr(self, name) for name in ("x", "y", *PER_CLIP_NAMES, "variant")}
        if self.label_names is not None:
            named["label_names"] = np.array(self.label_names)
        if self.recipe is not None:
            named["recipe"] = np.array(self.recipe)
        return named


def load_features(path: str | Path) -> FeatureFile:
    """Read a feature file; nothing in it is unpickled.

    Args:
        path: an .npz file with `x` and `y`, and `subject`, `dataset`, `clip` and `label_names` where known.

    Raises:
        BadInput: in one line, naming the file and what is wrong with it.
    """
    file = Path(path)
    arrays = _arrays(file)
    for name in ("x", "y"):
        if name not in arrays:
            raise BadInput(f"feature file {file} has no array {name!r}: it must hold x and y")
    x, y = _maps(file, arrays["x"]), _labels(file, arrays["y"], len(arrays["x"]))
    names = {name: _names(file, name, arrays.get(name), len(y)) for name in PER_CLIP_NAMES}
    return FeatureFile(
        path=file,
        x=x,
        y=y,
        label_names=_label_names(file, arrays.get("label_names"), y),
        variant=_names(file, "variant", arrays.get("variant", np.full(len(y), ITSELF)), len(y)),
        recipe=str(arrays["recipe"]) if "recipe" in arrays else None,
        **names,
    )


def save_features(path: str | Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write a feature file so that it is there whole or not at all.

    Args:
        path: where it goes, ending in .npz; its folders are made.
        arrays: `x`, `y`, and the other fields of `FeatureFile` by their names.

    Returns:
        The path.

    Raises:
        BadInput: if the name does not end in .npz, or the file cannot be written there.
    """
    file = Path(path)
    if file.suffix != ".npz":
        raise BadInput(f"feature file {file}: its name must end in .npz")
    try:
        save_arrays(file, arrays)
    except OSError as fault:
        raise BadInput(f"feature file {file} cannot be written ({fault.strerror}): choose another place") from None
    return file


def _arrays(file: Path) -> Mapping[str, np.ndarray]:
    if not file.is_file():
        raise BadInput(f"feature file {file} is not there: give an .npz file")
    try:
        with file.open("rb") as stream:
            opened = np.load(stream, allow_pickle=False)
            if isinstance(opened, np.lib.npyio.NpzFile):
                return {name: opened[name] for name in opened.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise BadInput(f"feature file {file} cannot be read as .npz without pickled objects: make it again") from None
    raise BadInput(f"feature file {file} holds a single array: give an .npz file with x and y")


def _maps(file: Path, x: np.ndarray) -> np.ndarray:
    if x.ndim != 4 or x.dtype not in (np.dtype(np.uint8), np.dtype(np.float32)) or not x.size:
        raise BadInput(f"feature file {file}: x is {x.dtype} {x.shape}; it must be (N, H, W, C) uint8 or float32")
    if x.dtype == np.float32 and not np.isfinite(x).all():
        raise BadInput(f"feature file {file}: x holds values that are not finite (NaN or infinity)")
    return x


def _labels(file: Path, y: np.ndarray, count: int) -> Int64[np.ndarray, "N"]:
    if y.shape != (count,) or y.dtype.kind not in "iu":
        raise BadInput(f"feature file {file}: y is {y.dtype} of shape {y.shape}; it must be {count} whole numbers")
    if y.min() < 0:
        raise BadInput(f"feature file {file}: y goes down to {y.min()}; labels count from 0")
    return y.astype(np.int64)


def _names(file: Path, name: str, given: np.ndarray | None, count: int) -> np.ndarray:
    if given is None:
        return np.full(count, UNNAMED)
    if given.shape != (count,):
        raise BadInput(f"feature file {file}: {name} has shape {given.shape}; it must name each of {count} clips")
    return given.astype(str)


def _label_names(file: Path, given: np.ndarray | None, y: np.ndarray) -> tuple[str, ...] | None:
    if given is None:
        return None
    names = tuple(str(name) for name in given.ravel())
    if len(set(names)) != len(names) or len(names) <= y.max():
        raise BadInput(f"feature file {file}: label_names must be {y.max() + 1} or more different names, not {names}")
    return names
