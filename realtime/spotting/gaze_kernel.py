"""Gray values along an eye, and how far their middle has moved since a moment before."""

import numpy as np

from engines.compilation import compiled


@compiled(fastmath=True)
def read_strip(picture: np.ndarray, start: np.ndarray, end: np.ndarray, rows: int, strip: np.ndarray) -> None:
    """Read a line of a picture, averaged across.

    Args:
        picture: float32 (H, W).
        start: float64 (2,), x and y of the line's first point.
        end: float64 (2,), of its last.
        rows: number of parallel lines that are averaged, one strip point apart; odd.
        strip: float64 (n,), filled; places outside read the nearest pixel inside.
    """
    height, width = picture.shape
    along_x, along_y = (end[0] - start[0]) / (len(strip) - 1), (end[1] - start[1]) / (len(strip) - 1)
    for point in range(len(strip)):
        total = 0.0
        for row in range(-(rows // 2), rows // 2 + 1):
            x = min(max(start[0] + point * along_x - row * along_y, 0.0), width - 1.001)
            y = min(max(start[1] + point * along_y + row * along_x, 0.0), height - 1.001)
            column, line = int(x), int(y)
            right, down = x - column, y - line
            above = (1.0 - right) * picture[line, column] + right * picture[line, column + 1]
            below = (1.0 - right) * picture[line + 1, column] + right * picture[line + 1, column + 1]
            total += (1.0 - down) * above + down * below
        strip[point] = total / rows


_LEAST_CHANGE = 2.5
"""Gray values, root mean square, by which a strip must have changed at least."""


@compiled(fastmath=True)
def strip_shift(before: np.ndarray, now: np.ndarray, reach: int, margin: int) -> tuple[float, float]:
    """How far the middle of a strip has moved, by least squares over its gray values less their mean.

    Args:
        before: float64 (n,), gray values a moment ago.
        now: float64 (n,), gray values now.
        reach: farthest shift that is looked for, points.
        margin: points at either end that are never compared.

    Returns:
        The shift in points, towards the end positive, and the share of the difference at no shift that is left; 0 and 1
        where nothing has moved.
    """
    first, count = reach + margin, len(before) - 2 * (reach + margin)
    errors = np.empty(2 * reach + 1)
    for shift in range(-reach, reach + 1):
        total, squares = 0.0, 0.0
        for point in range(first, first + count):
            apart = now[point + shift] - before[point]
            total += apart
            squares += apart * apart
        errors[shift + reach] = squares - total * total / count
    best = int(np.argmin(errors))
    # Shut, covered or dark eyes show nothing that could have moved, and what ends at the farthest shift fits nowhere.
    if errors[reach] < _LEAST_CHANGE**2 * count or best in (0, 2 * reach):
        return 0.0, 1.0
    left_over = errors[best] / max(errors[reach], 1e-6)
    bend = errors[best - 1] - 2.0 * errors[best] + errors[best + 1]
    between = (errors[best - 1] - errors[best + 1]) / (2.0 * max(bend, 1e-9))
    return best - reach + between, left_over
