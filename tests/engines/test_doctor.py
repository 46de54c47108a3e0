import json
import subprocess
from pathlib import Path

import pytest

from engines import checkpoint as checkpoint_module
from engines import doctor
from engines.doctor import Finding, examine, examine_engines, table
from tests.engines.stand_in_checkpoint import stand_in_checkpoint


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_everything_that_the_tests_rely_on_is_found() -> None:
    found = by_name(examine())
    for name in ("python", "numpy", "OpenCV", "PyAV", "cpu kernels", "onnxruntime", "face models"):
        assert found[name].state == "ok", found[name]
    assert "CPUExecutionProvider" in found["onnxruntime"].detail
    assert {"cuda driver", "tensorrt", "default checkpoint", "training"} <= set(found)


def test_whatever_is_not_ok_says_what_to_do_in_one_line() -> None:
    for finding in examine():
        assert finding.detail
        assert "\n" not in finding.detail + finding.remedy
        assert finding.state == "ok" or finding.remedy, finding


def test_findings_are_json_and_a_table() -> None:
    findings = examine_engines()
    assert json.loads(json.dumps([finding.as_record() for finding in findings]))[0]["name"] == "onnxruntime"
    rows = table([Finding(name="x", state="missing", detail="d", remedy="r", required=False)])
    assert rows == [("x", "missing (optional)", "d", "r")]


def test_the_default_checkpoint_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_module, "SHIPPED_FOLDER", tmp_path)
    assert by_name(examine())["default checkpoint"].state == "unusable"
    checkpoint = stand_in_checkpoint(tmp_path / "default")
    assert by_name(examine())["default checkpoint"].state == "ok"
    checkpoint.model_path.write_bytes(b"altered")
    finding = by_name(examine())["default checkpoint"]
    assert finding.state == "unusable"
    assert "differs" in finding.detail


def test_a_camera_that_hangs_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired("probe", timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    finding = doctor._camera(Path("/dev/video7"))
    assert (finding.name, finding.state) == ("camera 7", "unusable")
    assert "/dev/video7 gives no picture" in finding.detail


def test_a_camera_that_is_not_there_gives_no_picture() -> None:
    assert doctor._camera(Path("/dev/video99")).state == "unusable"


def test_a_look_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Finding:
        raise OSError("the floor gave way\nsecond line")

    monkeypatch.setattr(doctor, "_face_models", broken)
    finding = by_name(examine())["face models"]
    assert (finding.state, finding.detail) == ("unusable", "the floor gave way")


def test_tensorrt_without_a_driver_is_unusable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TENSORRT_PACKAGES", ("numpy",))
    monkeypatch.setattr(
        doctor,
        "_cuda_driver",
        lambda: Finding(name="cuda driver", state="missing", detail="no driver", remedy="get one"),
    )
    finding = by_name(examine_engines())["tensorrt"]
    assert (finding.state, finding.remedy) == ("unusable", "get one")
    monkeypatch.setattr(doctor, "_cuda_driver", lambda: Finding(name="cuda driver", state="ok", detail="one card"))
    assert by_name(examine_engines())["tensorrt"].state == "ok"
