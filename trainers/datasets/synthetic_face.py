"""The still face that the synthesiser animates: shipped portraits, a user's own, and variations of either.

Face coordinates are those of `trainers.datasets.action_units`: the unit is the distance of the pupils, the
origin lies between them, x to the image's right along the eye line, y down.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from engines.errors import BadInput

PORTRAITS = ("grace_hopper", "eileen_collins")
"""The shipped pictures, both in the public domain; see faces/README.md."""
SHIPPED_FACES = 8
"""Number of different faces made of them by mirror, proportions and tone: identities 0 to 7."""

LEFT_EYE, RIGHT_EYE = (33, 133), (362, 263)
"""FaceMesh corners of the eye on the image's left and right, from left to right."""
UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
"""FaceMesh points along the lids, from left to right, either eye."""


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """A picture of one face and where its points are."""

    name: str
    image: UInt8[np.ndarray, "H W 3"]
    """RGB."""
    landmarks: Float32[np.ndarray, "468 2"]
    """MediaPipe FaceMesh points, x and y in pixels of `image`."""

    @property
    def eyes(self) -> Float64[np.ndarray, "2 2"]:
        """Centres of the eyes, the image's left one first: the mean of the two corners of each."""
        points = self.landmarks.astype(np.float64)
        return np.stack([points[list(LEFT_EYE)].mean(axis=0), points[list(RIGHT_EYE)].mean(axis=0)])

    @property
    def canthus_px(self) -> float:
        """Distance of the inner corners of the eyes, pixels."""
        return float(np.linalg.norm(self.landmarks[362] - self.landmarks[133]))


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """How a face differs from the portrait that it is made of."""

    mirrored: bool = False
    proportions: float = 0.0
    """Typical shift of facial features, pupil distances; 0 changes none, 0.05 makes a relative."""
    tone: float = 0.0
    """Strength of the change of skin tone, gamma and contrast; 0 none, 1 strong."""
    seed: int = 0


def load_portrait(source: str | Path) -> Portrait:
    """Read a shipped portrait by name, or a picture file in which FaceMesh finds the face.

    Args:
        source: a name of `PORTRAITS`, or the path of a picture.

    Returns:
        The portrait.

    Raises:
        BadInput: if the file cannot be read as a picture or holds no face.
    """
    if str(source) in PORTRAITS:
        folder = files("trainers.datasets") / "faces"
        encoded = np.frombuffer((folder / f"{source}.jpg").read_bytes(), np.uint8)
        landmarks = json.loads((folder / f"{source}.json").read_text())["landmarks"]
        image = cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        return Portrait(name=str(source), image=image, landmarks=np.asarray(landmarks, np.float32))
    path = Path(source)
    if not path.is_file():
        raise BadInput(f"{path}: no such picture; give a photograph of one frontal face or one of {PORTRAITS}")
    read = cv2.imdecode(np.frombuffer(path.read_bytes() or b"\0", np.uint8), cv2.IMREAD_COLOR)
    if read is None:
        raise BadInput(f"{path}: not a picture that can be read; give a PNG or JPEG of one frontal face")
    image = cv2.cvtColor(read, cv2.COLOR_BGR2RGB)
    return Portrait(name=path.stem, image=image, landmarks=_find_landmarks(image, path))


def _find_landmarks(image: UInt8[np.ndarray, "H W 3"], path: Path) -> Float32[np.ndarray, "468 2"]:
    import mediapipe  # takes a second, and the shipped faces do not need it

    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1) as mesh:
        found = mesh.process(image).multi_face_landmarks
    if not found:
        raise BadInput(f"{path}: no face found; give a sharp photograph of one frontal face")
    height, width = image.shape[:2]
    return np.array([(point.x * width, point.y * height) for point in found[0].landmark], np.float32)


def shipped_face(identity: int) -> Portrait:
    """One of the faces that ship with the package.

    Args:
        identity: any number; 0 and 1 are the portraits as they are, others vary them, modulo `SHIPPED_FACES`.

    Returns:
        The face, the same for the same number.
    """
    number = identity % SHIPPED_FACES
    portrait = load_portrait(PORTRAITS[number % len(PORTRAITS)])
    if number < len(PORTRAITS):
        return portrait
    generation = number // len(PORTRAITS)
    likeness = Likeness(mirrored=generation % 2 == 1, proportions=0.035, tone=0.6, seed=number)
    return vary(portrait, likeness)


def vary(portrait: Portrait, likeness: Likeness) -> Portrait:
    """Make another face of a portrait.

    Args:
        portrait: the face to start from.
        likeness: what changes.

    Returns:
        A portrait of the same size whose landmarks went with its picture.
    """
    generator = np.random.default_rng((likeness.seed, 7919))
    changed = _mirrored(portrait) if likeness.mirrored else portrait
    image, landmarks = changed.image, changed.landmarks
    if likeness.proportions > 0:
        image, landmarks = _reproportioned(changed, likeness.proportions, generator)
    if likeness.tone > 0:
        image = _retoned(image, likeness.tone, generator)
    return Portrait(name=f"{portrait.name}-{likeness.seed}", image=image, landmarks=landmarks)


def _mirrored(portrait: Portrait) -> Portrait:
    order = _mirror_order(portrait.landmarks)
    landmarks = portrait.landmarks[order].copy()
    landmarks[:, 0] = portrait.image.shape[1] - 1 - landmarks[:, 0]
    image = np.ascontiguousarray(portrait.image[:, ::-1])
    return Portrait(name=portrait.name, image=image, landmarks=landmarks)


def _mirror_order(landmarks: Float32[np.ndarray, "468 2"]) -> list[int]:
    # FaceMesh publishes no table of mirrored points; on a near-frontal face the nearest mirrored point is it.
    matrix = face_transform(landmarks)
    points = landmarks @ matrix[:, :2].T + matrix[:, 2]
    flipped = points * np.array([-1.0, 1.0])
    return [int(np.argmin(((points - point) ** 2).sum(axis=1))) for point in flipped]


def face_transform(landmarks: Float32[np.ndarray, "468 2"]) -> Float64[np.ndarray, "2 3"]:
    """Similarity from picture pixels to face coordinates.

    Args:
        landmarks: FaceMesh points in pixels.

    Returns:
        Matrix (2, 3): the pupils land at (∓0.5, 0).
    """
    left = landmarks[list(LEFT_EYE)].mean(axis=0).astype(np.float64)
    right = landmarks[list(RIGHT_EYE)].mean(axis=0).astype(np.float64)
    along = right - left
    scale = 1.0 / float(along @ along)
    linear = scale * np.array([[along[0], along[1]], [-along[1], along[0]]])
    return np.column_stack([linear, -linear @ ((left + right) / 2)])


def fitted_to_mouth(face_y: Float64[np.ndarray, "*n"], mouth: float) -> Float64[np.ndarray, "*n"]:
    """Heights on a face as heights in the table of action units, whose mouth lies one pupil distance below the eyes.

    Args:
        face_y: below the pupils, face coordinates.
        mouth: height of this face's mouth corners, face coordinates.

    Returns:
        Heights that are stretched below the eyes so that the mouths meet.
    """
    return np.where(face_y > 0, face_y / np.interp(face_y, [0.0, mouth], [1.0, mouth]), face_y)


def _reproportioned(
    portrait: Portrait, shift: float, generator: np.random.Generator
) -> tuple[UInt8[np.ndarray, "H W 3"], Float32[np.ndarray, "468 2"]]:
    """Move a few features of the face by a smooth warp, the landmarks with them."""
    height, width = portrait.image.shape[:2]
    matrix = face_transform(portrait.landmarks)
    unit = 1.0 / float(np.hypot(matrix[0, 0], matrix[0, 1]))
    # (centre x, centre y, radius, vertical share): brows, nose, mouth, cheeks, chin; both sides alike.
    features = ((0.45, -0.45, 0.5, 1.0), (0.0, 0.55, 0.45, 1.0), (0.0, 1.0, 0.5, 1.0), (0.9, 0.6, 0.5, 0.2),
                (0.0, 1.6, 0.6, 1.0), (0.5, 1.3, 0.5, 0.2))  # fmt: skip
    shifts = generator.normal(0.0, shift * 1.4, size=(len(features), 2))

    def warp(x: Float64[np.ndarray, "*n"], y: Float64[np.ndarray, "*n"]) -> tuple[np.ndarray, np.ndarray]:
        dx, dy = np.zeros_like(x), np.zeros_like(y)
        for (cx, cy, radius, vertical), (sx, sy) in zip(features, shifts, strict=True):
            for side in (-1.0, 1.0) if cx else (1.0,):
                weight = np.exp(-0.5 * ((x - side * cx) ** 2 + (y - cy) ** 2) / radius**2)
                dx += side * (1.0 - vertical) * sx * weight
                dy += vertical * sy * weight
        return dx, dy

    columns, rows = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    x = matrix[0, 0] * columns + matrix[0, 1] * rows + matrix[0, 2]
    y = matrix[1, 0] * columns + matrix[1, 1] * rows + matrix[1, 2]
    dx, dy = warp(x, y)
    maps = (columns - unit * dx).astype(np.float32), (rows - unit * dy).astype(np.float32)
    image = cv2.remap(portrait.image, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    points = portrait.landmarks @ matrix[:, :2].T + matrix[:, 2]
    moved = np.stack(warp(points[:, 0], points[:, 1]), axis=1) * unit
    # The picture was warped by an inverse map; one correction carries the points the forward way.
    shifted = points + moved / unit
    moved = np.stack(warp(shifted[:, 0], shifted[:, 1]), axis=1) * unit
    return image, (portrait.landmarks + moved).astype(np.float32)


def _retoned(
    image: UInt8[np.ndarray, "H W 3"], strength: float, generator: np.random.Generator
) -> UInt8[np.ndarray, "H W 3"]:
    gamma = float(np.exp(strength * generator.uniform(-0.45, 0.45)))
    channel_gain = 1.0 + strength * generator.uniform(-0.12, 0.12, size=3)
    tone = np.power(np.linspace(0.0, 1.0, 256), gamma)
    table = np.clip(255.0 * tone[:, None] * channel_gain, 0.0, 255.0)
    toned = np.stack([table[image[..., channel], channel] for channel in range(3)], axis=-1)
    return np.asarray(toned, np.uint8)
