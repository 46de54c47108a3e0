"""Named MediaPipe points, the facial regions whose movement is measured, and the gates that mask them.

Left and right are the subject's: the right eye is on the left of the image (unless the picture is mirrored).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

RIGHT_EYE_OUTER, RIGHT_EYE_INNER = 33, 133
LEFT_EYE_INNER, LEFT_EYE_OUTER = 362, 263
RIGHT_LIDS = ((160, 144), (159, 145), (158, 153))
"""Pairs of upper and lower lid points of the subject's right eye."""
LEFT_LIDS = ((385, 380), (386, 374), (387, 373))
"""Pairs of upper and lower lid points of the subject's left eye."""
NOSE_TIP = 4
NOSE_BRIDGE = (168, 6, 197, 195)
MOUTH_RIGHT, MOUTH_LEFT = 61, 291
INNER_LIP_TOP, INNER_LIP_BOTTOM = 13, 14
INNER_MOUTH_RIGHT, INNER_MOUTH_LEFT = 78, 308
FOREHEAD_TOP, CHIN_BOTTOM = 10, 152
RIGHT_FACE_EDGE, LEFT_FACE_EDGE = 234, 454

RIGID_POINTS = (33, 133, 362, 263, 6, 197, 195, 4, 122, 351)
"""Points that expressions hardly move, eye corners and the nose ridge: they tell how the head moves."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the face that moves as one: where its patches lie."""

    name: str
    """Plain words, the subject's left and right."""
    patches: tuple[tuple[int, ...], ...]
    """Each patch lies at the mean of these landmarks."""


REGIONS = (
    Region("right inner brow", ((107,), (66,), (55,), (65,))),
    Region("right middle brow", ((105,), (52,), (66, 105))),
    Region("right outer brow", ((63,), (53,), (70,), (63, 105))),
    Region("left inner brow", ((336,), (296,), (285,), (295,))),
    Region("left middle brow", ((334,), (282,), (296, 334))),
    Region("left outer brow", ((293,), (283,), (300,), (293, 334))),
    Region("right upper lid", ((159,), (160,), (158,), (27,))),
    Region("left upper lid", ((386,), (387,), (385,), (257,))),
    Region("right lower lid", ((145,), (144,), (153,), (23,))),
    Region("left lower lid", ((374,), (373,), (380,), (253,))),
    Region("right nose wing", ((48,), (64,), (98,), (129,))),
    Region("left nose wing", ((278,), (294,), (327,), (358,))),
    Region("right cheek", ((205,), (50,), (101,), (36,))),
    Region("left cheek", ((425,), (280,), (330,), (266,))),
    Region("right lip corner", ((61,), (57,), (40, 61), (91, 61))),
    Region("left lip corner", ((291,), (287,), (270, 291), (321, 291))),
    Region("upper lip", ((0,), (37,), (267,), (39,), (269,))),
    Region("lower lip", ((17,), (84,), (314,), (181,), (405,))),
    Region("chin", ((200,), (201,), (421,), (199,), (18,))),
)
"""Row order of `MotionSample.displacement`."""

REGION_NAMES = tuple(region.name for region in REGIONS)

BROW_REGIONS = frozenset(name for name in REGION_NAMES if name.endswith("brow"))
LID_REGIONS = frozenset(name for name in REGION_NAMES if name.endswith("lid"))
EYE_REGIONS = BROW_REGIONS | LID_REGIONS
NOSE_REGIONS = frozenset(name for name in REGION_NAMES if name.endswith("nose wing"))
CHEEK_REGIONS = frozenset(name for name in REGION_NAMES if name.endswith("cheek"))
MOUTH_REGIONS = frozenset(name for name in REGION_NAMES if "lip" in name) | {"chin"}

GATE_BLINK = "blink"
"""Both eyes' lids are moving shut, shut, or opening again."""
GATE_BLINK_LEFT = "blink-left"
"""The same for the subject's left eye alone."""
GATE_BLINK_RIGHT = "blink-right"
"""The same for the subject's right eye alone."""
GATE_HEAD_TURN = "head-turn"
"""The head turns or moves so fast that patches blur or leave the plane that alignment takes out."""
GATE_LIGHT = "light"
"""The exposure jumped."""
GATE_OCCLUDED = "occluded"
"""So few patches fit the reference that something lies over the face; unreadable regions are NaN."""
GATE_OUT_LEFT = "out-left"
"""The subject's left of the face reaches beyond the picture; what lies outside is NaN."""
GATE_OUT_RIGHT = "out-right"
"""The same for the subject's right."""
GATE_OUT_ABOVE = "out-above"
"""The same for the forehead and brows."""
GATE_OUT_BELOW = "out-below"
"""The same for the chin and mouth."""
GATE_RESTART = "restart"
"""Measurement of a face began anew a moment ago, after a gap: its landmarks and reference may not be settled."""
GATE_SPEECH = "speech"
"""The mouth moves back and forth: speaking, chewing."""
GATE_SACCADE = "saccade"
"""Both eyes jump sideways, and the lids with them."""

_RIGHT_BLINK = frozenset({"right upper lid", "right lower lid", "right outer brow"})
_LEFT_BLINK = frozenset({"left upper lid", "left lower lid", "left outer brow"})
_ALL = frozenset(REGION_NAMES)

MASKED_REGIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        GATE_BLINK: _RIGHT_BLINK | _LEFT_BLINK,
        GATE_BLINK_LEFT: _LEFT_BLINK,
        GATE_BLINK_RIGHT: _RIGHT_BLINK,
        GATE_HEAD_TURN: _ALL,
        GATE_LIGHT: _ALL,
        GATE_OCCLUDED: _ALL,
        GATE_OUT_LEFT: frozenset(name for name in REGION_NAMES if name.startswith("left")),
        GATE_OUT_RIGHT: frozenset(name for name in REGION_NAMES if name.startswith("right")),
        GATE_OUT_ABOVE: BROW_REGIONS,
        GATE_OUT_BELOW: MOUTH_REGIONS,
        GATE_RESTART: _ALL,
        GATE_SACCADE: LID_REGIONS,
        GATE_SPEECH: MOUTH_REGIONS | CHEEK_REGIONS | NOSE_REGIONS,
    }
)
"""The regions that each gate makes doubtful."""

DEPTH: Mapping[int, float] = MappingProxyType(
    {
        0: -0.28,
        1: -0.71,
        4: -0.76,
        5: -0.67,
        6: -0.15,
        8: 0.02,
        9: 0.01,
        17: -0.12,
        18: -0.01,
        23: 0.38,
        27: 0.32,
        33: 0.61,
        36: 0.14,
        37: -0.26,
        39: -0.15,
        40: 0.01,
        45: -0.73,
        48: -0.25,
        50: 0.37,
        52: 0.23,
        53: 0.37,
        55: 0.07,
        57: 0.33,
        61: 0.33,
        63: 0.45,
        64: -0.16,
        65: 0.13,
        66: 0.10,
        70: 0.68,
        84: -0.10,
        91: 0.11,
        98: -0.05,
        101: 0.24,
        105: 0.27,
        107: 0.02,
        114: 0.09,
        122: -0.08,
        129: 0.07,
        133: 0.46,
        144: 0.44,
        145: 0.40,
        153: 0.39,
        158: 0.38,
        159: 0.38,
        160: 0.43,
        168: 0.00,
        174: -0.16,
        181: -0.01,
        188: 0.02,
        193: 0.12,
        195: -0.49,
        197: -0.31,
        199: 0.00,
        200: 0.01,
        201: 0.05,
        205: 0.20,
        220: -0.58,
        253: 0.38,
        257: 0.32,
        263: 0.61,
        266: 0.13,
        267: -0.26,
        269: -0.14,
        270: 0.01,
        275: -0.74,
        278: -0.26,
        280: 0.36,
        282: 0.23,
        283: 0.37,
        285: 0.07,
        287: 0.32,
        291: 0.31,
        293: 0.46,
        294: -0.17,
        295: 0.12,
        296: 0.10,
        300: 0.68,
        314: -0.10,
        321: 0.10,
        327: -0.05,
        330: 0.24,
        334: 0.28,
        336: 0.02,
        343: 0.09,
        351: -0.08,
        358: 0.08,
        362: 0.46,
        373: 0.44,
        374: 0.40,
        380: 0.40,
        385: 0.38,
        386: 0.38,
        387: 0.42,
        399: -0.16,
        405: 0.00,
        412: 0.02,
        417: 0.11,
        421: 0.05,
        425: 0.20,
        440: -0.59,
    }
)
"""How far a point lies behind the bridge of the nose (168), in inner-canthus distances; the median of FaceMesh's own
depth over five faces set frontal. It varies by less than a tenth between faces."""
