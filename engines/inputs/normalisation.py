"""From what a feature file holds to what a model is fed: the one copy, in training and live."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from jaxtyping import Float32, UInt8

from engines.errors import BadInput

Features: TypeAlias = UInt8[np.ndarray, "N H W C"] | Float32[np.ndarray, "N H W C"]
Planes: TypeAlias = Float32[np.ndarray, "N H W C"]

FLOW_LIMIT = 5.0
"""Standard deviations at which a centred flow is cut off."""
STRAIN_LIMIT = 12.0
"""Multiples of its mean at which strain is cut off."""
STRAIN_LEVEL = 0.6
"""About what log1p of a mean-scaled strain amounts to on average: taken off, the channel centres on zero."""
FLAT = 1e-6
"""A channel whose spread is under this fraction of its size (or this in its own unit) has nothing in it."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def normalise(features: Features, name: str) -> Float32[np.ndarray, "N C H W"]:
    """Make the tensor that a model is fed out of feature maps or images.

    Args:
        features: maps or images as a feature file holds them, channels last.
        name: one of `NORMALISATIONS`; a checkpoint's card says which.

    Returns:
        The same maps scaled, channels first, contiguous.

    Raises:
        BadInput: if the name is unknown, or the features are not what that normalisation takes.
    """
    if name not in NORMALISATIONS:
        raise BadInput(f"normalisation {name!r} is unknown: use one of {', '.join(sorted(NORMALISATIONS))}")
    if features.ndim != 4 or features.dtype not in (np.dtype(np.uint8), np.dtype(np.float32)):
        raise BadInput(
            f"features must be uint8 or float32 of shape (N, H, W, C), not {features.dtype} {features.shape}"
        )
    planes = NORMALISATIONS[name](features.astype(np.float32))
    return np.ascontiguousarray(planes.transpose(0, 3, 1, 2))


def centred_flow_log_strain(maps: Planes) -> Planes:
    """Flow minus its median over its deviation, clamped, halved; strain over its mean, clamped, logarithmic.

    Blind to the scale of every channel and to the zero of u and v, so a map stretched to 0–255 and the
    raw flow in pixels give the same tensor up to rounding. For that, strain is first lowered by its minimum,
    which is what stretching does. A flat channel gives zero flow and no strain.

    Args:
        maps: (u, v, strain), or groups of three such channels one after the other.

    Returns:
        u and v within ±2.5, strain within −0.6 and 1.97.

    Raises:
        BadInput: if the channels are not a multiple of three.
    """
    if maps.shape[-1] % 3:
        raise BadInput(f"centred-flow-log-strain takes (u, v, strain) channels, not {maps.shape[-1]} channels")
    scaled = np.empty_like(maps)
    for first in range(0, maps.shape[-1], 3):
        scaled[..., first : first + 2] = _centred(maps[..., first : first + 2])
        scaled[..., first + 2] = _logarithmic(maps[..., first + 2])
    return scaled


def unit_interval(images: Planes) -> Planes:
    """0–255 to 0–1."""
    return images / np.float32(255)


def symmetric(images: Planes) -> Planes:
    """0–255 to −1–1."""
    return images / np.float32(127.5) - np.float32(1)


def imagenet(images: Planes) -> Planes:
    """0–255 RGB to zero mean and unit deviation by ImageNet's constants, as networks trained there expect.

    Raises:
        BadInput: if the channels are not a multiple of three.
    """
    if images.shape[-1] % 3:
        raise BadInput(f"imagenet takes RGB images, not {images.shape[-1]} channels")
    groups = images.shape[-1] // 3
    mean = np.tile(np.array(IMAGENET_MEAN, np.float32), groups)
    deviation = np.tile(np.array(IMAGENET_DEVIATION, np.float32), groups)
    return (images / np.float32(255) - mean) / deviation


def _centred(flow: Planes) -> Planes:
    centred = flow - np.median(flow, axis=(1, 2), keepdims=True)
    deviation = centred.std(axis=(1, 2), keepdims=True)
    flat = deviation <= FLAT * np.maximum(1.0, np.abs(flow).max(axis=(1, 2), keepdims=True))
    scaled = np.where(flat, 0.0, centred / np.where(flat, 1.0, deviation))
    halved: Planes = (np.clip(scaled, -FLOW_LIMIT, FLOW_LIMIT) / 2).astype(np.float32)
    return halved


def _logarithmic(strain: Float32[np.ndarray, "N H W"]) -> Float32[np.ndarray, "N H W"]:
    lowered = strain - strain.min(axis=(1, 2), keepdims=True)
    mean = lowered.mean(axis=(1, 2), keepdims=True)
    flat = mean <= FLAT * np.abs(strain).max(axis=(1, 2), keepdims=True)
    scaled = np.where(flat, 0.0, lowered / np.where(flat, 1.0, mean))
    logarithm: Float32[np.ndarray, "N H W"] = (np.log1p(np.minimum(scaled, STRAIN_LIMIT)) - STRAIN_LEVEL).astype(
        np.float32
    )
    return logarithm


NORMALISATIONS: Mapping[str, Callable[[Planes], Planes]] = MappingProxyType(
    {
        "centred-flow-log-strain": centred_flow_log_strain,
        "imagenet": imagenet,
        "symmetric": symmetric,
        "unit-interval": unit_interval,
    }
)
"""Every normalisation by the name that a card states."""
