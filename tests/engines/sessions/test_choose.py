import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from engines.checkpoint import Checkpoint
from engines.doctor import Finding
from engines.errors import BackendUnavailable, BadCheckpoint, BadInput
from engines.sessions import open_session
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


def test_auto_passes_over_an_engine_without_a_session(checkpoint: Checkpoint) -> None:
    with open_session(checkpoint, doctor=doctor(tensorrt=True)) as session:
        assert session.backend == "onnxruntime"
        assert "no tensorrt session yet" in session.choice


def test_a_named_engine_never_falls_back(checkpoint: Checkpoint) -> None:
    with pytest.raises(BackendUnavailable, match="tensorrt is not here; fetch tensorrt"):
        open_session(checkpoint, backend="tensorrt", doctor=doctor())
    with pytest.raises(BackendUnavailable, match="no tensorrt session yet"):
        open_session(checkpoint, backend="tensorrt", doctor=doctor(tensorrt=True))
    with pytest.raises(BackendUnavailable, match="fetch onnxruntime"):
        open_session(checkpoint, backend="onnxruntime", doctor=doctor(onnxruntime=False))


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
