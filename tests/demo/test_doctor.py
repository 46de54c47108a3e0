"""`onset doctor`: a table that reads at 100 columns, one JSON object, and a verdict."""

import json
from pathlib import Path

import pytest

from demo.cli import main
from demo.commands import doctor
from engines.doctor import Finding
from tests.engines.stand_in_checkpoint import stand_in_checkpoint

DRIVER = Finding(name="cuda driver", state="missing", detail="no driver", remedy="install [it]", required=False)
FINDINGS = [
    Finding(name="python", state="ok", detail="3.11 on Linux"),
    Finding(name="packages", state="missing", detail="not installed: NumPy", remedy="reinstall"),
    DRIVER,
    Finding(name="card", state="missing", detail="none to be used", remedy="install [it]", required=False),
]


def test_one_object_and_nothing_else_with_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in_checkpoint(tmp_path / "mine")
    assert main(["doctor", str(tmp_path / "mine"), "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {"cpu kernels", "onnxruntime", "default checkpoint", "checkpoint mine"} <= {one["name"] for one in findings}
    for finding in findings:
        assert set(finding) == {"name", "state", "detail", "remedy", "required"}
        assert finding["state"] == "ok" or finding["remedy"], finding


def test_the_table_fits_and_says_each_remedy_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(doctor, "examine", lambda *_, **__: FINDINGS)
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 100
    assert said.count("install [it]") == 1, "and what looks like markup stays text"
    assert "as for cuda driver" in said
    assert "Not ready: packages." in said
    assert "Optional, and not ready: cuda driver, card." in said


def test_a_machine_that_lacks_nothing_hears_only_that() -> None:
    assert doctor.verdict(FINDINGS[:1]) == ["Everything that a replay needs is here."]
