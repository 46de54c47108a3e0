"""Onset's optical flow and its peers in OpenCV, each a function of two images."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from engines.flow import FlowEngine, Tvl1Parameters, tvl1

BASELINE = "opencv tv-l1"
METHODS = {
    "onset tv-l1": "the default parameters, on one core",
    BASELINE: "cv2.optflow.createOptFlow_DualTVL1(), the same parameters",
    "onset tv-l1 quick": "Tvl1Parameters.quick(): 2 warps, at most 2 × 15 iterations each",
    "opencv tv-l1 quick": "2 warps, at most 2 × 15 iterations each",
    "opencv dis ultrafast": "DISOpticalFlow, PRESET_ULTRAFAST",
    "opencv dis fast": "DISOpticalFlow, PRESET_FAST",
    "opencv dis medium": "DISOpticalFlow, PRESET_MEDIUM",
    "opencv farneback": "5 levels of 0.5, window 15, 3 iterations, polynomials over 7 pixels",
}
CARD_METHODS = {
    "onset tv-l1 card": "the default parameters on the graphics card, from host to host",
    "onset tv-l1 quick card": "Tvl1Parameters.quick() on the graphics card, from host to host",
}

Solver = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From two gray images to the flow between them, float32 (2, H, W)."""


def solvers(card: FlowEngine | None) -> dict[str, Solver]:
    """Every method that can run here, by its name in `METHODS` and `CARD_METHODS`.

    Args:
        card: the flow engine on the graphics card; None where there is none.
    """
    # Made once: OpenCV's objects keep their work space from call to call.
    optflow: Any = cv2.optflow
    default, short = optflow.createOptFlow_DualTVL1(), optflow.createOptFlow_DualTVL1()
    short.setWarpingsNumber(2)
    short.setOuterIterations(2)
    short.setInnerIterations(15)
    quick = Tvl1Parameters.quick()
    presets = {
        "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
        "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
        "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    }
    made: dict[str, Solver] = {
        "onset tv-l1": tvl1,
        BASELINE: _planes(default),
        "onset tv-l1 quick": lambda a, b: tvl1(a, b, quick),
        "opencv tv-l1 quick": _planes(short),
        **{f"opencv dis {name}": _planes(cv2.DISOpticalFlow.create(preset)) for name, preset in presets.items()},
        "opencv farneback": _planes(cv2.FarnebackOpticalFlow.create(5, 0.5, False, 15, 3, 7, 1.5)),
    }
    if card is not None:
        engine = card
        made["onset tv-l1 card"] = engine
        made["onset tv-l1 quick card"] = lambda a, b: engine(a, b, quick)
    return made


def _planes(method: Any) -> Solver:
    """OpenCV's flow is interleaved; a view of it as planes costs nothing."""
    return lambda a, b: np.moveaxis(method.calc(a, b, None), 2, 0)
