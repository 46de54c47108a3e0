"""TensorRT's log, collected instead of spilled, and its progress in steps.

TensorRT keeps the first logger that it is given for as long as the process lives and ignores all later ones, so there
is one for each flavour, and whoever wants to know listens to it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

Listener = Callable[[str, str], None]
"""Takes a severity ("error", "warning", "info") and a line."""

_SEVERITIES = {"INTERNAL_ERROR": "error", "ERROR": "error", "WARNING": "warning", "INFO": "info"}
_listeners: list[Listener] = []
_lock = threading.Lock()


@cache
def shared_log(module: ModuleType) -> Any:
    """The logger of a TensorRT package, the only one that this process gives to it.

    Args:
        module: `tensorrt_rtx` or `tensorrt`.

    Returns:
        An `ILogger` of that package, which passes lines on to the listeners and prints nothing.
    """

    class SharedLog(module.ILogger):  # type: ignore[misc, name-defined]  # its base is known only at run time
        """Passes what TensorRT says on to who listens."""

        def __init__(self) -> None:
            module.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            """Called by TensorRT, from any thread."""
            known = _SEVERITIES.get(severity.name)
            if known is not None:
                for listener in tuple(_listeners):
                    listener(known, message)

    return SharedLog()


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear what TensorRT says while the block runs."""
    with _lock:
        _listeners.append(listener)
    try:
        yield
    finally:
        with _lock:
            _listeners.remove(listener)


class HeardLog:
    """A listener that keeps errors and warnings."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def __call__(self, severity: str, message: str) -> None:
        """Keep a line."""
        if severity == "error":
            self.errors.append(plain(message))
        elif severity == "warning":
            self.warnings.append(plain(message))


def plain(message: str) -> str:
    """What TensorRT says, on one line."""
    return " ".join(message.split())
