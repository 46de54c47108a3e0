"""The ground that the other tests stand on: simulator, shape checks, and the rule of the `gpu` marker."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engines.graphics_card import GraphicsCard, find_card

ROOT = Path(__file__).resolve().parents[1]
CONFTEST = """
from engines.graphics_card import {imported}
from tests import gpu_rule
gpu_rule.find_card = lambda: {card}
def pytest_configure(config):
    config.addinivalue_line("markers", "gpu: needs a card")
    config.pluginmanager.register(gpu_rule)
"""
NO_CARD = CONFTEST.format(imported="NoCard", card="NoCard(detail='no card in this slot', remedy='buy one')")
CARD = CONFTEST.format(imported="GraphicsCard", card="object()")
TESTS = """
import pytest
@pytest.mark.gpu
def test_on_the_card(): assert True
@pytest.mark.gpu
def test_with_a_package(): pytest.skip("package not installed")
def test_elsewhere(): assert True
"""


def run_pytest(folder: Path, *flags: str, conftest: str, tests: str = TESTS) -> tuple[int, str]:
    """Exit code and output of pytest over one file under the rule."""
    (folder / "conftest.py").write_text(conftest)
    (folder / "test_one.py").write_text(tests)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", *flags, str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout


def test_without_a_card_they_skip_with_the_reason_and_a_run_for_them_fails(tmp_path: Path) -> None:
    code, said = run_pytest(tmp_path, "-m", "gpu", conftest=NO_CARD)
    assert code == 1
    assert "no card in this slot; buy one" in said
    assert "-m gpu ran nothing: each of the 2 tests" in said


@pytest.mark.parametrize("flags", [(), ("-m", "not gpu"), ("-m", "gpu", "--collect-only")])
def test_other_runs_without_a_card_pass(tmp_path: Path, flags: tuple[str, ...]) -> None:
    code, said = run_pytest(tmp_path, *flags, conftest=NO_CARD)
    assert code == 0
    assert "ran nothing" not in said


def test_with_a_card_one_test_that_ran_is_enough(tmp_path: Path) -> None:
    code, said = run_pytest(tmp_path, "-m", "gpu", conftest=CARD)
    assert code == 0
    assert "1 passed, 1 skipped" in said


def test_with_a_card_a_run_that_skipped_everything_fails(tmp_path: Path) -> None:
    only_skipping = TESTS.replace("assert True", "pytest.skip('driver too old')")
    code, said = run_pytest(tmp_path, "-m", "gpu", conftest=CARD, tests=only_skipping)
    assert code == 1
    assert "ran nothing" in said


@pytest.mark.filterwarnings("ignore:Grid size")  # numba-cuda on a card that so small a kernel leaves it idle
def test_kernels_for_the_card_run_in_the_simulator_where_there_is_none() -> None:
    pytest.importorskip("numba_cuda", reason="the cuda extra is not installed")
    from numba import cuda

    from engines.card_compilation import SIMULATED
    from tests.doubling_kernel import double

    assert SIMULATED or isinstance(find_card(), GraphicsCard)
    values = cuda.to_device(np.arange(5, dtype=np.float32))
    double[2, 4](values)
    assert values.copy_to_host().tolist() == [0, 2, 4, 6, 8]


def test_annotations_are_enforced_in_every_package() -> None:
    from engines.flow import tvl1

    with pytest.raises(TypeError, match="parameters"):
        tvl1(np.zeros((16, 16), np.uint8), np.zeros((16, 16), np.uint8), parameters="no parameters")  # type: ignore[arg-type]
