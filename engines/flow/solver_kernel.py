"""TV-L1 of one pair from coarse to fine, on one core."""

import numpy as np

from engines.compilation import compiled
from engines.flow.descent_kernel import iterate, padded
from engines.flow.median_kernel import bordered_shape, median_filter
from engines.flow.pyramid_kernel import linearise, resize, with_gradient


@compiled()
def _solve_level(
    previous: np.ndarray, following: np.ndarray, flow: np.ndarray, settings: np.ndarray, counts: np.ndarray
) -> None:
    """Refine the flow of one level in place.

    Args:
        previous: float32 (H, W).
        following: float32 (H, W).
        flow: float32 (2, H + 1, stride), padded.
        settings: tau, lambda, theta, epsilon.
        counts: warps, outer iterations, inner iterations, side of the median filter.
    """
    height, width = previous.shape
    tau, lambda_, theta, epsilon = settings
    warps, outer, inner, side = counts
    image = with_gradient(following)
    dual, data = padded(4, height, width), padded(4, height, width)
    bordered = np.empty(bordered_shape(height, width), np.float32)
    limit, rate = np.float32(lambda_ * theta), np.float32(tau / theta)
    coupling = np.zeros(flow.shape[2], np.float32)
    coupling[:width] = theta
    enough = epsilon * epsilon * height * width
    total = np.zeros_like(flow)
    for warp in range(warps):
        linearise(previous, image, flow, data, np.float32(np.finfo(np.float32).eps))
        change = np.inf
        for _ in range(outer):
            if change <= enough:
                break
            if side > 1:
                median_filter(flow[0], height, width, side, bordered)
                median_filter(flow[1], height, width, side, bordered)
            for _ in range(inner):
                change = iterate(height, width, flow, dual, data, coupling, limit, rate)
                if change <= enough:
                    break
        if warp > 0 or warps == 1:
            total += flow
            iterate(height, width, flow, dual, data, coupling, limit, rate)
            total += flow
    flow[:] = total * np.float32(0.5 / max(warps - 1, 1))


@compiled()
def solve_pair(
    previous: np.ndarray,
    following: np.ndarray,
    shapes: np.ndarray,
    settings: np.ndarray,
    counts: np.ndarray,
    scale_step: float,
    result: np.ndarray,
) -> None:
    """Flow of one pair.

    Args:
        previous: float32 (H, W).
        following: float32 (H, W).
        shapes: int64 (L, 2), height and width of each level, the finest first.
        settings: see `_solve_level`.
        counts: see `_solve_level`.
        scale_step: size of a level divided by that of the next finer one.
        result: float32 (2, H, W), written.
    """
    firsts, seconds = [previous], [following]
    one = np.float32(1)
    for level in range(1, len(shapes)):
        height, width = shapes[level]
        for images in (firsts, seconds):
            smaller = np.empty((height, width), np.float32)
            resize(images[-1], smaller, 1 / scale_step, 1 / scale_step, one)
            images.append(smaller)
    height, width = shapes[-1]
    flow = padded(2, height, width)
    for level in range(len(shapes) - 1, -1, -1):
        _solve_level(firsts[level], seconds[level], flow, settings, counts)
        height, width = shapes[level]
        if level > 0:
            coarse = flow
            rows, columns = shapes[level - 1]
            flow = padded(2, rows, columns)
            for k in range(2):
                source = np.ascontiguousarray(coarse[k, 1:, 1 : width + 1])
                target = np.empty((rows, columns), np.float32)
                resize(source, target, height / rows, width / columns, np.float32(1 / scale_step))
                flow[k, 1:, 1 : columns + 1] = target
    result[:] = flow[:, 1:, 1 : width + 1]
