"""`signals.parquet`: what the spotter saw, one row a frame, safe against a crash in the middle.

A parquet file is unreadable until its footer is written. While a session runs, rows therefore go in small
batches to `signals.arrows`, an Arrow stream that can be read up to its last whole batch at any time. Closing
turns the stream into `signals.parquet`, batch by batch, and removes it. Memory stays constant in both.
"""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32, Float64, Int64

from engines.errors import BadInput
from realtime.clock import to_seconds

STREAM_NAME = "signals.arrows"
PARQUET_NAME = "signals.parquet"
NO_FACE = 0
"""`face_id` of a row whose frame showed no face; its movement is NaN."""

ROWS_PER_BATCH = 64
"""How many rows a crash may cost: a third of a second at 200 Hz."""
ROWS_PER_GROUP = 16_384


@dataclass(frozen=True, kw_only=True)
class Signals:
    """The rows of one session, column by column, in the order in which they were written."""

    regions: tuple[str, ...]
    index: Int64[np.ndarray, " rows"]
    time_s: Float64[np.ndarray, " rows"]
    face_id: Int64[np.ndarray, " rows"]
    displacement: Float32[np.ndarray, "rows regions 2"]
    """Movement of each region, canthus-normalised pixels; NaN where it cannot be read."""
    strength: Float32[np.ndarray, " rows"]
    threshold: Float32[np.ndarray, " rows"]
    gates: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.index)


def signals_schema(regions: Sequence[str]) -> pa.Schema:
    """Columns of `signals.parquet`; "left lip corner" is `left_lip_corner_x` and `left_lip_corner_y`."""
    names = [region.replace(" ", "_") for region in regions]
    movement = [(f"{name}_{axis}", pa.float32()) for name in names for axis in "xy"]
    return pa.schema(
        [
            ("index", pa.int64()),
            ("time_s", pa.float64()),
            ("face_id", pa.int32()),
            *movement,
            ("strength", pa.float32()),
            ("threshold", pa.float32()),
            ("gates", pa.list_(pa.string())),
        ]
    )


class SignalsWriter:
    """Write the rows of one session; constant memory, at most `ROWS_PER_BATCH` rows lost in a crash."""

    def __init__(self, folder: Path, regions: Sequence[str]) -> None:
        self._folder = folder
        self._regions = tuple(regions)
        self._schema = signals_schema(regions)
        self._rows: list[tuple[int, float, int, float, float, tuple[str, ...]]] = []
        self._movement = np.full((ROWS_PER_BATCH, 2 * len(self._regions)), np.nan, np.float32)
        self._stream = (folder / STREAM_NAME).open("wb")
        self._batches = pa.ipc.new_stream(self._stream, self._schema)
        # The schema is written with the first batch; an empty one makes the file readable from the start.
        self._batches.write_batch(pa.RecordBatch.from_pylist([], self._schema))
        self._stream.flush()
        self._whole_bytes = self._stream.tell()

    def append(
        self,
        *,
        index: int,
        time_ns: int,
        face_id: int,
        displacement: Float32[np.ndarray, "regions 2"] | None,
        strength: float,
        threshold: float,
        gates: Sequence[str],
    ) -> None:
        """Take one row; every `ROWS_PER_BATCH` rows go to the file together.

        Raises:
            OSError: if the disk is full, now or at an earlier row; the batches before stay readable.
        """
        if self._stream.closed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        row = len(self._rows)
        self._movement[row] = np.nan if displacement is None else displacement.reshape(-1)
        self._rows.append((index, to_seconds(time_ns), face_id, strength, threshold, tuple(gates)))
        if len(self._rows) == ROWS_PER_BATCH:
            self._write_batch()

    def close(self) -> None:
        """Write what is left, turn the stream into `signals.parquet` and remove the stream.

        Raises:
            OSError: if the disk has no room for it; the stream then stays and is as good.
        """
        stream, partial = self._folder / STREAM_NAME, self._folder / f".{PARQUET_NAME}.tmp"
        if not self._stream.closed:
            if self._rows:
                self._write_batch()
            self._stream.close()
        try:
            _convert(stream, partial)
            partial.replace(self._folder / PARQUET_NAME)
        finally:
            partial.unlink(missing_ok=True)
        stream.unlink()

    def _write_batch(self) -> None:
        index, time_s, face_id, strength, threshold, gates = zip(*self._rows, strict=True)
        movement = self._movement[: len(self._rows)].T.copy()
        values = [index, time_s, face_id, *movement, strength, threshold, gates]
        arrays = [pa.array(column, field.type) for column, field in zip(values, self._schema, strict=True)]
        self._rows.clear()
        try:
            self._batches.write_batch(pa.record_batch(arrays, schema=self._schema))
            self._stream.flush()
            self._whole_bytes = self._stream.tell()
        except OSError:
            self._cut_back()
            raise

    def _cut_back(self) -> None:
        """Drop the batch that the disk had no room for, so that the stream ends with a whole one."""
        with suppress(OSError):  # closing tries the same write once more
            self._stream.close()
        os.truncate(self._folder / STREAM_NAME, self._whole_bytes)


def read_signals(folder: Path) -> Signals:
    """Read the signals of a session, finished or cut off.

    Raises:
        BadInput: if the folder has neither `signals.parquet` nor a readable `signals.arrows`.
    """
    parquet, stream = folder / PARQUET_NAME, folder / STREAM_NAME
    try:
        if parquet.exists():
            with parquet.open("rb") as file:
                return _from_table(pq.read_table(file))
        with stream.open("rb") as file:
            batches = pa.ipc.open_stream(file)
            return _from_table(pa.Table.from_batches(_whole_batches(batches), batches.schema))
    except (OSError, pa.ArrowException) as error:
        raise BadInput(f"{folder}: no readable {PARQUET_NAME} ({error}); is this a session folder?") from error


def _convert(stream: Path, parquet: Path) -> None:
    """Rewrite an Arrow stream as parquet, in groups of about `ROWS_PER_GROUP` rows held one at a time."""
    with stream.open("rb") as source, parquet.open("wb") as target:
        batches = pa.ipc.open_stream(source)
        with pq.ParquetWriter(target, batches.schema, compression="zstd") as writer:
            group: list[pa.RecordBatch] = []
            for batch in batches:
                group.append(batch)
                if sum(len(part) for part in group) >= ROWS_PER_GROUP:
                    writer.write_table(pa.Table.from_batches(group))
                    group.clear()
            if group:
                writer.write_table(pa.Table.from_batches(group))


def _whole_batches(batches: pa.RecordBatchReader) -> list[pa.RecordBatch]:
    """The batches of a stream up to where a crash cut it."""
    whole = []
    while True:
        try:
            whole.append(batches.read_next_batch())
        except (StopIteration, OSError, pa.ArrowException):
            return whole


def _from_table(table: pa.Table) -> Signals:
    columns = [name for name in table.column_names if name.endswith(("_x", "_y"))]
    movement = np.empty((len(table), len(columns)), np.float32)
    for place, name in enumerate(columns):
        movement[:, place] = table[name].to_numpy()
    return Signals(
        regions=tuple(name.removesuffix("_x").replace("_", " ") for name in columns[::2]),
        index=table["index"].to_numpy().astype(np.int64),
        time_s=table["time_s"].to_numpy().astype(np.float64),
        face_id=table["face_id"].to_numpy().astype(np.int64),
        displacement=movement.reshape(len(table), len(columns) // 2, 2),
        strength=table["strength"].to_numpy().astype(np.float32),
        threshold=table["threshold"].to_numpy().astype(np.float32),
        gates=tuple(tuple(row) for row in table["gates"].to_pylist()),
    )
