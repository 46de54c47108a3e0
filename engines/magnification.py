r"""Eulerian video magnification: make movements under a pixel visible.

A moving edge changes the brightness of the pixels that it passes. The changes of one temporal band are
amplified level by level of a Laplacian pyramid and added to the picture:

.. math:: \tilde I(x, t) = f(x + (1 + \alpha)\,\delta(t)), \qquad (1 + \alpha)\,\delta(t) < \lambda / 8

as long as the displacement stays small against the spatial wavelength.

Reference:
    Wu et al., Eulerian video magnification for revealing subtle changes in the world, ACM TOG 31(4), 2012.
    Settings of the EDSSNet paper: Laplacian pyramid of 3 levels, Butterworth band-pass 1–5 Hz, α = 20.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, Float32, Num, UInt8

from engines.band_pass import BandPass, BandPassDesign, design_band_pass, zero_phase
from engines.errors import BadInput

Pictures = Num[np.ndarray, "..."]
"""Images as uint8 or float32 of 0–255; other types are refused with a message."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_FINEST_WAVELENGTH_PX = 2 * np.sqrt(2)
"""Geometric middle of the finest Laplacian level, which holds wavelengths of about 2 to 4 pixels."""


@dataclass(frozen=True, kw_only=True)
class MagnificationParameters:
    """Settings of the magnification; the defaults are those of EDSSNet."""

    alpha: float = 20.0
    """Amplification; a movement in the band becomes 1 + α times as large."""
    low_hz: float = 1.0
    """Lower edge of the temporal band."""
    high_hz: float = 5.0
    """Upper edge of the temporal band; moved down to 0.9 of half the frame rate where that is lower."""
    order: int = 2
    """Order of the Butterworth prototype. EDSSNet does not state its own."""
    levels: int = 3
    """Levels of the Laplacian pyramid; the blurred rest is not amplified, so light changes are not either."""
    zero_phase: bool = True
    """Filter a window forwards and backwards, without delay; streaming is always forwards only."""
    chroma_attenuation: float = 0.1
    """Share of the amplification that colour differences get, 0 to 1. With 0 only brightness is filtered."""
    cutoff_wavelength_px: float | None = None
    """Below this spatial wavelength λc, α falls so that (1 + α)·δ ≤ λ/8, with δ = λc / (8·(1 + α)); Wu et al.
    fig. 6. None amplifies all levels alike, as EDSSNet does."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.alpha < 0 or self.levels < 1:
            raise BadInput(f"magnification: α = {self.alpha:g} and {self.levels} levels; give α ≥ 0 and a level")
        if not 0 <= self.chroma_attenuation <= 1:
            raise BadInput(f"magnification: chroma attenuation {self.chroma_attenuation:g} is not within 0 to 1")

    def alphas(self) -> tuple[float, ...]:
        """Amplification of each level, finest first."""
        if self.cutoff_wavelength_px is None:
            return (self.alpha,) * self.levels
        wavelengths = (_FINEST_WAVELENGTH_PX * 2**level for level in range(self.levels))
        bounds = (wavelength * (1 + self.alpha) / self.cutoff_wavelength_px - 1 for wavelength in wavelengths)
        return tuple(float(min(self.alpha, max(0.0, bound))) for bound in bounds)


LOOP_PARAMETERS = MagnificationParameters(alpha=10.0, cutoff_wavelength_px=8.0, chroma_attenuation=0.0)
"""Gentler settings, for a clip that a person looks at."""


_LOOP_MOVEMENT_PX = 4.0


class StreamingMagnifier:
    """Magnifies frame by frame: causal, constant cost and memory a frame.

    The output follows the movement with the delay of the band-pass, about 1 / (π · bandwidth) s per order.

    Args:
        frame_rate_hz: nominal frame rate, for the design of the filter.
        parameters: settings.

    Raises:
        BadInput: if the frame rate is too low for the band.
    """

    def __init__(self, frame_rate_hz: float, parameters: MagnificationParameters = MagnificationParameters()) -> None:
        self._parameters = parameters
        self._design = design_band_pass(parameters.low_hz, parameters.high_hz, parameters.order, frame_rate_hz)
        self._filters = [BandPass(self._design) for _ in range(parameters.levels)]
        self._nominal_step_s = 1 / frame_rate_hz
        self._shape: tuple[int, ...] | None = None

    @property
    def band_hz(self) -> tuple[float, float]:
        """The temporal band in use; its upper edge is lower than asked for at low frame rates."""
        return self._design.low_hz, self._design.high_hz

    def push(self, image: Pictures, *, step_s: float | None = None) -> Pictures:
        """Magnify the next frame.

        Args:
            image: (H, W) or (H, W, 3) RGB, uint8 or float32 of 0–255; always of one size.
            step_s: time since the frame before where the rate varies; the nominal period otherwise.

        Returns:
            An image of the same shape and type; uint8 is rounded and limited to 0–255, float32 is not
            limited.

        Raises:
            BadInput: if shape or type is wrong or changes.
        """
        _check(image, image.shape, self._parameters.levels)
        if self._shape is not None and image.shape != self._shape:
            raise BadInput(f"magnification: image of shape {image.shape} after {self._shape}; keep one size")
        self._shape = image.shape
        bands = laplacian_bands(_filterable(image, self._parameters), self._parameters.levels)
        step_s = self._nominal_step_s if step_s is None else step_s
        passed = [band_pass.push(band, step_s) for band_pass, band in zip(self._filters, bands, strict=True)]
        return _amplified(image, passed, self._parameters)


def magnify(
    frames: Pictures,
    times_s: Float[np.ndarray, " T"] | float,
    parameters: MagnificationParameters = MagnificationParameters(),
) -> Pictures:
    """Magnify a window of frames.

    Where the times are uneven every step of the filter has its own length; nothing is resampled. The whole
    window with its pyramid is held in memory as float32; use `StreamingMagnifier` for long videos.

    Args:
        frames: (T, H, W) or (T, H, W, 3) RGB, uint8 or float32 of 0–255.
        times_s: rising time of each frame, or one number: the frame rate in Hz.
        parameters: settings.

    Returns:
        Frames of the same shape and type; uint8 is rounded and limited to 0–255, float32 is not limited.

    Raises:
        BadInput: if shapes, types or times are wrong, or the frame rate is too low for the band.

    Reference:
        Wu et al., Eulerian video magnification for revealing subtle changes in the world, ACM TOG 31(4),
        2012.
    """
    if frames.ndim not in (3, 4) or len(frames) == 0:
        raise BadInput(f"magnification: frames of shape {frames.shape}; give (T, H, W) or (T, H, W, 3)")
    _check(frames, frames.shape[1:], parameters.levels)
    if len(frames) == 1:
        return frames.copy()
    steps_s = _steps(len(frames), times_s)
    design = design_band_pass(parameters.low_hz, parameters.high_hz, parameters.order, float(1 / np.median(steps_s)))
    if parameters.zero_phase:
        return _zero_phase_window(frames, steps_s, design, parameters)
    streaming = StreamingMagnifier(float(1 / np.median(steps_s)), parameters)
    magnified: Pictures = np.empty_like(frames)
    for index, frame in enumerate(frames):
        magnified[index] = streaming.push(frame, step_s=float(steps_s[index - 1]) if index else None)
    return magnified


def magnified_loop(
    crops: UInt8[np.ndarray, "T H W 3"],
    times_s: Float[np.ndarray, " T"] | float,
    parameters: MagnificationParameters | None = None,
    *,
    movement_px: float | None = None,
) -> UInt8[np.ndarray, "T H W 3"]:
    """A magnified clip for a person to look at: gentler, and calm where there is more noise than movement.

    Args:
        crops: aligned face crops around an event, RGB.
        times_s: time of each, or the frame rate in Hz.
        parameters: settings; by default α = 10, brightness only, wavelengths below 8 pixels attenuated.
        movement_px: largest movement in the clip, where known. The default α is then lowered so that no
            movement grows beyond 4 pixels: a broad smile would only tear the picture.

    Raises:
        BadInput: as `magnify`.
    """
    return magnify(crops, times_s, parameters or loop_parameters(movement_px))


def loop_parameters(movement_px: float | None) -> MagnificationParameters:
    """Settings of `magnified_loop` for a movement of known size in pixels of the clip."""
    if movement_px is None or (1 + LOOP_PARAMETERS.alpha) * movement_px <= _LOOP_MOVEMENT_PX:
        return LOOP_PARAMETERS
    return replace(LOOP_PARAMETERS, alpha=max(1.0, _LOOP_MOVEMENT_PX / movement_px - 1))


def laplacian_bands(image: Float32[np.ndarray, "..."], levels: int) -> list[Float32[np.ndarray, "..."]]:
    """The band-pass levels of a Laplacian pyramid, finest first, without the blurred rest.

    Reference:
        Burt and Adelson, The Laplacian pyramid as a compact image code, IEEE Trans. Comm. 31(4), 1983.
    """
    bands = []
    for _ in range(levels):
        smaller = cv2.pyrDown(image)
        bands.append(image - cv2.pyrUp(smaller, dstsize=(image.shape[1], image.shape[0])))
        image = np.asarray(smaller)
    return bands


def _zero_phase_window(
    frames: Pictures, steps_s: np.ndarray, design: BandPassDesign, parameters: MagnificationParameters
) -> Pictures:
    pyramids = [laplacian_bands(_filterable(frame, parameters), parameters.levels) for frame in frames]
    passed = [zero_phase(np.stack(level), steps_s, design) for level in zip(*pyramids, strict=True)]
    magnified: Pictures = np.empty_like(frames)
    for index, frame in enumerate(frames):
        magnified[index] = _amplified(frame, [level[index] for level in passed], parameters)
    return magnified


def _check(images: np.ndarray, shape: Sequence[int], levels: int) -> None:
    if images.dtype not in (np.uint8, np.float32):
        raise BadInput(f"magnification: images of {images.dtype}; give uint8 or float32 of 0–255")
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] != 3):
        raise BadInput(f"magnification: an image of shape {tuple(shape)}; give (H, W) or (H, W, 3)")
    if min(shape[:2]) < 2**levels:
        raise BadInput(f"magnification: {shape[1]}×{shape[0]} pixels are too few for {levels} pyramid levels")


def _steps(count: int, times_s: Float[np.ndarray, " T"] | float) -> Float[np.ndarray, " T_1"]:
    if isinstance(times_s, int | float):
        if not times_s > 0:
            raise BadInput(f"magnification: a frame rate of {times_s} Hz is not possible")
        return np.full(count - 1, 1 / times_s)
    if len(times_s) != count:
        raise BadInput(f"magnification: {len(times_s)} times for {count} frames")
    steps_s = np.diff(np.asarray(times_s, np.float64))
    if not (steps_s > 0).all():
        raise BadInput("magnification: the times of the frames must rise")
    return steps_s


def _filterable(image: np.ndarray, parameters: MagnificationParameters) -> Float32[np.ndarray, "..."]:
    """What has to be filtered: brightness alone when colour differences are not amplified."""
    if image.ndim == 2 or parameters.chroma_attenuation > 0:
        return image.astype(np.float32)
    return np.asarray(cv2.transform(image.astype(np.float32), _LUMA[None]))


def _amplified(
    image: Pictures, passed: Sequence[Float32[np.ndarray, "..."]], parameters: MagnificationParameters
) -> Pictures:
    change = _sum_of_levels(passed, parameters.alphas())
    if image.ndim == 3:
        change = _attenuate_chroma(change, parameters.chroma_attenuation)
    magnified: Float32[np.ndarray, "..."] = image + change
    if image.dtype == np.uint8:
        # Saturating and rounding in one pass.
        return np.asarray(cv2.convertScaleAbs(np.maximum(magnified, 0, out=magnified)))
    return magnified


def _sum_of_levels(passed: Sequence[Float32[np.ndarray, "..."]], alphas: Sequence[float]) -> Float32[np.ndarray, "..."]:
    total = np.asarray(passed[-1] * np.float32(alphas[-1]))
    for band, alpha in zip(reversed(passed[:-1]), reversed(alphas[:-1]), strict=True):
        total = np.asarray(cv2.pyrUp(total, dstsize=(band.shape[1], band.shape[0])))
        cv2.scaleAdd(band, alpha, total, total)
    return total


def _attenuate_chroma(change: Float32[np.ndarray, "..."], share: float) -> Float32[np.ndarray, "H W C"]:
    """Keep the change of brightness, reduce that of colour differences; linear, so the same as in YIQ."""
    if change.ndim == 2:
        return change[..., None]
    if share == 1:
        return change
    mixing = share * np.eye(3, dtype=np.float32) + (1 - share) * np.ones((3, 1), np.float32) * _LUMA
    return np.asarray(cv2.transform(change, mixing))
