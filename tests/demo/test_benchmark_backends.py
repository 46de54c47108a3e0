"""Backends side by side: figures of what runs, the reason of what does not, and an end when it is asked for."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.benchmarks import backends
from demo.benchmarks.backends import compare_backends
from engines.checkpoint import Checkpoint
from engines.errors import BackendUnavailable
from engines.sessions import InferenceSession, open_session
from tests.engines.stand_in_checkpoint import channel_mean_model, stand_in_checkpoint


@pytest.fixture(autouse=True)
def _one_short_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "EVENTS", 1)
    monkeypatch.setattr(backends, "TURN_S", 0.0)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return stand_in_checkpoint(tmp_path / "mine")


def test_each_backend_has_its_row_and_the_one_that_cannot_run_its_reason(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(asked: Checkpoint, backend: str) -> InferenceSession:
        if backend == "tensorrt":
            raise BackendUnavailable("backend tensorrt cannot run here: no card;\n  buy one")
        return open_session(asked, backend=backend)

    monkeypatch.setattr(backends, "open_session", opened)
    told: list[float] = []
    result = compare_backends(checkpoint, on_share=lambda share, _words: told.append(share), turns=3)
    here, away = result["rows"]
    assert (here["backend"], here["reason"], here["flow"]) == ("onnxruntime", "", "cpu")
    assert here["engine"].startswith("ONNX Runtime ")
    assert 0 < here["map"]["p50_ms"] <= here["map"]["p95_ms"] < here["event"]["p95_ms"]
    assert here["maps_per_second"] > 0
    assert here["largest_difference"] == 0.0
    assert away == {"backend": "tensorrt", "reason": "backend tensorrt cannot run here: no card; buy one"}
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    assert result["checkpoint"] == "mine"


def test_agreement_is_measured_against_the_first_that_runs(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = stand_in_checkpoint(tmp_path / "other", channel_mean_model(-np.eye(3)))
    monkeypatch.setattr(
        backends, "open_session", lambda _asked, backend: open_session(other if backend == "tensorrt" else checkpoint)
    )
    first, second = compare_backends(checkpoint, turns=1)["rows"]
    assert first["largest_difference"] == 0.0
    assert 0.001 < second["largest_difference"] <= 1.0


def test_whoever_listens_can_end_it_and_every_session_is_closed(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Enough(Exception):
        pass

    sessions: list[Any] = []

    def opened(asked: Checkpoint, backend: str) -> InferenceSession:
        sessions.append(open_session(asked, backend=backend))
        return sessions[-1]  # type: ignore[no-any-return]

    def tell(share: float, _words: str) -> None:
        if share > 0.1:
            raise Enough

    monkeypatch.setattr(backends, "open_session", opened)
    with pytest.raises(Enough):
        compare_backends(checkpoint, ("onnxruntime",), on_share=tell)
    (session,) = sessions
    with pytest.raises(RuntimeError, match="closed"):
        session.run(np.zeros((1, 3, 28, 28), np.float32))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("onset-")]
