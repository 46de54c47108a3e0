"""`onset flow`: TV-L1 optical flow between two images."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import tyro
from jaxtyping import UInt8

from engines.errors import BadInput
from engines.flow import Tvl1Parameters, tvl1
from engines.flow.pictures import flow_picture
from engines.strain import flow_magnitude


@dataclass(frozen=True, kw_only=True)
class Flow:
    """TV-L1 optical flow from one image to another: float32 (2, H, W), horizontal then vertical, pixels."""

    images: tyro.conf.Positional[tuple[Path, Path]]
    """The earlier and the later image, of one size."""
    out: Path
    """File for the flow, .npy."""
    image: Path | None = None
    """Also draw it as a colour wheel picture, .png."""
    json: bool = False
    """Print one JSON object instead of text."""
    parameters: Annotated[Tvl1Parameters, tyro.conf.arg(name="")] = field(default_factory=Tvl1Parameters)

    def run(self) -> int:
        """Read, compute, write."""
        _check_names(self.out, self.image)
        previous, following = (_read_gray(path) for path in self.images)
        if previous.shape != following.shape:
            raise BadInput(
                f"{self.images[1]}: {following.shape[1]}×{following.shape[0]} pixels, but {self.images[0]} has "
                f"{previous.shape[1]}×{previous.shape[0]}; give two images of one size"
            )
        flow = tvl1(previous, following, self.parameters)
        _write(self.out, flow)
        if self.image is not None and not cv2.imwrite(
            str(self.image), cv2.cvtColor(flow_picture(flow), cv2.COLOR_RGB2BGR)
        ):
            raise BadInput(f"{self.image}: the picture cannot be written; choose a .png in a folder that exists")
        magnitude = flow_magnitude(flow)
        summary = {"flow": str(self.out), "mean_px": float(magnitude.mean()), "maximum_px": float(magnitude.max())}
        print(
            json.dumps(summary)
            if self.json
            else f"{self.out}: mean {summary['mean_px']:.3f} px, maximum {summary['maximum_px']:.3f} px"
        )
        return 0


def _check_names(out: Path, image: Path | None) -> None:
    """Refuse names that say another format, before anything is computed or written."""
    if out.suffix.lower() != ".npy" or out.is_dir():
        raise BadInput(f"{out}: the flow is written as .npy; give a file name that ends so")
    if image is not None and (image.suffix.lower() != ".png" or image.is_dir()):
        raise BadInput(f"{image}: the picture is written as .png; give a file name that ends so")


def _read_gray(path: Path) -> UInt8[np.ndarray, "H W"]:
    if not path.is_file():
        raise BadInput(f"{path}: no such image; check the path")
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise BadInput(f"{path}: not an image that can be read; give a PNG, JPEG, BMP or TIFF")
    return np.asarray(image, np.uint8)


def _write(path: Path, flow: np.ndarray) -> None:
    try:
        with path.open("wb") as file:
            np.save(file, flow)
    except OSError as fault:
        raise BadInput(f"{path}: the flow cannot be written ({fault.strerror}); choose another --out") from None


def defaults(_words: Sequence[str]) -> Flow:
    """Defaults under the flags."""
    return Flow(images=tyro.MISSING, out=tyro.MISSING)


COMMAND = Flow
