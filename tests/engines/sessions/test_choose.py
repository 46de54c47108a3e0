import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from engines.checkpoint import Checkpoint
from engines.doctor import Finding, examine_engines
from engines.errors import BackendUnavailable, BadCheckpoint, BadInput
from engines.graphics_card import GraphicsCard, find_card
from engines.sessions import InferenceSession, open_session
from engines.sessions.choose import OPENERS, Opener
from engines.sessions.onnxruntime import OnnxRuntimeSession
from tests.engines.stand_in_checkpoint import stand_in_checkpoint

Doctor = Callable[[], Sequence[Finding]]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return stand_in_checkpoint(tmp_path / "model")


def doctor(*, onnxruntime: bool = True, tensorrt: bool = False) -> Doctor:
    def finding(name: str, runs: bool) -> Finding:
        if runs:
            return Finding(name=name, state="ok", detail="works")
        return Finding(name=name, state="missing", detail=f"{name} is not here", remedy=f"fetch {name}")

    return lambda: [finding("onnxruntime", onnxruntime), finding("tensorrt", tensorrt)]


def test_auto_says_what_it_took_and_why(checkpoint: Checkpoint, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), open_session(checkpoint, doctor=doctor()) as session:
        assert session.backend == "onnxruntime"
        assert "tensorrt is not here; fetch tensorrt" in session.choice
        assert session.choice in caplog.text


class FastSession(OnnxRuntimeSession):
    """Stands in for TensorRT's."""

    backend = "tensorrt"


def openers(tensorrt: Opener) -> Mapping[str, Opener]:
    return {**OPENERS, "tensorrt": tensorrt}


def failing(fault: Exception) -> Opener:
    def opener(_: Checkpoint) -> InferenceSession:
        raise fault

    return opener


def test_auto_takes_tensorrt_where_it_opens(checkpoint: Checkpoint) -> None:
    with open_session(checkpoint, doctor=doctor(tensorrt=True), openers=openers(FastSession)) as session:
        assert session.backend == "tensorrt"
        assert session.choice == "tensorrt: the fastest engine that runs here"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (BackendUnavailable("no TensorRT engine yet; run: onset build default"), "yet; run: onset build default)"),
        (BadCheckpoint("engine differs from the SHA-256 sum in its manifest"), "differs from the SHA-256 sum"),
        (RuntimeError("the driver\nis gone"), "(tensorrt: the driver is gone)"),
        (ImportError(), "(tensorrt: ImportError)"),
    ],
)
def test_auto_never_fails_for_an_engine_that_it_can_do_without(
    checkpoint: Checkpoint, fault: Exception, reason: str
) -> None:
    with open_session(checkpoint, doctor=doctor(tensorrt=True), openers=openers(failing(fault))) as session:
        assert session.backend == "onnxruntime"
        assert reason in session.choice
        assert "\n" not in session.choice


def test_auto_tells_what_onnxruntime_says_of_a_checkpoint(tmp_path: Path) -> None:
    broken = stand_in_checkpoint(tmp_path / "broken", b"not a model")
    with pytest.raises(BadCheckpoint, match="cannot be run"):
        open_session(broken, doctor=doctor())


def test_a_named_engine_never_falls_back(checkpoint: Checkpoint) -> None:
    with pytest.raises(BackendUnavailable, match="tensorrt is not here; fetch tensorrt"):
        open_session(checkpoint, backend="tensorrt", doctor=doctor())
    with pytest.raises(BackendUnavailable, match="no engine"):
        open_session(
            checkpoint,
            backend="tensorrt",
            doctor=doctor(tensorrt=True),
            openers=openers(failing(BackendUnavailable("no engine"))),
        )
    with pytest.raises(BackendUnavailable, match="fetch onnxruntime"):
        open_session(checkpoint, backend="onnxruntime", doctor=doctor(onnxruntime=False))


@pytest.mark.skipif(isinstance(find_card(), GraphicsCard), reason="this machine has a card")
def test_tensorrt_without_a_card_says_what_the_doctor_says(checkpoint: Checkpoint) -> None:
    finding = next(finding for finding in examine_engines() if finding.name == "tensorrt")
    with pytest.raises(BackendUnavailable) as fault:
        open_session(checkpoint, backend="tensorrt")
    assert str(fault.value) == f"backend tensorrt cannot run here: {finding.detail}; {finding.remedy}"


def test_nothing_that_runs_is_said_with_all_reasons(checkpoint: Checkpoint) -> None:
    with pytest.raises(BackendUnavailable, match=r"fetch tensorrt.*fetch onnxruntime"):
        open_session(checkpoint, doctor=doctor(onnxruntime=False))


def test_an_engine_that_the_doctor_does_not_know_is_not_opened(checkpoint: Checkpoint) -> None:
    with pytest.raises(BackendUnavailable, match="does not know it"):
        open_session(checkpoint, backend="onnxruntime", doctor=list)


def test_wrong_names_are_named(tmp_path: Path, checkpoint: Checkpoint) -> None:
    with pytest.raises(BadInput, match="backend 'openvino' is unknown: use one of auto"):
        open_session(checkpoint, backend="openvino")
    with pytest.raises(BadCheckpoint, match="is not there"):
        open_session(tmp_path / "nowhere")
