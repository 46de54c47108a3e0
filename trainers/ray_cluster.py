"""Finding, joining and starting Ray, quietly and within a short time."""

import contextlib
import importlib
import importlib.util
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engines.errors import BackendUnavailable, BadInput, first_line

OBJECT_STORE_BYTES = 512 * 1024 * 1024
"""Shared memory of a Ray that is started here, at most; what does not fit it writes to disk."""
ANSWER_S = 5.0
"""How long a cluster may take to answer at its address, seconds."""
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a job that reserves no card may still use the one that is there
    "RAY_gcs_server_request_timeout_seconds": "20",  # how long this machine is looked for in a cluster; 60 otherwise
}
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""What a gRPC client says first; a server answers with a frame of type 4, its settings."""


def ray_is_installed() -> bool:
    """Whether there is a Ray to be asked for; it is not loaded."""
    return importlib.util.find_spec("ray") is not None


def load_ray() -> Any:
    """Ray, told to be quiet before it reads its settings.

    Raises:
        BackendUnavailable: if it is not installed.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        return importlib.import_module("ray")  # only here: it takes a second to load, and is an extra
    except ImportError:
        raise BackendUnavailable("cluster: Ray is not installed; pip install 'onset-live[cluster]'") from None


def connect(ray: Any, asked_address: str, cores: int | None) -> None:
    """Join a cluster, or start one on this machine.

    Args:
        ray: the module.
        asked_address: HOST:PORT, or "auto" for the Ray of this machine, started if there is none.
        cores: of a cluster that is started; as many as there are if None.

    Raises:
        BackendUnavailable: if no cluster answers, or Ray cannot join or start it.
    """
    address = asked_address if asked_address != "auto" else _local_cluster()
    if address is None:
        settings: dict[str, Any] = {
            "address": "local",
            "num_cpus": cores or len(os.sched_getaffinity(0)),
            "object_store_memory": _object_store_bytes(),
            "include_dashboard": False,
        }
    elif answers(*host_and_port(address)):
        settings = {"address": address}
    else:
        raise BackendUnavailable(
            f"cluster {address}: no Ray answers there within {ANSWER_S:.0f} s; start one with `ray start --head`, "
            'or give "auto" for this machine alone'
        )
    try:
        with _own_signals():
            ray.init(**settings, log_to_driver=False, logging_level="CRITICAL")
    except KeyboardInterrupt:
        ray.shutdown()
        raise
    except Exception as fault:
        ray.shutdown()
        raise BackendUnavailable(
            f"cluster {asked_address}: Ray cannot be joined or started ({first_line(fault)}); each machine, this one "
            "too, must run `ray start --address=HOST:PORT` of the same Ray version"
        ) from None
    _silence(ray)


def _silence(ray: Any) -> None:
    """Keep Ray from printing about lost workers on standard output, where a program may read our results."""
    listener: Any = getattr(ray._private, "worker", None)
    if listener is not None and hasattr(listener, "print_to_stdstream"):
        listener.print_to_stdstream = lambda *_, **__: None


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of a cluster's address.

    Raises:
        BadInput: if it is none.
    """
    host, separator, port = address.rpartition(":")
    if not (separator and host and port.isdecimal() and "/" not in host and 0 < int(port) < 65536):
        raise BadInput(f'--cluster {address}: is no address; give "auto" or HOST:PORT, as `ray start --head` names it')
    return host.strip("[]"), int(port)


def _local_cluster() -> str | None:
    """Address of the Ray that `ray start` left running on this machine; None if there is none that answers."""
    note = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"
    address = os.environ.get("RAY_ADDRESS", "")
    if not address:
        with contextlib.suppress(OSError):
            address = note.read_text().strip()
    try:
        return address if address and answers(*host_and_port(address)) else None
    except BadInput:
        return None


def answers(host: str, port: int) -> bool:
    """Whether a gRPC server listens at an address: Ray itself would wait for minutes at a dead one."""
    try:
        with socket.create_connection((host, port), timeout=ANSWER_S) as connection:
            connection.sendall(_PREFACE)
            answer = connection.recv(9)
    except OSError:
        return False
    return len(answer) >= 4 and answer[3] == 4


def _object_store_bytes() -> int:
    """As much as we allow, and never more than half of the free shared memory."""
    try:
        shared = os.statvfs("/dev/shm")
    except OSError:
        return OBJECT_STORE_BYTES
    # Ray takes no less than 75 MiB; where there is less it falls back to the disk.
    return max(min(OBJECT_STORE_BYTES, shared.f_bavail * shared.f_frsize // 2), 80 * 1024 * 1024)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep Ray from replacing what the program does when it is asked to end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Mapping[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
