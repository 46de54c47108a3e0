"""Changes of a normalised map that leave its label alone."""

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from engines.inputs import RECIPES

_CENTRES = {"unit-interval": 0.5}
"""What stands for no movement after each normalisation; zero where it is not named."""
_BLUR_5 = (0.0708, 0.2445, 0.3694, 0.2445, 0.0708)
"""Gaussian of five taps with the deviation that OpenCV gives a 5 × 5 kernel, 1.1 pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """How a map's left and right are exchanged."""

    horizontal: tuple[int, ...] = (0,)
    """Channels of horizontal movement, whose sign turns."""
    centre: float = 0.0
    """The value of no movement."""


FLOW_STRAIN = Mirror()
"""Of (u, v, strain) with the flow centred on zero."""


def mirror_of(recipe: str, normalisation: str) -> Mirror | None:
    """How maps of a recipe are mirrored once they are normalised; None where they cannot be.

    Args:
        recipe: a name in `engines.inputs.RECIPES`.
        normalisation: a name in `engines.inputs.NORMALISATIONS`.
    """
    horizontal = RECIPES[recipe].mirrored
    return None if horizontal is None else Mirror(horizontal=horizontal, centre=_CENTRES.get(normalisation, 0.0))


@dataclass(frozen=True, kw_only=True)
class AugmentationParameters:
    """How training maps vary from epoch to epoch."""

    mirror_probability: float = 0.5
    """Left and right exchanged, the horizontal flow with its sign turned; maps that have no mirror are left alone."""
    shift_px: int = 1
    """At most this far either way, map pixels."""
    noise: float = 0.05
    """Deviation of white noise, in the normalised map's units."""
    blur_probability: float = 0.0
    """Smoothed by a 5 × 5 Gaussian."""
    rotation_deg: float = 0.0
    """Turned about the middle by a uniform angle up to this, either way. Values are moved, not turned: right for
    pictures, and what the papers do; a flow map's vectors keep their directions."""


def mirrored(maps: Float[Tensor, "N C H W"], mirror: Mirror = FLOW_STRAIN) -> Float[Tensor, "N C H W"]:
    """The same movements with left and right exchanged.

    Args:
        maps: normalised maps.
        mirror: which channels turn their sign, and about what.

    Returns:
        Mirrored copies.
    """
    sign = torch.ones(maps.shape[1], dtype=maps.dtype, device=maps.device)
    sign[list(mirror.horizontal)] = -1
    turned = maps.flip(-1) * sign[:, None, None]
    return turned if mirror.centre == 0 else turned + mirror.centre * (1 - sign)[:, None, None]


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


def blurred(maps: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
    """Smooth maps by a 5 × 5 Gaussian; the edge is repeated outwards."""
    channels = maps.shape[1]
    taps = torch.tensor(_BLUR_5, dtype=maps.dtype, device=maps.device)
    kernel = (taps[:, None] * taps[None, :] / taps.sum() ** 2).expand(channels, 1, 5, 5)
    padded = functional.pad(maps, (2, 2, 2, 2), mode="replicate")
    return functional.conv2d(padded, kernel, groups=channels)


def rotated(maps: Float[Tensor, "N C H W"], angles_deg: Float[Tensor, "N"]) -> Float[Tensor, "N C H W"]:
    """Turn each map about its middle; what comes in from outside repeats the edge.

    Args:
        maps: any maps, of any height and width.
        angles_deg: clockwise on the screen.

    Returns:
        Turned copies, bilinear.
    """
    height, width = maps.shape[-2:]
    angle = torch.deg2rad(angles_deg)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    zero = torch.zeros_like(cosine)
    # Affine grids run from −1 to 1 on either side: a map that is not square must not be sheared.
    rows = torch.stack([cosine, sine * height / width, zero, -sine * width / height, cosine, zero], dim=1)
    grid = functional.affine_grid(rows.view(-1, 2, 3), list(maps.shape), align_corners=False)
    return functional.grid_sample(maps, grid, mode="bilinear", padding_mode="border", align_corners=False)


def augmented(
    maps: Float[Tensor, "N C H W"],
    parameters: AugmentationParameters,
    generator: torch.Generator,
    mirror: Mirror | None = FLOW_STRAIN,
) -> Float[Tensor, "N C H W"]:
    """Mirror, shift, turn, blur and disturb maps at random.

    Args:
        maps: normalised maps.
        parameters: how much of what.
        generator: source of all randomness, on the CPU.
        mirror: how the maps are mirrored; None where they cannot be.

    Returns:
        Changed copies.
    """
    changed = maps
    if parameters.mirror_probability and mirror is not None:
        flip = torch.rand(len(maps), generator=generator) < parameters.mirror_probability
        changed = torch.where(flip.to(maps.device)[:, None, None, None], mirrored(maps, mirror), maps)
    if parameters.shift_px:
        changed = shifted(changed, parameters.shift_px, generator)
    if parameters.rotation_deg:
        angles = (2 * torch.rand(len(maps), generator=generator) - 1) * parameters.rotation_deg
        changed = rotated(changed, angles.to(maps.device))
    if parameters.blur_probability:
        soft = torch.rand(len(maps), generator=generator) < parameters.blur_probability
        changed = torch.where(soft.to(maps.device)[:, None, None, None], blurred(changed), changed)
    if parameters.noise:
        grain = torch.randn(changed.shape, generator=generator)
        changed = changed + parameters.noise * grain.to(maps.device)
    return changed
