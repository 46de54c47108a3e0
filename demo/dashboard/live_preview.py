"""The preview: the newest frame as a small JPEG with what was measured in it, made in a thread of its own."""

import json
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from demo.dashboard.live_overlay import face_record, magnitudes, number
from demo.dashboard.live_viewer import LiveViewer
from realtime.clock import NANOSECONDS, Clock, to_seconds
from realtime.watcher import FrameCounts, Look, SeenFace, Watcher

_LOG = logging.getLogger(__name__)

MOST_HZ = 30.0
WIDEST_PX = 960
JPEG_QUALITY = 80
SLACK_S = 0.014
"""A frame that comes so much early still counts as due: frames of a camera at just 30 Hz come in twos and threes."""
HISTORY_S = 10.0
"""Samples of the past that a new viewer gets with its first frame."""
LATELY = 300
"""Frames over which rate and latency are measured."""
FACES_KNOWN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One sample of the face that was seen longest."""

    number: int
    time_ns: int
    face: SeenFace


class LivePreview:
    """Shows one run to everybody who looks; nobody slows the run down, and nothing is encoded while nobody looks.

    Args:
        viewers: gives those who look.
        clock: the one that stamps the frames.
        every_second: called about once a second while somebody looks, in the preview's own thread.
    """

    def __init__(
        self,
        viewers: Callable[[], tuple[LiveViewer, ...]],
        clock: Clock,
        every_second: Callable[[], None] = lambda: None,
    ) -> None:
        self._viewers = viewers
        self._clock = clock
        self._every_second = every_second
        self._changed = threading.Condition()
        self._newest: Look | None = None
        self._closed = False
        self._counts = FrameCounts()
        self._rows: deque[_Row] = deque()
        self._next_row = 0
        self._seen: Counter[int] = Counter()
        self._lately: deque[tuple[int, float]] = deque(maxlen=LATELY)
        self._due_ns = self._second_ns = clock.now_ns()
        self.watcher = Watcher(on_frame=self._count, on_look=self._look)
        """Looks on at the run."""
        self._thread = threading.Thread(target=self._run, name="onset-preview", daemon=True)
        self._thread.start()

    def poke(self) -> None:
        """Look again whether somebody wants a frame."""
        with self._changed:
            self._changed.notify()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    @property
    def frame_rate_hz(self) -> float | None:
        """Frames a second that the run takes, lately; None under two."""
        lately = tuple(self._lately)
        span_ns = lately[-1][0] - lately[0][0] if lately else 0
        return round((len(lately) - 1) * NANOSECONDS / span_ns, 2) if span_ns > 0 else None

    def latency_ms(self) -> dict[str, float] | None:
        """From a frame's capture to its being measured, lately: p50 and p95; None before the first frame."""
        lately = [latency_ms for _, latency_ms in tuple(self._lately)]
        if not lately:
            return None
        p50, p95 = np.percentile(lately, (50, 95))
        return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}

    def _count(self, counts: FrameCounts, _faces: int) -> None:
        self._counts = counts

    def _look(self, look: Look) -> None:
        """Take a frame from the run; microseconds, whoever looks."""
        frame = look.frame
        self._lately.append((frame.time_ns, (self._clock.now_ns() - frame.captured_ns) / 1e6))
        with self._changed:
            self._note(look)
            self._newest = look
            self._changed.notify()

    def _note(self, look: Look) -> None:
        if look.faces:
            self._seen.update(face.observation.face_id for face in look.faces)
            if len(self._seen) > FACES_KNOWN:
                self._seen = Counter(dict(self._seen.most_common(FACES_KNOWN // 2)))
            longest = max(look.faces, key=lambda face: self._seen[face.observation.face_id])
            self._rows.append(_Row(number=self._next_row, time_ns=look.frame.time_ns, face=longest))
            self._next_row += 1
        oldest_ns = look.frame.time_ns - HISTORY_S * NANOSECONDS
        while self._rows and self._rows[0].time_ns < oldest_ns:
            self._rows.popleft()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._wanted(), timeout=1.0)
                if self._closed:
                    return
                look, self._newest = self._newest, None
            try:
                self._tick()
                if look is not None:
                    self._show(look)
            except Exception:  # a preview that fails must not end the run, nor itself
                _LOG.exception("the preview of a frame failed")

    def _wanted(self) -> bool:
        """Whether there is a frame, it is time for one, and somebody looks; a frame too early is let go."""
        if self._newest is None:
            return False
        if self._clock.now_ns() < self._due_ns - round(SLACK_S * NANOSECONDS):
            self._newest = None
            return False
        return any(viewer.wants_picture for viewer in self._viewers())

    def _tick(self) -> None:
        now_ns = self._clock.now_ns()
        if now_ns - self._second_ns >= NANOSECONDS and self._viewers():
            self._second_ns = now_ns
            self._every_second()

    def _show(self, look: Look) -> None:
        wanting = [viewer for viewer in self._viewers() if viewer.wants_picture]
        if not wanting:
            return
        step_ns, now_ns = round(NANOSECONDS / MOST_HZ), self._clock.now_ns()
        self._due_ns = max(self._due_ns + step_ns, now_ns)
        picture = encode(look.frame.image)
        header = self._header(look)
        for viewer in wanting:
            header["samples"], viewer.last_row = self._samples_after(viewer.last_row)
            header["captured_age_ms"] = round((self._clock.now_ns() - look.frame.captured_ns) / 1e6, 1)
            viewer.show(look.frame.index, as_message(header, picture))

    def _header(self, look: Look) -> dict[str, Any]:
        frame, counts = look.frame, self._counts
        height, width = frame.image.shape[:2]
        return {
            "type": "frame",
            "index": frame.index,
            "time_s": to_seconds(frame.time_ns),
            "width": width,
            "height": height,
            "faces": [face_record(face) for face in look.faces],
            "counts": {"read": counts.read, "dropped": counts.dropped, "with_face": counts.with_face},
            "frame_rate_hz": self.frame_rate_hz,
            "latency_ms": self.latency_ms(),
        }

    def _samples_after(self, last_row: int) -> tuple[dict[str, Any], int]:
        """What the curves have not yet shown, and the number of the last row of it."""
        with self._changed:
            rows = [row for row in self._rows if row.number > last_row]
        samples = {
            "time_s": [to_seconds(row.time_ns) for row in rows],
            "strength": [number(row.face.strength) for row in rows],
            "threshold": [number(row.face.threshold) for row in rows],
            "gates": [list(row.face.sample.gates) for row in rows],
            "regions": [magnitudes(row.face) for row in rows],
        }
        return samples, rows[-1].number if rows else last_row


def encode(image: UInt8[np.ndarray, "H W 3"]) -> bytes:
    """A frame as JPEG, no wider than the preview."""
    height, width = image.shape[:2]
    if width > WIDEST_PX:
        size = (WIDEST_PX, max(1, round(height * WIDEST_PX / width)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    _, content = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return content.tobytes()


def as_message(header: dict[str, Any], picture: bytes) -> bytes:
    """Header and picture as one message: the header's length in four bytes, the header, the picture."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return b"".join((len(text).to_bytes(4, "big"), text, picture))
