"""Every registered model as a checkpoint; the graphs are those that the parity suite compares."""

import importlib.util
from pathlib import Path

import pytest

from engines.checkpoint import Checkpoint

if importlib.util.find_spec("torch") is not None:
    from tests.parity import networks

    NAMES = [pytest.param(name) for name in networks.NAMES if name != networks.SHIPPED]
else:
    NAMES = [pytest.param("none", marks=pytest.mark.skip("only PyTorch can write the graphs: [train] extra"))]


def registered_checkpoint(name: str, folder: Path) -> Checkpoint:
    """A model with random weights in a checkpoint folder, with a card that says what it takes."""
    return networks.checkpoint(name, folder)
