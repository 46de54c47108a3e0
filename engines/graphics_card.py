"""The NVIDIA card of this machine, asked of its driver alone: needs no package and starts nothing on the card."""

import ctypes
from dataclasses import dataclass
from functools import cache

DRIVER_LIBRARIES = ("libcuda.so.1", "nvcuda.dll")
# Numbers of CUdevice_attribute in the driver's interface, which never change.
_CLOCK_KHZ, _MULTIPROCESSORS, _MEMORY_CLOCK_KHZ, _BUS_BITS, _L2_BYTES, _MAJOR, _MINOR = 13, 16, 36, 37, 38, 75, 76
_FP32_LANES = {(7, 5): 64, (8, 0): 64, (8, 6): 128, (8, 7): 128, (8, 9): 128, (9, 0): 128}
"""Single-precision units of a multiprocessor by compute capability (CUDA C++ programming guide); 128 for later ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphicsCard:
    """What the driver says of the first card."""

    name: str
    compute_capability: tuple[int, int]
    multiprocessors: int
    memory_bytes: int
    clock_hz: float
    """Highest clock of the multiprocessors."""
    bandwidth_bytes_per_s: float
    """Of the memory: clock times bus width, both edges of the clock; 0 where the driver keeps it to itself."""
    l2_bytes: int
    cuda_version: tuple[int, int]
    """Newest CUDA that the driver serves."""

    @property
    def flops_per_s(self) -> float:
        """Single-precision operations a second at the highest clock, a multiply-add counted as two."""
        return 2.0 * _FP32_LANES.get(self.compute_capability, 128) * self.multiprocessors * self.clock_hz

    @property
    def capability(self) -> str:
        """Compute capability as it is written: "8.9"."""
        return "{}.{}".format(*self.compute_capability)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoCard:
    """Why there is no card to be used, and what to do."""

    detail: str
    remedy: str


@cache
def find_card() -> GraphicsCard | NoCard:
    """Ask the driver for its first card; the answer is kept."""
    driver = _driver()
    if driver is None:
        return NoCard(
            detail="no NVIDIA driver on this machine",
            remedy="install NVIDIA's driver to use a graphics card; everything runs without one",
        )
    count, device, fault = ctypes.c_int(0), ctypes.c_int(0), driver.cuInit(0)
    if fault or driver.cuDeviceGetCount(ctypes.byref(count)):
        return NoCard(
            detail=f"the NVIDIA driver is installed but does not answer (CUDA error {fault})",
            remedy="load its kernel module, or restart after an update",
        )
    if not count.value or driver.cuDeviceGet(ctypes.byref(device), 0):
        return NoCard(detail="the NVIDIA driver sees no card", remedy="check that the card is visible to this process")
    return _described(driver, device)


def _described(driver: ctypes.CDLL, device: ctypes.c_int) -> GraphicsCard:
    text, memory, version = ctypes.create_string_buffer(128), ctypes.c_size_t(0), ctypes.c_int(0)
    driver.cuDeviceGetName(text, len(text), device)
    driver.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    driver.cuDriverGetVersion(ctypes.byref(version))

    def ask(attribute: int) -> int:
        value = ctypes.c_int(0)
        return 0 if driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device) else value.value

    return GraphicsCard(
        name=text.value.decode(errors="replace"),
        compute_capability=(ask(_MAJOR), ask(_MINOR)),
        multiprocessors=ask(_MULTIPROCESSORS),
        memory_bytes=memory.value,
        clock_hz=1e3 * ask(_CLOCK_KHZ),
        bandwidth_bytes_per_s=2.0 * 1e3 * ask(_MEMORY_CLOCK_KHZ) * ask(_BUS_BITS) / 8,
        l2_bytes=ask(_L2_BYTES),
        cuda_version=(version.value // 1000, version.value % 1000 // 10),
    )


def _driver() -> ctypes.CDLL | None:
    for name in DRIVER_LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None
