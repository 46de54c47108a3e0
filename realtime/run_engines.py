"""The engines of one run: which session runs the model, which engine computes the flow, and how events are read."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from engines.checkpoint import Checkpoint
from engines.flow import Tvl1Parameters, open_flow
from engines.sessions.choose import open_session
from realtime.recognition import Recogniser

FLOW_ENGINES: Mapping[str, str] = MappingProxyType({"auto": "auto", "onnxruntime": "cpu", "tensorrt": "auto"})
"""Flow engine to open by the backend that was asked for: who names ONNX Runtime wants a run on the CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEngines:
    """What a run computes with, ready and warm."""

    recogniser: Recogniser
    backend: str
    """What runs the model."""
    flow_engine: str
    """What computes the flow."""
    account: Mapping[str, str]
    """Model, flow and reading: engine and reason of each, in words."""


@contextmanager
def open_engines(checkpoint: Checkpoint, backend: str, flow: Tvl1Parameters) -> Iterator[RunEngines]:
    """Open the engines of a run; all are closed at the end.

    Args:
        checkpoint: the model that labels events.
        backend: what runs it: "auto", "onnxruntime" or "tensorrt"; `FLOW_ENGINES` says what that means for the flow.
        flow: parameters of TV-L1.

    Yields:
        The engines.

    Raises:
        BadCheckpoint: the checkpoint cannot be run.
        BackendUnavailable: the named backend cannot run here.
        BadInput: the backend is unknown.
    """
    with ExitStack() as stack:
        session = stack.enter_context(open_session(checkpoint, backend=backend))
        engine = open_flow(FLOW_ENGINES[backend])
        # The CPU's engine holds nothing that would have to be let go.
        close = getattr(engine, "close", None)
        if close is not None:
            stack.callback(close)
        recogniser = Recogniser(session, checkpoint, flow, engine)
        account = {"model": session.describe(), "flow": engine.choice, "reading": recogniser.choice}
        yield RunEngines(
            recogniser=recogniser, backend=session.backend, flow_engine=engine.name, account=MappingProxyType(account)
        )
