"""The relief of a synthetic face: how far brows, nose and lips stand before the cheeks, for a head that turns far.

The smooth dome of `synthetic_rendering` does for small turns. At several degrees its brows, which lie no further
forward than the corners of the eyes, seem to move by a pixel and more. Here depth is FaceMesh's usual one, made
deeper or flatter from face to face, since no person has the usual face.
"""

import numpy as np
from jaxtyping import Float64
from scipy.interpolate import RBFInterpolator

from realtime.faces.landmarks import DEPTH

_SPREAD = 0.12
"""Standard deviation of how much deeper than usual one face is."""
_SMOOTHING = 0.02


def face_relief(
    x: Float64[np.ndarray, "H W"],
    y: Float64[np.ndarray, "H W"],
    points: Float64[np.ndarray, "468 2"],
    dome: Float64[np.ndarray, "H W"],
    identity: int,
) -> Float64[np.ndarray, "H W"]:
    """Depth of a face.

    Args:
        x: pixels, face coordinates.
        y: pixels, face coordinates.
        points: FaceMesh points of the face, face coordinates.
        dome: smooth depth that holds outside the face, pupil distances.
        identity: whose face.

    Returns:
        Distance in front of the axis of the neck, pupil distances.
    """
    known = sorted(DEPTH)
    canthus = float(np.linalg.norm(points[362] - points[133]))
    deeper = 1.0 + _SPREAD * float(np.clip(np.random.default_rng((identity, 31)).normal(), -2.0, 2.0))
    behind = canthus * deeper * np.array([DEPTH[point] for point in known])
    bridge = np.unravel_index(np.argmin(np.hypot(x - points[168, 0], y - points[168, 1])), x.shape)
    surface = RBFInterpolator(points[known], float(dome[bridge]) - behind, smoothing=_SMOOTHING)
    radius = np.hypot(x, (y - 0.35) / 1.25)
    inside = np.clip((1.3 - radius) / 0.45, 0.0, 1.0)
    share = inside * inside * (3.0 - 2.0 * inside)
    relief = np.array(dome, np.float64)
    near = share > 0.0
    relief[near] += share[near] * (surface(np.column_stack([x[near], y[near]])) - dome[near])
    return relief
