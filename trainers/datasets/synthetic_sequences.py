"""Short gray sequences of aligned faces: one subject's micro-expressions as one camera films them.

Each subject has a face of its own, made of a shipped portrait. What moves it is drawn as for the maps of `synthetic`,
its course in time is that of `synthetic_scenes`. Frames are made when they are asked for, in the geometry of the
canonical crop, and what follows (flow, strain, magnification) sees them as it sees a real clip.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from realtime.faces.observation import CROP_HEIGHT, CROP_WIDTH, PUPIL_DISTANCE, PUPIL_HEIGHT
from trainers.datasets.action_units import COMBINATIONS, LABEL_NAMES
from trainers.datasets.synthetic import WORK_HEIGHT, WORK_WIDTH, GeometryParameters, bump_displacement, face_coordinates
from trainers.datasets.synthetic_face import PORTRAITS, Likeness, load_portrait, vary
from trainers.datasets.synthetic_filmed import FilmParameters, roughened, smooth_noise, upright_gray
from trainers.datasets.synthetic_movement import MovementParameters, draw_movements
from trainers.datasets.synthetic_scenes import Movement, Wander

_MARGIN = 40
"""What a subject's picture holds beyond the crop on every side, pixels."""
_EXACT = GeometryParameters(pupil_distance_spread=0.008, centre_spread=(0.006, 0.006), rotation_spread_deg=0.8)
"""What alignment leaves of the differences between clips."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """What a camera makes of a face."""

    frame_rate_hz: float = 50.0
    contrast: float = 1.0
    """Factor on what gray values differ from their mean."""
    brightness: float = 0.0
    """Added to all gray values."""
    blur_px: float = 0.0
    """Deviation of the blur, pixels of the canonical crop."""
    noise: float = 1.0
    """Deviation of each frame's own noise, gray values."""


_HIGH_SPEED = Camera(frame_rate_hz=100.0, contrast=0.9, blur_px=0.7, noise=1.6)
CAMERAS: Mapping[str, Camera] = MappingProxyType(
    {
        "synthetic": Camera(),
        "casme2": Camera(frame_rate_hz=200.0, noise=0.9),
        "samm": Camera(frame_rate_hz=200.0, contrast=1.1, brightness=10.0, noise=0.7),
        "smic": _HIGH_SPEED,
        "smic-hs": _HIGH_SPEED,
        "smic-vis": Camera(frame_rate_hz=25.0, contrast=0.8, brightness=-15.0, blur_px=1.1, noise=2.0),
        "smic-nir": Camera(frame_rate_hz=25.0, contrast=0.5, brightness=35.0, blur_px=1.5, noise=2.4),
    }
)
"""A camera for each data set that synthesised clips can stand for: rates as published, the rest of the same order."""


@dataclass(frozen=True, kw_only=True)
class SequenceParameters:
    """How sequences vary."""

    duration_s: tuple[float, float] = (0.2, 0.48)
    """Onset to offset, uniform between the two."""
    rise_share: tuple[float, float] = (0.3, 0.6)
    """Where between start and end the apex lies, uniform between the two."""
    amplitude_px: tuple[float, float] = (1.5, 4.0)
    """Displacement that a strength of one stands for, pixels of the 256-pixel crop, log-uniform."""
    head_shift_px: float = 0.4
    """Root mean square of what alignment leaves of the head's movement, either direction, pixels of the crop."""
    head_roll_deg: float = 0.1
    head_highest_hz: float = 3.0
    """Fastest component of the head's movement."""
    light_drift: float = 0.006
    """Root mean square of the relative change of the light."""
    shading: float = 1.0
    """Deviation of a smooth change of light over the face that grows until the offset, gray values."""
    movement: MovementParameters = field(default_factory=MovementParameters)
    geometry: GeometryParameters = _EXACT
    film: FilmParameters = field(default_factory=FilmParameters)
    """Of which the skin's roughness counts here."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GraySequence:
    """One clip, from its onset (frame 0) to its offset (the last frame)."""

    subject: str
    name: str
    label: int
    """Place in `action_units.LABEL_NAMES`."""
    camera: Camera
    course: Movement
    """How far the skin has moved, in time; the onset is where it passes a tenth."""
    head: tuple[Wander, Wander, Wander]
    """Shift right and down, pixels; roll, radians."""
    light: Wander
    shade: Float32[np.ndarray, "304 256"]
    """Change of light over the face until the offset, gray values."""
    picture: Float32[np.ndarray, "384 336"]
    """The subject's still face as the camera sees it."""
    place: Float32[np.ndarray, "2 304 256"]
    """Where in the picture each pixel lies at rest, x and y."""
    displacement: Float32[np.ndarray, "2 304 256"]
    """Movement of the skin at the apex, pixels."""
    noise_seed: int

    @property
    def frame_count(self) -> int:
        """Frames from onset to offset, at least 4 at 25 Hz and more."""
        return int((self.course.offset_s - self.course.onset_s) * self.camera.frame_rate_hz) + 1

    @property
    def apex(self) -> int:
        """Frame nearest to the largest displacement, neither the first nor the last."""
        nearest = round((self.course.apex_s - self.course.onset_s) * self.camera.frame_rate_hz)
        return min(max(nearest, 1), self.frame_count - 2)

    def frame(self, index: int) -> UInt8[np.ndarray, "304 256"]:
        """One frame; the same index gives the same picture, noise included."""
        time_s = self.course.onset_s + index / self.camera.frame_rate_hz
        x, y = self.place - np.float32(self.course.strength(time_s)) * self.displacement - self._head(time_s)
        seen = cv2.remap(self.picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        seen = seen * np.float32(1.0 + self.light.at(time_s)) + self.shade * np.float32(index / self.frame_count)
        grain = np.random.default_rng((self.noise_seed, index)).standard_normal(seen.shape, np.float32)
        whole: np.ndarray = np.clip(np.rint(seen + np.float32(self.camera.noise) * grain), 0, 255).astype(np.uint8)
        return whole

    def frames(self) -> UInt8[np.ndarray, "T 304 256"]:
        """All frames from onset to offset."""
        return np.stack([self.frame(index) for index in range(self.frame_count)])

    def _head(self, time_s: float) -> Float32[np.ndarray, "2 304 256"]:
        right, down, roll = (wander.at(time_s) for wander in self.head)
        across, along = self.place - np.array(self.picture.shape[::-1], np.float32)[:, None, None] / 2
        moved: np.ndarray = np.stack([right - roll * along, down + roll * across])
        return moved.astype(np.float32)


def subject_sequences(
    dataset: str, number: int, clips: int, seed: int, parameters: SequenceParameters | None = None
) -> list[GraySequence]:
    """Plan all clips of one subject, as many of each class (±1).

    Args:
        dataset: a name in `CAMERAS`; faces and movements differ from one data set to another.
        number: of the subject, from 1.
        clips: number of clips.
        seed: the same arguments give the same clips, whichever other subjects there are.
        parameters: how the clips vary.

    Returns:
        The clips; their frames are made when asked for.
    """
    parameters = parameters or SequenceParameters()
    generator = np.random.default_rng((seed, zlib.crc32(dataset.encode()), number))
    camera, subject = CAMERAS[dataset], f"sub{number:02d}"
    picture = _subject_picture(number, generator, camera, parameters.film)
    movements = draw_movements(clips, generator, parameters.movement)
    place, displacement = _geometry(movements.bumps, generator, parameters)
    sequences = []
    for index in range(clips):
        units = COMBINATIONS[movements.combinations[index]].action_units
        head = tuple(
            Wander.random(size, parameters.head_highest_hz, generator)
            for size in (parameters.head_shift_px, parameters.head_shift_px, np.radians(parameters.head_roll_deg))
        )
        sequences.append(
            GraySequence(
                subject=subject,
                name=f"{subject}_{index + 1:02d}_{'+'.join(map(str, units))}",
                label=int(movements.labels[index]),
                camera=camera,
                course=_course(LABEL_NAMES[movements.labels[index]], generator, parameters),
                head=(head[0], head[1], head[2]),
                light=Wander.random(parameters.light_drift, 1.0, generator),
                shade=np.float32(parameters.shading) * smooth_noise(generator, 3, CROP_HEIGHT, CROP_WIDTH),
                picture=picture,
                place=place[:, index],
                displacement=displacement[index],
                noise_seed=int(generator.integers(1 << 62)),
            )
        )
    return sequences


_CENTRE = np.array([CROP_WIDTH / 2 + _MARGIN, PUPIL_HEIGHT * CROP_HEIGHT + _MARGIN], np.float32)
"""The point between the pupils in a subject's picture, pixels."""


def _subject_picture(
    number: int, generator: np.random.Generator, camera: Camera, film: FilmParameters
) -> Float32[np.ndarray, "384 336"]:
    """A face of its own, seen by the camera: blur and contrast are the same in all frames, only noise is not."""
    likeness = Likeness(
        mirrored=bool(generator.integers(2)),
        proportions=float(generator.uniform(0.015, 0.05)),
        tone=0.8,
        seed=int(generator.integers(1 << 31)),
    )
    face = vary(load_portrait(PORTRAITS[number % len(PORTRAITS)]), likeness)
    size = (CROP_WIDTH + 2 * _MARGIN, CROP_HEIGHT + 2 * _MARGIN)
    gray = upright_gray(face, PUPIL_DISTANCE, size, (float(_CENTRE[0]), float(_CENTRE[1])))
    gray = roughened(gray, generator, film)
    if camera.blur_px > 0:
        gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), camera.blur_px))
    mean = gray.mean()
    seen: np.ndarray = (mean + camera.contrast * (gray - mean) + camera.brightness).astype(np.float32)
    return seen


def _geometry(
    bumps: Float32[np.ndarray, "N K 7"], generator: np.random.Generator, parameters: SequenceParameters
) -> tuple[Float32[np.ndarray, "2 N 304 256"], Float32[np.ndarray, "N 2 304 256"]]:
    """Where each pixel lies in the subject's picture, and how far it moves at the apex, pixels."""
    count, seed = len(bumps), int(generator.integers(1 << 62))
    low, high = np.log(parameters.amplitude_px)
    amplitude = np.exp(generator.uniform(low, high, (count, 1, 1, 1))).astype(np.float32)
    fine, coarse = (
        np.stack(face_coordinates(count, np.random.default_rng(seed), parameters.geometry, height=height, width=width))
        for height, width in ((CROP_HEIGHT, CROP_WIDTH), (WORK_HEIGHT, WORK_WIDTH))
    )
    moved = bump_displacement(bumps, coarse[0], coarse[1]) * amplitude  # bumps are smooth: the coarse grid will do
    displacement = np.empty((count, 2, CROP_HEIGHT, CROP_WIDTH), np.float32)
    for clip, axis in np.ndindex(count, 2):
        displacement[clip, axis] = cv2.resize(moved[clip, axis], (CROP_WIDTH, CROP_HEIGHT))
    place: np.ndarray = (fine * np.float32(PUPIL_DISTANCE) + _CENTRE[:, None, None, None]).astype(np.float32)
    return place, displacement


def _course(label: str, generator: np.random.Generator, parameters: SequenceParameters) -> Movement:
    duration_s = generator.uniform(*parameters.duration_s)
    rise, hold = generator.uniform(*parameters.rise_share), generator.uniform(0.0, 0.12)
    course = _of_length(label, 1.0, rise, hold)
    return _of_length(label, float(duration_s / (course.offset_s - course.onset_s)), rise, hold)


def _of_length(label: str, seconds: float, rise: float, hold: float) -> Movement:
    moving = seconds * (1.0 - hold)
    return Movement(
        label=label, kind="micro", activations=(), amplitude_px=0.0,
        start_s=0.0, rise_s=moving * rise, hold_s=seconds * hold, fall_s=moving * (1.0 - rise),
    )  # fmt: skip
