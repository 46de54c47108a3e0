"""The sixteen reads of a bicubic interpolation as four vector loads."""

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from engines.flow.lanes_kernel import constant, data_of, load, pick, product_sum, spread, store, times

CHANNELS = 4
"""Values kept for each pixel, side by side: a row of four pixels is one vector of sixteen."""
SHARPNESS = -0.75
"""Free parameter a of the bicubic kernel (Keys 1981), with OpenCV's value."""
_POLYNOMIALS = (
    (0.0, 1.0, 0.0, 0.0),
    (SHARPNESS, 0.0, -SHARPNESS, 0.0),
    (-2 * SHARPNESS, -(SHARPNESS + 3), 2 * SHARPNESS + 3, SHARPNESS),
    (SHARPNESS, SHARPNESS + 2, -(SHARPNESS + 2), -SHARPNESS),
)
"""The four weights as polynomials of the position between the second and the third pixel, lowest power first."""


def _read_bicubic(
    _typing: Any, image: Any, start: Any, stride: Any, down: Any, across: Any, result: Any, place: Any
) -> tuple[Any, Callable[..., Any]]:
    """Weighted sum over 4 × 4 pixels of `CHANNELS` values, for use inside a kernel.

    Args:
        image: contiguous float32 (K,), the pixels row by row with their channels.
        start: where in `image` the upper left pixel begins.
        stride: values in one row of the image.
        down: position between the second and the third row, float32, 0 to 1.
        across: position between the second and the third column.
        result: contiguous float32 (M,): `CHANNELS` values are written from `place` on.
        place: where in `result` to write.

    The caller keeps `start` and `place` within the arrays: nothing checks them.
    """
    return types.void(image, start, stride, down, across, result, place), _emit


read_bicubic: Any = intrinsic(_read_bicubic)


def _emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    _, start, stride, down, across, _, place = arguments
    image = data_of(context, builder, signature, arguments, 0)
    rows, columns = _weights(builder, down), _weights(builder, across)
    lines = constant(0.0, 4 * CHANNELS)
    for k in range(4):
        offset = builder.add(start, times(builder, stride, k))
        lines = product_sum(
            builder, load(builder, image, offset, 4 * CHANNELS), pick(builder, rows, [k] * 4 * CHANNELS), lines
        )
    total = constant(0.0, CHANNELS)
    for k in range(4):
        pixel = pick(builder, lines, [k * CHANNELS + channel for channel in range(CHANNELS)])
        total = product_sum(builder, pixel, pick(builder, columns, [k] * CHANNELS), total)
    store(builder, total, data_of(context, builder, signature, arguments, 5), place)
    return context.get_dummy_value()


def _weights(builder: Any, position: Any) -> Any:
    """The four weights at once, by Horner's rule."""
    everywhere = spread(builder, position, 4)
    total = constant(_POLYNOMIALS[3])
    for coefficients in reversed(_POLYNOMIALS[:3]):
        total = product_sum(builder, total, everywhere, constant(coefficients))
    return total
