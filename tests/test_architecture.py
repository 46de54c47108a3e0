"""The floors hold, rooms stay small, and nothing heavy is imported where it does not belong."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("engines", "realtime", "trainers", "demo")


def modules_after(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after running a statement."""
    script = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in run.stdout.split()}


@pytest.mark.parametrize("statement", ["import demo.cli", "import realtime", "import engines"])
def test_front_doors_start_without_heavy_packages(statement: str) -> None:
    loaded = modules_after(statement)
    assert not loaded & {"torch", "gradio", "mediapipe", "onnxruntime", "matplotlib"}


def test_replay_runs_without_pytorch() -> None:
    assert "torch" not in modules_after("import realtime.pipeline, trainers.datasets.synthetic_videos")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_room_over_400_lines(package: str) -> None:
    too_large = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / package).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert not too_large
