"""`onset live` against a real stream, served in real time on loopback."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.benchmarks.live import Served, comparable, one_rate, transport_stream
from realtime.session_reader import read_session

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed: nothing to serve with")


@pytest.mark.parametrize("rate_hz", [30.0, 120.0])
def test_a_stream_in_real_time_gives_the_events_of_the_file_and_drops_nothing(rate_hz: float, tmp_path: Path) -> None:
    row = one_rate(tmp_path, rate_hz, seconds=7.0)
    assert row["dropped"] == 0
    assert row["read"] == row["served"]
    assert row["events"] > 0
    assert row["identical"]


def watch(address: str, out: Path, *flags: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "demo.cli", "live", "--camera", address, "--out", str(out), *flags]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path, lines: int, limit_s: float = 60.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        if path.exists() and len(path.read_text().splitlines()) >= lines:
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} has fewer than {lines} lines after {limit_s} s")


def test_ctrl_c_saves_everything_and_ends_with_130(tmp_path: Path) -> None:
    film = transport_stream(tmp_path, 30.0, 20.0)
    with Served(film) as address:
        live = watch(address, tmp_path / "live")
        wait_for(tmp_path / "live" / "events.jsonl", 1)
        live.send_signal(signal.SIGINT)
        said, faults = live.communicate(timeout=30)
    assert live.returncode == 130, faults
    session = read_session(tmp_path / "live")
    assert session.state == "stopped"
    assert session.record["reason"] == "stopped with Ctrl-C"
    assert len(session.events) >= 1
    assert (tmp_path / "live" / "report.html").is_file()
    assert "report" in said


def test_a_stream_that_is_cut_off_ends_in_stopped_with_everything_kept(tmp_path: Path) -> None:
    film = transport_stream(tmp_path, 30.0, 20.0)
    served = Served(film)
    with served as address:
        live = watch(address, tmp_path / "live")
        wait_for(tmp_path / "live" / "events.jsonl", 1)
        served.process.kill()
        _, faults = live.communicate(timeout=60)
    session = read_session(tmp_path / "live")
    assert live.returncode == 0, faults
    assert session.state == "stopped"
    assert len(faults.strip().splitlines()) >= 1
    kept = comparable(tmp_path / "live")
    assert len(kept) >= 1


def test_a_stream_that_stalls_is_reported_within_two_seconds(tmp_path: Path) -> None:
    film = transport_stream(tmp_path, 30.0, 20.0)
    served = Served(film)
    with served as address:
        live = watch(address, tmp_path / "live")
        wait_for(tmp_path / "live" / "events.jsonl", 1)
        served.process.send_signal(signal.SIGSTOP)
        stopped_s = time.monotonic()
        assert live.stderr is not None
        line = next(line for line in live.stderr if "no frame for" in line)
        waited_s = time.monotonic() - stopped_s
        live.send_signal(signal.SIGINT)
        live.communicate(timeout=30)
        served.process.send_signal(signal.SIGCONT)
    assert waited_s < 2.5, line
    assert read_session(tmp_path / "live").state == "stopped"
