"""Run every kernel of a run once, on made-up data, so that no real frame or event waits for a compiler."""

import numpy as np

from realtime.clock import NANOSECONDS
from realtime.faces.landmarks import REGION_NAMES
from realtime.faces.observation import CROP_HEIGHT, CROP_WIDTH, AlignedFace, FaceQuality
from realtime.spotting.motion import MotionExtractor
from realtime.spotting.sample import MotionSample
from realtime.spotting.spotter import Spotter

_STEP_NS = NANOSECONDS // 100


def warm_up_movement() -> None:
    """Measure the movement of a noise picture that does not move."""
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (CROP_HEIGHT, CROP_WIDTH, 3), np.uint8)
    landmarks = random.uniform(20.0, CROP_WIDTH - 20.0, (468, 2)).astype(np.float32)
    quality = FaceQuality(
        eye_opening=(0.3, 0.3), yaw_deg=0.0, pitch_deg=0.0, roll_deg=0.0,
        mouth_opening=0.0, brightness=127.0, width_px=64.0,
    )  # fmt: skip
    extractor = MotionExtractor()
    for index in range(100):
        extractor.push(
            AlignedFace(
                index=index,
                time_ns=index * _STEP_NS,
                captured_ns=0,
                face_id=1,
                image=image,
                landmarks=landmarks,
                to_crop=np.eye(2, 3),
                quality=quality,
            )
        )


def warm_up_spotting() -> None:
    """Spot one pulse in otherwise still regions."""
    spotter = Spotter()
    for index in range(300):
        displacement = np.zeros((len(REGION_NAMES), 2), np.float32)
        displacement[:2] = 3.0 * np.exp(-(((index - 150) / 10.0) ** 2))
        list(
            spotter.push(
                MotionSample(index=index, time_ns=index * _STEP_NS, captured_ns=0, face_id=1, displacement=displacement)
            )
        )
    list(spotter.flush())
