"""Flow between two face images with the residual movement of the head taken out."""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from engines.errors import BadInput
from engines.flow import Tvl1Parameters, tvl1
from engines.inputs.head_movement import HeadMovement, head_movement, without_head_movement

WORKING_WIDTH = 112
"""Width to which face images are brought before TV-L1, pixels: less than half of the canonical crop, about the
resolution of the faces that the published flow maps were made from."""
MARGIN = 8
"""Mirrored border put round the images for TV-L1 and cut off its flow, working pixels: at an image's edge the method
throws up false vectors, which would rule a stretched map."""
STILL_PX = 0.25
"""A head that moved less than this is left: OpenCV's warp rounds places to 1/32 pixel, which is movement too."""
HOLDING_ROUNDS = 2
"""TV-L1 sees about four fifths of a movement; what the first round leaves, the second finds."""
COARSE = 0.5
"""Size, beside the working size, at which the movement of the head is measured before the flow."""

FlowSolver = Callable[[np.ndarray, np.ndarray, Tvl1Parameters | None], np.ndarray]
Gray = UInt8[np.ndarray, "_ _"] | Float32[np.ndarray, "_ _"]
"""Gray, 0–255, (height, width)."""
Size = tuple[int, int]


def area_resized(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize by area averaging: every source pixel counts by how much of it a target pixel covers.

    Args:
        planes: (H, W) or (H, W, C), uint8 or float32.
        height: of the result, pixels.
        width: of the result, pixels.

    Returns:
        The same type and number of channels, (height, width) or (height, width, C).
    """
    if planes.shape[:2] == (height, width):
        return planes
    # Where a side grows there is nothing to average, and INTER_AREA would repeat pixels.
    grows = planes.shape[0] < height or planes.shape[1] < width
    method = cv2.INTER_LINEAR if grows else cv2.INTER_AREA
    resized: np.ndarray = cv2.resize(planes, (width, height), interpolation=method)
    return resized.reshape(height, width, *planes.shape[2:])


def steady_flow(
    previous: Gray,
    following: Gray,
    parameters: Tvl1Parameters | None = None,
    *,
    working_width: int = WORKING_WIDTH,
    solve: FlowSolver = tvl1,
) -> Float32[np.ndarray, "2 h w"]:
    """TV-L1 flow of a face, without what the head as a whole did.

    Args:
        previous: gray face in canonical geometry, 0–255.
        following: the same face later, of the same size.
        parameters: of TV-L1; OpenCV's defaults if None.
        working_width: width of the images that the flow is computed on, pixels; wider ones are averaged down.
        solve: what computes TV-L1, called as `engines.flow.tvl1`.

    Returns:
        Displacement at working size, in pixels of the images as they were given.

    Raises:
        BadInput: if the images differ in shape.
    """
    if previous.shape != following.shape or previous.ndim != 2:
        raise BadInput(f"flow needs two gray images of one size, not {previous.shape} and {following.shape}")
    size, coarse = working_sizes(previous.shape[0], previous.shape[1], working_width)
    steadied = _head_held(previous, following, coarse, solve)
    flow = without_head_movement(_flow(previous, steadied, size, parameters, solve))
    return flow * np.float32(previous.shape[1] / size[1])


def working_sizes(height: int, width: int, working_width: int = WORKING_WIDTH) -> tuple[Size, Size]:
    """Sizes at which two images are compared.

    Args:
        height: of the images, pixels.
        width: of the images, pixels.
        working_width: width of the flow, unless the images are narrower.

    Returns:
        (height, width) of the flow, and of the coarser one that the head's movement is first measured in.
    """
    narrower = min(working_width, width)
    shorter = round(height * narrower / width)
    return (shorter, narrower), (round(shorter * COARSE), round(narrower * COARSE))


def _head_held(previous: Gray, following: Gray, size: Size, solve: FlowSolver) -> Float32[np.ndarray, "H W"]:
    """The later image with the head moved back, so that what comes into the picture at its edges is no movement."""
    height, width = previous.shape
    later = held = following.astype(np.float32, copy=False)
    moved = HeadMovement()
    for _ in range(HOLDING_ROUNDS):
        coarse = _flow(previous, held, size, Tvl1Parameters.quick(), solve)
        moved = moved.plus(head_movement(coarse), pixels=width / size[1])
        if np.abs(moved.field(height, width)[:, :: height - 1, :: width - 1]).max() < STILL_PX:
            return later
        held = _moved_back(later, moved)
    return held


def _moved_back(image: Float32[np.ndarray, "H W"], moved: HeadMovement) -> Float32[np.ndarray, "H W"]:
    height, width = image.shape
    back: np.ndarray = cv2.warpAffine(
        image,
        moved.matrix(height, width),
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return back


def _flow(
    previous: Gray, following: Gray, size: Size, parameters: Tvl1Parameters | None, solve: FlowSolver
) -> Float32[np.ndarray, "2 h w"]:
    field = solve(_framed(previous, *size), _framed(following, *size), parameters)
    return np.ascontiguousarray(field[:, MARGIN:-MARGIN, MARGIN:-MARGIN])


def _framed(image: Gray, height: int, width: int) -> Float32[np.ndarray, "H W"]:
    small = area_resized(image.astype(np.float32, copy=False), height, width)
    framed: np.ndarray = cv2.copyMakeBorder(small, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REFLECT_101)
    return framed
