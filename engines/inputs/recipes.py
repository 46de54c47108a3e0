"""Five published inputs, each a named function from the images of an event to a feature map."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Float32, UInt8

from engines.errors import BadInput
from engines.inputs.event_images import EventImages, strain_of
from engines.inputs.normalisation import Features
from engines.inputs.steady_flow import area_resized

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one published model sees an event."""

    name: str
    channels: int
    size: Size
    """Height and width as published, or as chosen where the paper is silent."""
    normalisation: str
    """What usually follows; a checkpoint's card has the last word."""
    make: Callable[[EventImages, Size], UInt8[np.ndarray, "H W C"]]
    mirrored: tuple[int, ...] | None
    """Channels of horizontal movement, which change sign in a mirror; None where a map cannot be mirrored."""


def feature_map(recipe: str, images: EventImages, size: Size | None = None) -> UInt8[np.ndarray, "H W C"]:
    """What a feature file holds for one clip.

    Args:
        recipe: a name in `RECIPES`.
        images: onset, apex and offset of the clip.
        size: height and width other than the recipe's own.

    Returns:
        The map, 0–255.

    Raises:
        BadInput: if the recipe is unknown.
    """
    if recipe not in RECIPES:
        raise BadInput(f"input recipe {recipe!r} is unknown: use one of {', '.join(sorted(RECIPES))}")
    return RECIPES[recipe].make(images, size or RECIPES[recipe].size)


def mirrored(features: Features, recipe: str) -> Features:
    """The same events with left and right exchanged.

    Args:
        features: maps of `recipe`, as from a feature file.
        recipe: a name in `RECIPES`.

    Returns:
        Maps flipped across, horizontal movement with its sign turned: 255 − u in stretched maps, −u in raw
        ones.

    Raises:
        BadInput: if maps of this recipe cannot be mirrored.
    """
    channels = RECIPES[recipe].mirrored
    if channels is None:
        raise BadInput(f"a {recipe} map cannot be mirrored: gray values of hues do not tell left from right")
    flipped = np.ascontiguousarray(features[:, :, ::-1])
    for channel in channels:
        u = flipped[..., channel]
        flipped[..., channel] = 255 - u if features.dtype == np.uint8 else -u
    return flipped


def flow_strain_from_field(flow: Float32[np.ndarray, "2 h w"], size: Size = (28, 28)) -> UInt8[np.ndarray, "H W 3"]:
    """(u, v, strain) of a flow field, as a map of the "flow-strain" recipe.

    Args:
        flow: onset to apex over the face in canonical geometry; the unit does not matter.
        size: height and width of the map.

    Returns:
        u, v and strain, area-averaged, each stretched to 0–255.
    """
    return _flow_strain(flow, strain_of(flow, flow.shape[2]), size)


def stretched(plane: Float32[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    """A plane from its own minimum and maximum to 0–255; zero where it is flat."""
    low, high = float(plane.min()), float(plane.max())
    if high <= low:
        return np.zeros(plane.shape, np.uint8)
    whole: np.ndarray = np.rint((plane - low) * (255.0 / (high - low))).astype(np.uint8)
    return whole


def flow_strain(images: EventImages, size: Size) -> UInt8[np.ndarray, "H W 3"]:
    """(u, v, optical strain), each stretched to 0–255: input of the dual-attention CrossViT and of STSTNet.

    Choice: flow is TV-L1 over the aligned face with the head's movement removed, strain is taken from the
    flow at full working size, and then all three are area-averaged. The published maps of STSTNet have the
    same form.

    Reference:
        Liong et al., Shallow triple stream three-dimensional CNN (STSTNet) for micro-expression recognition,
        FG 2019; Ran et al., Micro-expression recognition based on dual attention CrossViT.
    """
    return _flow_strain(images.flow, images.strain, size)


def dual_branch(images: EventImages, size: Size) -> UInt8[np.ndarray, "H W 6"]:
    """(u, v, magnitude), then (u, v, strain): the two branches, one after the other.

    Choices: the paper's FlowNet 2.0 is replaced by TV-L1, the paper does not give a size (112 × 112 here),
    and each channel is stretched to 0–255.

    Reference:
        Li, Zhu, Micro-expression recognition based on video magnification and dual-branch network, 2022.
    """
    flow, strain = images.flow, images.strain
    u, v, magnitude = (stretched(_reduced(plane, size)) for plane in (flow[0], flow[1], np.hypot(*flow)))
    return np.stack([u, v, magnitude, u, v, stretched(_reduced(strain, size))], axis=-1)


def edssnet(images: EventImages, size: Size) -> UInt8[np.ndarray, "H W 6"]:
    """Magnified gray apex three times over, then the flow image: the two streams, one after the other.

    Choices: both streams take three channels (tables 2 and 3), so gray is repeated; how the paper colours its
    flow image is not said, so it is (u, v, magnitude), each stretched to 0–255. Live, where the clip is
    short, the apex is magnified from onset and apex alone (`magnified_step`).

    Reference:
        Li, Chen, Wang, Wang, Enhanced dual-stream shallow convolutional neural network for facial
        micro-expression recognition, 2021.
    """
    gray = _rounded(_reduced(images.exaggerated_apex, size))
    planes = (images.flow[0], images.flow[1], np.hypot(*images.flow))
    return np.stack([gray, gray, gray, *(stretched(_reduced(plane, size)) for plane in planes)], axis=-1)


def madtn(images: EventImages, size: Size) -> UInt8[np.ndarray, "H W 3"]:
    """Onset-to-apex flow as gray, gray apex, apex-to-offset flow as gray: red, green and blue of one image.

    Choice: saturation is the magnitude divided by its largest value in the image, as the paper leaves its
    range open.

    Reference:
        The motion attention deep transfer network for cross-database micro-expression recognition (MADTN).
    """
    planes = [hue_gray(images.flow), images.apex.astype(np.float32), hue_gray(images.return_flow)]
    return np.stack([_rounded(_reduced(plane, size)) for plane in planes], axis=-1)


def apex(images: EventImages, size: Size) -> UInt8[np.ndarray, "H W 3"]:
    """The apex alone, gray in all three channels: input of SE-ResNeXt-50.

    Choice: the paper turns images to gray among its augmentations; here gray is the rule, so that the colour
    of the light does not count.

    Reference:
        Micro-expression recognition from apex frames with an SE-ResNeXt-50 network and focal loss.
    """
    gray = _rounded(_reduced(images.apex.astype(np.float32), size))
    return np.stack([gray, gray, gray], axis=-1)


def hue_gray(flow: Float32[np.ndarray, "2 H W"]) -> Float32[np.ndarray, "H W"]:
    """Flow as a colour (hue its direction, saturation its size, value 1), and that colour as gray.

    Args:
        flow: displacement, any unit.

    Returns:
        Gray by the weights of ITU-R BT.601, 0–255; 255 where nothing moves.
    """
    size = np.hypot(flow[0], flow[1])
    saturation = size / max(float(size.max()), np.finfo(np.float32).tiny)
    sixth = np.degrees(np.arctan2(flow[1], flow[0])) % 360 / 60
    gray = np.zeros_like(size)
    for weight, corner in ((0.299, 5), (0.587, 3), (0.114, 1)):
        k = (corner + sixth) % 6
        gray += weight * (1 - saturation * np.clip(np.minimum(k, 4 - k), 0, 1))
    scaled: np.ndarray = (255 * gray).astype(np.float32)
    return scaled


def _flow_strain(
    flow: Float32[np.ndarray, "2 h w"], strain: Float32[np.ndarray, "h w"], size: Size
) -> UInt8[np.ndarray, "H W 3"]:
    return np.stack([stretched(_reduced(plane, size)) for plane in (flow[0], flow[1], strain)], axis=-1)


def _reduced(plane: Float32[np.ndarray, "h w"], size: Size) -> Float32[np.ndarray, "H W"]:
    return area_resized(np.ascontiguousarray(plane), *size)


def _rounded(plane: Float32[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    whole: np.ndarray = np.clip(np.rint(plane), 0, 255).astype(np.uint8)
    return whole


_CENTRED = "centred-flow-log-strain"
RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe(name="apex", channels=3, size=(224, 224), normalisation="imagenet", make=apex, mirrored=()),
            Recipe(
                name="dual-branch",
                channels=6,
                size=(112, 112),
                normalisation=_CENTRED,
                make=dual_branch,
                mirrored=(0, 3),
            ),
            Recipe(
                name="edssnet",
                channels=6,
                size=(112, 112),
                normalisation="unit-interval",
                make=edssnet,
                mirrored=(3,),
            ),
            Recipe(
                name="flow-strain",
                channels=3,
                size=(28, 28),
                normalisation=_CENTRED,
                make=flow_strain,
                mirrored=(0,),
            ),
            Recipe(
                name="madtn",
                channels=3,
                size=(112, 112),
                normalisation="unit-interval",
                make=madtn,
                mirrored=None,
            ),
        )
    }
)
"""Every recipe by the name that a card states."""
