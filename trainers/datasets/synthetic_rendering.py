"""Film a planned scene: from the still face and the script to frames at any times."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from realtime.clock import NANOSECONDS, to_nanoseconds, to_seconds
from realtime.faces.observation import CANTHUS_DISTANCE
from trainers.datasets.action_units import ActionUnitActivation, displacement
from trainers.datasets.synthetic_eyes import add_blink, eye_weight
from trainers.datasets.synthetic_face import (
    Portrait,
    face_transform,
    fitted_to_mouth,
    load_portrait,
    shipped_face,
)
from trainers.datasets.synthetic_glasses import LIFT, glasses_layer
from trainers.datasets.synthetic_relief import face_relief
from trainers.datasets.synthetic_scenes import Movement, SceneParameters, Script, plan_script
from trainers.datasets.synthetic_speech import JAW_UNIT, LIPS_UNIT
from trainers.datasets.synthetic_video_kernel import film, lay_over

TICKS_HZ = 90_000
"""Frame times are whole ticks of this clock, the one that video containers share."""
_OVERSAMPLING = 2
_NOISE_VALUES = 1 << 22


@lru_cache(maxsize=1)
def _noise_ring() -> Float32[np.ndarray, " values"]:
    return np.random.default_rng(20261120).standard_normal(_NOISE_VALUES, dtype=np.float32)


def frame_times_ns(
    duration_s: float,
    frame_rate_hz: float,
    *,
    jitter: float = 0.0,
    drop_probability: float = 0.0,
    seed: int = 0,
) -> list[int]:
    """Times at which a camera takes its frames.

    Args:
        duration_s: length of the recording, seconds.
        frame_rate_hz: nominal rate.
        jitter: greatest departure from the regular time, share of a frame period, under 0.5.
        drop_probability: share of frames that are lost; the first never is.
        seed: source of chance.

    Returns:
        Increasing times in nanoseconds from 0, each a whole tick of `TICKS_HZ`.
    """
    generator = np.random.default_rng((seed, 11))
    count = int(np.floor(duration_s * frame_rate_hz + 1e-9))
    times = (np.arange(count) + generator.uniform(-jitter, jitter, count)) / frame_rate_hz
    kept = generator.random(count) >= drop_probability
    times[:1], kept[:1] = 0.0, True
    ticks = np.round(times[kept] * TICKS_HZ).astype(np.int64)
    return [round(int(tick) * NANOSECONDS / TICKS_HZ) for tick in ticks]


@dataclass(frozen=True, eq=False)
class Scene:
    """A face that moves by a known script; make one with `Scene.plan`."""

    parameters: SceneParameters
    seed: int
    script: Script
    portrait: Portrait
    source: UInt8[np.ndarray, "sourceheight sourcewidth 3"]
    """The still picture at rest in the frame, twice as fine as the frame."""
    landmarks: Float32[np.ndarray, "468 2"]
    """FaceMesh points of the face at rest, frame pixels."""
    head_weight: Float32[np.ndarray, "H W"]
    depth: Float32[np.ndarray, "H W"]
    glasses: UInt8[np.ndarray, "sourceheight sourcewidth 4"] | None = None
    """Spectacles over the face at rest, colour and opacity."""

    @classmethod
    def plan(cls, parameters: SceneParameters, seed: int = 0, movements: tuple[Movement, ...] | None = None) -> "Scene":
        """Plan a scene.

        Args:
            parameters: what to show and how to film it.
            seed: same parameters and seed, same scene.
            movements: expressions of one's own instead of drawn ones.

        Returns:
            The scene.

        Raises:
            BadInput: if a face picture is named that cannot be used.
        """
        portrait = load_portrait(parameters.face) if parameters.face else shipped_face(parameters.identity)
        script = plan_script(parameters, seed, movements)
        source, landmarks = _set_upright(portrait, parameters)
        weight, depth = _head_shape(landmarks, parameters)
        glasses = (
            glasses_layer(landmarks, parameters.width, parameters.height, _OVERSAMPLING) if parameters.glasses else None
        )
        return cls(parameters, seed, script, portrait, source, landmarks, weight, depth, glasses)

    @property
    def truths(self) -> tuple[Movement, ...]:
        """The true expressions in time order."""
        return self.script.movements

    def pose(self, time_s: float) -> Float64[np.ndarray, "6"]:
        """Head at a time: shift right and down (frame pixels), roll (rad), scale − 1, yaw, pitch (rad)."""
        pose = np.array([wander.at(time_s) for wander in self.script.pose])
        pose[:2] *= self.parameters.canthus_px / CANTHUS_DISTANCE
        _, _, nod = self.script.speech.at(time_s)
        pose[5] -= nod * np.radians(self.parameters.speech_nod_deg)
        return pose

    def gain(self, time_s: float) -> float:
        """Factor on the gray values at a time."""
        parameters = self.parameters
        wave = np.cos(2.0 * np.pi * parameters.flicker_hz * time_s + self.script.flicker_phase)
        drift = 1.0 + self.script.light.at(time_s)
        lit = parameters.brightness * max(0.0, drift) * (1.0 + parameters.flicker * float(wave))
        return lit * (1.0 + float(self.script.exposure.at(time_s)[0]))

    def frame(self, time_s: float) -> UInt8[np.ndarray, "H W 3"]:
        """The picture at a time, RGB; the same time gives the same picture, noise included."""
        parameters = self.parameters
        local, origin = self.skin_movement(time_s)
        ring = _noise_ring()
        noise_seed = int(np.random.default_rng((self.seed, to_nanoseconds(abs(time_s)))).integers(ring.size))
        out = np.empty((parameters.height, parameters.width, 3), np.uint8)
        centre, pose = _centre(self.landmarks).astype(np.float32), self.pose(time_s).astype(np.float32)
        sensor = float(self.gain(time_s)), ring, noise_seed, float(parameters.noise_sd), float(parameters.shot_noise)
        film(
            self.source, float(_OVERSAMPLING), self.head_weight, self.depth, centre, pose,
            local, np.array(origin, np.int64), *sensor, out,
        )  # fmt: skip
        if self.glasses is not None:
            unit = _unit(self.landmarks)
            lay_over(
                self.glasses, float(_OVERSAMPLING), self.head_weight, self.depth, LIFT * unit, centre, pose,
                _touched(self.glasses, unit), *sensor, out,
            )  # fmt: skip
        return out

    def frames(self, frame_rate_hz: float) -> Iterator[tuple[int, UInt8[np.ndarray, "H W 3"]]]:
        """Film the whole scene at a steady rate.

        Args:
            frame_rate_hz: frames a second.

        Yields:
            Time in nanoseconds and picture.
        """
        for time_ns in frame_times_ns(self.parameters.duration_s, frame_rate_hz):
            yield time_ns, self.frame(to_seconds(time_ns))

    def skin_movement(self, time_s: float) -> tuple[Float32[np.ndarray, "h w 2"], tuple[int, int]]:
        """Movement of the skin at a time, frame pixels, and the top left of its patch."""
        left, top, columns, rows = self._patch
        shares = [(m, m.strength(time_s)) for m in self.script.movements if m.start_s < time_s < m.end_s]
        closure = max((blink.closure(time_s) for blink in self.script.blinks), default=0.0)
        gaze_px = self.script.gaze.at(time_s) * self.parameters.canthus_px / CANTHUS_DISTANCE
        jaw, lips, _ = self.script.speech.at(time_s)
        if not shares and not closure and not gaze_px.any() and not jaw and not lips:
            return _NOTHING, (left, top)
        local = np.zeros((rows, columns, 2), np.float32)
        for movement, share in shares:
            local += np.float32(share) * self._field(movement.activations, movement.amplitude_px)
        for unit, size in ((JAW_UNIT, jaw), (LIPS_UNIT, 0.5 * lips)):
            if size:
                local += np.float32(size) * self._field(_both_sides(unit), self.parameters.speech_px)
        if gaze_px.any():
            local += eye_weight(self._patch, self.landmarks.tobytes())[..., None] * gaze_px.astype(np.float32)
        if closure:
            add_blink(local, closure, self._patch, self.landmarks, _unit(self.landmarks))
        return local, (left, top)

    @property
    def _patch(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the part of the frame that expressions can move."""
        unit, (x, y) = _unit(self.landmarks), _centre(self.landmarks)
        left, right = max(0, int(x - 1.7 * unit)), min(self.parameters.width, int(x + 1.7 * unit) + 1)
        top, bottom = max(0, int(y - 1.3 * unit)), min(self.parameters.height, int(y + 2.2 * unit) + 1)
        return left, top, right - left, bottom - top

    def _field(
        self, activations: tuple[ActionUnitActivation, ...], amplitude_px: float
    ) -> Float32[np.ndarray, "h w 2"]:
        """Displacement at the apex, frame pixels."""
        return _apex_field(activations, amplitude_px, self._patch, self.landmarks.tobytes(), self.parameters.canthus_px)


_NOTHING = np.zeros((0, 0, 2), np.float32)


def _centre(landmarks: Float32[np.ndarray, "468 2"]) -> Float64[np.ndarray, "2"]:
    return np.asarray(landmarks[[33, 133, 362, 263]].mean(axis=0), np.float64)


def _unit(landmarks: Float32[np.ndarray, "468 2"]) -> float:
    matrix = face_transform(landmarks)
    return 1.0 / float(np.hypot(matrix[0, 0], matrix[0, 1]))


def _both_sides(unit: int) -> tuple[ActionUnitActivation, ...]:
    return (ActionUnitActivation(unit=unit, left=1.0, right=1.0),)


def _touched(layer: UInt8[np.ndarray, "sourceheight sourcewidth 4"], unit: float) -> Int64[np.ndarray, "4"]:
    """First and one past the last row and column of the frame that the layer may touch when the head moves."""
    height, width = layer.shape[0] // _OVERSAMPLING, layer.shape[1] // _OVERSAMPLING
    rows = np.flatnonzero(layer[..., 3].any(axis=1)) / _OVERSAMPLING
    columns = np.flatnonzero(layer[..., 3].any(axis=0)) / _OVERSAMPLING
    margin = 0.6 * unit
    bounds = (rows[0] - margin, rows[-1] + margin, columns[0] - margin, columns[-1] + margin)
    limits = np.array([height, height, width, width])
    return np.asarray(np.clip(np.round(bounds), 0, limits), np.int64)


@lru_cache(maxsize=8)
def _apex_field(
    activations: tuple[ActionUnitActivation, ...],
    amplitude_px: float,
    patch: tuple[int, int, int, int],
    landmarks: bytes,
    canthus_px: float,
) -> Float32[np.ndarray, "h w 2"]:
    left, top, columns, rows = patch
    points = np.frombuffer(landmarks, np.float32).reshape(468, 2)
    x, y = np.meshgrid(np.arange(left, left + columns, 1.0), np.arange(top, top + rows, 1.0))
    matrix = face_transform(points)
    face_x = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
    face_y = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
    mouth = float(points[[61, 291]].mean(axis=0) @ matrix[1, :2] + matrix[1, 2])
    dx, dy = displacement(activations, face_x, fitted_to_mouth(face_y, mouth))
    scale = amplitude_px * canthus_px / CANTHUS_DISTANCE / np.hypot(dx, dy).max()
    return np.asarray(np.stack([dx * scale, dy * scale], axis=-1), np.float32)


def _set_upright(
    portrait: Portrait, parameters: SceneParameters
) -> tuple[UInt8[np.ndarray, "sourceheight sourcewidth 3"], Float32[np.ndarray, "468 2"]]:
    """The portrait turned upright and scaled into the frame, and its landmarks there."""
    to_face = face_transform(portrait.landmarks)
    unit = parameters.canthus_px / portrait.canthus_px / float(np.hypot(to_face[0, 0], to_face[0, 1]))
    middle = np.array([0.5 * parameters.width, 0.5 * parameters.height - 0.32 * unit])
    matrix = np.column_stack([unit * to_face[:, :2], unit * to_face[:, 2] + middle])
    landmarks = (portrait.landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    fine = _OVERSAMPLING * matrix + np.array([0.0, 0.0, 0.5 * (_OVERSAMPLING - 1)])
    size = (_OVERSAMPLING * parameters.width, _OVERSAMPLING * parameters.height)
    image = portrait.image
    shrink = _OVERSAMPLING * parameters.canthus_px / portrait.canthus_px
    if shrink < 0.8:  # a large photograph: low-pass before it is made smaller
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / shrink)
    source = cv2.warpAffine(image, fine, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return _with_skin_grain(source), landmarks


def _with_skin_grain(source: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """Add the fine texture that an enlarged picture lacks; it belongs to the face and moves with it."""
    speckle = np.random.default_rng(5).standard_normal(source.shape[:2], dtype=np.float32)
    grain = np.asarray(cv2.GaussianBlur(speckle, (0, 0), 0.9 * _OVERSAMPLING), np.float32)
    grain *= np.float32(2.0 / grain.std())
    return np.asarray(np.clip(source + grain[..., None] + 0.5, 0, 255), np.uint8)


def _head_shape(
    landmarks: Float32[np.ndarray, "468 2"], parameters: SceneParameters
) -> tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]:
    """Share of the head's movement that each pixel takes; depth in front of the neck's axis, pixels."""
    matrix, unit = face_transform(landmarks), _unit(landmarks)
    columns, rows = np.meshgrid(
        np.arange(parameters.width, dtype=np.float64), np.arange(parameters.height, dtype=np.float64)
    )
    x = matrix[0, 0] * columns + matrix[0, 1] * rows + matrix[0, 2]
    y = matrix[1, 0] * columns + matrix[1, 1] * rows + matrix[1, 2]
    radius = np.hypot(x / 1.5, (y - 0.4) / 2.0)
    fade = np.clip((radius - 1.0) / 0.9, 0.0, 1.0)
    weight = 1.0 - fade * fade * (3.0 - 2.0 * fade)
    skull = np.exp(-0.5 * ((x / 0.9) ** 2 + ((y - 0.35) / 1.25) ** 2))
    nose = np.exp(-0.5 * ((x / 0.16) ** 2 + ((y - 0.55) / 0.28) ** 2))
    depth = 1.1 * skull + 0.22 * nose
    if parameters.relief:
        points = landmarks.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2]
        depth = face_relief(x, y, points, depth, parameters.identity)
    depth = unit * depth
    return weight.astype(np.float32), depth.astype(np.float32)


def compile_kernels() -> None:
    """Compile the rendering kernel, or load it from the disk cache, before the first frame asks for it."""
    Scene.plan(SceneParameters(width=64, height=64, canthus_px=8.0)).frame(0.0)
