"""Which engine runs a checkpoint: the one that is named, or the best that works here, and why."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from engines.checkpoint import DEFAULT, Checkpoint, load_checkpoint
from engines.doctor import Finding, examine_engines
from engines.errors import BackendUnavailable, BadInput, in_one_line
from engines.sessions.base import InferenceSession

Backend = Literal["auto", "onnxruntime", "tensorrt"]
PREFERENCE = ("tensorrt", "onnxruntime")
"""What `auto` tries, fastest first; the last runs everywhere."""
Opener = Callable[[Checkpoint], InferenceSession]

_log = logging.getLogger(__name__)


def _tensorrt(checkpoint: Checkpoint) -> InferenceSession:
    from engines.sessions.tensorrt import TensorRtSession

    return TensorRtSession(checkpoint)


def _onnxruntime(checkpoint: Checkpoint) -> InferenceSession:
    # Loaded only when used: ONNX Runtime is large.
    from engines.sessions.onnxruntime import OnnxRuntimeSession

    return OnnxRuntimeSession(checkpoint)


OPENERS: Mapping[str, Opener] = MappingProxyType({"tensorrt": _tensorrt, "onnxruntime": _onnxruntime})
"""What opens each engine."""


def open_session(
    checkpoint: str | Path | Checkpoint = DEFAULT,
    backend: str = "auto",
    *,
    doctor: Callable[[], Sequence[Finding]] = examine_engines,
    openers: Mapping[str, Opener] = OPENERS,
) -> InferenceSession:
    """Load a checkpoint into an inference engine, warmed up.

    Args:
        checkpoint: a folder, "default", or a checkpoint that is loaded already.
        backend: "onnxruntime", "tensorrt", or "auto" for the fastest that works here.
        doctor: says what this machine can run; findings are called after the engines.
        openers: what opens each engine.

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
    if backend == "auto":
        return _best(loaded, findings, openers)
    obstacle = _obstacle(backend, findings)
    if obstacle:
        raise BackendUnavailable(f"backend {backend} cannot run here: {obstacle}")
    return openers[backend](loaded)


def _best(checkpoint: Checkpoint, findings: Mapping[str, Finding], openers: Mapping[str, Opener]) -> InferenceSession:
    passed_over: list[str] = []
    for name in PREFERENCE:
        obstacle = _obstacle(name, findings)
        if obstacle:
            passed_over.append(f"{name}: {obstacle}")
            continue
        try:
            session = openers[name](checkpoint)
        except Exception as fault:
            if name == PREFERENCE[-1]:
                raise
            # Whatever is wrong with a faster engine, the one that runs everywhere is still to be had.
            passed_over.append(f"{name}: {in_one_line(fault)}")
            continue
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
    return None
