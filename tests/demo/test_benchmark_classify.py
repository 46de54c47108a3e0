"""The classification benchmark with few events and the smallest model."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.benchmarks import against_pytorch, classify
from demo.benchmarks.against_pytorch import ORT, TORCH, TORCH_THREADS, shipped_in_pytorch
from demo.benchmarks.event_cost import HEADS, PARTS, TOTALS, event_costs, synthetic_events
from engines.checkpoint import load_checkpoint
from engines.errors import BadCheckpoint
from engines.sessions.onnxruntime import OnnxRuntimeSession


@pytest.fixture(scope="module")
def result() -> Iterator[dict[str, Any]]:
    if importlib.util.find_spec("torch") is None:
        yield _measured()
        return
    import torch

    # What PyTorch would take by itself waits long for a core where other tests run beside this one.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield _measured()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)


def _measured() -> dict[str, Any]:
    result = classify.run(quick=True, events=4, models=("ststnet",), batches=(1, 3))
    return dict(json.loads(json.dumps(result)))


def test_parts_of_an_event_add_up() -> None:
    costs = event_costs(load_checkpoint(), synthetic_events(2))
    for cost in costs:
        assert set(cost) == {*PARTS, *TOTALS}
        assert all(seconds > 0 for seconds in cost.values())
        assert sum(cost[part] for part in PARTS) == pytest.approx(cost["total"])


def test_every_part_has_figures_for_both_kinds_of_head(result: dict[str, Any]) -> None:
    groups = result["events"]
    assert set(groups) == {"all", *HEADS}
    assert groups["all"]["events"] == 4 == sum(groups[head]["events"] for head in HEADS)
    for group in groups.values():
        assert set(group["parts"]) == {*PARTS, *TOTALS}
        for part in group["parts"].values():
            assert 0 < part["median_ms"] <= part["p95_ms"]


def test_events_differ_and_are_the_same_in_every_run() -> None:
    events = synthetic_events(3)
    again = synthetic_events(3)
    for event, other in zip(events, again, strict=True):
        np.testing.assert_array_equal(event.apex, other.apex)
        assert np.abs(event.apex.astype(int) - event.onset).max() > 5
    assert np.abs(events[0].onset.astype(int) - events[1].onset).mean() > 2


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch comes with the [train] extra")
def test_both_engines_agree_and_are_set_side_by_side(result: dict[str, Any]) -> None:
    rows = result["engines"]["rows"]
    assert [(row["model"], row["batch"]) for row in rows] == [
        ("default", 1),
        ("default", 3),
        ("ststnet", 1),
        ("ststnet", 3),
    ]
    for row in rows:
        assert {ORT, TORCH, TORCH_THREADS} <= set(row["ms"])
        assert row["times_faster"] == pytest.approx(row["ms"][TORCH] / row["ms"][ORT])
        assert row["times_faster_than_default_threads"] == pytest.approx(row["ms"][TORCH_THREADS] / row["ms"][ORT])
        assert 0 <= row["largest_difference"] < 1e-4
    assert result["engines"]["tensorrt"]


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch comes with the [train] extra")
def test_the_shipped_checkpoint_is_rebuilt_with_its_own_weights() -> None:
    import torch

    checkpoint = load_checkpoint()
    maps = np.random.default_rng(5).normal(size=(5, *checkpoint.card.input_shape)).astype(np.float32)
    with torch.no_grad():
        expected = shipped_in_pytorch(checkpoint)(torch.from_numpy(maps)).numpy()
    with OnnxRuntimeSession(checkpoint) as session:
        np.testing.assert_allclose(session.run(maps), expected, atol=1e-4)


def test_aims_are_told_with_what_was_reached(result: dict[str, Any]) -> None:
    first = result["aims"][0]
    assert first["reached"] == result["events"]["all"]["parts"]["total"]["p95_ms"]
    assert first["met"] == (first["reached"] <= classify.AIM_P95_MS)
    table = classify.render(result)
    assert all(part in table for part in (PARTS | TOTALS))
    assert f"aim: {first['what']}" in table


def test_without_pytorch_the_bench_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else found(name, *rest)
    )
    result = classify.run(quick=True, events=2)
    assert result["engines"] is None
    assert len(result["aims"]) == 1
    assert "PyTorch is not installed; pip install 'onset-live[train]'" in classify.render(result)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch comes with the [train] extra")
def test_what_would_take_too_long_or_cannot_be_made_is_left_out_and_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = against_pytorch._made

    def refusing(name: str, folder: Path) -> Any:
        if name == "ststnet":
            raise BadCheckpoint("the exported graph differs")
        return made(name, folder)

    monkeypatch.setattr(against_pytorch, "_made", refusing)
    monkeypatch.setattr(against_pytorch, "_seconds_a_map", lambda *_: 1.0)
    result = against_pytorch.compare(tmp_path, names=("ststnet",), turns=1, batches=(1, 256))
    assert [(row["model"], row["batch"]) for row in result["rows"]] == [("default", 1)]
    assert result["left_out"] == [
        "default, batch 256: one call would take about 256 s",
        "ststnet: the exported graph differs",
    ]
    table = "\n".join(against_pytorch.comparison_lines(result))
    assert "left out: ststnet: the exported graph differs" in table
