"""Maps measured, not drawn: a face picture is moved, filmed with noise, and TV-L1 finds the movement again.

The drawn maps of `synthetic` show the displacement of the skin; a camera and TV-L1 see only what texture gives away:
movement sticks to brows, lids, folds and lips, dies on smooth skin, and breaks along edges. Here the whole way
is gone: a shipped portrait with other proportions and tone, its skin roughened, is warped by the same movements,
and its two frames go through the very flow and strain of the live path.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32

from engines.flow import Tvl1Parameters, tvl1
from engines.inputs.head_movement import without_head_movement
from trainers.datasets.synthetic_face import PORTRAITS, Likeness, Portrait, face_transform, load_portrait, vary

FILM_WIDTH = 128
FILM_HEIGHT = 152
"""Size of the images that flow is computed on: the canonical crop at half its size, as live."""
_BANK_UNIT = 72.0
"""Pupil distance in the bank's pictures, pixels."""
_BANK_WIDTH = 180
_BANK_HEIGHT = 210
_BANK_CENTRE = (90.0, 62.0)
"""The point between the pupils in the bank's pictures, pixels."""


@dataclass(frozen=True, kw_only=True)
class FilmParameters:
    """How a movement is filmed."""

    faces: int = 48
    """Different faces made of the shipped portraits."""
    amplitude_px: tuple[float, float] = (0.6, 4.0)
    """Displacement that a strength of one stands for, pixels of the 256-pixel crop, log-uniform."""
    camera_noise: tuple[float, float] = (0.15, 1.6)
    """Deviation of the gray values' noise at filming size, log-uniform."""
    gain_spread: float = 0.01
    """Deviation of the brightness's change from onset to apex, as a factor."""
    shading_spread: float = 1.5
    """Deviation of a smooth change of light over the face, gray values."""
    texture: tuple[float, float] = (0.0, 5.0)
    """Deviation of the roughness added to the skin, gray values."""
    steady_probability: float = 0.5
    """How often the head's own movement is taken out of the flow, as live."""


def filmed_flow(
    displacement: Float32[np.ndarray, "N 2 H W"],
    x: Float32[np.ndarray, "N H W"],
    y: Float32[np.ndarray, "N H W"],
    generator: np.random.Generator,
    parameters: FilmParameters,
) -> Float32[np.ndarray, "N 2 152 128"]:
    """Flow that TV-L1 finds between two pictures of a face that moved.

    Args:
        displacement: movement of the skin, relative to a unit's strength of one, on the drawing grid.
        x: each grid point's place in the face, pupil distances to the image's right.
        y: each grid point's place in the face, pupil distances below the pupils.
        generator: source of all randomness.
        parameters: face, camera and light.

    Returns:
        Flow at filming size, pixels.
    """
    bank = _face_bank(parameters.faces)
    onsets = np.empty((len(x), FILM_HEIGHT, FILM_WIDTH), np.float32)
    apexes = np.empty_like(onsets)
    for index in range(len(x)):
        face = roughened(bank[generator.integers(len(bank))], generator, parameters)
        onsets[index], apexes[index] = _filmed(face, displacement[index], x[index], y[index], generator, parameters)
    flow = tvl1(onsets, apexes, Tvl1Parameters())
    for index in np.flatnonzero(generator.random(len(x)) < parameters.steady_probability):
        flow[index] = without_head_movement(flow[index])
    return flow


@lru_cache(maxsize=2)
def _face_bank(count: int) -> Float32[np.ndarray, "faces 210 180"]:
    """Gray faces, upright, of the same pupil distance; the same for everyone, so that a seed means one thing."""
    generator = np.random.default_rng(7)
    portraits = [load_portrait(name) for name in PORTRAITS]
    faces = np.empty((count, _BANK_HEIGHT, _BANK_WIDTH), np.float32)
    for index in range(count):
        likeness = Likeness(
            mirrored=bool(generator.integers(2)),
            proportions=float(generator.uniform(0.0, 0.05)),
            tone=0.8,
            seed=index,
        )
        face = vary(portraits[index % len(portraits)], likeness)
        faces[index] = upright_gray(face, _BANK_UNIT, (_BANK_WIDTH, _BANK_HEIGHT), _BANK_CENTRE)
    return faces


def upright_gray(
    portrait: Portrait, unit_px: float, size: tuple[int, int], centre: tuple[float, float]
) -> Float32[np.ndarray, "h w"]:
    """A portrait as a gray picture, the eyes level.

    Args:
        portrait: whose face.
        unit_px: distance of the pupils in the picture, pixels.
        size: width and height of the picture, pixels; where the portrait ends, its edge goes on.
        centre: where the point between the pupils comes to lie, pixels.

    Returns:
        Gray values, 0–255.
    """
    gray: np.ndarray = cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    to_picture = face_transform(portrait.landmarks) * unit_px
    to_picture[:, 2] += centre
    scale = float(np.hypot(to_picture[0, 0], to_picture[0, 1]))
    if scale < 1:
        gray = cv2.GaussianBlur(gray, (0, 0), 0.45 / scale)
    return cv2.warpAffine(gray, to_picture, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def smooth_noise(generator: np.random.Generator, nodes: int, height: int, width: int) -> Float32[np.ndarray, "h w"]:
    """Noise of deviation one, interpolated between `nodes` × `nodes` random values."""
    coarse = generator.standard_normal((nodes, nodes), np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def roughened(
    face: Float32[np.ndarray, "h w"], generator: np.random.Generator, parameters: FilmParameters
) -> Float32[np.ndarray, "h w"]:
    """Another skin, contrast, light and sharpness for the same face.

    Args:
        face: gray values, 0–255.
        generator: source of all randomness.
        parameters: how rough.

    Returns:
        Gray values, not limited.
    """
    height, width = face.shape
    blur = generator.uniform(0.0, 1.2)
    changed = cv2.GaussianBlur(face, (0, 0), blur) if blur > 0.3 else face
    contrast = generator.uniform(0.5, 1.1)
    changed = (changed - changed.mean()) * contrast + generator.uniform(90.0, 150.0)
    changed = changed * (1.0 + 0.12 * smooth_noise(generator, 3, height, width))
    rough = generator.uniform(*parameters.texture)
    for nodes in (24, 60, 120):
        changed = changed + 0.6 * rough * generator.random() * smooth_noise(generator, nodes, height, width)
    skin: np.ndarray = changed.astype(np.float32)
    return skin


def _filmed(
    face: Float32[np.ndarray, "h w"],
    displacement: Float32[np.ndarray, "2 H W"],
    x: Float32[np.ndarray, "H W"],
    y: Float32[np.ndarray, "H W"],
    generator: np.random.Generator,
    parameters: FilmParameters,
) -> tuple[Float32[np.ndarray, "152 128"], Float32[np.ndarray, "152 128"]]:
    """Onset and apex frame of one movement."""
    size = (FILM_WIDTH, FILM_HEIGHT)
    amplitude = np.exp(generator.uniform(*np.log(parameters.amplitude_px))) / (0.54 * 256)
    left, top = (cv2.resize(plane, size) * _BANK_UNIT for plane in (x, y))
    dx, dy = (cv2.resize(plane, size) * np.float32(amplitude * _BANK_UNIT) for plane in displacement)
    onset = _sampled(face, left, top)
    apex = _sampled(face, left - dx, top - dy)
    apex = apex * np.float32(generator.normal(1.0, parameters.gain_spread))
    apex = apex + np.float32(parameters.shading_spread) * smooth_noise(generator, 3, FILM_HEIGHT, FILM_WIDTH)
    noise = np.exp(generator.uniform(*np.log(parameters.camera_noise)))
    grain = np.float32(noise) * generator.standard_normal((2, FILM_HEIGHT, FILM_WIDTH), np.float32)
    first, second = np.clip(np.stack([onset, apex]) + grain, 0.0, 255.0)
    return first, second


def _sampled(
    face: Float32[np.ndarray, "h w"], left: Float32[np.ndarray, "H W"], top: Float32[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    across = (left + np.float32(_BANK_CENTRE[0])).astype(np.float32)
    down = (top + np.float32(_BANK_CENTRE[1])).astype(np.float32)
    return cv2.remap(face, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
