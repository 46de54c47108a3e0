"""The head's rigid movement among tracked points, and what each region does beyond it."""

import numpy as np

from engines.compilation import compiled

POSE = 6
"""Numbers of a pose: a, b, tx, ty of the similarity [[a, −b], [b, a]] x + t, then the pitch and yaw before it."""
_TUKEY = 4.685
_INLIERS = 0.3
"""Share of the points that is taken to follow the head: the scale of the residuals is read there, not at half,
because a wide expression moves more than half of the face."""
_LEAST_SCALE_PX = 0.08
"""Residuals are never judged on a finer scale: the noise of a patch."""


@compiled()
def project(points: np.ndarray, pose: np.ndarray, places: np.ndarray) -> None:
    """Where points of a rigid head lie after it has moved (weak perspective).

    Args:
        points: float64 (P, 3), x, y and depth in reference pixels from the head's middle.
        pose: float64 (6,).
        places: float64 (P, 2), filled.
    """
    cos_pitch, sin_pitch = np.cos(pose[4]), np.sin(pose[4])
    cos_yaw, sin_yaw = np.cos(pose[5]), np.sin(pose[5])
    for point in range(len(points)):
        x = points[point, 0] * cos_yaw + points[point, 2] * sin_yaw
        depth = points[point, 2] * cos_yaw - points[point, 0] * sin_yaw
        y = points[point, 1] * cos_pitch - depth * sin_pitch
        places[point, 0] = pose[0] * x - pose[1] * y + pose[2]
        places[point, 1] = pose[1] * x + pose[0] * y + pose[3]


@compiled()
def _solve(matrix: np.ndarray, right: np.ndarray, size: int) -> bool:
    """Solve a small symmetric positive system in place; false when it has no solution."""
    for column in range(size):
        pivot = matrix[column, column]
        if not pivot > 1e-12:
            return False
        for row in range(column + 1, size):
            factor = matrix[row, column] / pivot
            for k in range(column, size):
                matrix[row, k] -= factor * matrix[column, k]
            right[row] -= factor * right[column]
    for column in range(size - 1, -1, -1):
        for k in range(column + 1, size):
            right[column] -= matrix[column, k] * right[k]
        right[column] /= matrix[column, column]
    return True


@compiled()
def fit_head(  # noqa: C901 - one loop, unrolled by hand: a kernel
    points: np.ndarray,
    places: np.ndarray,
    trust: np.ndarray,
    pose: np.ndarray,
    departed: np.ndarray,
    rounds: int,
    turning: bool,
) -> bool:
    """Fit the pose by Gauss–Newton with Tukey's biweight.

    Points that had left the head in the frame before begin without weight: an expression that has grown over most
    of the face is still told from a movement of the head, because its points left one after the other.

    Args:
        points: float64 (P, 3), the head in the reference.
        places: float64 (P, 2), where its points are seen now.
        trust: float64 (P, 3), xx, xy, yy of how firmly each place is known along each direction; zeros leave a
            point out.
        pose: float64 (6,), the guess, replaced by the result.
        departed: float64 (P,), how far each point was from the head in the frame before, pixels.
        rounds: steps.
        turning: fit pitch and yaw too; a similarity otherwise.

    Returns:
        Whether the points determined a pose.
    """
    count = len(points)
    size = 6 if turning else 4
    predicted = np.empty((count, 2))
    residuals = np.empty(count)
    distances = np.empty(count)
    matrix = np.empty((6, 6))
    right = np.empty(6)
    row_x = np.zeros(6)
    row_y = np.zeros(6)
    if not turning:
        pose[4] = 0.0
        pose[5] = 0.0
    for turn in range(rounds):
        project(points, pose, predicted)
        trusted = 0
        for point in range(count):
            off_x = places[point, 0] - predicted[point, 0]
            off_y = places[point, 1] - predicted[point, 1]
            distances[point] = np.sqrt(
                max(
                    trust[point, 0] * off_x * off_x
                    + 2.0 * trust[point, 1] * off_x * off_y
                    + trust[point, 2] * off_y * off_y,
                    0.0,
                )
                / max(trust[point, 0] + trust[point, 2], 1e-12)
            )
            if trust[point, 0] + trust[point, 2] > 0:
                residuals[trusted] = distances[point]
                trusted += 1
        if 2 * trusted < size:
            return False
        ordered = np.sort(residuals[:trusted])
        rayleigh = np.sqrt(-2.0 * np.log(1.0 - _INLIERS))
        scale = max(ordered[int(_INLIERS * (trusted - 1))] / rayleigh, _LEAST_SCALE_PX)
        matrix[:, :] = 0.0
        right[:] = 0.0
        cos_pitch, sin_pitch = np.cos(pose[4]), np.sin(pose[4])
        cos_yaw, sin_yaw = np.cos(pose[5]), np.sin(pose[5])
        for point in range(count):
            if not trust[point, 0] + trust[point, 2] > 0:
                continue
            off_x = places[point, 0] - predicted[point, 0]
            off_y = places[point, 1] - predicted[point, 1]
            off = distances[point] / scale
            if turn == 0:
                weight = 1.0 / (1.0 + (departed[point] / (3.0 * _LEAST_SCALE_PX)) ** 4)
            elif off < _TUKEY:
                weight = (1.0 - (off / _TUKEY) ** 2) ** 2
            else:
                continue
            x = points[point, 0] * cos_yaw + points[point, 2] * sin_yaw
            depth = points[point, 2] * cos_yaw - points[point, 0] * sin_yaw
            y = points[point, 1] * cos_pitch - depth * sin_pitch
            by_pitch = -points[point, 1] * sin_pitch - depth * cos_pitch
            by_yaw = x * sin_pitch
            row_x[0], row_x[1], row_x[2] = x, -y, 1.0
            row_y[0], row_y[1], row_y[3] = y, x, 1.0
            row_x[4], row_y[4] = -pose[1] * by_pitch, pose[0] * by_pitch
            row_x[5] = pose[0] * depth - pose[1] * by_yaw
            row_y[5] = pose[1] * depth + pose[0] * by_yaw
            for i in range(size):
                pulled_x = weight * (trust[point, 0] * row_x[i] + trust[point, 1] * row_y[i])
                pulled_y = weight * (trust[point, 1] * row_x[i] + trust[point, 2] * row_y[i])
                right[i] += pulled_x * off_x + pulled_y * off_y
                for j in range(size):
                    matrix[i, j] += pulled_x * row_x[j] + pulled_y * row_y[j]
        for i in range(size):
            matrix[i, i] += 1e-6
        if not _solve(matrix, right, size):
            return False
        for i in range(size):
            pose[i] += right[i]
    return True


@compiled()
def regional_movement(
    residuals: np.ndarray,
    hessians: np.ndarray,
    readable: np.ndarray,
    bounds: np.ndarray,
    movement: np.ndarray,
    spread_px: float,
) -> None:
    """One movement for each region, its patches trusted along the directions in which they have texture.

    Args:
        residuals: float64 (P, 2), movement of the patches beyond the head's.
        hessians: float64 (P, 3), xx, xy, yy of their gradients.
        readable: bool (P,).
        bounds: int64 (R + 1,), first patch of each region.
        movement: float64 (R, 2), filled; NaN where fewer than half of a region's patches are readable.
        spread_px: patches that differ by more from the region's movement lose weight (Huber).
    """
    for region in range(len(bounds) - 1):
        first, last = bounds[region], bounds[region + 1]
        count = 0
        for patch in range(first, last):
            count += readable[patch]
        movement[region, :] = np.nan
        if 2 * count < last - first or count == 0:
            continue
        mx, my = 0.0, 0.0
        for turn in range(4):
            xx, xy, yy, gx, gy = 0.0, 0.0, 0.0, 0.0, 0.0
            for patch in range(first, last):
                if not readable[patch]:
                    continue
                ex, ey = residuals[patch, 0], residuals[patch, 1]
                weight = 1.0
                if turn > 0:
                    weight = min(1.0, spread_px / max(np.hypot(ex - mx, ey - my), 1e-9))
                damping = 0.05 * (hessians[patch, 0] + hessians[patch, 2])
                hxx = weight * (hessians[patch, 0] + damping)
                hxy = weight * hessians[patch, 1]
                hyy = weight * (hessians[patch, 2] + damping)
                xx += hxx
                xy += hxy
                yy += hyy
                gx += hxx * ex + hxy * ey
                gy += hxy * ex + hyy * ey
            determinant = xx * yy - xy * xy
            if not determinant > 0.0:
                break
            mx = (yy * gx - xy * gy) / determinant
            my = (xx * gy - xy * gx) / determinant
        movement[region, 0] = mx
        movement[region, 1] = my
