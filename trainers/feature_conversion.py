"""From the maps of one recipe to those of another, where one holds what the other needs."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32, UInt8

from engines.errors import BadInput
from trainers.feature_file import FeatureFile

Maps = UInt8[np.ndarray, "N H W C"] | Float32[np.ndarray, "N H W C"]


def fitting(features: FeatureFile, recipe: str) -> FeatureFile:
    """The same clips as maps of the recipe that a model takes.

    Flow-strain maps, such as those published with STSTNet and HTNet, become dual-branch maps by `with_magnitude`. A
    file that does not say what made it is taken for flow-strain where it has three channels of floating or stretched
    values and the model asks for six.

    Args:
        features: as loaded.
        recipe: a name in `engines.inputs.RECIPES`.

    Raises:
        BadInput: if the maps are of another recipe, and nothing leads from there to this one.
    """
    if features.recipe == recipe:
        return features
    if recipe == "dual-branch" and features.recipe in (None, "flow-strain") and features.x.shape[3] == 3:
        return replace(features, x=with_magnitude(features.x), recipe=recipe)
    if features.recipe is None:
        return features
    raise BadInput(
        f"feature file {features.path} holds {features.recipe} maps, which cannot be made into {recipe} maps: "
        f"prepare it with --recipe {recipe}"
    )


def is_converted(features: FeatureFile) -> bool:
    """Whether `fitting` made the maps of others: what is prepared from images is stretched to whole numbers."""
    return features.recipe == "dual-branch" and features.x.dtype == np.float32


def with_magnitude(maps: Maps) -> Float32[np.ndarray, "N H W 6"]:
    """(u, v, strain) to (u, v, magnitude) and (u, v, strain), the dual-branch network's two groups.

    Stretched maps have lost the zero and the scale of u and v: here each is centred on its median, where most of a
    face is at rest, and divided by its deviation before their magnitude is taken, so u and v count alike in it.

    Args:
        maps: flow-strain maps.

    Returns:
        u and v centred and scaled, magnitude and strain, for the normalisation "centred-flow-log-strain".
    """
    flow = maps[..., :2].astype(np.float32)
    flow = flow - np.median(flow, axis=(1, 2), keepdims=True)
    flow = flow / np.maximum(flow.std(axis=(1, 2), keepdims=True), 1e-6)
    magnitude = np.hypot(flow[..., 0], flow[..., 1])
    strain = maps[..., 2].astype(np.float32)
    channels = [flow[..., 0], flow[..., 1], magnitude, flow[..., 0], flow[..., 1], strain]
    stacked: np.ndarray = np.stack(channels, axis=-1).astype(np.float32)
    return stacked
