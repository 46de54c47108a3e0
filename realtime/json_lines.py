"""JSON on disk that a crash cannot spoil: files replaced whole, lines appended whole."""

import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from engines.errors import BadInput

Record = dict[str, Any]


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file so that a reader, or a crash, finds either the old content or the new one, whole."""
    partial = path.with_name(f".{path.name}.tmp")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)


def append_line(file: BinaryIO, record: Mapping[str, Any], *, sync: bool) -> None:
    """Append one JSON line whole to an unbuffered file, or leave the file as it was.

    Args:
        file: open for appending.
        record: the line's content.
        sync: return only when the disk has it.

    Raises:
        OSError: if the disk is full or fails.
    """
    descriptor, line = file.fileno(), as_json(record, indent=None)
    before = os.fstat(descriptor).st_size
    try:
        written = 0
        while written < len(line):
            written += os.write(descriptor, line[written:])
        if sync:
            os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise


def read_lines(path: Path) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Read a file of JSON lines, without the half-written last line that a crash may leave.

    Returns:
        The records, and a note for each thing that was skipped.

    Raises:
        BadInput: if the file cannot be read, or if a line before the last is not a JSON object.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}); expected a file of JSON lines") from error
    *lines, rest = content.split(b"\n")
    records = [_parse(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not rest.strip():
        return tuple(records), ()
    try:
        # A file written by hand may lack the last line break: a whole object still counts.
        return (*records, _parse(path, len(lines) + 1, rest)), ()
    except BadInput:
        return tuple(records), (f"{path.name}: the last line was cut off by a crash and is left out",)


def as_json(record: Mapping[str, Any], *, indent: int | None = 2) -> bytes:
    """A record as JSON text: NumPy numbers and paths made plain, NaN and infinity null."""
    return (json.dumps(_plain(record), indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def without_password(source: str) -> str:
    """A source's name, without the name and password that a stream's address may carry."""
    return re.sub(r"(?<=://)[^/?#\s]*@", "", source)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parse(path: Path, number: int, line: bytes) -> Record:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise BadInput(f"{path}: line {number} is not JSON ({error}); repair or remove that line") from error
    if not isinstance(record, dict):
        raise BadInput(f"{path}: line {number} is not a JSON object; repair or remove that line")
    return record


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
