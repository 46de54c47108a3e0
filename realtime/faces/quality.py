"""How well a face can be read in one frame: lids, pose, mouth, light, size."""

import math

import numpy as np
from jaxtyping import Float32, UInt8

from realtime.faces import landmarks as named
from realtime.faces.observation import FaceQuality

FRONTAL_PITCH_DEG = -6.0
"""What the forehead–chin line of a face that looks straight ahead reads, degrees."""
_GRAY = np.array((0.299, 0.587, 0.114))
_SAMPLES_ACROSS = 24


def read_quality(
    landmarks: Float32[np.ndarray, "468 2"],
    depth: Float32[np.ndarray, " 468"],
    image: UInt8[np.ndarray, "H W 3"],
) -> FaceQuality:
    """Read lids, pose, mouth, light and size of one face.

    Args:
        landmarks: FaceMesh points, source pixels.
        depth: FaceMesh z in source pixels, smaller is nearer to the camera.
        image: the source picture, RGB.

    Returns:
        The readings; the eye on the image's left first.
    """
    yaw_deg, pitch_deg, roll_deg = head_pose_deg(landmarks, depth)
    return FaceQuality(
        eye_opening=(
            lid_opening(landmarks, named.RIGHT_LIDS, (named.RIGHT_EYE_OUTER, named.RIGHT_EYE_INNER)),
            lid_opening(landmarks, named.LEFT_LIDS, (named.LEFT_EYE_INNER, named.LEFT_EYE_OUTER)),
        ),
        yaw_deg=yaw_deg,
        pitch_deg=pitch_deg,
        roll_deg=roll_deg,
        mouth_opening=_distance(landmarks, named.INNER_LIP_TOP, named.INNER_LIP_BOTTOM)
        / max(_distance(landmarks, named.INNER_MOUTH_RIGHT, named.INNER_MOUTH_LEFT), 1e-6),
        brightness=face_brightness(landmarks, image),
        width_px=_distance(landmarks, named.RIGHT_EYE_INNER, named.LEFT_EYE_INNER),
    )


def lid_opening(
    landmarks: Float32[np.ndarray, "468 2"],
    lids: tuple[tuple[int, int], ...],
    corners: tuple[int, int],
) -> float:
    """Mean distance of the lids divided by the width of the eye."""
    width = max(_distance(landmarks, *corners), 1e-6)
    return sum(_distance(landmarks, upper, lower) for upper, lower in lids) / (len(lids) * width)


def head_pose_deg(
    landmarks: Float32[np.ndarray, "468 2"], depth: Float32[np.ndarray, " 468"]
) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees: turned to the image's right, raised, leaning clockwise are positive.

    An approximation from FaceMesh's own depth: good to a few degrees, and steady, which is what gating needs.
    """
    right, left = named.RIGHT_FACE_EDGE, named.LEFT_FACE_EDGE
    top, bottom = named.FOREHEAD_TOP, named.CHIN_BOTTOM
    yaw = math.atan2(float(depth[left] - depth[right]), _distance(landmarks, right, left))
    pitch = math.atan2(float(depth[top] - depth[bottom]), _distance(landmarks, top, bottom))
    eyes = (
        landmarks[named.LEFT_EYE_OUTER]
        + landmarks[named.LEFT_EYE_INNER]
        - landmarks[named.RIGHT_EYE_OUTER]
        - landmarks[named.RIGHT_EYE_INNER]
    )
    roll = math.atan2(float(eyes[1]), float(eyes[0]))
    return math.degrees(yaw), math.degrees(pitch) - FRONTAL_PITCH_DEG, math.degrees(roll)


def face_brightness(landmarks: Float32[np.ndarray, "468 2"], image: UInt8[np.ndarray, "H W 3"]) -> float:
    """Mean gray value over a coarse grid on the face's bounding box, 0–255; 0 when the face lies outside."""
    height, width = image.shape[:2]
    left, top = np.clip(landmarks.min(axis=0), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(landmarks.max(axis=0), 0, (width - 1, height - 1)).astype(int)
    across = max(1, (right - left) // _SAMPLES_ACROSS)
    down = max(1, (bottom - top) // _SAMPLES_ACROSS)
    samples = image[top : bottom + 1 : down, left : right + 1 : across]
    return float(samples.reshape(-1, 3).mean(axis=0) @ _GRAY) if samples.size else 0.0


def _distance(landmarks: Float32[np.ndarray, "468 2"], first: int, second: int) -> float:
    return math.hypot(
        float(landmarks[first, 0]) - float(landmarks[second, 0]),
        float(landmarks[first, 1]) - float(landmarks[second, 1]),
    )
