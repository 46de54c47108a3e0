"""Flow as a colour wheel and strain as heat, laid over the face that they were measured on."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from engines.flow.pictures import strain_picture

SMALLEST_SCALE_PX = 0.5
"""Flow under this is never stretched to full colour: noise must not look like movement."""
SMALLEST_STRAIN = 0.01

_LEGEND_RADIUS = 26
_LEGEND_MARGIN = 8


def flow_on_face(flow: Float32[np.ndarray, "2 h w"], face: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """Colour a gray face by where it moves: hue is direction, opacity is length, a wheel is the key.

    Args:
        flow: displacement over the whole picture, at any scale; the key is labelled in its unit as px.
        face: RGB picture under it.

    Returns:
        RGB picture of the size of `face`.
    """
    scale = flow_scale_px(flow)
    resized = _resize(np.moveaxis(flow, 0, 2), face)
    inside = _away_from_edges(face)
    colour = _direction_colours(resized[..., 0], resized[..., 1])
    opacity = np.clip(np.hypot(resized[..., 0], resized[..., 1]) / scale, 0, 1) * 0.92 * inside
    picture = _blend(_dimmed(face), colour, opacity)
    _draw_wheel(picture, f"{scale:.1f} px")
    return picture


def strain_on_face(strain: Float32[np.ndarray, "h w"], face: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """Heat where the skin stretches, over a gray face; a bar in the corner is the key.

    Args:
        strain: strain magnitude over the whole picture, at any scale.
        face: RGB picture under it.

    Returns:
        RGB picture of the size of `face`.
    """
    scale = max(SMALLEST_STRAIN, float(np.percentile(_inner(strain), 99.5)))
    level = np.clip(_resize(strain, face) / scale, 0, 1) * _away_from_edges(face)
    heat = strain_picture(level, maximum=1.0)
    picture = _blend(_dimmed(face), heat, np.sqrt(level) * 0.85)
    _draw_bar(picture, f"{100 * scale:.0f} %")
    return picture


def flow_scale_px(flow: Float32[np.ndarray, "2 h w"]) -> float:
    """Length of flow that is drawn in full colour: nearly the longest, but never noise."""
    return max(SMALLEST_SCALE_PX, float(np.percentile(_inner(np.hypot(flow[0], flow[1])), 99.5)))


def _direction_colours(
    u: Float32[np.ndarray, "*shape"], v: Float32[np.ndarray, "*shape"]
) -> UInt8[np.ndarray, "*shape 3"]:
    turn = np.arctan2(v, u) / (2 * np.pi) % 1.0
    colours: UInt8[np.ndarray, "*shape 3"] = _HUES[np.round(turn * 255).astype(np.intp)]
    return colours


def _even_hues() -> UInt8[np.ndarray, "256 3"]:
    """A circle of hues that look equally light (OKLab, Ottosson 2020), so that no direction looks stronger.

    Right is red, down yellow, left green-blue, up blue, as in `engines.flow.pictures`, whose full colours are drawn
    on white: some of them vanish on a gray face.
    """
    angle = np.linspace(0, 2 * np.pi, 256)
    lightness, chroma = 0.74, 0.15
    a, b = chroma * np.cos(angle), chroma * np.sin(angle)
    cone = np.stack(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip(to_linear @ cone**3, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    hues: UInt8[np.ndarray, "256 3"] = np.round(255 * encoded.T).astype(np.uint8)
    return hues


_HUES = _even_hues()


def _inner(field: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "inner_h inner_w"]:
    """Without the outermost 8 %: there the flow's window hangs over the edge of the crop."""
    rows, columns = (max(1, round(0.08 * size)) for size in field.shape)
    return field[rows:-rows, columns:-columns]


def _away_from_edges(face: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W"]:
    """1 inside, falling to 0 at the edges, where the measurement cannot be trusted."""
    across = [np.minimum(np.arange(size), np.arange(size)[::-1]) / (0.08 * size) for size in face.shape[:2]]
    return np.clip(np.minimum(across[0][:, None], across[1][None, :]), 0, 1).astype(np.float32)


def _resize(field: Float32[np.ndarray, "h w *channels"], face: UInt8[np.ndarray, "H W 3"]) -> np.ndarray:
    return cv2.resize(field, (face.shape[1], face.shape[0]), interpolation=cv2.INTER_LINEAR)


def _dimmed(face: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    gray = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(np.round(gray * 0.62).astype(np.uint8), cv2.COLOR_GRAY2RGB), np.uint8)


def _blend(
    under: UInt8[np.ndarray, "H W 3"], over: UInt8[np.ndarray, "H W 3"], opacity: np.ndarray
) -> UInt8[np.ndarray, "H W 3"]:
    weight = opacity[..., None]
    blended: UInt8[np.ndarray, "H W 3"] = np.round(under * (1 - weight) + over * weight).astype(np.uint8)
    return blended


def _draw_wheel(picture: UInt8[np.ndarray, "H W 3"], label: str) -> None:
    """Draw the colour key at the bottom right, in place."""
    radius = _LEGEND_RADIUS
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    length = np.hypot(x, y) / radius
    corner = _corner(picture, 2 * radius + 1, 2 * radius + 1)
    disc = _blend(np.full((*x.shape, 3), 24, np.uint8), _direction_colours(x, y), np.clip(length, 0, 1) * 0.92)
    corner[:] = _blend(corner, disc, np.clip((1 - length) * radius, 0, 1))
    _draw_label(picture, label, beside=2 * radius + 1)


def _draw_bar(picture: UInt8[np.ndarray, "H W 3"], label: str) -> None:
    ramp = np.repeat(np.linspace(1, 0, 2 * _LEGEND_RADIUS + 1, dtype=np.float32)[:, None], 8, axis=1)
    _corner(picture, *ramp.shape)[:] = strain_picture(ramp, maximum=1.0)
    _draw_label(picture, label, beside=8)


def _corner(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    bottom, right = picture.shape[0] - _LEGEND_MARGIN, picture.shape[1] - _LEGEND_MARGIN
    return picture[bottom - height : bottom, right - width : right]


def _draw_label(picture: UInt8[np.ndarray, "H W 3"], label: str, beside: int) -> None:
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.55
    (width, _), _ = cv2.getTextSize(label, font, size, 1)
    place = (
        picture.shape[1] - 2 * _LEGEND_MARGIN - beside - width + 2,
        picture.shape[0] - _LEGEND_MARGIN - 3,
    )
    cv2.putText(picture, label, place, font, size, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, label, place, font, size, (255, 255, 255), 1, cv2.LINE_AA)
