"""The last seconds of one face, so that an event can be read back from the frames that it names."""

from collections import deque

from realtime.clock import NANOSECONDS
from realtime.faces.observation import AlignedFace


class FaceMemory:
    """Aligned crops in time order, bounded in seconds and in bytes; the oldest go first.

    Args:
        span_s: seconds to keep.
        limit_bytes: most memory that the pictures may take.
    """

    def __init__(self, span_s: float, limit_bytes: int) -> None:
        self._span_ns = round(span_s * NANOSECONDS)
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._faces: deque[AlignedFace] = deque()

    def keep(self, face: AlignedFace) -> None:
        """Add the newest crop and forget what no event can name any more."""
        self._faces.append(face)
        self._bytes += face.image.nbytes
        while self._bytes > self._limit_bytes or face.time_ns - self._faces[0].time_ns > self._span_ns:
            self._bytes -= self._faces.popleft().image.nbytes

    def nearest(self, time_ns: int) -> AlignedFace:
        """The crop nearest in time.

        Raises:
            LookupError: if nothing was kept yet.
        """
        if not self._faces:
            raise LookupError("the memory holds no face yet")
        return min(self._faces, key=lambda face: abs(face.time_ns - time_ns))

    def between(self, start_ns: int, end_ns: int, interval_ns: int) -> list[AlignedFace]:
        """The crops from start to end, at least `interval_ns` apart: enough for a clip, bounded at any frame rate."""
        chosen: list[AlignedFace] = []
        for face in self._faces:
            if start_ns <= face.time_ns <= end_ns and (not chosen or face.time_ns - chosen[-1].time_ns >= interval_ns):
                chosen.append(face)
        return chosen
