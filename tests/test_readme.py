"""What the README says can be typed, can be typed."""

import re
import subprocess
from pathlib import Path

import pytest

from demo.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_that_is_shown_exists() -> None:
    shown = set(re.findall(r"`onset ([a-z]+)", README)) | set(re.findall(r"bin/onset ([a-z]+)", README))
    assert shown <= set(COMMANDS)
    assert set(COMMANDS) <= shown


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"onset {command}" in capsys.readouterr().out


def test_ci_runs_exactly_the_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    extraction = re.search(r"test_command=\$\((.*)\)\n", script)
    assert extraction is not None
    found = subprocess.run(
        ["bash", "-c", extraction.group(1)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert (
        found
        == "python3 -m venv .venv && .venv/bin/pip install -e '.[train,cuda,tensorrt,cluster,dev]' && .venv/bin/pytest"
    )
    assert found in README


def test_pictures_are_there() -> None:
    for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / name).is_file(), name


def test_flags_in_examples_exist(capsys: pytest.CaptureFixture[str]) -> None:
    for line in re.findall(r"onset ([a-z]+ [^`\n|]*)", README):
        command, *words = line.split()
        if command not in COMMANDS:
            continue
        flags = {word for word in words if word.startswith("--")}
        with pytest.raises(SystemExit):
            main([command, "--help"])
        told = capsys.readouterr().out
        assert all(flag in told for flag in flags), line
