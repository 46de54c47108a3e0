"""Changes of a normalised map that leave its label alone."""

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class AugmentationParameters:
    """How training maps vary from epoch to epoch."""

    mirror_probability: float = 0.5
    """Left and right exchanged, the horizontal flow with its sign turned."""
    shift_px: int = 1
    """At most this far either way, map pixels."""
    noise: float = 0.05
    """Deviation of white noise, in the normalised map's units."""


def mirrored(maps: Float[Tensor, "N C H W"], horizontal: tuple[int, ...] = (0,)) -> Float[Tensor, "N C H W"]:
    """The same movements with left and right exchanged.

    Args:
        maps: normalised maps, flow centred on zero.
        horizontal: channels of horizontal movement, whose sign turns.

    Returns:
        Mirrored copies.
    """
    sign = torch.ones(maps.shape[1], dtype=maps.dtype)
    sign[list(horizontal)] = -1
    return maps.flip(-1) * sign[:, None, None]


def shifted(maps: Float[Tensor, "N C H W"], limit_px: int, generator: torch.Generator) -> Float[Tensor, "N C H W"]:
    """Shift each map by a whole number of pixels of its own; what comes in at the edge repeats it.

    Args:
        maps: any maps.
        limit_px: largest shift either way.
        generator: source of the shifts.

    Returns:
        Shifted copies.
    """
    count, _, height, width = maps.shape
    padded = functional.pad(maps, (limit_px,) * 4, mode="replicate")
    rows = torch.randint(0, 2 * limit_px + 1, (count, 1), generator=generator) + torch.arange(height)
    columns = torch.randint(0, 2 * limit_px + 1, (count, 1), generator=generator) + torch.arange(width)
    sample = torch.arange(count)[:, None, None]
    return padded.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def augmented(
    maps: Float[Tensor, "N C H W"], parameters: AugmentationParameters, generator: torch.Generator
) -> Float[Tensor, "N C H W"]:
    """Mirror, shift and disturb maps at random.

    Args:
        maps: normalised maps.
        parameters: how much of what.
        generator: source of all randomness.

    Returns:
        Changed copies.
    """
    flip = torch.rand(len(maps), generator=generator) < parameters.mirror_probability
    changed = torch.where(flip[:, None, None, None], mirrored(maps), maps)
    if parameters.shift_px:
        changed = shifted(changed, parameters.shift_px, generator)
    return changed + parameters.noise * torch.randn(changed.shape, generator=generator)
