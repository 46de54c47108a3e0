"""CUDA kernels simulated, shape checks over the whole house, the evaluation data, and no thread left behind."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

from tests import typechecker

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("engines", "realtime", "trainers", "demo")


def _checked_modules() -> list[str]:
    """Every module whose annotations are enforced: the files, since asking the packages would import them unchecked.

    Not the Numba kernels, which are compiled from their plain source, nor the flags of the commands, whose required
    fields hold a marker until the command line fills them.
    """
    files = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files if path.name != "__init__.py")
    return [name for name in names if not name.endswith("_kernel") and not name.startswith("demo.commands.")]


install_import_hook(_checked_modules(), f"{typechecker.__name__}.check")

from engines.graphics_card import NoCard, find_card  # noqa: E402  (checked like every other module: after the hook)

if isinstance(find_card(), NoCard):  # before anything loads Numba, which reads it once
    os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "1")

from tests import gpu_rule  # noqa: E402
from tests.simulated_shared_arrays import make_shared_arrays_once  # noqa: E402

make_shared_arrays_once()


def pytest_configure(config: pytest.Config) -> None:
    """The rule of the `gpu` marker."""
    config.pluginmanager.register(gpu_rule)


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
