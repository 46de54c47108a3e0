"""What this machine can run, and why not. Looks only; starts nothing that could hang or crash the caller."""

import ctypes
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from engines.checkpoint import load_checkpoint
from engines.errors import OnsetError

State = Literal["ok", "missing", "unusable"]

PYTHON_RANGE = ((3, 11), (3, 13))
"""First supported Python version, and the first that is not."""
REINSTALL = "reinstall onset-live"
PACKAGES = (
    ("numpy", "numpy"),
    ("OpenCV", "opencv-contrib-python"),
    ("PyAV", "av"),
    ("pyarrow", "pyarrow"),
    ("SciPy", "scipy"),
)
FACE_MODELS = (
    "modules/face_landmark/face_landmark.tflite",
    "modules/face_landmark/face_landmark_with_attention.tflite",
    "modules/face_detection/face_detection_short_range.tflite",
)
CAMERA_TIME_LIMIT_S = 6.0
"""A camera that has not given a picture by then is called unusable."""
CAMERA_PROBE = """
import sys, cv2
cv2.setLogLevel(0)
camera = cv2.VideoCapture(int(sys.argv[1]))
read, image = camera.read()
print(f"{image.shape[1]} x {image.shape[0]} at {camera.get(cv2.CAP_PROP_FPS):g} Hz" if read else "")
"""
TENSORRT_PACKAGES = ("tensorrt", "tensorrt_rtx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    detail: str
    """What was found, or what is wrong."""
    remedy: str = ""
    """What to do about it; empty where nothing needs doing."""
    required: bool = True
    """Whether replay needs it; the rest widens what can be done."""

    def as_record(self) -> dict[str, Any]:
        """The finding as JSON."""
        return asdict(self)


def examine() -> list[Finding]:
    """Look at everything that Onset uses on this machine.

    Returns:
        Findings in the order of a report: ground, engines, face, cameras, checkpoint. Never raises.
    """
    looks: Sequence[tuple[str, Callable[[], Iterable[Finding]]]] = (
        ("python", lambda: [_python()]),
        ("packages", _packages),
        ("cpu kernels", lambda: [_cpu_kernels()]),
        ("engines", examine_engines),
        ("face models", lambda: [_face_models()]),
        ("cameras", _cameras),
        ("default checkpoint", lambda: [_default_checkpoint()]),
        ("training", lambda: [_training()]),
    )
    findings: list[Finding] = []
    for name, look in looks:
        findings += _guarded(name, look)
    return findings


def examine_engines() -> list[Finding]:
    """Look at the inference engines alone, and at the driver that some need; quick, never raises."""
    findings = _guarded("onnxruntime", lambda: [_onnxruntime()])
    findings += _guarded("cuda driver", lambda: [_cuda_driver()])
    driver = findings[-1]
    return findings + _guarded("tensorrt", lambda: [_tensorrt(driver)])


def table(findings: Iterable[Finding]) -> list[tuple[str, str, str, str]]:
    """Rows of name, state, what was found, what to do; "optional" is what replay can do without."""
    return [
        (
            finding.name,
            finding.state if finding.required or finding.state == "ok" else f"{finding.state} (optional)",
            finding.detail,
            finding.remedy,
        )
        for finding in findings
    ]


def _guarded(name: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    try:
        return list(look())
    except Exception as fault:  # an examination reports what fails; it does not fail itself
        return [Finding(name=name, state="unusable", detail=_line(fault), remedy=REINSTALL)]


def _python() -> Finding:
    version = platform.python_version()
    first, beyond = PYTHON_RANGE
    if first <= sys.version_info[:2] < beyond:
        return Finding(name="python", state="ok", detail=f"{version} on {platform.system()} {platform.machine()}")
    return Finding(
        name="python",
        state="unusable",
        detail=f"{version} is not supported",
        remedy="use Python 3.11 or 3.12",
    )


def _packages() -> Iterable[Finding]:
    for name, distribution in PACKAGES:
        try:
            yield Finding(name=name, state="ok", detail=importlib.metadata.version(distribution))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name=name, state="missing", detail="not installed", remedy=REINSTALL)


def _cpu_kernels() -> Finding:
    numba = importlib.import_module("numba")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    add = numba.njit(lambda first, second: first + second)
    if add(2, 3) != 5:
        return Finding(name="cpu kernels", state="unusable", detail="compiled code is wrong", remedy=REINSTALL)
    return Finding(name="cpu kernels", state="ok", detail=f"Numba {numba.__version__} compiles for {cores} core(s)")


def _onnxruntime() -> Finding:
    try:
        runtime = importlib.import_module("onnxruntime")
    except ModuleNotFoundError:
        return Finding(name="onnxruntime", state="missing", detail="not installed", remedy=REINSTALL)
    except ImportError as fault:
        return Finding(name="onnxruntime", state="unusable", detail=_line(fault), remedy=REINSTALL)
    providers = runtime.get_available_providers()
    if "CPUExecutionProvider" not in providers:
        return Finding(name="onnxruntime", state="unusable", detail="it has no CPU provider", remedy=REINSTALL)
    return Finding(name="onnxruntime", state="ok", detail=f"{runtime.__version__}, {', '.join(providers)}")


def _cuda_driver() -> Finding:
    try:
        management = ctypes.CDLL("libnvidia-ml.so.1")
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return Finding(
            name="cuda driver",
            state="missing",
            detail="no NVIDIA driver on this machine",
            remedy="install NVIDIA's driver to use a graphics card; everything runs without one",
            required=False,
        )
    return _cards(management)


def _cards(management: ctypes.CDLL) -> Finding:
    """What NVIDIA's management library says of driver and cards."""
    if management.nvmlInit_v2():
        return Finding(
            name="cuda driver",
            state="unusable",
            detail="the NVIDIA driver is installed but does not answer",
            remedy="load its kernel module, or restart after an update",
            required=False,
        )
    try:
        text = ctypes.create_string_buffer(96)
        management.nvmlSystemGetDriverVersion(text, ctypes.c_uint(len(text)))
        version = text.value.decode(errors="replace")
        count = ctypes.c_uint(0)
        management.nvmlDeviceGetCount_v2(ctypes.byref(count))
        names = [_card_name(management, index) for index in range(count.value)]
    finally:
        management.nvmlShutdown()
    if not names:
        return Finding(name="cuda driver", state="unusable", detail=f"driver {version} sees no card", required=False)
    return Finding(name="cuda driver", state="ok", detail=f"{version}, {', '.join(names)}", required=False)


def _card_name(management: ctypes.CDLL, index: int) -> str:
    card = ctypes.c_void_p()
    text = ctypes.create_string_buffer(96)
    if management.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(card)):
        return "a card that does not answer"
    management.nvmlDeviceGetName(card, text, ctypes.c_uint(len(text)))
    return text.value.decode(errors="replace")


def _tensorrt(driver: Finding) -> Finding:
    found = [name for name in TENSORRT_PACKAGES if importlib.util.find_spec(name) is not None]
    if not found:
        return Finding(
            name="tensorrt",
            state="missing",
            detail="TensorRT is not installed",
            remedy="use onnxruntime, or install the tensorrt extra on a machine with an NVIDIA card",
            required=False,
        )
    detail = f"{found[0]} {_version(found[0])}"
    if driver.state != "ok":
        return Finding(
            name="tensorrt",
            state="unusable",
            detail=f"{detail}, but {driver.detail}",
            remedy=driver.remedy,
            required=False,
        )
    return Finding(name="tensorrt", state="ok", detail=detail, required=False)


def _face_models() -> Finding:
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or spec.origin is None:
        return Finding(name="face models", state="missing", detail="MediaPipe is not installed", remedy=REINSTALL)
    folder = Path(spec.origin).parent
    absent = [model for model in FACE_MODELS if not (folder / model).is_file()]
    if absent:
        return Finding(
            name="face models",
            state="missing",
            detail=f"MediaPipe {_version('mediapipe')} comes without {', '.join(absent)}",
            remedy="install mediapipe 0.10.21, the release that ships them",
        )
    return Finding(name="face models", state="ok", detail=f"MediaPipe {_version('mediapipe')} with FaceMesh")


def _cameras() -> Iterable[Finding]:
    devices = sorted(Path("/dev").glob("video[0-9]*"), key=lambda path: int(path.name[5:]))
    if not devices:
        yield Finding(
            name="cameras",
            state="missing",
            detail="no /dev/video* device",
            remedy="plug one in for live use; recordings need none",
            required=False,
        )
    for device in devices:
        yield _camera(device)


def _camera(device: Path) -> Finding:
    """Ask for one picture in a process of its own, which a driver may hang or crash."""
    name, number = f"camera {device.name[5:]}", device.name[5:]
    try:
        probe = subprocess.run(
            [sys.executable, "-c", CAMERA_PROBE, number],
            capture_output=True,
            text=True,
            timeout=CAMERA_TIME_LIMIT_S,
            check=False,
        )
        picture = probe.stdout.strip()
    except subprocess.TimeoutExpired:
        picture = ""
    if picture:
        return Finding(name=name, state="ok", detail=f"{device}, {picture}", required=False)
    return Finding(
        name=name,
        state="unusable",
        detail=f"{device} gives no picture",
        remedy="close the program that uses it, or check that you may read it",
        required=False,
    )


def _default_checkpoint() -> Finding:
    try:
        card = load_checkpoint().card
    except OnsetError as fault:
        return Finding(name="default checkpoint", state="unusable", detail=_line(fault), remedy=REINSTALL)
    return Finding(
        name="default checkpoint",
        state="ok",
        detail=f"{card.model} on {card.recipe} maps, {', '.join(card.classes)}; files verified",
    )


def _training() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding(
            name="training",
            state="missing",
            detail="PyTorch is not installed",
            remedy="install the train extra to train; nothing else needs it",
            required=False,
        )
    return Finding(name="training", state="ok", detail=f"PyTorch {_version('torch')}", required=False)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def _line(fault: Exception) -> str:
    return f"{fault}".splitlines()[0] if f"{fault}" else type(fault).__name__
