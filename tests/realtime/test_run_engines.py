from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from engines.errors import BadInput
from engines.flow import Tvl1Parameters, tvl1
from engines.sessions.choose import Backend
from realtime import run_engines
from realtime.run_engines import FLOW_ENGINES, open_engines
from tests.engines.stand_in_checkpoint import stand_in_checkpoint
from tests.realtime.test_recognition import crops, event

QUICK = Tvl1Parameters.quick()


class CardFlowWithoutItsSession:
    """A flow engine that has to be let go."""

    name = "cuda"
    choice = "cuda: a stand-in"

    def __init__(self) -> None:
        self.calls, self.closed = 0, False

    def __call__(
        self, previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
    ) -> np.ndarray:
        self.calls += 1
        return tvl1(previous, following, parameters)

    def close(self) -> None:
        self.closed = True


def test_every_backend_says_where_the_flow_is_computed() -> None:
    assert set(FLOW_ENGINES) == set(get_args(Backend))
    assert FLOW_ENGINES["onnxruntime"] == "cpu"


def test_onnxruntime_is_a_run_on_the_cpu(tmp_path: Path) -> None:
    with open_engines(stand_in_checkpoint(tmp_path / "tiny"), "onnxruntime", QUICK) as engines:
        assert (engines.backend, engines.flow_engine) == ("onnxruntime", "cpu")
        assert engines.account["flow"] == "cpu: asked for"
        assert engines.account["reading"] == "host: onnxruntime takes its input from the host"
        assert engines.account["model"].startswith("stand-in (tiny)")


def test_the_flow_engine_is_asked_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = CardFlowWithoutItsSession()
    asked: list[str] = []

    def open_flow(name: str) -> CardFlowWithoutItsSession:
        asked.append(name)
        return opened

    monkeypatch.setattr(run_engines, "open_flow", open_flow)
    checkpoint = stand_in_checkpoint(tmp_path / "tiny")
    with open_engines(checkpoint, "auto", QUICK) as engines:
        calls = opened.calls
        given = engines.recogniser.recognise(event(), *crops())
        assert opened.calls > calls
        assert engines.flow_engine == "cuda"
    assert asked == ["auto"]
    assert opened.closed
    monkeypatch.undo()
    with open_engines(checkpoint, "onnxruntime", QUICK) as engines:
        expected = engines.recogniser.recognise(event(), *crops())
    assert given.event == expected.event
    np.testing.assert_array_equal(given.flow, expected.flow)


def test_an_unknown_backend_is_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(BadInput, match="backend 'openvino' is unknown"),
        open_engines(stand_in_checkpoint(tmp_path / "tiny"), "openvino", QUICK),
    ):
        pass
