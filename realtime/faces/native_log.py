"""Keep the start-up chatter of MediaPipe's native code off the terminal without losing what others write."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
_CHATTER = re.compile(rb"INFO: |WARNING: All log messages before absl|[IW]\d{4} \d\d:\d\d:\d\d")
_lock = threading.Lock()


@contextmanager
def without_native_chatter() -> Iterator[None]:
    """Hold back the process's standard error for the length of the block, then pass on all but chatter.

    MediaPipe logs through a library that knows no level setting, so the descriptor itself is turned aside.
    One thread at a time; lines of other threads come out late, not never.
    """
    with _lock, tempfile.TemporaryFile() as caught:
        sys.stderr.flush()
        terminal = os.dup(_STDERR)
        os.dup2(caught.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(terminal, _STDERR)
            os.close(terminal)
            caught.seek(0)
            kept = b"".join(line for line in caught if not _CHATTER.match(line))
            if kept:
                os.write(_STDERR, kept)
