"""Butterworth band-pass in time over whole images, at a constant or a varying frame rate."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex128, Float32, Float64
from scipy import signal

from engines.band_pass_kernel import advance
from engines.errors import BadInput

_HIGHEST_SHARE = 0.9
_NARROWEST = 1.1


@dataclass(frozen=True, kw_only=True)
class BandPassDesign:
    """A band-pass as a sum of damped oscillators, so that every step may have its own length."""

    low_hz: float
    """Lower edge, -3 dB."""
    high_hz: float
    """Upper edge, -3 dB; lower than asked for where the frame rate does not reach."""
    poles: Complex128[np.ndarray, " M"]
    """One of each conjugate pair, rad/s."""
    weights: Complex128[np.ndarray, " M"]
    """Residues at the poles, doubled for pairs."""


def design_band_pass(low_hz: float, high_hz: float, order: int, frame_rate_hz: float) -> BandPassDesign:
    """A Butterworth band-pass whose steps at `frame_rate_hz` equal SciPy's digital one exactly.

    The edges are pre-warped for the bilinear transform at the nominal rate. An upper edge above 0.9 of half
    the frame rate is moved down to there.

    Args:
        low_hz: lower edge.
        high_hz: upper edge.
        order: of the low-pass prototype; the band-pass falls by 20·order dB a decade on each side.
        frame_rate_hz: nominal frame rate.

    Raises:
        BadInput: if the edges are out of order or the frame rate is too low for the band.
    """
    if not 0 < low_hz < high_hz:
        raise BadInput(f"band of {low_hz:g} to {high_hz:g} Hz: the edges must be positive and rise")
    if not (1 <= order <= 5 and np.isfinite(frame_rate_hz) and frame_rate_hz > 0):
        raise BadInput(f"band-pass of order {order} at {frame_rate_hz:g} frames/s: give order 1 to 5 and a rate")
    high_hz = min(high_hz, _HIGHEST_SHARE * frame_rate_hz / 2)
    if high_hz < _NARROWEST * low_hz:
        raise BadInput(
            f"{frame_rate_hz:g} frames/s are too few for movements of {low_hz:g} Hz; "
            f"give at least {2 * _NARROWEST * low_hz / _HIGHEST_SHARE:.1f} frames/s or a lower band"
        )
    edges = 2 * frame_rate_hz * np.tan(np.pi * np.array([low_hz, high_hz]) / frame_rate_hz)
    zeros, poles, gain = signal.butter(order, edges, "bandpass", analog=True, output="zpk")
    residues = np.array([_residue(pole, zeros, poles, gain) for pole in poles])
    real = np.abs(poles.imag) < 1e-9 * np.abs(poles)
    kept = real | (poles.imag > 0)
    weights = np.where(real, 1.0, 2.0) * residues
    return BandPassDesign(
        low_hz=float(low_hz), high_hz=float(high_hz), poles=poles[kept] + 0j, weights=weights[kept] + 0j
    )


def _residue(pole: complex, zeros: np.ndarray, poles: np.ndarray, gain: float) -> complex:
    others = poles[poles != pole]
    return complex(gain * np.prod(pole - zeros) / np.prod(pole - others))


class BandPass:
    """The filter at work on a series of images of one size; constant cost and memory.

    The first image counts as rest: filtering starts from the state in which that image stood for ever.

    Args:
        design: from `design_band_pass`.
    """

    def __init__(self, design: BandPassDesign) -> None:
        self._design = design
        self._weight = _pairs(design.weights)
        self._step_s = 0.0
        self._decay = self._drive = self._weight
        self._first: Float32[np.ndarray, "..."] | None = None

    def push(self, image: Float32[np.ndarray, "..."], step_s: float) -> Float32[np.ndarray, "..."]:
        """The part of the new image that lies in the band, same shape and unit.

        Args:
            image: of the shape of the first one.
            step_s: time since the image before; ignored for the first.

        Raises:
            BadInput: if the time does not rise.
        """
        if self._first is None:
            self._first = image.copy()
            self._previous = np.zeros(image.size, np.float32)
            self._state = np.zeros((self._design.poles.size, 2, image.size), np.float32)
            return np.zeros_like(image)
        if not step_s > 0:
            raise BadInput(f"two images {step_s:g} s apart: times must rise")
        self._set_step(step_s)
        # Movement is small against the picture: filtering the deviation keeps single precision good enough.
        deviation = (image - self._first).reshape(-1)
        passed: Float32[np.ndarray, " N"] = np.empty_like(deviation)
        advance(deviation, self._previous, self._state, self._decay, self._drive, self._weight, passed)
        return passed.reshape(image.shape)

    def _set_step(self, step_s: float) -> None:
        if step_s == self._step_s:
            return
        # Bilinear transform of each mode, z' = p z + u, over this step.
        half = self._design.poles * (step_s / 2)
        self._decay = _pairs((1 + half) / (1 - half))
        self._drive = _pairs((step_s / 2) / (1 - half))
        self._step_s = step_s


def zero_phase(
    images: Float32[np.ndarray, "T ..."], steps_s: Float64[np.ndarray, " T_1"], design: BandPassDesign
) -> Float32[np.ndarray, "T ..."]:
    """Filter forwards and then backwards: no delay, the gain squared.

    Both ends are continued by the series turned about its end point, for one period of the lower edge or as
    far as the series reaches. All of it is linear in the images, so it is done as one matrix over time.

    Args:
        images: the series, at least two.
        steps_s: (T - 1,) times between the images.
        design: the band-pass.
    """
    deviation = (images - images[0]).reshape(len(images), -1)
    passed: Float32[np.ndarray, "T ..."] = zero_phase_matrix(steps_s, design) @ deviation
    return passed.reshape(images.shape)


def zero_phase_matrix(steps_s: Float64[np.ndarray, " T_1"], design: BandPassDesign) -> Float32[np.ndarray, "T T"]:
    """The matrix that takes a series to its zero-phase band; row t weighs all moments for moment t."""
    count = len(steps_s) + 1
    reach = int(np.searchsorted(np.cumsum(steps_s), 1 / design.low_hz)) + 1
    reach = min(reach, count - 1)
    moments = np.eye(count, dtype=np.float32)
    begin = 2 * moments[:1] - moments[reach:0:-1]
    end = 2 * moments[-1:] - moments[-2 : -reach - 2 : -1]
    steps = np.concatenate([steps_s[reach - 1 :: -1], steps_s, steps_s[: -reach - 1 : -1]])
    forward = _filtered(np.concatenate([begin, moments, end]), steps, design)
    backward = _filtered(np.ascontiguousarray(forward[::-1]), steps[::-1], design)
    return np.ascontiguousarray(backward[::-1][reach : reach + count])


def _filtered(
    images: Float32[np.ndarray, "T ..."], steps_s: Float64[np.ndarray, " T_1"], design: BandPassDesign
) -> Float32[np.ndarray, "T ..."]:
    band = BandPass(design)
    return np.stack(
        [band.push(image, float(steps_s[index - 1]) if index else 0.0) for index, image in enumerate(images)]
    )


def _pairs(numbers: Complex128[np.ndarray, " M"]) -> Float32[np.ndarray, "M 2"]:
    return np.asarray(np.stack([numbers.real, numbers.imag], axis=1), np.float32)
