"""Weights as a safetensors file: a JSON header and plain numbers, nothing that could run when it is read."""

import json
from collections.abc import Mapping

import numpy as np

DTYPES = {
    "float32": "F32",
    "float64": "F64",
    "float16": "F16",
    "int64": "I64",
    "int32": "I32",
    "uint8": "U8",
    "bool": "BOOL",
}
"""NumPy's names of the number formats, and those of safetensors."""
ALIGNMENT = 8


def safetensors_bytes(weights: Mapping[str, np.ndarray]) -> bytes:
    """Write named arrays in the safetensors format, in the order of their names.

    Args:
        weights: arrays by parameter name.

    Returns:
        The file's content; equal weights give equal bytes.

    Raises:
        ValueError: if an array has a number format that safetensors does not have.

    Reference:
        The format as published with Hugging Face's safetensors: eight bytes of header length (little-endian),
        the header, then the arrays in row-major order.
    """
    header: dict[str, dict[str, object]] = {}
    blocks: list[bytes] = []
    start = 0
    for name in sorted(weights):
        array = np.asarray(weights[name])
        if array.dtype.name not in DTYPES:
            raise ValueError(f"weight {name!r} is {array.dtype}: safetensors cannot hold that")
        blocks.append(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        end = start + len(blocks[-1])
        header[name] = {
            "dtype": DTYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
        start = end
    written = json.dumps(header, separators=(",", ":")).encode()
    written += b" " * (-len(written) % ALIGNMENT)
    return len(written).to_bytes(8, "little") + written + b"".join(blocks)
