"""TV-L1 optical flow in plain NumPy: slow, readable, and the measure of the fast engines.

The energy is the total variation of both flow components plus `lambda_` times the absolute brightness residual. An
auxiliary flow v splits it: v solves the brightness part pixel by pixel (thresholding), u the smoothness part through
its dual p, and the two are pulled together by `theta`. The outer scheme (pyramid, warps, median filter, stopping
rule) is that of OpenCV's `createOptFlow_DualTVL1`, with two departures. OpenCV rounds the positions at which it reads
the warped image to 1/32 pixel; here they are exact. And with the default `epsilon` the flow still swings by about a
hundredth of a pixel from iteration to iteration and from warp to warp when a warp ends, so that OpenCV's result is one
draw from that swing; here a level's flow is the mean over the ends of all its warps but the first (over two iterations
each). That lowers both the energy and the end-point error, at no cost.

Reference:
    Zach, Pock, Bischof, A duality based approach for realtime TV-L1 optical flow, DAGM 2007.
"""

import numpy as np
from jaxtyping import Float32
from numpy.lib.stride_tricks import sliding_window_view

from engines.flow.parameters import Tvl1Parameters, checked_images, pyramid_shapes

CUBIC_SHARPNESS = -0.75
"""Free parameter of the bicubic kernel (Keys 1981), with OpenCV's value."""

Image = Float32[np.ndarray, "H W"]
Field = Float32[np.ndarray, "2 H W"]
Dual = Float32[np.ndarray, "2 2 H W"]


def tvl1_reference(
    previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
) -> Float32[np.ndarray, "2 H W"] | Float32[np.ndarray, "N 2 H W"]:
    """Dense flow from `previous` to `following`, as `engines.flow.tvl1`, in plain NumPy.

    Args:
        previous: (H, W) or (N, H, W), uint8, or float32 on the scale 0–255.
        following: of the same shape.
        parameters: the default ones if None.

    Returns:
        Horizontal and vertical displacement, pixels: `following` at x + flow looks as `previous` at x.

    Raises:
        BadInput: if the images are not as above.
    """
    settings = parameters or Tvl1Parameters()
    first, second = checked_images(previous, following)
    flows: Float32[np.ndarray, "N 2 H W"] = np.stack(
        [_flow_of_pair(a, b, settings) for a, b in zip(first, second, strict=True)]
    )
    return flows if previous.ndim == 3 else flows[0]


def _flow_of_pair(previous: Image, following: Image, parameters: Tvl1Parameters) -> Field:
    step = parameters.scale_step
    shapes = pyramid_shapes(previous.shape[0], previous.shape[1], parameters)
    firsts, seconds = [previous], [following]
    for shape in shapes[1:]:
        firsts.append(resize_bilinear(firsts[-1], shape, 1 / step, 1 / step))
        seconds.append(resize_bilinear(seconds[-1], shape, 1 / step, 1 / step))
    flow = np.zeros((2, *shapes[-1]), np.float32)
    for level in reversed(range(len(shapes))):
        if flow.shape[1:] != shapes[level]:
            flow = _enlarged(flow, shapes[level]) * np.float32(1 / step)
        flow = _solve_level(firsts[level], seconds[level], flow, parameters)
    return flow


def _enlarged(flow: Field, shape: tuple[int, int]) -> Float32[np.ndarray, "2 h w"]:
    ratio_y, ratio_x = flow.shape[1] / shape[0], flow.shape[2] / shape[1]
    return np.stack([resize_bilinear(component, shape, ratio_y, ratio_x) for component in flow])


def _solve_level(previous: Image, following: Image, flow: Field, parameters: Tvl1Parameters) -> Field:
    gradient_y, gradient_x = central_differences(following)
    dual = np.zeros((2, 2, *flow.shape[1:]), np.float32)  # (component of u, direction, y, x)
    ends = []
    for warp in range(parameters.warps):
        warped = warp_bicubic(np.stack([following, gradient_x, gradient_y]), flow)
        gradient = warped[1:]
        # Brightness residual at flow u, linear around the present flow: constant + gradient · u.
        constant = warped[0] - (gradient * flow).sum(0) - previous
        flow, dual = _descend(flow, dual, gradient, constant, parameters)
        if warp > 0 or parameters.warps == 1:
            ends.append(flow)
            flow, dual = _iterate(flow, dual, gradient, constant, parameters)
            ends.append(flow)
    mean: Field = np.mean(ends, axis=0, dtype=np.float32)
    return mean


def _descend(
    flow: Field, dual: Dual, gradient: Field, constant: Image, parameters: Tvl1Parameters
) -> tuple[Field, Dual]:
    enough = parameters.epsilon**2 * flow[0].size
    for _ in range(parameters.outer_iterations):
        flow = median_filter(flow, parameters.median_filtering)
        for _ in range(parameters.inner_iterations):
            before = flow
            flow, dual = _iterate(flow, dual, gradient, constant, parameters)
            if ((flow - before) ** 2).sum() <= enough:
                return flow, dual
    return flow, dual


def _iterate(
    flow: Field, dual: Dual, gradient: Field, constant: Image, parameters: Tvl1Parameters
) -> tuple[Field, Dual]:
    theta, rate = np.float32(parameters.theta), np.float32(parameters.tau / parameters.theta)
    auxiliary = flow + _threshold_step(flow, gradient, constant, parameters)
    flow = auxiliary + theta * divergence(dual)
    slope = forward_differences(flow)
    length = np.sqrt((slope**2).sum(1, keepdims=True))
    return flow, (dual + rate * slope) / (1 + rate * length)


def _threshold_step(flow: Field, gradient: Field, constant: Image, parameters: Tvl1Parameters) -> Field:
    """Move each pixel along its gradient to where the residual is zero, at most by lambda · theta · |gradient|."""
    residual = constant + (gradient * flow).sum(0)
    squared = (gradient**2).sum(0)
    limit = np.float32(parameters.lambda_ * parameters.theta)
    flat = np.finfo(np.float32).eps
    step: Field = gradient * np.clip(-residual / np.maximum(squared, flat), -limit, limit)
    return step


def central_differences(image: Image) -> Field:
    """Gradient (d/dy, d/dx) by half the difference of both neighbours, the border pixel repeated."""
    padded = np.pad(image, 1, mode="edge")
    half = np.float32(0.5)
    return np.stack([half * (padded[2:, 1:-1] - padded[:-2, 1:-1]), half * (padded[1:-1, 2:] - padded[1:-1, :-2])])


def forward_differences(flow: Field) -> Float32[np.ndarray, "2 2 H W"]:
    """(d/dx, d/dy) of both components, zero across the right and the lower border."""
    slope = np.zeros((2, *flow.shape), np.float32)
    slope[:, 0, :, :-1] = np.diff(flow, axis=2)
    slope[:, 1, :-1, :] = np.diff(flow, axis=1)
    return slope


def divergence(dual: Float32[np.ndarray, "2 2 H W"]) -> Field:
    """Backward differences, the negative adjoint of `forward_differences`; zero before the first row and column."""
    along_x = np.diff(dual[:, 0], axis=2, prepend=np.float32(0))
    along_y = np.diff(dual[:, 1], axis=1, prepend=np.float32(0))
    total: Field = along_x + along_y
    return total


def median_filter(flow: Field, side: int) -> Field:
    """Median over a square window of both components, the border pixel repeated."""
    if side == 1:
        return flow
    reach = side // 2
    padded = np.pad(flow, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    windows = sliding_window_view(padded, (1, side, side))
    middle = side * side // 2
    return np.partition(windows.reshape(*flow.shape, side * side), middle, axis=-1)[..., middle]


def resize_bilinear(image: Image, shape: tuple[int, int], ratio_y: float, ratio_x: float) -> Float32[np.ndarray, "h w"]:
    """Linear interpolation with pixel centres aligned; a ratio is source pixels for each result pixel."""
    upper, lower, weight_y = _linear_taps(shape[0], image.shape[0], ratio_y)
    left, right, weight_x = _linear_taps(shape[1], image.shape[1], ratio_x)
    rows = image[:, left] * (1 - weight_x) + image[:, right] * weight_x
    result: np.ndarray = rows[upper] * (1 - weight_y[:, None]) + rows[lower] * weight_y[:, None]
    return result


def _linear_taps(count: int, source: int, ratio: float) -> tuple[np.ndarray, np.ndarray, Float32[np.ndarray, " N"]]:
    position = np.clip((np.arange(count) + 0.5) * ratio - 0.5, 0, source - 1)
    first = np.floor(position).astype(np.int64)
    return first, np.minimum(first + 1, source - 1), (position - first).astype(np.float32)


def warp_bicubic(images: Float32[np.ndarray, "C H W"], flow: Field) -> Float32[np.ndarray, "C H W"]:
    """Each image read at x + flow(x) by bicubic interpolation; it is zero outside."""
    height, width = flow.shape[1:]
    margin = 3
    padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin)))
    # Further out than the margin all taps are zero anyway.
    x = np.clip(np.arange(width, dtype=np.float32) + flow[0], -2, width + 1)
    y = np.clip(np.arange(height, dtype=np.float32)[:, None] + flow[1], -2, height + 1)
    left, upper = np.floor(x), np.floor(y)
    weights_x, weights_y = _cubic_weights(x - left), _cubic_weights(y - upper)
    result = np.zeros_like(images)
    for row in range(4):
        for column in range(4):
            # Tap -1 of the kernel lies one pixel left of the floor.
            source_y = np.clip(upper.astype(np.int64) + row - 1 + margin, 0, height + 2 * margin - 1)
            source_x = np.clip(left.astype(np.int64) + column - 1 + margin, 0, width + 2 * margin - 1)
            result += weights_y[row] * weights_x[column] * padded[:, source_y, source_x]
    return result


def _cubic_weights(fraction: Image) -> Float32[np.ndarray, "4 H W"]:
    a, t = CUBIC_SHARPNESS, fraction
    outer = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a
    inner = ((a + 2) * t - (a + 3)) * t * t + 1
    s = 1 - t
    mirrored = ((a + 2) * s - (a + 3)) * s * s + 1
    weights: Float32[np.ndarray, "4 H W"] = np.stack([outer, inner, mirrored, 1 - outer - inner - mirrored])
    return weights.astype(np.float32)
