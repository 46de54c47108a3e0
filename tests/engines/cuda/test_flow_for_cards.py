"""The flow kernel compiled for cards from Turing to Blackwell, none of which needs to be there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engines.flow import Tvl1Parameters

pytest.importorskip("numba_cuda")

ROOT = Path(__file__).resolve().parents[3]
CAPABILITIES = ("7.5", "8.6", "8.9", "9.0", "12.0")


@pytest.mark.slow
def test_kernel_fits_the_cards() -> None:
    """In a process of its own: the simulator, once chosen, stays for the whole process."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_ENABLE_CUDASIM"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.engines.cuda.compile_for_cards", *CAPABILITIES],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    for capability, figures in json.loads(done.stdout).items():
        assert figures["threads"] == 512
        assert Tvl1Parameters().inner_iterations % figures["depth"] == 0
        # Cards for games do 64 times less in double precision; one literal would pull the arithmetic there.
        assert figures["float64"] == 0, capability
        # Every function inlined, every small array in registers, every access to shared memory known as one.
        assert figures["calls"] == figures["local arrays"] == figures["generic reads of shared memory"] == 0, capability
        assert figures["shared bytes"] <= 48 * 1024, capability
        assert figures["registers"] <= 64, capability
        # Nearly all of it outside the iterations, which read three spilled values of 175 instructions (CUDA 13.5).
        assert figures["spilled bytes"] <= 3000, capability
        assert figures["cubin bytes"] > 10_000, capability
