"""Magnified loops of events, made as they are asked for and kept in memory: no picture of a face is left on disk."""

import secrets
from collections import OrderedDict
from pathlib import Path

from realtime.session_frames import SessionFrames

_KEPT_BYTES = 48 << 20


class MagnifiedLoops:
    """Makes loops and remembers the latest.

    Args:
        temporary: folder for a file while it is written.
    """

    def __init__(self, temporary: Path) -> None:
        self._temporary = temporary
        self._kept: OrderedDict[tuple[Path, int, float], bytes] = OrderedDict()

    def loop(self, frames: SessionFrames, event_id: int, factor: float) -> bytes:
        """The loop of one event as MP4; one caller at a time.

        Args:
            frames: of the session.
            event_id: the event.
            factor: how many times as large its movement is shown, 2 to 50.

        Raises:
            BadInput: if it cannot be made, with the reason.
        """
        key = (frames.session.folder, event_id, factor)
        content = self._kept.pop(key, None)
        if content is None:
            content = self._made(frames, event_id, factor)
        self._kept[key] = content  # the latest is the last
        while sum(map(len, list(self._kept.values()))) > _KEPT_BYTES and len(self._kept) > 1:
            self._kept.popitem(last=False)
        return content

    def forget(self, folder: Path) -> None:
        """Forget the loops of one session; from any thread."""
        for key in list(self._kept):
            if key[0] == folder:
                self._kept.pop(key, None)

    def _made(self, frames: SessionFrames, event_id: int, factor: float) -> bytes:
        from realtime.event_loop import write_magnified  # brings the face tracker in

        path = self._temporary / f"loop-{secrets.token_hex(8)}.mp4"
        # Files of its own: the frames on the shelf may be looked through in another thread meanwhile.
        with frames.again() as own:
            try:
                write_magnified(path, own, event_id, factor)
                return path.read_bytes()
            finally:
                path.unlink(missing_ok=True)
