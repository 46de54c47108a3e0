"""Shape checks over the whole house, the shared evaluation data, and a guard against threads left behind."""

import os
import pkgutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

from tests import typechecker

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("engines", "realtime", "trainers", "demo")


def _checked_modules() -> list[str]:
    """Every module whose annotations are enforced.

    Not the Numba kernels, which are compiled from their plain source, nor the flags of the commands, whose required
    fields hold a marker until the command line fills them.
    """
    walked = (
        module.name
        for package in PACKAGES
        for module in pkgutil.walk_packages([str(ROOT / package)], prefix=f"{package}.")
        if not module.ispkg
    )
    return [name for name in walked if not name.endswith("_kernel") and not name.startswith("demo.commands.")]


install_import_hook(_checked_modules(), f"{typechecker.__name__}.check")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Evaluation data that is not part of the repository; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("ONSET_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"evaluation data not found at {folder}; set ONSET_SHARED_DATA to its folder")
    return folder


@pytest.fixture(autouse=True)
def _no_thread_left_behind() -> Iterator[None]:
    """A test that leaves one of our threads running fails."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("onset-")]
    for thread in left:
        thread.join(timeout=2.0)
    alive = [thread.name for thread in left if thread.is_alive()]
    assert not alive, f"threads left running: {alive}"
