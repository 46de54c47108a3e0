"""Numbers in, numbers out: flow, strain, magnification, model inputs, checkpoints and inference sessions."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engines.checkpoint import load_checkpoint
    from engines.sessions.choose import open_session

__all__ = ["load_checkpoint", "open_session"]


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for, so that `import engines` stays light."""
    if name == "load_checkpoint":
        from engines.checkpoint import load_checkpoint

        return load_checkpoint
    if name == "open_session":
        from engines.sessions.choose import open_session

        return open_session
    raise AttributeError(f"module 'engines' has no attribute {name!r}")
