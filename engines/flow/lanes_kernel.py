"""Sixteen float32 at a time, as LLVM vectors inside a Numba kernel.

Numba cannot promise LLVM that arrays do not overlap, so a loop over as many arrays as TV-L1 needs is checked at every
row or stays scalar. The few inner loops that cost the time are therefore written with these vectors.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]  # llvmlite ships no annotations
from numba.core import cgutils

LANES = 16
"""Values in a vector: one 512-bit register, or two of 256 bits that keep the units of a core busier."""
FAST = ("fast",)
"""Fused multiply-add and reciprocals may be used: fields are finite, a few last bits do not matter."""
code: Any = cgutils
"""Numba's building blocks (loops, variables), which carry no annotations."""
_INDEX = ir.IntType(32)


def data_of(context: Any, builder: Any, signature: Any, arguments: Any, position: int) -> Any:
    """Pointer to the first value of an array argument of an intrinsic."""
    return context.make_array(signature.args[position])(context, builder, arguments[position]).data


def plus(builder: Any, index: Any, amount: int) -> Any:
    """An index further on."""
    return builder.add(index, ir.Constant(index.type, amount))


def times(builder: Any, index: Any, factor: int) -> Any:
    """An index multiplied."""
    return builder.mul(index, ir.Constant(index.type, factor))


def load(builder: Any, pointer: Any, index: Any, lanes: int = LANES) -> Any:
    """Values from `pointer[index]` on."""
    return builder.load(_vector_at(builder, pointer, index, lanes), align=4)


def store(builder: Any, vector: Any, pointer: Any, index: Any) -> None:
    """Write a vector to `pointer[index]` and on."""
    builder.store(vector, _vector_at(builder, pointer, index, vector.type.count), align=4)


def _vector_at(builder: Any, pointer: Any, index: Any, lanes: int) -> Any:
    vector = ir.VectorType(ir.FloatType(), lanes)
    return builder.bitcast(builder.gep(pointer, [index]), ir.PointerType(vector))


def constant(values: float | tuple[float, ...], lanes: int = LANES) -> Any:
    """A vector of given values, or of one value in all lanes."""
    each = (values,) * lanes if isinstance(values, float) else values
    return ir.Constant(ir.VectorType(ir.FloatType(), len(each)), [ir.FloatType()(value) for value in each])


def spread(builder: Any, scalar: Any, lanes: int = LANES) -> Any:
    """A scalar in all lanes."""
    vector = ir.VectorType(ir.FloatType(), lanes)
    return pick(builder, builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, _INDEX(0)), [0] * lanes)


def pick(builder: Any, vector: Any, lanes: list[int]) -> Any:
    """The named lanes of a vector, in this order."""
    mask = ir.Constant(ir.VectorType(_INDEX, len(lanes)), [_INDEX(lane) for lane in lanes])
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def product_sum(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """A · b + c."""
    return builder.fadd(builder.fmul(a, b, flags=FAST), c, flags=FAST)


def clamped(builder: Any, vector: Any, limit: Any) -> Any:
    """Each lane within ± limit."""
    vector = builder.select(builder.fcmp_ordered("<", vector, limit, flags=FAST), vector, limit)
    low = builder.fsub(constant(0.0), limit, flags=FAST)
    return builder.select(builder.fcmp_ordered(">", vector, low, flags=FAST), vector, low)


def square_root(builder: Any, vector: Any) -> Any:
    """Root of each lane."""
    name = f"llvm.sqrt.v{vector.type.count}f32"
    root = code.get_or_insert_function(builder.module, ir.FunctionType(vector.type, [vector.type]), name)
    return builder.call(root, [vector], fastmath=FAST)


def lane_sum(builder: Any, vector: Any) -> Any:
    """Sum of all lanes, always in the same order."""
    while vector.type.count > 1:
        half = vector.type.count // 2
        vector = builder.fadd(
            pick(builder, vector, list(range(half))), pick(builder, vector, list(range(half, 2 * half)))
        )
    return builder.extract_element(vector, _INDEX(0))
