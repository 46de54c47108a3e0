"""Image pairs whose flow is known: a band-limited texture read at displaced places."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

Gray = UInt8[np.ndarray, "H W"]
Flow = Float32[np.ndarray, "2 H W"]


def texture(height: int, width: int, seed: int) -> Gray:
    """Blobs of several sizes over the whole range of gray."""
    noise = np.random.default_rng(seed).standard_normal((height, width))
    blobs = np.sum([cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1.5, 3.0, 6.0)], axis=0)
    return np.asarray(np.rint(5 + 245 * (blobs - blobs.min()) / np.ptp(blobs)), np.uint8)


def displaced(following: Gray, flow: Flow) -> Gray:
    """The earlier image: the later one read where the flow points, so that the flow is exact at every pixel."""
    height, width = following.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    moved = cv2.remap(
        following.astype(np.float32), x + flow[0], y + flow[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(np.clip(np.rint(moved), 0, 255), np.uint8)


def smooth_flow(height: int, width: int, largest_px: float, seed: int) -> Flow:
    """A few smooth bumps of movement."""
    noise = np.random.default_rng(seed).standard_normal((2, height, width))
    bumps = np.stack([cv2.GaussianBlur(component, (0, 0), min(height, width) / 8) for component in noise])
    return np.asarray(bumps * largest_px / np.abs(bumps).max(), np.float32)


def smooth_pair(height: int, width: int, largest_px: float, seed: int) -> tuple[Gray, Gray, Flow]:
    """Earlier image, later image, flow between them."""
    following, flow = texture(height, width, seed), smooth_flow(height, width, largest_px, seed)
    return displaced(following, flow), following, flow


def end_point_error(a: Flow, b: Flow, border: int = 0) -> float:
    """Mean distance of two flows, pixels."""
    inside = slice(border, -border or None)
    return float(np.hypot(*(a - b))[inside, inside].mean())


def energy(previous: Gray, following: Gray, flow: Flow, lambda_: float = 0.15) -> float:
    """What TV-L1 minimises: total variation plus weighted absolute brightness residual, pixels kept at the border."""
    height, width = previous.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    warped = cv2.remap(
        following.astype(np.float32), x + flow[0], y + flow[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    along_x = np.diff(flow, axis=2, append=flow[:, :, -1:])
    along_y = np.diff(flow, axis=1, append=flow[:, -1:])
    return float(np.hypot(along_x, along_y).sum() + lambda_ * np.abs(warped - previous).sum())
