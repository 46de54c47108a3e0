"""Clips as image folders: shipped faces that move in a known way, filmed as databases number and cut them."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
from jaxtyping import UInt8

from tests.synthetic_faces import movement, still_scene
from tests.trainers.datasets.database_trees import ClipRow, Shot, SmicRow, write_casme2, write_samm, write_smic
from trainers.annotations import Clip
from trainers.datasets.synthetic_rendering import Scene

FRAME_RATE_HZ = 100.0
RISE_S = 0.06
EXPRESSIONS = {"happiness": (12, 6), "disgust": (4,), "surprise": (1, 2), "others": (15,)}
FACES = 3

CASME2 = (
    ClipRow(subject="01", name="EP02_01f", onset=46, apex=52, offset=58, emotion="happiness", action_units="12"),
    ClipRow(subject="01", name="EP03_02", onset=46, apex="/", offset=58, emotion="surprise", action_units="1+2"),
    ClipRow(subject="02", name="EP04_02f", onset=6, apex=11, offset=18, emotion="disgust", action_units="4"),
    ClipRow(subject="02", name="EP06_01f", onset=6, apex=11, offset=18, emotion="others", action_units="15"),
)
"""Two subjects, two clips each, of thirteen frames; one has no apex, one no label in the composite set."""
SAMM = (
    ClipRow(subject="006", name="006_1_2", onset=95, apex=101, offset=107, emotion="Happiness", action_units="12"),
    ClipRow(subject="007", name="007_3_1", onset=95, apex=101, offset=107, emotion="Surprise", action_units="1+2"),
)
SMIC = (
    SmicRow(subject=1, name="s1_sur_01", spans=[(1068, 1080)], emotion="surprise"),
    SmicRow(subject=3, name="s3_ne_01", spans=[(2000, 2012)], emotion="negative"),
)
_UNIFIED = {"negative": "disgust", "positive": "happiness"}


def draw_face(shot: Shot) -> UInt8[np.ndarray, "240 320 3"]:
    """A subject's face with as much of the emotion as the shot has, BGR."""
    emotion = shot.emotion.lower()
    scene = expression_scene(_UNIFIED.get(emotion, emotion), identity=crc32(shot.subject.encode()) % FACES)
    # Inverse of the raised cosine by which an expression rises.
    time_s = scene.truths[0].start_s + RISE_S * float(np.arccos(1 - 2 * shot.strength)) / np.pi
    return np.asarray(cv2.cvtColor(scene.frame(time_s), cv2.COLOR_RGB2BGR))


def draw_gray_face(shot: Shot) -> UInt8[np.ndarray, "240 320"]:
    """The same without colour, as SAMM was filmed."""
    return np.asarray(cv2.cvtColor(draw_face(shot), cv2.COLOR_BGR2GRAY))


def draw_wall(_shot: Shot) -> UInt8[np.ndarray, "240 320 3"]:
    """Nobody there."""
    return np.full((240, 320, 3), 128, np.uint8)


def casme2_tree(root: Path, rows: Sequence[ClipRow] = CASME2) -> Path:
    """CASME II in little with faces; returns the root."""
    write_casme2(root, rows, draw=draw_face, layout="CASME2_RAW_selected")
    return root


def samm_tree(root: Path) -> Path:
    """SAMM in little with gray faces; returns the root."""
    write_samm(root, SAMM, draw=draw_gray_face)
    return root


def smic_tree(root: Path) -> Path:
    """SMIC HS in little with faces; returns the root."""
    write_smic(root, SMIC, draw=draw_face)
    return root


@lru_cache(maxsize=16)
def expression_scene(emotion: str = "surprise", identity: int = 0, start_s: float = 0.02) -> Scene:
    """A face that fills a small picture and shows one quick expression: apex 60 ms after its start, 90 ms to fall."""
    shown = movement(EXPRESSIONS[emotion], label="surprise", start_s=start_s, rise_s=RISE_S, fall_s=0.09)
    return still_scene(
        shown, duration_s=start_s + 0.5, identity=identity, width=320, height=240, canthus_px=40.0, noise_sd=0.5
    )


def film_clip(
    folder: Path,
    scene: Scene,
    numbers: Sequence[int],
    *,
    name: str = "img{}.png",
    cut: tuple[slice, slice] = (slice(None), slice(None)),
) -> Path:
    """Film the start of a scene into a folder, frame by frame.

    Args:
        folder: made where it is not there.
        scene: what to film.
        numbers: of the frames, for their names; the first is the scene's start.
        name: of a file, with the frame's number for {}.
        cut: rows and columns to keep of each picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for place, number in enumerate(numbers):
        save_picture(folder / name.format(number), scene.frame(place / FRAME_RATE_HZ)[cut])
    return folder


def save_picture(file: Path, image: UInt8[np.ndarray, "H W 3"]) -> None:
    """Write an RGB picture."""
    assert cv2.imwrite(str(file), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def drawn_clip(folder: Path, first: int = 1, **changes: object) -> Clip:
    """A clip of `expression_scene`, filmed from frame number `first`: onset 3, apex 8 and offset 16 frames later."""
    settings: dict[str, object] = {
        "dataset": "drawn",
        "subject": "s1",
        "name": folder.name,
        "folder": folder,
        "onset": first + 3,
        "apex": first + 8,
        "offset": first + 16,
        "frame_rate_hz": FRAME_RATE_HZ,
        "label": "surprise",
    }
    return Clip(**{**settings, **changes})  # type: ignore[arg-type]  # fields of one dataclass, put together
