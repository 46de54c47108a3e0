"""Cameras: what each is called, the sizes and rates it offers, and whether it gives a picture."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engines.doctor import video_device
from engines.doctor.finding import Finding
from engines.doctor.probe import Probed, probe
from engines.doctor.video_device import Mode

DEVICES, NAMES = Path("/dev"), Path("/sys/class/video4linux")
FORMATS_TIME_LIMIT_S = 3.0
PICTURE_TIME_LIMIT_S = 6.0
"""A camera that has not given a picture by then is called unusable."""
PICTURE = """
import sys, cv2
cv2.setLogLevel(0)
camera = cv2.VideoCapture(int(sys.argv[1]))
read, image = camera.read()
print(f"{image.shape[1]} x {image.shape[0]} at {camera.get(cv2.CAP_PROP_FPS):g} Hz" if read else "")
"""
MODES_SHOWN = 4
FREE = "close the program that uses it, or unplug it and plug it in again"
ALLOW = "add yourself to the group that owns it (often `sudo usermod -aG video $USER`) and log in again"
NONE_FOUND = "plug one in for live use; recordings need none"

Probe = Callable[[Sequence[str], float], Probed]


def cameras(devices: Path = DEVICES, names: Path = NAMES, *, ask: Probe = probe) -> Iterable[Finding]:
    """Look at every camera, all at once: each look may take as long as its time limit.

    Args:
        devices: folder of the device files.
        names: folder in which the kernel gives a name for each.
        ask: runs a look in a process of its own.
    """
    numbers = _numbers(devices)
    with ThreadPoolExecutor(max(1, len(numbers)), thread_name_prefix="onset-doctor") as pool:
        found = list(pool.map(lambda number: _camera(number, devices, names, ask), numbers))
    findings = [finding for finding in found if finding is not None]
    return findings or [_no_camera(f"no {devices}/video* device" if sys.platform == "linux" else "none answers")]


def _numbers(devices: Path) -> list[int]:
    if sys.platform != "linux":
        return [0]  # other systems do not list their cameras to us; the first is the one that is used by default
    found = (path.name.removeprefix("video") for path in devices.glob("video[0-9]*"))
    return sorted(int(number) for number in found if number.isdecimal())


def _no_camera(detail: str) -> Finding:
    return Finding(name="cameras", state="missing", detail=detail, remedy=NONE_FOUND, required=False)


def _camera(number: int, devices: Path, names: Path, ask: Probe) -> Finding | None:
    """One device file; None where no pictures come out of it: a camera's second one, for metadata."""
    name, path = f"camera {number}", devices / f"video{number}"
    if sys.platform != "linux":
        pictured = _picture(number, ask)
        ok = Finding(name=name, state="ok", detail=f"gives {pictured.output}", required=False)
        return None if pictured.fault else ok
    if not os.access(path, os.R_OK | os.W_OK):
        detail = f"{_name(names, number) or path}: you may not use {path}"
        return Finding(name=name, state="unusable", detail=detail, remedy=ALLOW, required=False)
    formats = ask(["-P", video_device.__file__, str(path)], FORMATS_TIME_LIMIT_S)
    title, captures, modes = _offered(formats)
    if not captures:
        return None
    title = title or _name(names, number) or str(path)
    pictured = _picture(number, ask)
    offers = f"{title}: {offered(modes)}"
    if pictured.fault:
        detail = f"{offers}; {path} gives no picture ({pictured.fault})"
        return Finding(name=name, state="unusable", detail=detail, remedy=FREE, required=False)
    return Finding(name=name, state="ok", detail=f"{offers}; gives {pictured.output}", required=False)


def _picture(number: int, ask: Probe) -> Probed:
    """Size and rate of the picture that the camera gives unasked, in words; the fault where it gives none."""
    found = ask(["-c", PICTURE, str(number)], PICTURE_TIME_LIMIT_S)
    said = found.output.strip()
    return Probed(output=said, fault=found.fault or ("" if said else "OpenCV reads none"))


def _offered(formats: Probed) -> tuple[str, bool, list[Mode]]:
    """Name, whether pictures come out, and modes; a device that does not tell is taken for a camera."""
    try:
        record = {} if formats.fault else json.loads(formats.output)
    except ValueError:
        record = {}
    modes = [Mode(**mode) for mode in record.get("modes", ())]
    return record.get("name", ""), record.get("captures", True), modes


def _name(names: Path, number: int) -> str:
    try:
        return (names / f"video{number}" / "name").read_text(errors="replace").strip()
    except OSError:
        return ""


def offered(modes: Iterable[Mode]) -> str:
    """The sizes and rates that matter, in words: those that no other mode beats in both.

    Args:
        modes: everything that the camera offers, in any order.
    """
    fastest: dict[tuple[int, int], Mode] = {}
    for mode in modes:
        size = (mode.width, mode.height)
        fastest[size] = max(mode, fastest.get(size, mode), key=lambda one: one.rate_hz)
    if not fastest:
        return "does not tell its sizes"
    best: list[Mode] = []
    for mode in sorted(fastest.values(), key=lambda one: (one.width * one.height, one.rate_hz), reverse=True):
        if not best or mode.rate_hz > best[-1].rate_hz:
            best.append(mode)
    shown = best if len(best) <= MODES_SHOWN else [*best[: MODES_SHOWN - 1], best[-1]]
    words = ", ".join(_in_words(mode) for mode in shown)
    left = len(fastest) - len(shown)
    sizes = "size" if left == 1 else "sizes"
    return f"{words}{f' and {left} smaller or slower {sizes}' if left else ''}"


def _in_words(mode: Mode) -> str:
    rate = f" at {mode.rate_hz:.4g} Hz" if mode.rate_hz else ""
    return f"{mode.width} x {mode.height}{rate} {mode.coding}".rstrip()
