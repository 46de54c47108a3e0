"""Cameras as the doctor sees them, on made-up drivers: many sizes, any size, metadata, one that hangs."""

import errno
import json
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence, Sized
from dataclasses import asdict
from pathlib import Path

import pytest

from engines.doctor import probe as probe_module
from engines.doctor import video_device
from engines.doctor.cameras import PICTURE, cameras, offered
from engines.doctor.finding import Finding
from engines.doctor.probe import Probed, probe
from engines.doctor.video_device import (
    ENUMERATE_CODINGS,
    ENUMERATE_INTERVALS,
    ENUMERATE_SIZES,
    QUERY_CAPABILITY,
    Mode,
    VideoDevice,
    describe,
)

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="device files of Video4Linux")
Sizes = dict[str, dict[tuple[int, int], list[float]]]
WEBCAM: Sizes = {
    "YUYV": {(640, 480): [30.0, 15.0], (1280, 720): [10.0]},
    "MJPG": {(640, 480): [30.0, 120.0], (1280, 720): [60.0], (1920, 1080): [30.0], (320, 240): [60.0]},
}


def driver(
    sizes: Sizes, *, name: str = "Integrated Camera", captures: bool = True, stepwise: bool = False
) -> Callable[[int, bytearray], None]:
    """A Video4Linux driver that answers in the structures of the kernel's `videodev2.h`."""

    def entry(listed: Sized, index: int) -> None:
        if index >= len(listed):
            raise OSError(errno.EINVAL, "no more")

    def control(request: int, answer: bytearray) -> None:
        if request == QUERY_CAPABILITY:
            own = 1 if captures else 0x00800000
            struct.pack_into("<16s32s32sIII", answer, 0, b"uvcvideo", name.encode(), b"usb", 0, 0x84A00001, own)
            return
        (index,) = struct.unpack_from("<I", answer)
        if request == ENUMERATE_CODINGS:
            assert struct.unpack_from("<I", answer, 4) == (1,), "of pictures"
            entry(list(sizes), index)
            struct.pack_into("<32s4s", answer, 12, b"a coding", list(sizes)[index].encode())
            return
        known = sizes[bytes(answer[4:8]).decode()]
        if request == ENUMERATE_SIZES:
            entry(known, index)
            width, height = list(known)[index]
            if stepwise:
                struct.pack_into("<7I", answer, 8, 3, 16, width, 8, 16, height, 8)
            else:
                struct.pack_into("<III", answer, 8, 1, width, height)
            return
        assert request == ENUMERATE_INTERVALS
        rates = known[struct.unpack_from("<II", answer, 8)]
        entry(rates, index)
        struct.pack_into("<III", answer, 16, 1, 1000, round(rates[index] * 1000))

    return control


def test_requests_are_those_of_the_kernel() -> None:
    wanted = (0x80685600, 0xC0405602, 0xC02C564A, 0xC034564B)
    assert wanted == (QUERY_CAPABILITY, ENUMERATE_CODINGS, ENUMERATE_SIZES, ENUMERATE_INTERVALS)


def test_a_camera_tells_its_sizes_and_fastest_rates() -> None:
    device = describe(driver(WEBCAM))
    assert (device.name, device.captures) == ("Integrated Camera", True)
    assert {(mode.coding, mode.width, mode.height): mode.rate_hz for mode in device.modes} == {
        (coding, *size): max(rates) for coding, sizes in WEBCAM.items() for size, rates in sizes.items()
    }


def test_of_any_size_between_two_the_largest_is_told() -> None:
    device = describe(driver({"GREY": {(800, 600): [90.0]}}, stepwise=True))
    assert device.modes == (Mode(width=800, height=600, rate_hz=90.0, coding="GREY"),)


def test_a_device_for_metadata_gives_no_pictures() -> None:
    assert describe(driver(WEBCAM, captures=False)) == VideoDevice(name="Integrated Camera", captures=False, modes=())


def test_a_driver_whose_list_never_ends_is_left() -> None:
    endless = driver({"MJPG": {(64, 48): [25.0]}})

    def control(request: int, answer: bytearray) -> None:
        if request == ENUMERATE_SIZES:
            struct.pack_into("<I", answer, 0, 0)
        endless(request, answer)

    assert len(describe(control).modes) == 256


def test_only_sizes_that_no_other_beats_are_shown() -> None:
    words = offered(describe(driver(WEBCAM)).modes)
    assert words == (
        "1920 x 1080 at 30 Hz MJPG, 1280 x 720 at 60 Hz MJPG, 640 x 480 at 120 Hz MJPG and 1 smaller or slower size"
    )
    assert offered([]) == "does not tell its sizes"
    many = [Mode(width=16 * k, height=9 * k, rate_hz=1000 / k, coding="MJPG") for k in range(10, 60)]
    words = offered(many)
    assert len(words) < 200
    assert words.startswith("944 x 531 at 16.95 Hz MJPG")
    assert "160 x 90 at 100 Hz MJPG and 46 smaller" in words


def test_a_rate_that_is_not_told_is_left_out() -> None:
    assert offered([Mode(width=8, height=6, rate_hz=0.0, coding="")]) == "8 x 6"


def machine(folder: Path, *numbers: int) -> tuple[Path, Path]:
    """Device files and the kernel's names for them."""
    devices, names = folder / "dev", folder / "names"
    devices.mkdir()
    for number in numbers:
        (devices / f"video{number}").touch()
        (names / f"video{number}").mkdir(parents=True)
        (names / f"video{number}" / "name").write_text(f"Camera number {number}\n")
    return devices, names


def found(devices: Path, names: Path, answers: dict[str, Probed]) -> list[Finding]:
    def ask(arguments: Sequence[str], _time_limit_s: float) -> Probed:
        return answers["picture" if PICTURE in arguments else Path(arguments[-1]).name]

    return list(cameras(devices, names, ask=ask))


def answered(device: VideoDevice) -> Probed:
    return Probed(output=json.dumps(asdict(device)), fault="")


@linux_only
def test_cameras_are_named_with_what_they_offer(tmp_path: Path) -> None:
    webcam, metadata = describe(driver(WEBCAM)), describe(driver(WEBCAM, captures=False))
    answers = {
        "video0": answered(webcam),
        "video1": answered(metadata),
        "picture": Probed(output="640 x 480 at 30 Hz\n", fault=""),
    }
    (finding,) = found(*machine(tmp_path, 0, 1), answers)
    assert (finding.name, finding.state, finding.required) == ("camera 0", "ok", False)
    assert finding.detail.startswith("Integrated Camera: 1920 x 1080 at 30 Hz MJPG")
    assert finding.detail.endswith("; gives 640 x 480 at 30 Hz")


@linux_only
def test_a_camera_that_hangs_is_reported_by_the_kernels_name(tmp_path: Path) -> None:
    hung = Probed(output="", fault="no answer within 3 s")
    (finding,) = found(*machine(tmp_path, 10), {"video10": hung, "picture": hung})
    assert (finding.name, finding.state) == ("camera 10", "unusable")
    assert finding.detail.startswith("Camera number 10: does not tell its sizes; ")
    assert "gives no picture (no answer within 3 s)" in finding.detail
    assert finding.remedy


@linux_only
def test_a_camera_that_is_in_use_gives_no_picture(tmp_path: Path) -> None:
    answers = {"video0": answered(describe(driver(WEBCAM))), "picture": Probed(output="\n", fault="")}
    (finding,) = found(*machine(tmp_path, 0), answers)
    assert (finding.state, "close the program" in finding.remedy) == ("unusable", True)


@linux_only
def test_a_camera_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    (finding,) = found(*machine(tmp_path, 0), {})
    assert "you may not use" in finding.detail
    assert "group" in finding.remedy


@linux_only
def test_no_camera_is_no_fault(tmp_path: Path) -> None:
    (finding,) = found(*machine(tmp_path), {})
    assert (finding.name, finding.state, finding.required) == ("cameras", "missing", False)


@linux_only
def test_a_file_that_is_no_camera_ends_in_a_fault_not_in_a_hang(tmp_path: Path) -> None:
    """The real processes, on a file: neither the questions nor the picture come to anything."""
    devices, names = machine(tmp_path, 97)
    (finding,) = cameras(devices, names)
    assert (finding.name, finding.state) == ("camera 97", "unusable")
    assert "does not tell its sizes" in finding.detail


def test_a_look_that_hangs_is_ended_in_time() -> None:
    started_s = time.monotonic()
    hung = probe(["-c", "import time; time.sleep(60)"], 0.3)
    assert hung == Probed(output="", fault="no answer within 0.3 s")
    assert time.monotonic() - started_s < 5


def test_a_look_that_cannot_even_be_killed_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess.Popen, "kill", lambda _: None)
    monkeypatch.setattr(probe_module, "FAREWELL_S", 0.1)
    assert probe(["-c", "import time; time.sleep(3)"], 0.1).fault == "no answer within 0.1 s"


def test_a_look_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert probe(["-c", "pass"], 1.0).fault == "no process could be started: No such file or directory"


def test_a_look_that_crashes_or_speaks() -> None:
    assert probe(["-c", "import os; os.abort()"], 10.0).fault == "the look ended with signal 6"
    assert probe(["-c", "raise SystemExit(3)"], 10.0).fault == "the look ended with code 3"
    assert probe(["-P", video_device.__file__, "/nowhere"], 10.0).fault == "the look ended with code 1"
    assert probe(["-c", "print('words')"], 10.0) == Probed(output="words\n", fault="")
