"""A session folder that looks like a real one: portraits moved by action units, signals, blinks and a lost face."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from realtime.clock import to_nanoseconds
from realtime.events import ExpressionEvent, Kind, RejectedMovement
from realtime.faces.landmarks import REGION_NAMES, REGIONS
from realtime.faces.observation import (
    CROP_HEIGHT,
    CROP_WIDTH,
    PUPIL_DISTANCE,
    PUPIL_HEIGHT,
    AlignedFace,
    FaceQuality,
)
from realtime.session_folder import SessionStatistics, SessionWriter
from realtime.spotting.description import described
from realtime.spotting.sample import MotionSample
from tests.realtime.session_fixtures import HandClock
from trainers.datasets.action_units import ActionUnitActivation, displacement
from trainers.datasets.synthetic_face import Portrait, shipped_face

CROP_PX_A_CANTHUS_PX = PUPIL_DISTANCE / 125.0
"""Crop pixels to one canthus-normalised pixel: pupils are nearly twice as far apart as the inner canthi."""
_QUALITY = FaceQuality(
    eye_opening=(0.3, 0.3),
    yaw_deg=0.0,
    pitch_deg=0.0,
    roll_deg=0.0,
    mouth_opening=0.0,
    brightness=120.0,
    width_px=70.0,
)


@dataclass(frozen=True, kw_only=True)
class Script:
    """One movement of the demo."""

    apex_s: float
    units: tuple[int, ...]
    label: str
    amplitude_px: float
    rise_s: float = 0.12
    fall_s: float = 0.18
    right_only: bool = False
    rejected: str | None = None

    @property
    def kind(self) -> Kind:
        return "micro" if self.rise_s + self.fall_s <= 0.5 else "macro"

    def level(self, time_s: np.ndarray) -> np.ndarray:
        """0 at rest, 1 at the apex."""
        since = time_s - self.apex_s
        share = np.where(since < 0, 1 + since / self.rise_s, 1 - since / self.fall_s)
        return np.asarray(np.sin(np.pi / 2 * np.clip(share, 0, 1)) ** 2)

    def activations(self) -> list[ActionUnitActivation]:
        left = 0.0 if self.right_only else 1.0
        return [ActionUnitActivation(unit=unit, left=left, right=1.0) for unit in self.units]


SCRIPTS = (
    Script(apex_s=4.2, units=(12,), label="positive", amplitude_px=1.9, right_only=True),
    Script(apex_s=9.6, units=(1, 2), label="surprise", amplitude_px=2.4),
    Script(
        apex_s=15.1,
        units=(45,),
        label="negative",
        amplitude_px=1.6,
        rise_s=0.07,
        fall_s=0.1,
        rejected="blink",
    ),
    Script(apex_s=18.7, units=(4, 7), label="negative", amplitude_px=1.3),
    Script(apex_s=26.5, units=(6, 12), label="positive", amplitude_px=4.8, rise_s=0.5, fall_s=0.9),
    Script(apex_s=33.4, units=(14,), label="negative", amplitude_px=0.9, rejected="below the threshold"),
    Script(
        apex_s=36.0,
        units=(45,),
        label="negative",
        amplitude_px=1.7,
        rise_s=0.07,
        fall_s=0.1,
        rejected="blink",
    ),
    Script(apex_s=45.8, units=(15, 17), label="negative", amplitude_px=1.6, rise_s=0.16, fall_s=0.2),
)


def write_demo_session(
    folder: Path,
    *,
    scripts: Sequence[Script] = SCRIPTS,
    duration_s: float = 52.0,
    frame_rate_hz: float = 100.0,
    lost_s: tuple[float, float] = (39.0, 41.5),
    source: str = "interview_07.mp4",
    media: bool = True,
) -> Path:
    """Write the folder and return it."""
    clock = HandClock()
    writer = SessionWriter(
        folder, source=source, regions=REGION_NAMES, checkpoint="default", backend="onnxruntime", clock=clock
    )
    with_face = _write_signals(writer, scripts, duration_s, frame_rate_hz, lost_s)
    face = _aligned_portrait(shipped_face(0))
    for script in scripts:
        movement = _movement(script, frame_rate_hz)
        if isinstance(movement, RejectedMovement):
            writer.add_rejected(movement)
            continue
        clock.time_ns = movement.settled_captured_ns + 31_000_000 + 1_000_000 * int(script.apex_s) % 9
        event = writer.add_event(movement)
        if media:
            writer.add_media(event, *_media(script, event, face))
    writer.finish(
        "complete",
        statistics=SessionStatistics(
            frames_read=round(duration_s * frame_rate_hz),
            frames_with_face=with_face,
            duration_s=duration_s,
            frame_rate_hz=frame_rate_hz,
            latency_ms={
                "decode": {"p50": 0.61, "p95": 0.92, "p99": 1.4, "count": 5200},
                "track": {"p50": 2.94, "p95": 3.4, "p99": 4.8, "count": 5200},
                "align": {"p50": 0.35, "p95": 0.41, "p99": 0.6, "count": 5200},
                "movement": {"p50": 0.83, "p95": 0.97, "p99": 1.3, "count": 5200},
                "spot": {"p50": 0.011, "p95": 0.016, "p99": 0.03, "count": 5200},
                "recognise": {"p50": 24.1, "p95": 33.0, "p99": 38.2, "count": 6},
            },
        ),
    )
    return folder


def _movement(script: Script, rate_hz: float) -> ExpressionEvent | RejectedMovement:
    # A third of the peak is where the spotter puts onset and offset.
    times = [script.apex_s - 0.61 * script.rise_s, script.apex_s, script.apex_s + 0.61 * script.fall_s]
    onset, apex, offset = (round(time * rate_hz) for time in times)
    regions = _moved(script)
    interval: dict[str, Any] = {
        "face_id": 1,
        "onset_index": onset,
        "apex_index": apex,
        "offset_index": offset,
        "onset_ns": to_nanoseconds(onset / rate_hz),
        "apex_ns": to_nanoseconds(apex / rate_hz),
        "offset_ns": to_nanoseconds(offset / rate_hz),
        "regions": regions,
        "strength": 0.97 * script.amplitude_px,
        "threshold": 0.82,
    }
    if script.rejected:
        return RejectedMovement(**interval, reason=script.rejected)
    others = [name for name in ("negative", "positive", "surprise") if name != script.label]
    event = ExpressionEvent(
        **interval,
        kind=script.kind,
        settled_index=offset + 30,
        settled_captured_ns=to_nanoseconds(offset / rate_hz + 0.3),
        label=script.label,
        probabilities={script.label: 0.78, others[0]: 0.15, others[1]: 0.07},
        checkpoint="default",
    )
    moved = _region_movement(script, _aligned_portrait(shipped_face(0)))
    return described(event, moved, np.full_like(moved, 0.42))


def _fields() -> tuple[np.ndarray, np.ndarray]:
    """Face coordinates of every pixel of the crop."""
    y, x = np.mgrid[0:CROP_HEIGHT, 0:CROP_WIDTH].astype(np.float64)
    return (x - CROP_WIDTH / 2) / PUPIL_DISTANCE, (y - PUPIL_HEIGHT * CROP_HEIGHT) / PUPIL_DISTANCE


def _region_places(face: AlignedFace) -> np.ndarray:
    centres = [
        np.mean([face.landmarks[list(patch)].mean(axis=0) for patch in region.patches], axis=0) for region in REGIONS
    ]
    places = np.array(centres, np.float64) - (CROP_WIDTH / 2, PUPIL_HEIGHT * CROP_HEIGHT)
    return places / PUPIL_DISTANCE


def _region_movement(script: Script, face: AlignedFace) -> Float32[np.ndarray, "regions 2"]:
    places = _region_places(face)
    dx, dy = displacement(script.activations(), places[:, 0], places[:, 1])
    field = np.stack([dx, dy], axis=1)
    longest = float(np.hypot(*field.T).max())
    return np.asarray(field / longest * script.amplitude_px, np.float32)


def _moved(script: Script) -> tuple[str, ...]:
    lengths = np.hypot(*_region_movement(script, _aligned_portrait(shipped_face(0))).T)
    strongest = np.argsort(-lengths)[:4]
    return tuple(REGION_NAMES[place] for place in strongest if lengths[place] > 0.4 * lengths.max())


def _write_signals(
    writer: SessionWriter,
    scripts: Sequence[Script],
    duration_s: float,
    rate_hz: float,
    lost_s: tuple[float, float],
) -> int:
    noise = np.random.default_rng(7)
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    face = _aligned_portrait(shipped_face(0))
    movement = noise.normal(0, 0.035, (len(time_s), len(REGION_NAMES), 2)).astype(np.float32)
    drift = 0.08 * np.sin(time_s[:, None, None] * (0.7 + 0.05 * np.arange(len(REGION_NAMES)))[:, None])
    movement += drift.astype(np.float32)
    for script in scripts:
        movement += (script.level(time_s)[:, None, None] * _region_movement(script, face)).astype(np.float32)
    strength = np.sort(np.hypot(movement[..., 0], movement[..., 1]), axis=1)[:, -3:].mean(axis=1)
    threshold = 0.82 + 0.03 * np.sin(time_s / 6)
    blinks = [script.apex_s for script in scripts if script.units == (45,)]
    with_face = 0
    for index, now_s in enumerate(time_s):
        time_ns = to_nanoseconds(now_s)
        if lost_s[0] <= now_s < lost_s[1]:
            writer.add_empty_frame(index, time_ns)
            continue
        with_face += 1
        gates = ("blink",) if any(abs(now_s - blink) < 0.12 for blink in blinks) else ()
        sample = MotionSample(
            index=index, time_ns=time_ns, captured_ns=0, face_id=1, displacement=movement[index], gates=gates
        )
        writer.add_sample(sample, strength=float(strength[index]), threshold=float(threshold[index]))
    return with_face


def _aligned_portrait(portrait: Portrait) -> AlignedFace:
    left, right = portrait.eyes
    (dx, dy), middle = right - left, (left + right) / 2
    scale = PUPIL_DISTANCE / np.hypot(dx, dy)
    turn = scale / np.hypot(dx, dy) * np.array([[dx, dy], [-dy, dx]])
    target = np.array([CROP_WIDTH / 2, PUPIL_HEIGHT * CROP_HEIGHT])
    to_crop = np.column_stack([turn, target - turn @ middle])
    image = cv2.warpAffine(
        portrait.image,
        to_crop,
        (CROP_WIDTH, CROP_HEIGHT),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    landmarks = portrait.landmarks @ to_crop[:, :2].T + to_crop[:, 2]
    return _aligned(image, landmarks.astype(np.float32), 0, 0)


def _aligned(image: UInt8[np.ndarray, "304 256 3"], landmarks: np.ndarray, index: int, time_ns: int) -> AlignedFace:
    return AlignedFace(
        index=index,
        time_ns=time_ns,
        captured_ns=time_ns,
        face_id=1,
        image=image,
        landmarks=landmarks,
        to_crop=np.eye(2, 3),
        quality=_QUALITY,
    )


def _media(script: Script, event: ExpressionEvent, face: AlignedFace) -> tuple[list[AlignedFace], Any, Any]:
    field = np.stack(displacement(script.activations(), *_fields()))
    flow = (field / np.hypot(*field).max() * script.amplitude_px * CROP_PX_A_CANTHUS_PX).astype(np.float32)
    uy, ux = np.gradient(flow[0])
    vy, vx = np.gradient(flow[1])
    strain = np.sqrt(ux**2 + vy**2 + 0.5 * (uy + vx) ** 2).astype(np.float32)
    return list(_clip(script, event, face, flow)), flow, strain


def _clip(
    script: Script, event: ExpressionEvent, face: AlignedFace, flow: Float32[np.ndarray, "2 h w"]
) -> Iterator[AlignedFace]:
    noise = np.random.default_rng(event.event_id)
    y, x = np.mgrid[0:CROP_HEIGHT, 0:CROP_WIDTH].astype(np.float32)
    for time_s in np.arange(event.onset_ns / 1e9 - 0.2, event.offset_ns / 1e9 + 0.2, 1 / 60):
        level = np.float32(script.level(np.array(time_s)))
        image = cv2.remap(face.image, x - level * flow[0], y - level * flow[1], cv2.INTER_CUBIC)
        image = np.clip(image + noise.normal(0, 1.5, image.shape), 0, 255).astype(np.uint8)
        yield _aligned(image, face.landmarks, round(time_s * 100), to_nanoseconds(float(time_s)))


if __name__ == "__main__":
    import sys

    print(write_demo_session(Path(sys.argv[1])))
