"""What TV-L1 can be told, with OpenCV's names and defaults, and what its images must be."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from jaxtyping import Float32

from engines.errors import BadInput

MINIMUM_SIDE_PX = 3
"""Smallest height and width of an image: gradients and divergence need a neighbour on both sides."""
COARSEST_SIDE_PX = 16
"""A pyramid level with a side under this is not made (OpenCV's rule)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tvl1Parameters:
    """Settings of TV-L1 optical flow; the defaults are those of OpenCV's `createOptFlow_DualTVL1`.

    Raises:
        BadInput: if a value is out of its range.

    Reference:
        Zach, Pock, Bischof, A duality based approach for realtime TV-L1 optical flow, DAGM 2007.
        Sánchez, Meinhardt-Llopis, Facciolo, TV-L1 optical flow estimation, IPOL 2013.
    """

    tau: float = 0.25
    """Time step of the dual ascent; it converges up to 0.25."""
    lambda_: float = 0.15
    """Weight of the brightness term: smaller gives a smoother flow."""
    theta: float = 0.3
    """How tightly the flow and its auxiliary copy are bound to each other."""
    scales: int = 5
    """Levels of the image pyramid, at most; no level has a side under 16 pixels."""
    scale_step: float = 0.8
    """Size of a pyramid level divided by that of the next finer one."""
    warps: int = 5
    """Linearisations of the brightness term at each level."""
    epsilon: float = 0.01
    """A warp ends when an iteration changes the flow by less than this, root mean square, pixels."""
    inner_iterations: int = 30
    """Iterations between two median filters."""
    outer_iterations: int = 10
    """Median filters for each warp, at most."""
    median_filtering: int = 5
    """Side of the square median filter on the flow: 1 (none), 3 or 5 pixels."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name))

    @classmethod
    def quick(cls) -> Self:
        """About half the work of the default: two warps, at most two rounds of 15 iterations each.

        Made for small movements such as micro-expressions; `onset bench flow` states what it costs in accuracy.
        """
        return cls(warps=2, outer_iterations=2, inner_iterations=15)


_RANGES: dict[str, tuple[float, float]] = {
    "tau": (1e-6, 0.25),
    "lambda_": (1e-6, 1e3),
    "theta": (1e-6, 1e3),
    "scales": (1, 64),
    "scale_step": (0.1, 0.95),
    "warps": (1, 1000),
    "epsilon": (0.0, 1e3),
    "inner_iterations": (1, 100_000),
    "outer_iterations": (1, 100_000),
}
_WHOLE = {"scales", "warps", "inner_iterations", "outer_iterations", "median_filtering"}


def _check(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int if name in _WHOLE else (int, float)):
        raise BadInput(f"TV-L1 parameter {name} is {value!r}: give {'a whole' if name in _WHOLE else 'a'} number")
    if name == "median_filtering":
        if value not in (1, 3, 5):
            raise BadInput(f"TV-L1 parameter median_filtering is {value}: give 1 (no filter), 3 or 5")
        return
    low, high = _RANGES[name]
    if not low <= value <= high:
        raise BadInput(f"TV-L1 parameter {name} is {value}: give a value from {low:g} to {high:g}")


def pyramid_shapes(height: int, width: int, parameters: Tvl1Parameters) -> list[tuple[int, int]]:
    """Sizes of the pyramid levels, the finest first.

    Args:
        height: of the images, pixels.
        width: of the images, pixels.
        parameters: of these, `scales` and `scale_step` count.

    Returns:
        (height, width) of each level: at least one, at most `scales`.
    """
    shapes = [(height, width)]
    while len(shapes) < parameters.scales:
        # Python rounds halves to even, as OpenCV does when it resizes by a factor.
        smaller = (round(shapes[-1][0] * parameters.scale_step), round(shapes[-1][1] * parameters.scale_step))
        if min(smaller) < COARSEST_SIDE_PX:
            break
        shapes.append(smaller)
    return shapes


def checked_images(
    previous: np.ndarray, following: np.ndarray
) -> tuple[Float32[np.ndarray, "N H W"], Float32[np.ndarray, "N H W"]]:
    """Two images or two stacks of images as float32 stacks, or the one line that says what is wrong.

    Args:
        previous: (H, W) or (N, H, W), uint8, or float32 on the scale 0–255.
        following: of the same shape; it may have the other of the two types.

    Returns:
        Both as C-contiguous float32 (N, H, W); N is 1 for single images.

    Raises:
        BadInput: if shape, type or values are not as above.
    """
    for name, images in (("previous", previous), ("following", following)):
        _check_images(name, images)
    if previous.shape != following.shape:
        raise BadInput(
            f"flow images differ in shape, {previous.shape} and {following.shape}: give two of the same size"
        )
    return _as_stack(previous), _as_stack(following)


def _check_images(name: str, images: Any) -> None:
    if not isinstance(images, np.ndarray) or images.dtype not in (np.uint8, np.float32):
        kind = images.dtype if isinstance(images, np.ndarray) else type(images).__name__
        raise BadInput(f"flow image '{name}' is {kind}: give a NumPy array of uint8, or of float32 on the scale 0–255")
    if images.ndim not in (2, 3) or min(images.shape[-2:]) < MINIMUM_SIDE_PX:
        raise BadInput(
            f"flow image '{name}' has shape {images.shape}: give one gray image (H, W) or a stack (N, H, W) "
            f"of at least {MINIMUM_SIDE_PX} × {MINIMUM_SIDE_PX} pixels"
        )
    # One NaN would spread over the whole field through the smoothness term.
    if images.dtype == np.float32 and not np.isfinite(images).all():
        raise BadInput(f"flow image '{name}' holds NaN or infinity: give finite gray values on the scale 0–255")


def _as_stack(images: np.ndarray) -> Float32[np.ndarray, "N H W"]:
    stack = images if images.ndim == 3 else images[np.newaxis]
    return np.ascontiguousarray(stack, dtype=np.float32)
