"""One iteration of TV-L1 in a single sweep over the rows: thresholding, flow update and dual ascent fused.

All arrays are padded: pixel (y, x) lies at [y + 1, x + 1]. The first row and column stay zero, which makes the
divergence right at the border without a branch; the columns past the last pixel let every row be done in whole
vectors. `theta` is zero there, so the padding neither moves nor counts.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from engines.compilation import compiled
from engines.flow.lanes_kernel import (
    FAST,
    LANES,
    clamped,
    code,
    constant,
    data_of,
    lane_sum,
    load,
    plus,
    product_sum,
    spread,
    square_root,
    store,
    times,
)


def _type_primal(
    _typing: Any, flow: Any, dual: Any, data: Any, theta: Any, limit: Any, row: Any, stride: Any, plane: Any
) -> tuple[Any, Callable[..., Any]]:
    """Threshold and update both components of one row; return the sum of the squared changes.

    `row` is where the row begins in each plane of `plane` values; the arrays are those of `iterate`.
    """
    return types.float32(flow, dual, data, theta, limit, row, stride, plane), _emit_primal


_primal_row: Any = intrinsic(_type_primal)


def _emit_primal(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    flow, dual, data, theta = (data_of(context, builder, signature, arguments, k) for k in range(4))
    limit, (row, stride, plane) = spread(builder, arguments[4]), arguments[5:]
    change = code.alloca_once_value(builder, constant(0.0))
    with code.for_range(builder, _blocks(builder, stride)) as loop:
        x = times(builder, loop.index, LANES)
        here = plus(builder, builder.add(row, x), 1)
        planes = [times(builder, plane, k) for k in range(4)]
        places = [builder.add(here, offset) for offset in planes]
        u, v = load(builder, flow, places[0]), load(builder, flow, places[1])
        gradient_x, gradient_y, inverse, residual = (load(builder, data, place) for place in places)
        residual = product_sum(builder, gradient_x, u, product_sum(builder, gradient_y, v, residual))
        step = clamped(builder, builder.fmul(residual, inverse, flags=FAST), limit)
        coupling = load(builder, theta, x)
        for component, gradient, k in ((u, gradient_x, 0), (v, gradient_y, 1)):
            slope = _divergence(builder, dual, places[2 * k], places[2 * k + 1], stride)
            # The step goes against the residual.
            moved = builder.fsub(
                builder.fmul(coupling, slope, flags=FAST), builder.fmul(step, gradient, flags=FAST), flags=FAST
            )
            store(builder, builder.fadd(component, moved, flags=FAST), flow, places[k])
            builder.store(product_sum(builder, moved, moved, builder.load(change)), change)
    return lane_sum(builder, builder.load(change))


def _divergence(builder: Any, dual: Any, place_x: Any, place_y: Any, stride: Any) -> Any:
    along_x = builder.fsub(load(builder, dual, place_x), load(builder, dual, plus(builder, place_x, -1)), flags=FAST)
    above = load(builder, dual, builder.sub(place_y, stride))
    return builder.fadd(along_x, builder.fsub(load(builder, dual, place_y), above, flags=FAST), flags=FAST)


def _type_dual(
    _typing: Any, flow: Any, dual: Any, rate: Any, row: Any, below: Any, stride: Any, plane: Any
) -> tuple[Any, Callable[..., Any]]:
    """Ascend the dual of both components in one row; `below` is where the next row begins, or this one if last."""
    return types.void(flow, dual, rate, row, below, stride, plane), _emit_dual


_dual_row: Any = intrinsic(_type_dual)


def _emit_dual(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    flow, dual = (data_of(context, builder, signature, arguments, k) for k in range(2))
    rate, (row, below, stride, plane) = spread(builder, arguments[2]), arguments[3:]
    one = constant(1.0)
    with code.for_range(builder, _blocks(builder, stride)) as loop:
        x = plus(builder, times(builder, loop.index, LANES), 1)
        here, under = builder.add(row, x), builder.add(below, x)
        for k in range(2):
            component = times(builder, plane, k)
            place = builder.add(here, component)
            centre = load(builder, flow, place)
            right, lower = plus(builder, place, 1), builder.add(under, component)
            slopes = [builder.fsub(load(builder, flow, at), centre, flags=FAST) for at in (right, lower)]
            squared = product_sum(builder, slopes[0], slopes[0], builder.fmul(slopes[1], slopes[1], flags=FAST))
            length = product_sum(builder, rate, square_root(builder, squared), one)
            shrink = builder.fdiv(one, length, flags=FAST)
            for direction, slope in enumerate(slopes):
                offset = times(builder, plane, 2 * k + direction)
                target = builder.add(here, offset)
                raised = product_sum(builder, rate, slope, load(builder, dual, target))
                store(builder, builder.fmul(raised, shrink, flags=FAST), dual, target)
    return context.get_dummy_value()


def _blocks(builder: Any, stride: Any) -> Any:
    """Vectors in a row: the stride is a multiple of LANES and two columns more."""
    return builder.sdiv(plus(builder, stride, -2), stride.type(LANES))


@compiled()
def iterate(
    height: int,
    width: int,
    flow: np.ndarray,
    dual: np.ndarray,
    data: np.ndarray,
    theta: np.ndarray,
    limit: np.float32,
    rate: np.float32,
) -> float:
    """Do one iteration in place.

    Args:
        height: of the level, pixels.
        width: of the level, pixels.
        flow: float32 (2, H + 1, stride), both components.
        dual: float32 (4, H + 1, stride): x and y part of the dual of u, then of v.
        data: float32 (4, H + 1, stride): gradient x and y, one over its squared length, constant part of the residual.
        theta: float32 (stride,), coupling of the flow to its auxiliary copy, zero past the last pixel.
        limit: lambda · theta.
        rate: tau / theta.

    Returns:
        Sum of the squared changes of both components over all pixels.
    """
    stride = flow.shape[2]
    plane = (height + 1) * stride
    change = 0.0
    for y in range(1, height + 1):
        row = y * stride
        change += _primal_row(flow, dual, data, theta, limit, row, stride, plane)
        # The last pixel is repeated: no difference over the right border.
        flow[0, y, width + 1], flow[1, y, width + 1] = flow[0, y, width], flow[1, y, width]
        # The row above now has all that it needs, and its old dual is not needed any more.
        if y > 1:
            _dual_row(flow, dual, rate, row - stride, row, stride, plane)
    last = height * stride
    _dual_row(flow, dual, rate, last, last, stride, plane)
    return change


@compiled()
def padded(count: int, height: int, width: int) -> np.ndarray:
    """Zeroed work arrays of a level, with the padding that is explained above."""
    return np.zeros((count, height + 1, (width + LANES - 1) // LANES * LANES + 2), np.float32)
