"""Markers of the Lab Streaming Layer: the right moments on the layer's clock, received by a real inlet."""

import builtins
import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engines.errors import BackendUnavailable
from realtime.clock import MonotonicClock, to_nanoseconds
from realtime.frames import Frame
from realtime.lab_streaming import LabStreaming
from realtime.watcher import Look
from tests.realtime.session_fixtures import HandClock, an_event


def look(captured_ns: int, time_ns: int) -> Look:
    image = np.zeros((2, 2, 3), np.uint8)
    return Look(frame=Frame(index=0, time_ns=time_ns, captured_ns=captured_ns, image=image), faces=())


@pytest.fixture
def streaming() -> Iterator[LabStreaming]:
    pytest.importorskip("pylsl", reason="needs pylsl: the extra [lsl]", exc_type=ImportError)
    outlet = LabStreaming("onset-test")
    yield outlet
    outlet.close()


def test_a_marker_bears_the_moments_themselves(streaming: LabStreaming) -> None:
    layer: Any = importlib.import_module("pylsl")
    found = layer.resolve_byprop("source_id", "onset-test", 1, 5.0)
    if not found:
        pytest.skip("the Lab Streaming Layer finds no stream here: no multicast on this machine")
    inlet = layer.StreamInlet(found[0])
    inlet.open_stream(5.0)
    assert (found[0].name(), found[0].type()) == ("Onset", "Markers")
    # A camera that began 10 s ago; its frames reach us late, one by less than the others.
    now_ns = MonotonicClock().now_ns()
    began_ns, began_lsl_s = now_ns - to_nanoseconds(10.0), float(layer.local_clock()) - 10.0
    for delay_s in (0.2, 0.004, 0.1):
        assert streaming.watcher.on_look is not None
        streaming.watcher.on_look(look(began_ns + to_nanoseconds(5.0 + delay_s), to_nanoseconds(5.0)))
    streaming.watcher.on_event(an_event(onset_s=8.5))
    sample, stamp_s = inlet.pull_sample(5.0)
    inlet.close_stream()
    marker = json.loads(sample[0])
    assert (marker["label"], marker["kind"], marker["onset_index"]) == ("positive", "micro", 850)
    assert stamp_s == pytest.approx(began_lsl_s + 8.504, abs=0.003)
    assert marker["onset_lsl_s"] == pytest.approx(stamp_s, abs=1e-6)
    assert marker["apex_lsl_s"] - marker["onset_lsl_s"] == pytest.approx(0.10)
    assert marker["offset_lsl_s"] - marker["onset_lsl_s"] == pytest.approx(0.25)


class StandInLayer:
    """Takes markers; its clock is that of the frames."""

    IRREGULAR_RATE = 0.0

    def __init__(self) -> None:
        self.clock = HandClock()
        self.stamps_s: list[float] = []

    def StreamInfo(self, *_facts: object) -> "StandInLayer":  # noqa: N802 - pylsl's name
        return self

    def StreamOutlet(self, _information: object) -> "StandInLayer":  # noqa: N802 - pylsl's name
        return self

    def desc(self) -> "StandInLayer":
        return self

    def append_child_value(self, _name: str, _value: str) -> None:
        pass

    def local_clock(self) -> float:
        return self.clock.now_ns() / 1e9

    def push_sample(self, _sample: list[str], stamp_s: float) -> None:
        self.stamps_s.append(stamp_s)


@pytest.mark.parametrize("drift", [100e-6, -100e-6])
def test_the_drift_of_a_senders_clock_is_followed(monkeypatch: pytest.MonkeyPatch, drift: float) -> None:
    layer = StandInLayer()
    monkeypatch.setattr("realtime.lab_streaming._load", lambda: layer)
    streaming = LabStreaming("onset-test", clock=layer.clock)
    begin_ns = layer.clock.now_ns()
    assert streaming.watcher.on_look is not None
    for step in range(2 * 3600):  # an hour, twice a second; frames are late by 5 ms, and more now and then
        filmed_s = step / 2
        captured_ns = begin_ns + to_nanoseconds(filmed_s + (0.005 if step % 10 == 0 else 0.08))
        streaming.watcher.on_look(look(captured_ns, to_nanoseconds(filmed_s * (1 + drift))))
    streaming.push(an_event(onset_s=3590.0 * (1 + drift)))
    (stamp_s,) = layer.stamps_s
    assert stamp_s == pytest.approx(begin_ns / 1e9 + 3590.005, abs=0.007), "0.36 s off if the first frames counted"


def test_after_closing_nothing_is_sent_and_nothing_fails(streaming: LabStreaming) -> None:
    streaming.close()
    streaming.push(an_event())


def test_without_pylsl_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "pylsl":
            raise ImportError("No module named 'pylsl'")
        return real(name, *arguments, **named)

    for name in [one for one in sys.modules if one.partition(".")[0] == "pylsl"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pylsl", None)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BackendUnavailable, match=r"pylsl cannot be loaded .*; install it with .*\[lsl\]"):
        LabStreaming("onset-test")
