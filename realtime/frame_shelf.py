"""Frames of recorded sessions as JPEG for whoever looks through them: from any thread, soon forgotten."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from engines.errors import BadInput
from realtime.clock import NANOSECONDS, Clock, MonotonicClock
from realtime.faces.alignment import crop_similarity
from realtime.faces.observation import CROP_HEIGHT, CROP_WIDTH
from realtime.faces.tracker import FaceTracker
from realtime.frames import Frame
from realtime.session_frames import SessionFrames

JPEG_QUALITY = 95
FACE_SCALE = 2
"""A face is shown so many times as large as the canonical crop."""
_KEPT_JPEG_BYTES = 96 << 20
_SESSIONS_OPEN = 4
_FACES_KEPT = 64

_Key = tuple[Path, int, int | None]
_State = tuple[int, int]


@dataclass(slots=True)
class _Opened:
    """One session that is being looked through."""

    frames: SessionFrames
    state: _State
    used_ns: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    faces: OrderedDict[int, Float64[np.ndarray, "2 3"]] = field(default_factory=OrderedDict)
    """How the face of a frame is set upright, by the number of that frame."""


class FrameShelf:
    """Opens sessions as they are asked for, keeps the latest pictures, lets go of what nobody looks at.

    Args:
        folders: where a source that is not in its old place may lie now.
        clock: tells how long a session was not looked at.
    """

    def __init__(self, folders: Sequence[Path] = (), clock: Clock | None = None) -> None:
        self._folders = tuple(folders)
        self._clock = clock or MonotonicClock()
        self._lock = threading.Lock()
        self._opened: OrderedDict[Path, _Opened] = OrderedDict()
        self._pictures: OrderedDict[_Key, bytes] = OrderedDict()
        self._picture_bytes = 0

    def jpeg(self, folder: Path, index: int, face_of: int | None = None) -> bytes:
        """A frame of a session, of high quality.

        Args:
            folder: the session.
            index: number of the frame.
            face_of: show the face alone, upright and magnified, cut out where it is in the frame of this number:
                the same place for all frames round it, so that only the face itself moves.

        Raises:
            BadInput: if the session did not read that frame, its recording is gone, or it shows no face.
        """
        opened = self._open(folder)
        if opened.frames.session.state == "interrupted" and index > opened.frames.last_index:
            self.forget(folder)  # it may still be going on
            opened = self._open(folder)
        key = (folder, index, face_of)
        with self._lock:
            if (known := self._pictures.get(key)) is not None:
                self._pictures.move_to_end(key)
                return known
        with opened.lock:
            image = opened.frames.picture(index)
            if face_of is not None:
                image = _face(image, self._similarity(opened, face_of))
        encoded = encode_jpeg(image)
        self._keep(key, encoded)
        return encoded

    def frames(self, folder: Path) -> SessionFrames:
        """The session as it is opened here, for its table and footage; not for pictures.

        Raises:
            BadInput: if the folder is no session or has no signals.
        """
        return self._open(folder).frames

    def close_idle(self, idle_s: float = 20.0) -> bool:
        """Close the files that nobody has looked into for so long; tell whether any is still open.

        It never waits: a session that is being looked into just now stays open.
        """
        now_ns = self._clock.now_ns()
        with self._lock:
            opened = list(self._opened.values())
        still_open = False
        for one in opened:
            if now_ns - one.used_ns < idle_s * NANOSECONDS or not one.lock.acquire(blocking=False):
                still_open = True
                continue
            try:
                one.frames.close()
            finally:
                one.lock.release()
        return still_open

    def forget(self, folder: Path | None = None) -> None:
        """Close and forget one session, or all; a session that is deleted leaves no picture here."""
        with self._lock:
            gone = [path for path in self._opened if folder in (None, path)]
            closing = [self._opened.pop(path) for path in gone]
            for key in [key for key in self._pictures if folder in (None, key[0])]:
                self._picture_bytes -= len(self._pictures.pop(key))
        for one in closing:
            with one.lock:
                one.frames.close()

    def _open(self, folder: Path) -> _Opened:
        state = _state(folder)
        with self._lock:
            opened = self._opened.get(folder)
        if opened is not None and opened.state != state:
            self.forget(folder)  # the session went on, or another one has taken its place
            opened = None
        if opened is None:
            opened = _Opened(SessionFrames(folder, self._folders), state, 0)
        opened.used_ns = self._clock.now_ns()
        with self._lock:
            opened = self._opened.setdefault(folder, opened)
            self._opened.move_to_end(folder)
            oldest = [] if len(self._opened) <= _SESSIONS_OPEN else [next(iter(self._opened))]
        for path in oldest:
            self.forget(path)
        return opened

    def _similarity(self, opened: _Opened, index: int) -> Float64[np.ndarray, "2 3"]:
        if index not in opened.faces:
            opened.faces[index] = find_face(opened.frames.picture(index), index)
            while len(opened.faces) > _FACES_KEPT:
                opened.faces.popitem(last=False)
        return opened.faces[index]

    def _keep(self, key: _Key, encoded: bytes) -> None:
        with self._lock:
            if key[0] not in self._opened or key in self._pictures:
                return
            self._pictures[key] = encoded
            self._picture_bytes += len(encoded)
            while self._picture_bytes > _KEPT_JPEG_BYTES:
                self._picture_bytes -= len(self._pictures.popitem(last=False)[1])


def find_face(image: UInt8[np.ndarray, "H W 3"], index: int) -> Float64[np.ndarray, "2 3"]:
    """The similarity that sets the face of a picture upright in the canonical crop.

    Raises:
        BadInput: if the picture shows no face.
    """
    with FaceTracker() as tracker:
        seen = tracker.push(Frame(index=index, time_ns=0, captured_ns=0, image=image))
    if not seen:
        raise BadInput(f"frame {index}: shows no face; look at the whole picture")
    return crop_similarity(seen[0].landmarks.astype(np.float64))


def encode_jpeg(image: UInt8[np.ndarray, "H W 3"], quality: int = JPEG_QUALITY) -> bytes:
    """A picture as JPEG, its colours in full resolution."""
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    encoded, content = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
    if not encoded:
        raise BadInput(f"a picture of shape {image.shape} cannot be encoded; expected RGB uint8")
    return content.tobytes()


def _face(
    image: UInt8[np.ndarray, "H W 3"], similarity: Float64[np.ndarray, "2 3"]
) -> UInt8[np.ndarray, "height width 3"]:
    size = (FACE_SCALE * CROP_WIDTH, FACE_SCALE * CROP_HEIGHT)
    return np.asarray(cv2.warpAffine(image, FACE_SCALE * similarity, size, flags=cv2.INTER_CUBIC), np.uint8)


def _state(folder: Path) -> _State:
    """Changes when the session goes on; a session that ended keeps it."""
    try:
        status = (folder / "session.json").stat()
    except OSError as fault:
        raise BadInput(f"{folder.name}: not a session any more ({fault.strerror}); choose another") from fault
    return status.st_mtime_ns, status.st_ino
