"""Which engine runs a checkpoint: the one that is named, or the best that works here, and why."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from engines.checkpoint import DEFAULT, Checkpoint, load_checkpoint
from engines.doctor import Finding, examine_engines
from engines.errors import BackendUnavailable, BadInput
from engines.sessions.base import InferenceSession

Backend = Literal["auto", "onnxruntime", "tensorrt"]
PREFERENCE = ("tensorrt", "onnxruntime")
"""What `auto` tries, fastest first."""

_log = logging.getLogger(__name__)


def open_session(
    checkpoint: str | Path | Checkpoint = DEFAULT,
    backend: str = "auto",
    *,
    doctor: Callable[[], Sequence[Finding]] = examine_engines,
) -> InferenceSession:
    """Load a checkpoint into an inference engine, warmed up.

    Args:
        checkpoint: a folder, "default", or a checkpoint that is loaded already.
        backend: "onnxruntime", "tensorrt", or "auto" for the fastest that works here.
        doctor: says what this machine can run; findings are called after the engines.

    Returns:
        A session to close, or to use in a `with` block; its `choice` says which engine was taken and why.

    Raises:
        BadCheckpoint: if the checkpoint is incomplete, altered or cannot be run.
        BackendUnavailable: if the named engine, or every engine, cannot run here.
        BadInput: if the backend is unknown.
    """
    if backend not in get_args(Backend):
        raise BadInput(f"backend {backend!r} is unknown: use one of {', '.join(get_args(Backend))}")
    loaded = load_checkpoint(checkpoint)
    findings = {finding.name: finding for finding in doctor()}
    if backend != "auto":
        obstacle = _obstacle(backend, findings)
        if obstacle:
            raise BackendUnavailable(f"backend {backend} cannot run here: {obstacle}")
        return _OPENERS[backend](loaded)
    return _best(loaded, findings)


def _best(checkpoint: Checkpoint, findings: Mapping[str, Finding]) -> InferenceSession:
    passed_over: list[str] = []
    for name in PREFERENCE:
        obstacle = _obstacle(name, findings)
        if obstacle:
            passed_over.append(f"{name}: {obstacle}")
            continue
        session = _OPENERS[name](checkpoint)
        reasons = f" ({'; '.join(passed_over)})" if passed_over else ""
        session.choice = f"{name}: the fastest engine that runs here{reasons}"
        _log.info("inference with %s", session.choice)
        return session
    raise BackendUnavailable(f"no inference engine can run here: {'; '.join(passed_over)}")


def _obstacle(name: str, findings: Mapping[str, Finding]) -> str | None:
    """Why an engine cannot be used, with the remedy; None where it can."""
    finding = findings.get(name)
    if finding is None:
        return "the doctor does not know it"
    if finding.state != "ok":
        return f"{finding.detail}; {finding.remedy}" if finding.remedy else finding.detail
    if name not in _OPENERS:
        return f"this version of Onset has no {name} session yet; use onnxruntime"
    return None


def _onnxruntime(checkpoint: Checkpoint) -> InferenceSession:
    # Loaded only when used: ONNX Runtime is large.
    from engines.sessions.onnxruntime import OnnxRuntimeSession

    return OnnxRuntimeSession(checkpoint)


_OPENERS: Mapping[str, Callable[[Checkpoint], InferenceSession]] = MappingProxyType({"onnxruntime": _onnxruntime})
