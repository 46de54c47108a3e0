"""The signals of a session piece by piece, in constant memory: finished, cut off, or still being written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engines.errors import BadInput
from realtime.signals import PARQUET_NAME, ROWS_PER_GROUP, STREAM_NAME


@dataclass(frozen=True, kw_only=True)
class SignalBatches:
    """Rows of `signals.parquet`, or of the stream that it is made from, as they lie on disk."""

    schema: pa.Schema
    rows: int | None
    """How many there are; None while the run goes on or after it was cut off."""
    batches: Iterator[pa.RecordBatch]


@contextmanager
def open_signals(folder: Path, columns: Sequence[str] | None = None) -> Iterator[SignalBatches]:
    """The signals of a session folder.

    Args:
        folder: of the session.
        columns: which to read; all by default.

    Yields:
        The batches; read them before the context ends.

    Raises:
        BadInput: if the folder has neither `signals.parquet` nor a readable stream.
    """
    wanted = None if columns is None else list(columns)
    try:
        if (folder / PARQUET_NAME).exists():
            with pq.ParquetFile(folder / PARQUET_NAME) as file:
                schema = file.schema_arrow if wanted is None else _part(file.schema_arrow, wanted)
                batches = file.iter_batches(ROWS_PER_GROUP, columns=wanted)
                yield SignalBatches(schema=schema, rows=file.metadata.num_rows, batches=batches)
        else:
            with (folder / STREAM_NAME).open("rb") as source:
                stream = pa.ipc.open_stream(source)
                schema = stream.schema if wanted is None else _part(stream.schema, wanted)
                yield SignalBatches(schema=schema, rows=None, batches=_whole(stream, wanted))
    except (OSError, pa.ArrowException) as fault:
        raise BadInput(
            f"{folder.name}: its signals cannot be read ({fault}); the events are in events.jsonl"
        ) from fault


def _part(schema: pa.Schema, columns: list[str]) -> pa.Schema:
    return pa.schema([schema.field(name) for name in columns])


def _whole(stream: pa.RecordBatchReader, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    """The batches up to where the run has come, or where a crash cut them."""
    while True:
        try:
            batch = stream.read_next_batch()
        except (StopIteration, OSError, pa.ArrowException):
            return
        yield batch if columns is None else batch.select(columns)
