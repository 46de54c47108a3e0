"""Maps of horizontal flow, vertical flow and optical strain for movements that nobody made.

Facial movements are drawn from the knowledge in `action_units`, laid on a face of random geometry, disturbed as a
flow between two frames is (the head moves, the flow is noisy), and shaped exactly as the live path shapes its maps.
No real recording and no label of one goes in.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numba
import numpy as np
from jaxtyping import Float32, Int64, UInt8

from engines.errors import BadInput
from trainers.datasets.action_units import COMBINATIONS, LABEL_NAMES
from trainers.datasets.synthetic_disturbance import DisturbanceParameters, disturb, measured
from trainers.datasets.synthetic_filmed import FilmParameters, filmed_flow
from trainers.datasets.synthetic_movement import MovementParameters, draw_movements

GENERATOR_VERSION = "1"
"""Raised whenever the same seed gives other maps."""
MAP_SIZE = 28
"""Height and width of a map, pixels."""
WORK_WIDTH = 56
WORK_HEIGHT = 66
"""Grid on which flow is drawn and strained: the canonical crop's 256×304 made small, square pixels."""
CHUNK = 250
"""Samples drawn from one seed: the unit of parallel work, and what keeps the arrays in the processor's cache."""
_BATCH = 10


@dataclass(frozen=True, kw_only=True)
class GeometryParameters:
    """Where the face lies in a map; deviations of normals around the canonical crop's geometry."""

    pupil_distance: tuple[float, float] = (0.54, 0.455)
    """One pupil distance as a fraction of the map's width and of its height."""
    pupil_distance_spread: float = 0.035
    centre: tuple[float, float] = (0.5, 0.25)
    """The point between the pupils, fractions of width and height."""
    centre_spread: tuple[float, float] = (0.02, 0.03)
    rotation_spread_deg: float = 2.5


@dataclass(frozen=True, kw_only=True)
class SyntheticMapParameters:
    """Everything that shapes the generator's maps."""

    movement: MovementParameters = field(default_factory=MovementParameters)
    geometry: GeometryParameters = field(default_factory=GeometryParameters)
    disturbance: DisturbanceParameters = field(default_factory=DisturbanceParameters)
    film: FilmParameters = field(default_factory=FilmParameters)
    filmed_share: float = 0.3
    """Share of the maps that are filmed and measured by TV-L1 instead of drawn."""


class SyntheticMaps(NamedTuple):
    """Generated maps with what they show."""

    x: UInt8[np.ndarray, "N 28 28 3"]
    """Horizontal flow, vertical flow and optical strain, each stretched to 0–255."""
    y: Int64[np.ndarray, "N"]
    """0 negative, 1 positive, 2 surprise."""
    combination: Int64[np.ndarray, "N"]
    """Index into `action_units.COMBINATIONS`."""


def generate_maps(
    count: int,
    seed: int,
    parameters: SyntheticMapParameters | None = None,
    *,
    processes: int = 1,
) -> SyntheticMaps:
    """Generate labelled maps, as many of each class (±1 in a chunk).

    Args:
        count: number of maps N.
        seed: the same seed, count and parameters give the same maps, however many processes make them.
        parameters: how the maps vary; the defaults are what the shipped checkpoint was trained on.
        processes: worker processes; 1 works in this one.

    Returns:
        Maps, labels and combinations.

    Raises:
        BadInput: if `count` or `processes` is not positive.
    """
    if count < 1 or processes < 1:
        raise BadInput(f"count and processes must be at least 1, not {count} and {processes}")
    parameters = parameters or SyntheticMapParameters()
    sizes = [min(CHUNK, count - first) for first in range(0, count, CHUNK)]
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    if processes == 1:
        chunks = list(map(_chunk, sizes, seeds, [parameters] * len(sizes)))
    else:
        # Spawned, one Numba thread each: a forked copy of Numba's thread pool would hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            processes, mp_context=context, initializer=numba.set_num_threads, initargs=(1,)
        ) as pool:
            chunks = list(pool.map(_chunk, sizes, seeds, [parameters] * len(sizes)))
    return SyntheticMaps(*(np.concatenate(part) for part in zip(*chunks, strict=True)))


def feature_file(maps: SyntheticMaps) -> dict[str, np.ndarray]:
    """The arrays of a feature file that holds these maps.

    Args:
        maps: generated maps.

    Returns:
        Arrays by name, for `numpy.savez_compressed`; every map is a subject of its own.
    """
    names = np.array([f"synthetic{index:06d}" for index in range(len(maps.y))])
    units = ["+".join(map(str, combination.action_units)) for combination in COMBINATIONS]
    return {
        "x": maps.x,
        "y": maps.y,
        "subject": names,
        "dataset": np.full(len(maps.y), "synthetic"),
        "clip": np.array(units)[maps.combination],
        "label_names": np.array(LABEL_NAMES),
    }


def _chunk(
    count: int, seed: np.random.SeedSequence, parameters: SyntheticMapParameters
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    movements = draw_movements(count, generator, parameters.movement)
    x, y = face_coordinates(count, generator, parameters.geometry)
    flow = np.empty((count, 2, WORK_HEIGHT, WORK_WIDTH), np.float32)
    for first in range(0, count, _BATCH):
        part = slice(first, first + _BATCH)
        flow[part] = bump_displacement(movements.bumps[part], x[part], y[part])
    flow = disturb(flow, x, y, generator, parameters.disturbance)
    drawn = round(count * (1.0 - parameters.filmed_share))
    maps = [stretched_maps(measured(flow[:drawn], generator, parameters.disturbance))] if drawn else []
    for first in range(drawn, count, _BATCH):
        part = slice(first, first + _BATCH)
        maps.append(stretched_maps(filmed_flow(flow[part], x[part], y[part], generator, parameters.film)))
    return np.concatenate(maps), movements.labels, movements.combinations


def face_coordinates(
    count: int,
    generator: np.random.Generator,
    parameters: GeometryParameters,
    *,
    height: int = WORK_HEIGHT,
    width: int = WORK_WIDTH,
) -> tuple[Float32[np.ndarray, "N H W"], Float32[np.ndarray, "N H W"]]:
    """Each pixel's place in the face, pupil distances from the point between the pupils.

    Args:
        count: faces N, each of its own geometry.
        generator: source of the geometry; the same draws whatever the size.
        parameters: how far faces depart from the canonical crop's geometry.
        height: of the grid that covers the crop, pixels.
        width: of the grid, pixels.

    Returns:
        x to the image's right and y down.
    """

    def around(mean: float, deviation: float) -> np.ndarray:
        return generator.normal(mean, deviation, (count, 1, 1)).astype(np.float32)

    columns = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, None, :]
    rows = ((np.arange(height, dtype=np.float32) + 0.5) / height)[None, :, None]
    x = (columns - around(parameters.centre[0], parameters.centre_spread[0])) / around(
        parameters.pupil_distance[0], parameters.pupil_distance_spread
    )
    y = (rows - around(parameters.centre[1], parameters.centre_spread[1])) / around(
        parameters.pupil_distance[1], parameters.pupil_distance_spread
    )
    angle = around(0.0, float(np.deg2rad(parameters.rotation_spread_deg)))
    return np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y


def bump_displacement(
    bumps: Float32[np.ndarray, "N K 7"], x: Float32[np.ndarray, "N H W"], y: Float32[np.ndarray, "N H W"]
) -> Float32[np.ndarray, "N 2 H W"]:
    """Sum of the bumps' displacements: exp(−(q/2)^p), q the squared elliptic distance.

    Args:
        bumps: as `draw_movements` draws them.
        x: each pixel's place in the face, pupil distances to the image's right.
        y: each pixel's place in the face, pupil distances below the pupils.

    Returns:
        Displacement of the skin; a unit of strength one moves it by about one.
    """
    count, height, width = x.shape
    column = bumps[..., None]  # N K 7 1
    q = ((x.reshape(count, 1, -1) - column[:, :, 0]) / column[:, :, 2]) ** 2
    q += ((y.reshape(count, 1, -1) - column[:, :, 1]) / column[:, :, 3]) ** 2
    np.maximum(q, np.float32(1e-6), out=q)
    q *= np.float32(0.5)
    np.log(q, out=q)
    q *= column[:, :, 6]
    np.exp(q, out=q)
    np.negative(q, out=q)
    np.exp(q, out=q)
    moved = np.ascontiguousarray(bumps[..., 4:6].transpose(0, 2, 1))
    field: np.ndarray = np.matmul(moved, q).reshape(count, 2, height, width)
    return field


def stretched_maps(flow: Float32[np.ndarray, "N 2 H W"]) -> UInt8[np.ndarray, "N 28 28 3"]:
    """Maps of a flow: strain, area average to 28×28, each channel stretched to 0–255.

    Args:
        flow: displacement over the face in the canonical crop's geometry, square pixels, any unit.

    Returns:
        Horizontal flow, vertical flow and optical strain as the real maps hold them.
    """
    planes = np.concatenate([flow, _strain(flow)[:, None]], axis=1)
    small = np.matmul(np.matmul(_average(flow.shape[2]), planes), _average(flow.shape[3]).T)
    low = small.min(axis=(2, 3), keepdims=True)
    span = np.maximum(small.max(axis=(2, 3), keepdims=True) - low, 1e-9)
    return np.ascontiguousarray(np.rint(255.0 * ((small - low) / span)).astype(np.uint8).transpose(0, 2, 3, 1))


def _strain(flow: Float32[np.ndarray, "N 2 H W"]) -> Float32[np.ndarray, "N H W"]:
    u_y, u_x = np.gradient(flow[:, 0], axis=(1, 2))
    v_y, v_x = np.gradient(flow[:, 1], axis=(1, 2))
    strain: np.ndarray = np.sqrt(u_x**2 + v_y**2 + 0.5 * (u_y + v_x) ** 2)
    return strain


def _average(size: int) -> Float32[np.ndarray, "28 size"]:
    """Matrix that area-averages `size` samples down to the map's."""
    edges = np.arange(MAP_SIZE + 1) * size / MAP_SIZE
    pixel = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    weights: np.ndarray = (np.maximum(overlap, 0.0) * MAP_SIZE / size).astype(np.float32)
    return weights
