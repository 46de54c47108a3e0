"""A look in a process of its own, which a driver may hang or crash without harm to the caller."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

FAREWELL_S = 1.0
"""How long a killed process may take to go; one that is stuck inside a driver cannot be killed and is left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What became of a probe."""

    output: str
    """What it printed."""
    fault: str
    """Why there is nothing to rely on, in words; empty where it ended well."""


def probe(arguments: Sequence[str], time_limit_s: float) -> Probed:
    """Run Python with arguments until it ends or its time is up. Never raises and never waits for longer.

    Args:
        arguments: what follows the interpreter on the command line.
        time_limit_s: when to give up, seconds.
    """
    # Output goes to a file: a pipe would have to be read to its end, which a stuck process holds open.
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "NUMBA_ENABLE_CUDASIM": "0"},  # the machine is looked at, not a simulator of it
            )
        except OSError as fault:
            return Probed(output="", fault=f"no process could be started: {fault.strerror}")
        try:
            code = process.wait(time_limit_s)
        except subprocess.TimeoutExpired:
            _end(process)
            return Probed(output="", fault=f"no answer within {time_limit_s:g} s")
        output.seek(0)
        said = output.read().decode(errors="replace")
    if code:
        ended = f"signal {-code}" if code < 0 else f"code {code}"
        return Probed(output=said, fault=f"the look ended with {ended}")
    return Probed(output=said, fault="")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    try:
        process.wait(FAREWELL_S)
    except subprocess.TimeoutExpired:
        process.returncode = -9  # stuck in the kernel: it dies when its driver lets go; nobody shall wait for it
