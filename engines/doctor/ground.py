"""What everything else stands on: Python, packages, kernels for the CPU, face models, PyTorch for training."""

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from engines.doctor.finding import REINSTALL, Finding, version

PYTHON_RANGE = ((3, 11), (3, 13))
"""First supported Python version, and the first that is not."""
PACKAGES = (
    ("NumPy", "numpy"),
    ("SciPy", "scipy"),
    ("OpenCV", "opencv-contrib-python"),
    ("PyAV", "av"),
    ("pyarrow", "pyarrow"),
    ("Numba", "numba"),
)
FACE_MODELS = (
    "modules/face_landmark/face_landmark.tflite",
    "modules/face_landmark/face_landmark_with_attention.tflite",
    "modules/face_detection/face_detection_short_range.tflite",
)


def python() -> Finding:
    """The interpreter's version and what it runs on."""
    running = platform.python_version()
    first, beyond = PYTHON_RANGE
    if first <= sys.version_info[:2] < beyond:
        return Finding(name="python", state="ok", detail=f"{running} on {platform.system()} {platform.machine()}")
    return Finding(
        name="python", state="unusable", detail=f"{running} is not supported", remedy="use Python 3.11 or 3.12"
    )


def packages() -> Finding:
    """The packages that numbers and pictures go through."""
    held, absent = [], []
    for name, distribution in PACKAGES:
        try:
            held.append(f"{name} {importlib.metadata.version(distribution)}")
        except importlib.metadata.PackageNotFoundError:
            absent.append(name)
    if absent:
        return Finding(name="packages", state="missing", detail=f"not installed: {', '.join(absent)}", remedy=REINSTALL)
    return Finding(name="packages", state="ok", detail=", ".join(held))


def cpu_kernels(holding: Sequence[str]) -> Finding:
    """Whether Numba compiles here, and how many of our own kernels lie compiled on disk.

    Args:
        holding: packages whose kernels a run uses, such as "engines.flow".
    """
    numba = importlib.import_module("numba")
    if numba.njit(lambda first, second: first + second)(2, 3) != 5:
        return Finding(name="cpu kernels", state="unusable", detail="compiled code is wrong", remedy=REINSTALL)
    kept = [_on_disk(kernel) for kernel in _kernels(holding)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    using = f"for {cores} {'core' if cores == 1 else 'cores'}"
    if all(kept):
        return Finding(name="cpu kernels", state="ok", detail=f"{len(kept)} compiled and kept on disk, {using}")
    detail = f"{kept.count(False)} of {len(kept)} to compile at first start, about half a minute, {using}"
    return Finding(name="cpu kernels", state="ok", detail=detail)


def _kernels(holding: Sequence[str]) -> Iterator[Any]:
    """Compiled functions of our packages that the disk cache may hold; those for the card are not among them."""
    for package in holding:
        for module in _kernel_modules(package):
            for value in vars(module).values():
                if hasattr(value, "py_func") and value.py_func.__module__ == module.__name__:
                    yield value


def _kernel_modules(package: str) -> Iterator[ModuleType]:
    spec = importlib.util.find_spec(package)
    for folder in spec.submodule_search_locations or () if spec else ():
        for path in sorted(Path(folder).glob("*_kernel.py")):
            if "engines.compilation" in path.read_text(encoding="utf-8"):
                yield importlib.import_module(f"{package}.{path.stem}")


def _on_disk(kernel: Any) -> bool:
    """Whether Numba's index, read against the present source, holds code for this processor."""
    processor = kernel.targetctx.codegen().magic_tuple()
    index: dict[tuple[Any, ...], str] = kernel._cache._cache_file._load_index()  # no public way asks without compiling
    return any(key[1] == processor for key in index)


def face_models() -> Finding:
    """Whether MediaPipe comes with the models that find a face."""
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or spec.origin is None:
        return Finding(name="face models", state="missing", detail="MediaPipe is not installed", remedy=REINSTALL)
    folder = Path(spec.origin).parent
    absent = [model for model in FACE_MODELS if not (folder / model).is_file()]
    if absent:
        return Finding(
            name="face models",
            state="missing",
            detail=f"MediaPipe {version('mediapipe')} comes without {', '.join(absent)}",
            remedy="install mediapipe 0.10.21, the release that ships them",
        )
    return Finding(name="face models", state="ok", detail=f"MediaPipe {version('mediapipe')} with FaceMesh")


def training() -> Finding:
    """Whether PyTorch is there; nothing but training needs it."""
    if importlib.util.find_spec("torch") is None:
        return Finding(
            name="training",
            state="missing",
            detail="PyTorch is not installed",
            remedy="to train: pip install 'onset-live[train]'; nothing else needs it",
            required=False,
        )
    return Finding(name="training", state="ok", detail=f"PyTorch {version('torch')}", required=False)
