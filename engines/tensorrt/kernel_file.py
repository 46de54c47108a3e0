"""Kernels that TensorRT for RTX compiled on a card, kept beside the engine so that the next start is quick.

The file is only ever a help: one that is missing, torn or for another card costs a few seconds of compiling, no more.
"""

import hashlib
import logging
import os
import re
from pathlib import Path

from engines.graphics_card import GraphicsCard
from engines.tensorrt.store import StoredEngine

KERNELS_SUFFIX = ".kernels"
_DIGEST_BYTES = hashlib.sha256().digest_size

_log = logging.getLogger(__name__)


def kernel_file(stored: StoredEngine, card: GraphicsCard) -> Path:
    """Where the kernels of an engine for a card lie: `NAME.nvidia-geforce-rtx-4070.kernels`."""
    written = re.sub(r"[^a-z0-9]+", "-", card.name.lower()).strip("-")
    return stored.path.with_name(f"{stored.name}.{written}{KERNELS_SUFFIX}")


def read_kernels(path: Path, engine_sha256: str) -> bytes:
    """Kernels that were kept for an engine; empty where there are none, or none that are whole.

    Args:
        path: as `kernel_file` names it.
        engine_sha256: of the engine that they must have been compiled for.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return b""
    digest, kernels = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if digest != _digest(kernels, engine_sha256):
        _log.info("compiled kernels in %s are torn or of another engine: compiling again", path)
        return b""
    return kernels


def keep_kernels(path: Path, kernels: bytes, engine_sha256: str) -> None:
    """Keep kernels for the next start, whole or not at all; a folder that cannot be written to keeps none."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        staged.write_bytes(_digest(kernels, engine_sha256) + kernels)
        staged.replace(path)
    except OSError as fault:
        _log.info("compiled kernels are not kept in %s (%s)", path, fault.strerror)


def _digest(kernels: bytes, engine_sha256: str) -> bytes:
    """Binds the kernels to their engine, and tells a torn file."""
    return hashlib.sha256(engine_sha256.encode() + kernels).digest()
