"""Arrays on disk that a stop cannot leave half-written."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from realtime.json_lines import write_atomically


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a compressed .npz file so that it is there whole or not at all; its folders are made.

    Args:
        path: of the file.
        arrays: by name.

    Raises:
        OSError: if it cannot be written there; the caller knows what it was.
    """
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, packed.getvalue())
