"""The sixteen reads of a bicubic interpolation as four vector loads: Numba's loops alone stay scalar here."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

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

_FUSE = ("contract",)


@intrinsic
def read_bicubic(
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


def _emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    image, start, stride, down, across, result, place = arguments
    source = context.make_array(signature.args[0])(context, builder, image).data
    target = context.make_array(signature.args[5])(context, builder, result).data
    rows, columns = _weights(builder, down), _weights(builder, across)
    lines = None
    for k in range(4):
        offset = builder.add(start, builder.mul(stride, ir.Constant(stride.type, k)))
        line = _load(builder, builder.gep(source, [offset]), 4 * CHANNELS)
        lines = _add_product(builder, lines, line, rows, k)
    total = None
    for k in range(4):
        lanes = ir.Constant(
            ir.VectorType(ir.IntType(32), CHANNELS), [ir.IntType(32)(k * CHANNELS + c) for c in range(CHANNELS)]
        )
        pixel = builder.shuffle_vector(lines, ir.Constant(lines.type, ir.Undefined), lanes)
        total = _add_product(builder, total, pixel, columns, k)
    pointer = builder.bitcast(builder.gep(target, [place]), ir.PointerType(total.type))
    builder.store(total, pointer, align=4)
    return context.get_dummy_value()


def _load(builder: Any, pointer: Any, lanes: int) -> Any:
    vector = ir.VectorType(ir.FloatType(), lanes)
    return builder.load(builder.bitcast(pointer, ir.PointerType(vector)), align=4)


def _weights(builder: Any, position: Any) -> Any:
    """The four weights at once, by Horner's rule."""
    vector = ir.VectorType(ir.FloatType(), 4)
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), position, ir.IntType(32)(0))
    powers = [ir.Constant(vector, [ir.FloatType()(value) for value in row]) for row in _POLYNOMIALS]
    everywhere = _splat(builder, single, 0, 4)
    total = powers[3]
    for coefficients in (powers[2], powers[1], powers[0]):
        total = builder.fadd(builder.fmul(total, everywhere, flags=_FUSE), coefficients, flags=_FUSE)
    return total


def _splat(builder: Any, vector: Any, lane: int, lanes: int) -> Any:
    mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [ir.IntType(32)(lane)] * lanes)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def _add_product(builder: Any, total: Any, vector: Any, weights: Any, lane: int) -> Any:
    product = builder.fmul(vector, _splat(builder, weights, lane, vector.type.count), flags=_FUSE)
    return product if total is None else builder.fadd(total, product, flags=_FUSE)
