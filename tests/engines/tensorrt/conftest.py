"""The real TensorRT, where it is installed, and checkpoints that may be written to."""

import shutil
from pathlib import Path

import pytest

from engines.checkpoint import Checkpoint, load_checkpoint
from engines.tensorrt.flavour import Flavour, installed_flavours, unusable_flavours


@pytest.fixture(scope="session")
def rtx() -> Flavour:
    """TensorRT for RTX; it builds without a card, so only its absence is a reason to skip."""
    for flavour in installed_flavours():
        if flavour.name == "rtx":
            return flavour
    pytest.skip("; ".join(unusable_flavours()) or "TensorRT for RTX is not installed: pip install -e '.[tensorrt]'")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    """A copy of the shipped checkpoint."""
    return load_checkpoint(
        shutil.copytree(load_checkpoint("default").folder, tmp_path / "model", ignore=shutil.ignore_patterns("engines"))
    )
