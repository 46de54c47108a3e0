"""`onset bench`: every benchmark that it names is there, runs in turn and is printed as asked."""

import importlib
import inspect
import json
import sys
from types import ModuleType

import pytest

from demo.cli import main
from demo.commands.bench import BENCHMARKS, Bench


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_can_be_run_quickly_and_drawn(name: str) -> None:
    module = importlib.import_module(f"demo.benchmarks.{name.replace('-', '_')}")
    assert inspect.signature(module.run).parameters["quick"].default is False
    assert list(inspect.signature(module.render).parameters) == ["result"]
    assert name in (Bench.__doc__ or "")


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("flow", "classify"):
        module = ModuleType(name)
        module.run = lambda *, quick, name=name: {"name": name, "quick": quick}  # type: ignore[attr-defined]
        module.render = lambda result: f"drawn: {result['name']}"  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"demo.benchmarks.{name}", module)


@pytest.mark.usefixtures("stand_ins")
def test_those_named_run_in_the_order_of_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "classify", "flow"]) == 0
    printed = capsys.readouterr().out
    assert printed.index("drawn: classify") < printed.index("drawn: flow")


@pytest.mark.usefixtures("stand_ins")
def test_json_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "flow", "classify", "--quick", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "flow": {"name": "flow", "quick": True},
        "classify": {"name": "classify", "quick": True},
    }


def test_an_unknown_benchmark_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "speed"]) == 2
    fault = capsys.readouterr().err
    assert fault.startswith("onset: bench: 'speed' is not a benchmark; choose among flow, classify, engines")
    assert fault.count("\n") == 1
