"""Lucas–Kanade flow of many small patches against a reference picture, and the head's rigid movement in it.

The inverse compositional form: everything that depends on the reference alone (gradients, their inverse Hessian)
is prepared once, so that a step costs one interpolated product a pixel. Mean and contrast of a patch are projected
out of its gradients, so neither a change of light nor of exposure moves it.

References:
    Lucas, Kanade, An iterative image registration technique with an application to stereo vision, IJCAI 1981.
    Baker, Matthews, Lucas–Kanade 20 years on: a unifying framework, IJCV 2004.
"""

import numpy as np

from engines.compilation import compiled


@compiled(fastmath=True)
def prepare_patches(  # noqa: C901 - one pass over the pixels: a kernel
    picture: np.ndarray,
    centres: np.ndarray,
    templates: np.ndarray,
    steepest: np.ndarray,
    hessians: np.ndarray,
) -> None:
    """Cut templates out of a reference picture and prepare their descent directions.

    Args:
        picture: float32 (H, W).
        centres: float64 (P, 2), x and y.
        templates: float32 (P, n, n), filled: windowed pixels, mean 0 and norm 1.
        steepest: float32 (P, 2, n, n), filled: `displacement -= steepest · pixels` is one step.
        hessians: float64 (P, 3), filled: xx, xy, yy of the windowed gradients; 0 where a patch leaves the picture.
    """
    height, width = picture.shape
    size = templates.shape[1]
    middle = 0.5 * (size - 1)
    window = np.empty((size, size), np.float64)
    for row in range(size):
        for column in range(size):
            across = (column - middle) / (0.5 * size)
            down = (row - middle) / (0.5 * size)
            window[row, column] = (1.0 - across * across) * (1.0 - down * down) + 0.05
    pixels = np.empty((size, size), np.float64)
    along_x = np.empty((size, size), np.float64)
    along_y = np.empty((size, size), np.float64)
    for patch in range(len(centres)):
        left = centres[patch, 0] - middle
        top = centres[patch, 1] - middle
        x0, y0 = int(np.floor(left)), int(np.floor(top))
        fx, fy = left - x0, top - y0
        hessians[patch, :] = 0.0
        templates[patch, :, :] = 0.0
        steepest[patch, :, :, :] = 0.0
        if x0 < 1 or y0 < 1 or x0 + size + 2 > width or y0 + size + 2 > height:
            continue
        w00, w01, w10, w11 = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
        total = 0.0
        mean = 0.0
        mean_x = 0.0
        mean_y = 0.0
        for row in range(size):
            for column in range(size):
                y, x = y0 + row, x0 + column
                pixels[row, column] = (
                    w00 * picture[y, x]
                    + w01 * picture[y, x + 1]
                    + w10 * picture[y + 1, x]
                    + w11 * picture[y + 1, x + 1]
                )
                along_x[row, column] = 0.5 * (
                    w00 * (picture[y, x + 1] - picture[y, x - 1])
                    + w01 * (picture[y, x + 2] - picture[y, x])
                    + w10 * (picture[y + 1, x + 1] - picture[y + 1, x - 1])
                    + w11 * (picture[y + 1, x + 2] - picture[y + 1, x])
                )
                along_y[row, column] = 0.5 * (
                    w00 * (picture[y + 1, x] - picture[y - 1, x])
                    + w01 * (picture[y + 1, x + 1] - picture[y - 1, x + 1])
                    + w10 * (picture[y + 2, x] - picture[y, x])
                    + w11 * (picture[y + 2, x + 1] - picture[y, x + 1])
                )
                trust = window[row, column]
                total += trust
                mean += trust * pixels[row, column]
                mean_x += trust * along_x[row, column]
                mean_y += trust * along_y[row, column]
        mean /= total
        mean_x /= total
        mean_y /= total
        power = 0.0
        shared_x = 0.0
        shared_y = 0.0
        for row in range(size):
            for column in range(size):
                trust = window[row, column]
                pixels[row, column] -= mean
                along_x[row, column] -= mean_x
                along_y[row, column] -= mean_y
                power += trust * pixels[row, column] ** 2
                shared_x += trust * pixels[row, column] * along_x[row, column]
                shared_y += trust * pixels[row, column] * along_y[row, column]
        power = max(power, 1e-9)
        xx = 0.0
        xy = 0.0
        yy = 0.0
        for row in range(size):
            for column in range(size):
                trust = window[row, column]
                along_x[row, column] -= shared_x / power * pixels[row, column]
                along_y[row, column] -= shared_y / power * pixels[row, column]
                xx += trust * along_x[row, column] ** 2
                xy += trust * along_x[row, column] * along_y[row, column]
                yy += trust * along_y[row, column] ** 2
        hessians[patch, 0] = xx
        hessians[patch, 1] = xy
        hessians[patch, 2] = yy
        # A little damping keeps a patch that is an edge and nothing else from running along it.
        damping = 0.01 * (xx + yy) + 1e-3
        dxx, dyy = xx + damping, yy + damping
        determinant = dxx * dyy - xy * xy
        for row in range(size):
            for column in range(size):
                trust = window[row, column]
                gx, gy = along_x[row, column], along_y[row, column]
                steepest[patch, 0, row, column] = trust * (dyy * gx - xy * gy) / determinant
                steepest[patch, 1, row, column] = trust * (dxx * gy - xy * gx) / determinant
                templates[patch, row, column] = trust * pixels[row, column] / np.sqrt(power)


@compiled(fastmath=True)
def track_patches(
    picture: np.ndarray,
    centres: np.ndarray,
    templates: np.ndarray,
    steepest: np.ndarray,
    displacements: np.ndarray,
    likeness: np.ndarray,
    rounds: int,
    tolerance: float,
) -> None:
    """Find where the patches of the reference lie in a picture.

    Args:
        picture: float32 (H, W).
        centres: float64 (P, 2), where the patches lie in the reference.
        templates: float32 (P, n, n) from `prepare_patches`.
        steepest: float32 (P, 2, n, n) from `prepare_patches`.
        displacements: float64 (P, 2), the guess, replaced by the result.
        likeness: float64 (P,), filled: correlation with the template, −1 where a patch leaves the picture.
        rounds: steps at most.
        tolerance: a shorter step ends the search, pixels.
    """
    height, width = picture.shape
    size = templates.shape[1]
    middle = 0.5 * (size - 1)
    for patch in range(len(centres)):
        dx, dy = displacements[patch, 0], displacements[patch, 1]
        inside = True
        for _ in range(rounds):
            left, top = centres[patch, 0] + dx - middle, centres[patch, 1] + dy - middle
            x0, y0 = int(np.floor(left)), int(np.floor(top))
            if x0 < 0 or y0 < 0 or x0 + size + 1 > width or y0 + size + 1 > height:
                inside = False
                break
            fx, fy = np.float32(left - x0), np.float32(top - y0)
            one = np.float32(1.0)
            w00, w01, w10, w11 = (one - fx) * (one - fy), fx * (one - fy), (one - fx) * fy, fx * fy
            step_x = np.float32(0.0)
            step_y = np.float32(0.0)
            for row in range(size):
                upper = picture[y0 + row]
                lower = picture[y0 + row + 1]
                sx = steepest[patch, 0, row]
                sy = steepest[patch, 1, row]
                for column in range(size):
                    x = x0 + column
                    value = w00 * upper[x] + w01 * upper[x + 1] + w10 * lower[x] + w11 * lower[x + 1]
                    step_x += sx[column] * value
                    step_y += sy[column] * value
            dx -= step_x
            dy -= step_y
            if step_x * step_x + step_y * step_y < tolerance * tolerance:
                break
        displacements[patch, 0] = dx
        displacements[patch, 1] = dy
        likeness[patch] = -1.0
        if inside:
            likeness[patch] = _likeness(picture, centres[patch, 0] + dx, centres[patch, 1] + dy, templates[patch])


@compiled(fastmath=True)
def _likeness(picture: np.ndarray, x: float, y: float, template: np.ndarray) -> float:
    """Correlation of a template with the pixels round a place."""
    height, width = picture.shape
    size = template.shape[0]
    middle = 0.5 * (size - 1)
    x0, y0 = int(np.floor(x - middle)), int(np.floor(y - middle))
    if x0 < 0 or y0 < 0 or x0 + size + 1 > width or y0 + size + 1 > height:
        return -1.0
    fx, fy = np.float32(x - middle - x0), np.float32(y - middle - y0)
    one = np.float32(1.0)
    w00, w01, w10, w11 = (one - fx) * (one - fy), fx * (one - fy), (one - fx) * fy, fx * fy
    weight = np.float32(0.0)
    first = np.float32(0.0)
    second = np.float32(0.0)
    shared = np.float32(0.0)
    for row in range(size):
        upper = picture[y0 + row]
        lower = picture[y0 + row + 1]
        down = np.float32((row - middle) / (0.5 * size))
        for column in range(size):
            across = np.float32((column - middle) / (0.5 * size))
            trust = (one - across * across) * (one - down * down) + np.float32(0.05)
            xx = x0 + column
            value = w00 * upper[xx] + w01 * upper[xx + 1] + w10 * lower[xx] + w11 * lower[xx + 1]
            weight += trust
            first += trust * value
            second += trust * value * value
            shared += template[row, column] * value
    variance = second - first * first / weight
    return float(shared / np.sqrt(max(variance, np.float32(1e-6))))
