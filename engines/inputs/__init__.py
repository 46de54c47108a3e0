"""Onset, apex and offset images to the input of each model: the one copy, live and in training."""

from engines.inputs.normalisation import NORMALISATIONS, normalise

__all__ = ["NORMALISATIONS", "normalise"]
