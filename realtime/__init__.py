"""Camera and video sources, face tracking, spotting, recognition and sessions; the live system without PyTorch."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime.config import Settings
    from realtime.session_run import SessionRun, replay

__all__ = ["SessionRun", "Settings", "replay"]

_HOMES = {"SessionRun": "realtime.session_run", "Settings": "realtime.config", "replay": "realtime.session_run"}


def __getattr__(name: str) -> Any:
    """Import on first use: `import realtime` alone starts no video or face library."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'realtime' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
