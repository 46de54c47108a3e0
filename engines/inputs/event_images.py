"""The pictures of one event, and what the recipes derive from them, each thing once."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from engines.errors import BadInput
from engines.flow import Tvl1Parameters, tvl1
from engines.inputs.steady_flow import FlowSolver, steady_flow
from engines.strain import optical_strain

GrayImage = UInt8[np.ndarray, "_ _"] | Float32[np.ndarray, "_ _"]
"""Gray, 0–255, (height, width)."""


@dataclass(frozen=True, kw_only=True)
class EventImages:
    """Onset, apex and offset of one expression, gray, in canonical geometry (see `DESIGN`: the aligned crop).

    Raises:
        BadInput: if the three are not gray images of one size.
    """

    onset: GrayImage
    """0–255."""
    apex: GrayImage
    offset: GrayImage
    magnified_apex: GrayImage | None = None
    """Apex after Eulerian magnification of the whole clip, where the clip was at hand."""
    flow_parameters: Tvl1Parameters | None = None
    """Of TV-L1; OpenCV's defaults if None."""
    flow_engine: FlowSolver | None = None
    """What computes TV-L1, such as `engines.flow.open_flow` gives; the CPU if None."""

    def __post_init__(self) -> None:
        for name in ("onset", "apex", "offset"):
            image = getattr(self, name)
            if image.ndim != 2 or image.shape != self.onset.shape:
                raise BadInput(f"{name} image must be gray and as large as the onset image, not {image.shape}")

    @cached_property
    def flow(self) -> Float32[np.ndarray, "2 h w"]:
        """Onset to apex, head movement removed, pixels of the images."""
        return self._steady_flow(self.onset, self.apex)

    @cached_property
    def return_flow(self) -> Float32[np.ndarray, "2 h w"]:
        """Apex to offset, head movement removed, pixels of the images."""
        return self._steady_flow(self.apex, self.offset)

    @cached_property
    def strain(self) -> Float32[np.ndarray, "h w"]:
        """Optical strain of `flow` with both in the same pixels, dimensionless."""
        return strain_of(self.flow, self.onset.shape[1])

    @cached_property
    def exaggerated_apex(self) -> Float32[np.ndarray, "H W"]:
        """The apex magnified, from the clip where it was at hand, else from onset and apex alone; 0–255."""
        if self.magnified_apex is not None:
            return self.magnified_apex.astype(np.float32)
        return magnified_step(self.onset.astype(np.float32), self.apex.astype(np.float32))

    def _steady_flow(self, previous: GrayImage, following: GrayImage) -> Float32[np.ndarray, "2 h w"]:
        return steady_flow(previous, following, self.flow_parameters, solve=self.flow_engine or tvl1)


def strain_of(flow: Float32[np.ndarray, "2 h w"], image_width: int) -> Float32[np.ndarray, "h w"]:
    """Optical strain of a flow whose field is coarser than the pixels that it is measured in.

    Args:
        flow: displacement in pixels of an image `image_width` wide.
        image_width: of those pixels, how many cross the field.

    Returns:
        Strain magnitude, dimensionless.
    """
    strain: np.ndarray = optical_strain(flow * np.float32(flow.shape[2] / image_width))
    return strain


def magnified_step(onset: Float32[np.ndarray, "H W"], apex: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Eulerian magnification of a single step in brightness.

    With two frames there is no pass band: the whole change between them takes the place of the band-passed
    signal, the three detail levels of its Laplacian pyramid are multiplied, its coarse rest is left out, as
    light that changes over the whole face is no movement.

    Args:
        onset: gray image before, 0–255.
        apex: gray image after.

    Returns:
        The apex with the change exaggerated, clipped to 0–255.

    Reference:
        Wu, Rubinstein, Shih, Guttag, Durand, Freeman, Eulerian video magnification for revealing subtle
        changes in the world, SIGGRAPH 2012; magnification and levels as in Li et al., EDSSNet, 2021.
    """
    # Brings SciPy's filters in, which take a second to load, and only EDSSNet comes here.
    from engines.magnification import MagnificationParameters

    settings = MagnificationParameters()
    change = apex - onset
    sizes = [change.shape]
    coarse = change
    for _ in range(settings.levels):
        coarse = cv2.pyrDown(coarse)
        sizes.append(coarse.shape)
    for height, width in reversed(sizes[:-1]):
        coarse = cv2.pyrUp(coarse, dstsize=(width, height))
    exaggerated: np.ndarray = np.clip(apex + np.float32(settings.alpha) * (change - coarse), 0, 255)
    return exaggerated
