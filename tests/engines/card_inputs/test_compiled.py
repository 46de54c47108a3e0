import json
import os
import subprocess
import sys

from engines.card_inputs.head_kernel import THREADS

CAPABILITIES = ("7.5", "8.9", "12.0")


def test_every_kernel_compiles_for_old_and_new_cards_without_float64() -> None:
    """Laptops' cards do 64 times less float64 than float32, and Numba slips into it at every Python literal."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_ENABLE_CUDASIM"}
    command = [sys.executable, "-m", "tests.engines.card_inputs.compile_kernels", *CAPABILITIES]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stderr
    found = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(found) == 8 * len(CAPABILITIES)
    assert {entry["capability"] for entry in found} == set(CAPABILITIES)
    for entry in found:
        assert entry["float64"] == 0, entry
        assert entry["spilled"] == 0, entry
        # The block of the fit must find its registers and, without asking for more than the usual, its memory.
        assert 0 < entry["registers"] * THREADS <= 65536, entry
        assert entry["shared"] <= 48 * 1024, entry
    assert all(entry["shared"] > 0 for entry in found if entry["kernel"] in ("hold_head", "make_channels"))
