"""`onset build`: what it prints, what it leaves behind, and one line where it cannot."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from demo.cli import main
from demo.commands import build as command
from engines.checkpoint import Checkpoint
from engines.tensorrt.build import BuildStopped
from engines.tensorrt.flavour import Flavour, installed_flavours
from engines.tensorrt.manifest import EngineManifest
from tests.engines.stand_in_checkpoint import stand_in_checkpoint
from tests.engines.tensorrt.fake_tensorrt import fake_card


@pytest.fixture
def rtx() -> Flavour:
    for flavour in installed_flavours():
        if flavour.name == "rtx":
            return flavour
    pytest.skip("TensorRT for RTX is not installed: pip install -e '.[tensorrt]'")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return stand_in_checkpoint(tmp_path / "model")


def test_it_says_where_the_engine_lies_and_what_to_do(
    rtx: Flavour, checkpoint: Checkpoint, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["build", str(checkpoint.folder), "--compute-capability", "8.9", "8.6", "--largest-batch", "8"]
    assert main(words) == 0
    said = capfd.readouterr()
    assert said.err == ""
    path, how, cards, following = said.out.splitlines()
    manifest = EngineManifest.read(Path(path).with_suffix(".json"))
    assert Path(path).stat().st_size == manifest.engine_bytes
    assert how.startswith("  built in ")
    assert how.endswith(" MB, fp32, batches of 1 to 8")
    assert cards == f"  for compute capability 8.6, 8.9, with TensorRT for RTX {rtx.version}"
    assert following.startswith("  next: ")
    assert main(words) == 0
    assert "was there already, and whole (--rebuild builds it anew)" in capfd.readouterr().out
    assert main([*words, "--rebuild"]) == 0
    assert "built in " in capfd.readouterr().out


@pytest.mark.parametrize(
    ("given", "capabilities"),
    [
        (["--compute-capability", "8.6", "12.0"], ["8.6", "12.0"]),
        (["--compute-capability", "12.0", "--compute-capability", "8.6"], ["8.6", "12.0"]),
    ],
    ids=["one flag", "a flag each"],
)
def test_json_is_one_object(
    rtx: Flavour, checkpoint: Checkpoint, capfd: pytest.CaptureFixture[str], given: list[str], capabilities: list[str]
) -> None:
    assert main(["build", str(checkpoint.folder), "--precision", "fp16", "--json", *given]) == 0
    said = capfd.readouterr()
    record = json.loads(said.out)
    manifest = EngineManifest.read(Path(record["manifest"]))
    assert said.err == ""
    assert record == {
        "engine": str(Path(record["manifest"]).with_suffix(".engine")),
        "manifest": record["manifest"],
        "kept": False,
        "bytes": Path(record["engine"]).stat().st_size,
        "seconds": manifest.build_seconds,
        "sha256": manifest.engine_sha256,
        "flavour": "rtx",
        "version": rtx.version,
        "compute_capabilities": capabilities,
        "precision": "fp16",
        "batches": [1, 2, 256],
        "warnings": [],
    }


@pytest.mark.usefixtures("rtx")
def test_on_the_card_itself_replay_is_next(
    checkpoint: Checkpoint, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find_card", lambda: fake_card((8, 9)))
    assert main(["build", str(checkpoint.folder), "--compute-capability", "8.9"]) == 0
    wanted = f"  next: onset replay SOURCE --out DIR --checkpoint {checkpoint.folder} --backend tensorrt"
    assert capfd.readouterr().out.splitlines()[-1] == wanted


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["FOLDER", "--compute-capability", "9.9"], "9.9"),
        (["FOLDER", "--compute-capability", "ada"], "'ada'"),
        (["FOLDER", "--compute-capability", "8.9", "--largest-batch", "0"], "largest batch 0"),
        (["FOLDER", "--compute-capability", "8.9", "--precision", "int8"], "--precision"),
        (["FOLDER/nowhere", "--compute-capability", "8.9"], "nowhere"),
        (["FOLDER", "--compute-capability", "8.9", "--flavour", "lean"], "--flavour"),
        ([], "required"),
    ],
)
def test_whatever_a_user_gets_wrong_is_one_line(
    rtx: Flavour, checkpoint: Checkpoint, capfd: pytest.CaptureFixture[str], words: list[str], named: str
) -> None:
    assert rtx.builds_without_card
    assert main(["build", *(word.replace("FOLDER", str(checkpoint.folder)) for word in words)]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("onset: ")
    assert named in line


def test_a_stopped_build_ends_with_130(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The first Ctrl-C sets a flag that the build is asked about; it does not tear through TensorRT."""

    def building(_checkpoint: Checkpoint, *, stopped: Any, **_: Any) -> None:
        assert not stopped()
        signal.raise_signal(signal.SIGINT)
        assert stopped()
        raise BuildStopped

    monkeypatch.setattr(command, "build_engine", building)
    before = signal.getsignal(signal.SIGINT)
    assert main(["build", str(checkpoint.folder), "--compute-capability", "8.9"]) == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert capfd.readouterr() == ("", "")
