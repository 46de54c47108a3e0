"""Kernels kept on disk: an edit in a file that a kernel calls is noticed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALLED = """
from engines.compilation import compiled

@compiled()
def addend() -> int:
    return {number}
"""
CALLER = """
from engines.compilation import compiled, compiled_now
from called_kernel import addend

@compiled()
def total(value: int) -> int:
    return value + addend()

print(total(1), compiled_now())
"""


def said(folder: Path) -> list[str]:
    command = [sys.executable, "-c", "import caller_kernel"]
    environment = {"PYTHONPATH": f"{folder}:{ROOT}", "PATH": "", "HOME": str(folder)}
    run = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True)
    return run.stdout.split()


def test_an_edit_in_another_file_of_the_folder_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "called_kernel.py").write_text(CALLED.format(number=10))
    (tmp_path / "caller_kernel.py").write_text(CALLER)
    assert said(tmp_path) == ["11", "2"]
    assert said(tmp_path) == ["11", "0"], "kept on disk"
    (tmp_path / "called_kernel.py").write_text(CALLED.format(number=200))
    assert said(tmp_path) == ["201", "2"]
