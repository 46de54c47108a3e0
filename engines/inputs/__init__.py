"""Onset, apex and offset images to the input of each model: the one copy, live and in training."""

from engines.inputs.event_images import EventImages
from engines.inputs.normalisation import NORMALISATIONS, normalise
from engines.inputs.recipes import RECIPES, Recipe, feature_map, flow_strain_from_field, mirrored

__all__ = [
    "NORMALISATIONS",
    "RECIPES",
    "EventImages",
    "Recipe",
    "feature_map",
    "flow_strain_from_field",
    "mirrored",
    "normalise",
]
