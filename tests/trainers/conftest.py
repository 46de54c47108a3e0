"""Small networks on one thread: a second one waits more than it works, most of all on a busy machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.trainers.drawn_clips import expression_scene, film_clip


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """PyTorch on one thread for all of the trainers' tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip's folder that nobody may change: frames 40 to 69 of an expression, onset 43, apex 48, offset 56."""
    return film_clip(tmp_path_factory.mktemp("filmed") / "clip", expression_scene(), range(40, 70))
