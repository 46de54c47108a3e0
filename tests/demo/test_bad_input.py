"""Whatever a user gets wrong ends in one line that names it, and exit code 2; never in a traceback."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from demo.cli import main
from engines.checkpoint import load_checkpoint
from tests.videos import write_sound, write_video


def text_named_mp4(folder: Path) -> list[str]:
    (folder / "notes.mp4").write_text("these are notes, not a film\n" * 50)
    return ["replay", str(folder / "notes.mp4")]


def empty_file(folder: Path) -> list[str]:
    (folder / "empty.mp4").touch()
    return ["replay", str(folder / "empty.mp4")]


def truncated(folder: Path) -> list[str]:
    whole = film(folder)
    cut = folder / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return ["replay", str(cut)]


def audio_only(folder: Path) -> list[str]:
    write_sound(folder / "sound.mp4")
    return ["replay", str(folder / "sound.mp4")]


def folder_without_images(folder: Path) -> list[str]:
    (folder / "photos").mkdir()
    (folder / "photos" / "readme.txt").write_text("no images here")
    return ["replay", str(folder / "photos"), "--frame-rate-hz", "100"]


def unwritable_output(folder: Path) -> list[str]:
    (folder / "file").write_text("in the way")
    return ["replay", str(film(folder)), "--out", str(folder / "file" / "session")]


def existing_session(folder: Path) -> list[str]:
    (folder / "session").mkdir()
    (folder / "session" / "session.json").write_text('{"format": "onset-session/1", "state": "complete"}')
    return ["replay", str(film(folder)), "--out", str(folder / "session")]


def unknown_key(folder: Path) -> list[str]:
    (folder / "onset.toml").write_text("[spotting]\nsensibility = 1\n")
    return ["replay", str(film(folder)), "--config", str(folder / "onset.toml")]


def altered_checkpoint(folder: Path) -> list[str]:
    altered = folder / "checkpoint"
    shutil.copytree(load_checkpoint("default").folder, altered, ignore=shutil.ignore_patterns("engines"))
    model = bytearray((altered / "model.onnx").read_bytes())
    model[len(model) // 2] ^= 1
    (altered / "model.onnx").write_bytes(model)
    return ["replay", str(film(folder)), "--checkpoint", str(altered)]


def film(folder: Path) -> Path:
    path = folder / "film.mp4"
    images = np.random.default_rng(0).integers(0, 255, (30, 96, 128, 3), np.uint8)
    write_video(path, list(images), frame_rate=30)
    return path


CASES: list[tuple[Callable[[Path], list[str]], str]] = [
    (lambda folder: ["replay", str(folder / "missing.mp4")], "missing.mp4"),
    (empty_file, "empty.mp4"),
    (text_named_mp4, "notes.mp4"),
    (truncated, "cut.mp4"),
    (audio_only, "sound.mp4"),
    (folder_without_images, "photos"),
    (unwritable_output, "session"),
    (existing_session, "--overwrite"),
    (unknown_key, "spotting.sensibility"),
    (altered_checkpoint, "model.onnx"),
    (lambda folder: ["replay", str(film(folder)), "--backend", "tensorrt"], "tensorrt"),
    (lambda _folder: ["replay"], "source"),
    (lambda _folder: ["replai"], "replai"),
    (lambda folder: ["replay", str(film(folder)), "--speed", "3"], "--speed"),
    (lambda _folder: ["live", "--camera", "7931"], "7931"),
    (lambda _folder: ["live", "--duration-s", "0"], "--duration-s"),
    (lambda folder: ["flow", str(folder / "a.png"), str(folder / "b.png")], "a.png"),
    (lambda folder: ["flow", str(folder / "a.png"), str(folder / "b.png"), "--out", str(folder / "f.txt")], "f.txt"),
    (lambda folder: ["flow", str(folder / "a.png"), str(folder / "b.png"), "--image", str(folder / "f.xyz")], "f.xyz"),
    (lambda folder: ["magnify", str(folder / "missing.mp4")], "missing.mp4"),
    (lambda _folder: ["bench", "speed"], "speed"),
]


@pytest.mark.parametrize(("case", "named"), CASES, ids=[named for _, named in CASES])
def test_one_line_and_exit_code_2(
    case: Callable[[Path], list[str]], named: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = case(tmp_path)
    if "--out" not in words and words[0] in ("replay", "live", "flow", "magnify"):
        words += ["--out", str(tmp_path / ("out.npy" if words[0] == "flow" else "out"))]
    capfd.readouterr()
    code = main(words)
    said = [line for line in capfd.readouterr().err.splitlines() if "Compiled" not in line]
    assert code == 2
    assert len(said) == 1, said
    assert said[0].startswith("onset: ")
    assert named in said[0]


def test_bad_input_leaves_no_session_behind(tmp_path: Path) -> None:
    assert main(["replay", str(tmp_path / "missing.mp4"), "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()


def test_one_bad_recording_does_not_stop_the_others(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    good = film(tmp_path)
    code = main(["replay", str(tmp_path / "missing.mp4"), str(good), "--out", str(tmp_path / "out")])
    assert code == 2
    assert "missing.mp4" in capfd.readouterr().err
    assert '"state": "complete"' in (tmp_path / "out" / "film" / "session.json").read_text()


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_lists_the_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert "onset replay" in capsys.readouterr().out
