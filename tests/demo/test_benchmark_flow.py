"""The flow benchmark on pictures small enough for a test."""

import json

import pytest

from demo.benchmarks import flow


def test_flow_benchmark_measures_and_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "SIZES_PX", (40,))
    result = json.loads(json.dumps(flow.run(quick=True)))
    rows = {row["method"]: row for row in result["rows"]}
    assert set(rows) == set(flow.METHODS)
    assert rows[flow.BASELINE]["times_faster"] == pytest.approx(1.0)
    assert rows[flow.BASELINE]["energy_ratio"] == pytest.approx(1.0)
    assert rows["onset tv-l1"]["times_faster"] > 3
    assert rows["onset tv-l1"]["highest_energy_ratio"] <= 1.01
    table = flow.render(result)
    assert all(name in table for name in flow.METHODS)
