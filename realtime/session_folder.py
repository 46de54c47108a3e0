"""What a run leaves on disk: a crash at any moment costs nothing that was already reported."""

import errno
import importlib.metadata
import math
import os
import platform
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from engines.errors import BadInput
from realtime.clock import Clock, MonotonicClock
from realtime.event_media import write_event_media
from realtime.events import ExpressionEvent, RejectedMovement
from realtime.faces.observation import AlignedFace
from realtime.json_lines import append_line, as_json, sync_folder, without_password, write_atomically
from realtime.session_reader import (
    EVENTS_NAME,
    FORMAT,
    MEDIA_NAME,
    REJECTED_NAME,
    REPORT_NAME,
    SESSION_NAME,
    is_session,
)
from realtime.session_remarks import set_remarks_aside
from realtime.signals import NO_FACE, PARQUET_NAME, STREAM_NAME, SignalsWriter
from realtime.spotting.sample import MotionSample

State = Literal["complete", "stopped", "failed"]

_OURS = (SESSION_NAME, EVENTS_NAME, REJECTED_NAME, PARQUET_NAME, STREAM_NAME, REPORT_NAME, MEDIA_NAME)
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LIBRARIES = (
    "onset-live",
    "numpy",
    "mediapipe",
    "opencv-contrib-python",
    "numba",
    "av",
    "onnxruntime",
    "pyarrow",
)


@dataclass(frozen=True, kw_only=True)
class SessionStatistics:
    """What is known about a run when it ends."""

    frames_read: int = 0
    frames_dropped: int = 0
    frames_with_face: int = 0
    duration_s: float = 0.0
    """Time of the last frame after the first, seconds."""
    frame_rate_hz: float | None = None
    """Measured from the frames' times; None under two frames."""
    latency_ms: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Stage to its p50, p95 and p99, milliseconds."""
    conditions: Mapping[str, Any] | None = None
    """How well the faces could be watched (`conditions.session_record`); None where there was none."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """More fields for `session.json`, such as the processing speed."""


class SessionWriter:
    """Write one session folder.

    Every event is on disk before `add_event` returns. Methods may be called from several threads.
    """

    def __init__(
        self,
        folder: Path,
        *,
        source: str,
        regions: Sequence[str],
        checkpoint: str | None = None,
        backend: str | None = None,
        clock: Clock | None = None,
        overwrite: bool = False,
        further: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the folder and say that a session is being recorded in it.

        Args:
            folder: where to write; made if absent.
            source: file name, folder or address that is watched, as the user gave it; a password in it is not written.
            regions: names of the facial regions, in the order of `MotionSample.displacement`.
            checkpoint: name or folder of the checkpoint that labels the events.
            backend: what runs it.
            clock: the clock that stamped the frames.
            overwrite: replace a session that is already there. Files that are not ours are left alone.
            further: more fields for `session.json`, such as the configuration.

        Raises:
            BadInput: if the folder holds something already or cannot be written.
        """
        self.folder = Path(folder)
        self._clock = clock or MonotonicClock()
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        self._on_disk_ms: list[float] = []
        self._closed = False
        self._record: dict[str, Any] = {
            "format": FORMAT,
            "state": "recording",
            "reason": None,
            "source": without_password(source),
            "started_at": _now(),
            "checkpoint": checkpoint,
            "backend": backend,
            "regions": list(regions),
            "versions": _versions(),
            **(further or {}),
        }
        _make_folder(self.folder, overwrite=overwrite)
        with self._writing():
            write_atomically(self.folder / SESSION_NAME, as_json(self._full_record(SessionStatistics())))
            self._events = (self.folder / EVENTS_NAME).open("ab", buffering=0)
            self._rejected = (self.folder / REJECTED_NAME).open("ab", buffering=0)
            self._signals = SignalsWriter(self.folder, regions)
            (self.folder / MEDIA_NAME).mkdir(exist_ok=True)
            sync_folder(self.folder)

    def __enter__(self) -> "SessionWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Close a session left unfinished: "failed" after an exception, else "stopped"."""
        if self._closed:
            return
        if isinstance(error, Exception):
            self.finish("failed", reason=f"{type(error).__name__}: {error}")
        else:
            self.finish("stopped", reason="interrupted" if error else None)

    def add_event(self, event: ExpressionEvent) -> ExpressionEvent:
        """Put an event on disk and only then return it, numbered and with its latency.

        `latency_ms` runs to the write of the line. The time until the disk has confirmed it is kept besides,
        and goes to `session.json` as stage `event_on_disk`.

        Raises:
            BadInput: if the disk is full; what was written before stays.
        """
        with self._lock, self._writing():
            latency_ms = (self._clock.now_ns() - event.settled_captured_ns) / 1e6
            event = replace(event, event_id=self._counts["events"] + 1, latency_ms=latency_ms)
            append_line(self._events, event.as_record(), sync=True)
            self._on_disk_ms.append((self._clock.now_ns() - event.settled_captured_ns) / 1e6)
            self._counts.update(("events", event.kind))
            if event.label is not None:
                self._labels[event.label] += 1
        return event

    def add_rejected(self, rejected: RejectedMovement) -> None:
        """Note a movement that was not reported, and why.

        Raises:
            BadInput: if the disk is full.
        """
        with self._lock, self._writing():
            append_line(self._rejected, rejected.as_record(), sync=False)
            self._counts["rejected"] += 1

    def add_sample(self, sample: MotionSample, *, strength: float, threshold: float) -> None:
        """Note what the spotter saw of one face in one frame; one row of `signals.parquet`.

        Args:
            sample: regional movement and gates.
            strength: movement that the spotter weighed, canthus-normalised pixels.
            threshold: what it had to exceed, same unit; NaN while there is none yet.

        Raises:
            BadInput: if the disk is full.
        """
        with self._lock, self._writing():
            self._signals.append(
                index=sample.index,
                time_ns=sample.time_ns,
                face_id=sample.face_id,
                displacement=sample.displacement,
                strength=strength,
                threshold=threshold,
                gates=sample.gates,
            )

    def add_empty_frame(self, index: int, time_ns: int, gates: Sequence[str] = ("no-face",)) -> None:
        """Note a frame without a readable face: a row with `face_id` 0 and NaN.

        Raises:
            BadInput: if the disk is full.
        """
        nan = math.nan
        with self._lock, self._writing():
            self._signals.append(
                index=index,
                time_ns=time_ns,
                face_id=NO_FACE,
                displacement=None,
                strength=nan,
                threshold=nan,
                gates=gates,
            )

    def add_media(
        self,
        event: ExpressionEvent,
        crops: Sequence[AlignedFace],
        flow: Float32[np.ndarray, "2 h w"] | None,
        strain: Float32[np.ndarray, "h w"] | None,
    ) -> Path:
        """Write the pictures and the clip of one event into `events/0001`, all of them or none.

        Slow next to a frame: call it from a worker, after `add_event`.

        Args:
            event: as `add_event` returned it.
            crops: aligned faces of the movement and some 0.2 s around it, in order of time.
            flow: onset to apex, pixels of the canonical crop, on any grid that covers it whole.
            strain: of that flow.

        Returns:
            The event's folder.

        Raises:
            BadInput: if there is no crop or the disk is full.
        """
        folder = self.folder / MEDIA_NAME / f"{event.event_id:04d}"
        with self._writing():
            return write_event_media(folder, event, crops, flow, strain)

    def finish(self, state: State, *, reason: str | None = None, statistics: SessionStatistics | None = None) -> None:
        """Close the session and say how it ended. Calling it again does nothing.

        Raises:
            BadInput: if the disk is full; the session then stays readable as "interrupted".
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                with self._writing():
                    self._record.update(state=state, reason=reason, finished_at=_now())
                    content = as_json(self._full_record(statistics or SessionStatistics()))
                    # First the short file: it says how it ended even if the disk has no room for the rest.
                    write_atomically(self.folder / SESSION_NAME, content)
                    self._signals.close()
                    os.fsync(self._rejected.fileno())
            finally:
                self._events.close()
                self._rejected.close()

    def _full_record(self, statistics: SessionStatistics) -> dict[str, Any]:
        latency_ms = {stage: dict(values) for stage, values in statistics.latency_ms.items()}
        if self._on_disk_ms:
            latency_ms["event_on_disk"] = percentiles(self._on_disk_ms)
        return {
            **self._record,
            "frames": {
                "read": statistics.frames_read,
                "dropped": statistics.frames_dropped,
                "with_face": statistics.frames_with_face,
            },
            "duration_s": statistics.duration_s,
            "frame_rate_hz": statistics.frame_rate_hz,
            "conditions": statistics.conditions,
            "latency_ms": latency_ms,
            "counts": {
                **{name: self._counts[name] for name in ("events", "micro", "macro", "rejected")},
                "labels": dict(self._labels),
            },
            **statistics.further,
        }

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn what the disk says into one line for the user."""
        try:
            yield
        except OSError as error:
            what = "the disk is full" if error.errno in _DISK_FULL else f"cannot be written ({error.strerror})"
            raise BadInput(
                f"{self.folder}: {what}; everything reported so far is kept. Free some space or choose another --out"
            ) from error


def percentiles(values_ms: Sequence[float]) -> dict[str, float]:
    """The p50, p95 and p99 of some latencies, milliseconds."""
    p50, p95, p99 = np.percentile(np.asarray(values_ms, np.float64), (50, 95, 99))
    return {"p50": float(p50), "p95": float(p95), "p99": float(p99)}


def _make_folder(folder: Path, *, overwrite: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        present = [entry for entry in folder.iterdir() if not entry.name.endswith(".tmp")]
        if present:
            _clear_old_session(folder, overwrite=overwrite)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise BadInput(
            f"{folder}: cannot be written as a session folder ({error.strerror}); choose another --out"
        ) from error


def _clear_old_session(folder: Path, *, overwrite: bool) -> None:
    if not is_session(folder):
        raise BadInput(f"{folder}: not empty and not a session folder; choose another --out")
    if not overwrite:
        raise BadInput(f"{folder}: holds a session already; choose another --out or add --overwrite")
    for name in _OURS:
        entry = folder / name
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    for recording in folder.glob("recording*.mp4"):
        recording.unlink()
    set_remarks_aside(folder)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions
