"""Inference sessions: one contract, and the engines that keep it."""

from engines.sessions.base import InferenceSession
from engines.sessions.choose import Backend, open_session

__all__ = ["Backend", "InferenceSession", "open_session"]
