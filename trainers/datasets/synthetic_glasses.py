"""Spectacles for a synthetic face: a thin frame and a faint reflection that go with the head, not with the skin."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from trainers.datasets.synthetic_face import LEFT_EYE, RIGHT_EYE

LIFT = 0.16
"""How far they stand in front of the eyes, pupil distances."""
_FRAME_COLOUR = (38, 34, 32)
_HALF_WIDTH, _HALF_HEIGHT, _LOWERED = 0.37, 0.27, 0.04
"""Of a lens, pupil distances."""
_BEHIND_TEMPLES = (127, 356)
"""FaceMesh points at which the arms of the frame go behind the head, image's left and right."""


def glasses_layer(
    landmarks: Float32[np.ndarray, "468 2"], width: int, height: int, oversampling: int
) -> UInt8[np.ndarray, "sourceheight sourcewidth 4"]:
    """Draw spectacles onto a face at rest.

    Args:
        landmarks: FaceMesh points of the face at rest, frame pixels.
        width: of the frame, pixels.
        height: of the frame, pixels.
        oversampling: layer pixels per frame pixel.

    Returns:
        Red, green, blue and opacity; fully transparent but for frame and reflection.
    """
    eyes = [landmarks[list(corners)].mean(axis=0) for corners in (LEFT_EYE, RIGHT_EYE)]
    unit = float(np.linalg.norm(eyes[1] - eyes[0]))
    opacity = np.zeros((height * oversampling, width * oversampling), np.uint8)
    shine = np.zeros_like(opacity)
    thick = max(1, round(0.035 * unit * oversampling))
    centres = [eye + np.array([0.0, _LOWERED * unit]) for eye in eyes]
    for centre, outwards, temple in zip(centres, (-1.0, 1.0), _BEHIND_TEMPLES, strict=True):
        lens = _ellipse(centre, unit, oversampling)
        cv2.polylines(opacity, [lens], True, (255.0,), thick, cv2.LINE_AA, 4)
        hinge = centre + np.array([outwards * _HALF_WIDTH, -0.4 * _HALF_HEIGHT]) * unit
        end = np.array([landmarks[temple, 0], hinge[1]])
        cv2.polylines(opacity, [_fixed([hinge, end], oversampling)], False, (255.0,), thick, cv2.LINE_AA, 4)
        _add_shine(shine, lens, centre, unit, oversampling)
    inner = [centre + np.array([side * _HALF_WIDTH, -0.25 * _HALF_HEIGHT]) * unit
             for centre, side in zip(centres, (1.0, -1.0), strict=True)]  # fmt: skip
    cv2.polylines(opacity, [_fixed(inner, oversampling)], False, (255.0,), thick, cv2.LINE_AA, 4)
    layer = np.empty((*opacity.shape, 4), np.uint8)
    frame = opacity[..., None] / 255.0
    layer[..., :3] = frame * np.array(_FRAME_COLOUR) + (1.0 - frame) * 255.0
    layer[..., 3] = np.maximum(opacity, shine)
    return layer


def _fixed(points: object, oversampling: int) -> np.ndarray:
    """Sixteenths of a layer pixel, as OpenCV's drawing takes them."""
    fine = np.asarray(points, np.float64) * oversampling + 0.5 * (oversampling - 1)
    return np.asarray(np.round(16.0 * fine), np.int32)


def _ellipse(centre: np.ndarray, unit: float, oversampling: int) -> np.ndarray:
    angles = np.linspace(0.0, 2.0 * np.pi, 64, endpoint=False)
    # A power under one squares the ellipse, as lenses are.
    across, down = (np.sign(part) * np.abs(part) ** 0.75 for part in (np.cos(angles), np.sin(angles)))
    return _fixed(centre + unit * np.column_stack([_HALF_WIDTH * across, _HALF_HEIGHT * down]), oversampling)


def _add_shine(shine: np.ndarray, lens: np.ndarray, centre: np.ndarray, unit: float, oversampling: int) -> None:
    """A window's reflection: a slanted streak over a corner of the lens, a tenth of the light."""
    inside, streak = np.zeros_like(shine), np.zeros_like(shine)
    cv2.fillPoly(inside, [lens], (255.0,), cv2.LINE_AA, 4)
    corners = centre + unit * np.array([[-0.28, -0.05], [-0.12, -0.3], [0.0, -0.3], [-0.16, -0.05]])
    cv2.fillPoly(streak, [_fixed(corners, oversampling)], (255.0,), cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(streak, (0, 0), 0.03 * unit * oversampling)
    np.maximum(shine, (0.14 * soft * (inside / 255.0)).astype(np.uint8), out=shine)
