"""What regional movement costs and how quiet it is at rest, against OpenCV's Lucas–Kanade and the bare landmarks."""

import time
from typing import Any

import cv2
import numpy as np
from rich.console import Console

from demo.kernels import prepare_kernels
from realtime.clock import to_seconds
from realtime.faces.alignment import FaceAligner
from realtime.faces.landmarks import REGIONS
from realtime.faces.observation import CANTHUS_DISTANCE, AlignedFace
from realtime.faces.tracker import FaceTracker
from realtime.frames import Frame
from realtime.spotting.motion import MotionExtractor
from realtime.spotting.reference import PATCHES
from trainers.datasets.synthetic_rendering import Scene, frame_times_ns
from trainers.datasets.synthetic_scenes import SceneParameters

RATE_HZ = 60.0
SCENES = {
    "still": SceneParameters(expressions=False, noise_sd=2.0),
    "moving": SceneParameters(
        expressions=False, noise_sd=2.0, head_shift_px=4.0, head_roll_deg=1.2, head_turn_deg=1.5, head_scale=0.008
    ),
    "dark": SceneParameters(expressions=False, noise_sd=2.5, shot_noise=0.04, brightness=0.35, head_shift_px=1.5),
}


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure faces that show nothing: whatever moves is noise.

    Args:
        quick: four seconds a scene instead of fifteen.

    Returns:
        A row a scene: mean and worst standard deviation of a region within half a second, canthus-normalised
        pixels, of movement and of the landmarks alone; median milliseconds a frame of movement and of OpenCV's
        pyramidal Lucas–Kanade over as many points.
    """
    prepare_kernels(Console(stderr=True))
    return {"rows": [_one_scene(name, 4.0 if quick else 15.0) for name in SCENES]}


def _one_scene(name: str, seconds: float) -> dict[str, Any]:
    faces = _filmed(name, seconds)
    extractor = MotionExtractor()
    displacements, ours_s = [], []
    for face in faces:
        start_s = time.perf_counter()
        displacements.append(extractor.push(face).displacement)
        ours_s.append(time.perf_counter() - start_s)
    moved = _rest_noise(np.stack(displacements))
    landmarks = _rest_noise(np.stack([_landmark_regions(face) for face in faces]))
    return {
        "scene": name,
        "frames": len(faces),
        "noise_px": float(moved.mean()),
        "worst_region_px": float(moved.max()),
        "landmark_noise_px": float(landmarks.mean()),
        "ms": 1e3 * float(np.median(ours_s)),
        "opencv_ms": 1e3 * float(np.median(_opencv_s(faces))),
    }


def _filmed(name: str, seconds: float) -> list[AlignedFace]:
    scene = Scene.plan(SCENES[name], seed=5)
    aligner = FaceAligner()
    faces = []
    with FaceTracker() as tracker:
        for index, time_ns in enumerate(frame_times_ns(seconds, RATE_HZ)):
            frame = Frame(index=index, time_ns=time_ns, captured_ns=0, image=scene.frame(to_seconds(time_ns)))
            faces += [aligner.push(frame, seen) for seen in tracker.push(frame)]
    return faces


def _rest_noise(courses: np.ndarray) -> np.ndarray:
    """Standard deviation of each region within half a second, quadratic mean over the scene."""
    window = int(RATE_HZ / 2)
    usable = courses[: len(courses) // window * window].reshape(-1, window, *courses.shape[1:])
    return np.asarray(np.sqrt(np.nanmean(np.nanvar(usable, axis=1), axis=(0, 2))))


def _landmark_regions(face: AlignedFace) -> np.ndarray:
    """The regions' mean landmarks in the crop, canthus-normalised pixels."""
    points = face.landmarks
    unit = CANTHUS_DISTANCE / float(np.hypot(*(points[133] - points[362])))
    return np.stack(
        [np.mean([points[list(patch)].mean(axis=0) for patch in region.patches], axis=0) * unit for region in REGIONS]
    )


def _opencv_s(faces: list[AlignedFace]) -> list[float]:
    grays = [cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY) for face in faces[:60]]
    points = np.array([faces[0].landmarks[list(patch)].mean(axis=0) for patch in PATCHES], np.float32)[:, None]
    spent = []
    for gray in grays[1:]:
        start_s = time.perf_counter()
        cv2.calcOpticalFlowPyrLK(grays[0], gray, points, np.empty_like(points), winSize=(17, 17), maxLevel=1)
        spent.append(time.perf_counter() - start_s)
    return spent


def render(result: dict[str, Any]) -> str:
    """The rows as a table."""
    lines = [f"{'scene':>8} {'noise px':>9} {'worst':>7} {'landmarks px':>13} {'ms':>6} {'OpenCV ms':>10}"]
    lines += [
        f"{row['scene']:>8} {row['noise_px']:9.3f} {row['worst_region_px']:7.3f} {row['landmark_noise_px']:13.3f} "
        f"{row['ms']:6.2f} {row['opencv_ms']:10.2f}"
        for row in result["rows"]
    ]
    return "\n".join(lines)
