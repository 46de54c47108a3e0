"""Find faces in frames and follow each under its own id, with MediaPipe FaceMesh."""

import math
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import numpy as np
from jaxtyping import Float32, UInt8

from realtime.clock import NANOSECONDS
from realtime.faces.native_log import without_native_chatter
from realtime.faces.observation import FaceObservation
from realtime.faces.quality import face_brightness, read_quality
from realtime.frames import Frame

POINTS = 468


@dataclass(frozen=True, kw_only=True)
class TrackerParameters:
    """How faces are found and followed."""

    max_faces: int = 1
    """Faces followed at once. With 1 the first face is kept and passers-by are left out."""
    tracking_interval_s: float = 0.012
    """FaceMesh runs at most this often; in between landmarks are carried. Longer saves time at high rates."""
    memory_s: float = 2.0
    """A face that is lost keeps its id, and with `max_faces` 1 its place, for this long."""
    detection_confidence: float = 0.5
    """Least score at which a face is found, 0 to 1."""
    tracking_confidence: float = 0.5
    """Least score at which a face counts as still there, 0 to 1."""


@dataclass(frozen=True, slots=True)
class _Mesh:
    """One FaceMesh result in source pixels."""

    points: Float32[np.ndarray, "468 2"]
    depth: Float32[np.ndarray, " 468"]

    @property
    def centre(self) -> tuple[float, float]:
        x, y = self.points.mean(axis=0)
        return float(x), float(y)

    @property
    def size(self) -> float:
        width, height = np.ptp(self.points, axis=0)
        return max(float(max(width, height)), 1.0)


@dataclass(slots=True)
class _Track:
    """A face that has been seen: its latest mesh and observation."""

    mesh: _Mesh
    observation: FaceObservation
    seen_ns: int


class FaceTracker:
    """Frames in, observed faces out.

    What it decides depends on the frames and their times alone: the same frames give the same faces, to the bit.
    Use as a context manager or call `close`.
    """

    def __init__(self, parameters: TrackerParameters | None = None) -> None:
        """Load the face models.

        Args:
            parameters: how faces are found and followed.
        """
        self._parameters = parameters or TrackerParameters()
        with without_native_chatter():
            from mediapipe.python.solutions.face_mesh import FaceMesh  # slow to import, and not silent

            self._graph: Any = FaceMesh(
                static_image_mode=False,
                max_num_faces=self._parameters.max_faces,
                refine_landmarks=False,
                min_detection_confidence=self._parameters.detection_confidence,
                min_tracking_confidence=self._parameters.tracking_confidence,
            )
            self._graph.process(np.zeros((64, 64, 3), np.uint8))  # the models load, and log, in other threads
        self._chattering = True  # the models log once more when they meet their first face
        self._tracks: list[_Track] = []
        self._ran_ns: int | None = None
        self._faces_met = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def push(self, frame: Frame) -> list[FaceObservation]:
        """The faces of the next frame, in time order; the face met first comes first."""
        if self._ran_ns is not None:
            elapsed_s = (frame.time_ns - self._ran_ns) / NANOSECONDS
            if 0 <= elapsed_s < self._parameters.tracking_interval_s:
                return self._carry(frame)
        ran_before_ns, self._ran_ns = self._ran_ns, frame.time_ns
        self._forget(frame.time_ns)
        self._assign(self._find(self._searched(frame, ran_before_ns)), frame)
        return self._visible(frame.time_ns)

    def close(self) -> None:
        """Free the models; may be called twice."""
        graph, self._graph = self._graph, None
        if graph is not None:
            graph.close()

    def _visible(self, time_ns: int) -> list[FaceObservation]:
        return [track.observation for track in self._tracks if track.seen_ns == time_ns]

    def _carry(self, frame: Frame) -> list[FaceObservation]:
        """Repeat the faces of the latest run with this frame's light."""
        return [
            replace(
                seen,
                measured=False,
                quality=replace(seen.quality, brightness=face_brightness(seen.landmarks, frame.image)),
            )
            for seen in self._visible(self._ran_ns or 0)
        ]

    def _forget(self, time_ns: int) -> None:
        memory_ns = self._parameters.memory_s * NANOSECONDS
        self._tracks = [track for track in self._tracks if time_ns - track.seen_ns <= memory_ns]

    def _searched(self, frame: Frame, ran_before_ns: int | None) -> UInt8[np.ndarray, "H W 3"]:
        """The picture to search; only round the lost face while a single face is remembered but not seen."""
        if self._parameters.max_faces > 1 or not self._tracks:
            return np.ascontiguousarray(frame.image)
        lost = self._tracks[0]
        if lost.seen_ns == ran_before_ns:
            return np.ascontiguousarray(frame.image)
        x, y = lost.mesh.centre
        reach = lost.mesh.size * (0.5 + _reach(frame.time_ns - lost.seen_ns))
        top, bottom = max(0, math.floor(y - reach)), max(0, math.ceil(y + reach))
        left, right = max(0, math.floor(x - reach)), max(0, math.ceil(x + reach))
        searched = np.zeros_like(frame.image)
        searched[top:bottom, left:right] = frame.image[top:bottom, left:right]
        return searched

    def _find(self, image: UInt8[np.ndarray, "H W 3"]) -> list[_Mesh]:
        if self._graph is None:
            raise RuntimeError("the face tracker is closed")
        if self._chattering:
            with without_native_chatter():
                found = self._graph.process(image).multi_face_landmarks
        else:
            found = self._graph.process(image).multi_face_landmarks
        self._chattering = self._chattering and not found
        return [_mesh(face.landmark, image.shape) for face in found or ()]

    def _assign(self, meshes: list[_Mesh], frame: Frame) -> None:
        """Give each mesh to the track that it continues, or begin a track."""
        pairs = sorted(
            (cost, track_number, mesh_number)
            for track_number, track in enumerate(self._tracks)
            for mesh_number, mesh in enumerate(meshes)
            if (cost := _mismatch(track, mesh, frame.time_ns)) < 1.0
        )
        taken_tracks: set[int] = set()
        taken_meshes: set[int] = set()
        for _, track_number, mesh_number in pairs:
            if track_number not in taken_tracks and mesh_number not in taken_meshes:
                taken_tracks.add(track_number)
                taken_meshes.add(mesh_number)
                face_id = self._tracks[track_number].observation.face_id
                self._tracks[track_number] = _track(face_id, meshes[mesh_number], frame)
        if self._parameters.max_faces == 1 and self._tracks:
            return
        for mesh_number, mesh in enumerate(meshes):
            if mesh_number not in taken_meshes:
                self._faces_met += 1
                self._tracks.append(_track(self._faces_met, mesh, frame))


def _reach(lost_ns: int) -> float:
    """How far a face may have moved since it was seen, in its own sizes."""
    return min(0.4 + 1.5 * lost_ns / NANOSECONDS, 1.5)


def _mismatch(track: _Track, mesh: _Mesh, time_ns: int) -> float:
    """Below 1 when the mesh may be the track's face; smaller is likelier."""
    x, y = track.mesh.centre
    following_x, following_y = mesh.centre
    size = max(track.mesh.size, mesh.size)
    apart = math.hypot(following_x - x, following_y - y) / size / _reach(time_ns - track.seen_ns)
    return max(apart, abs(math.log(mesh.size / track.mesh.size)) / math.log(1.7))


def _track(face_id: int, mesh: _Mesh, frame: Frame) -> _Track:
    quality = read_quality(mesh.points, mesh.depth, frame.image)
    observation = FaceObservation(face_id=face_id, landmarks=mesh.points, measured=True, quality=quality)
    return _Track(mesh, observation, frame.time_ns)


def _mesh(landmarks: Any, shape: tuple[int, ...]) -> _Mesh:
    height, width = shape[:2]
    flat = np.fromiter((value for point in landmarks for value in (point.x, point.y, point.z)), np.float32, 3 * POINTS)
    points = flat.reshape(POINTS, 3)
    return _Mesh(points[:, :2] * np.array((width, height), np.float32), points[:, 2] * np.float32(width))
