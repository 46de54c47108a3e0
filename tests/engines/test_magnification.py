"""Magnification against known movements, SciPy's filter, and itself as a stream."""

import tracemalloc

import cv2
import numpy as np
import pytest
from jaxtyping import Float32
from scipy import signal

from engines.band_pass import BandPass, design_band_pass, zero_phase
from engines.errors import BadInput
from engines.magnification import (
    LOOP_PARAMETERS,
    MagnificationParameters,
    StreamingMagnifier,
    laplacian_bands,
    loop_parameters,
    magnified_loop,
    magnify,
)

RATE_HZ = 60.0
WAVELENGTH_PX = 12.0


def moving_grating(
    displacement_px: Float32[np.ndarray, " T"], wavelength_px: float = WAVELENGTH_PX
) -> Float32[np.ndarray, "T 64 96"]:
    """Vertical stripes of 128 ± 50 that move to the right."""
    x = np.arange(96, dtype=np.float32)
    phase = 2 * np.pi * (x[None] - displacement_px[:, None]) / wavelength_px
    rows = (128 + 50 * np.sin(phase)).astype(np.float32)
    return np.asarray(np.repeat(rows[:, None], 64, axis=1))


def measured_px(
    frames: Float32[np.ndarray, "T H W"], wavelength_px: float = WAVELENGTH_PX
) -> Float32[np.ndarray, " T"]:
    """Displacement of the stripes from their phase, over whole wavelengths away from the border."""
    x = np.arange(24, 72)
    carrier = np.exp(-2j * np.pi * x / wavelength_px)
    phase = np.unwrap(np.angle(frames[:, 32, 24:72] @ carrier))
    return np.asarray(-(phase - phase[0]) * wavelength_px / (2 * np.pi), np.float32)


def magnified_amplitude(frequency_hz: float, parameters: MagnificationParameters, rate_hz: float) -> float:
    """Amplitude of a known sub-pixel swing after magnification, as a multiple of the original."""
    seconds = max(2.0, 1 / frequency_hz)  # whole periods of every frequency used
    times = np.arange(round(3 * seconds * rate_hz)) / rate_hz
    amplitude = 0.02
    displacement = (amplitude * np.sin(2 * np.pi * frequency_hz * times)).astype(np.float32)
    seen = measured_px(magnify(moving_grating(displacement), times, parameters))
    middle = slice(len(times) // 3, 2 * len(times) // 3)
    turning = np.exp(-2j * np.pi * frequency_hz * times[middle])
    return float(2 * abs(np.mean((seen[middle] - seen[middle].mean()) * turning)) / amplitude)


@pytest.mark.parametrize("rate_hz", [30.0, 60.0, 200.0])
@pytest.mark.parametrize("forwards_only", [True, False])
def test_movement_in_the_band_grows_by_one_plus_alpha(rate_hz: float, forwards_only: bool) -> None:
    parameters = MagnificationParameters(alpha=10, zero_phase=not forwards_only)
    # The three levels hold all but the blurred rest of stripes of this wavelength.
    still = moving_grating(np.zeros(1, np.float32))[0]
    held = np.ptp(sum_of(laplacian_bands(still, 3))[32, 24:72]) / np.ptp(still[32, 24:72])
    assert held > 0.9
    growth = magnified_amplitude(2.5, parameters, rate_hz)
    assert growth == pytest.approx(1 + 10 * held, rel=0.08)


@pytest.mark.parametrize("frequency_hz", [0.2, 12.0])
def test_movement_outside_the_band_stays(frequency_hz: float) -> None:
    zero_phase_growth = magnified_amplitude(frequency_hz, MagnificationParameters(alpha=10), 60)
    assert zero_phase_growth == pytest.approx(1, abs=0.25)
    causal = MagnificationParameters(alpha=10, zero_phase=False, order=3)
    assert magnified_amplitude(frequency_hz, causal, 60) == pytest.approx(1, abs=0.6)


def sum_of(bands: list[Float32[np.ndarray, "..."]]) -> Float32[np.ndarray, "H W"]:
    total = bands[-1]
    for band in reversed(bands[:-1]):
        total = band + np.asarray(cv2.pyrUp(total, dstsize=(band.shape[1], band.shape[0])))
    return total


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("band", [(1.0, 5.0), (0.4, 3.0)])
def test_band_pass_is_scipys_butterworth(order: int, band: tuple[float, float]) -> None:
    series = np.random.default_rng(0).normal(0, 1, (300, 5)).astype(np.float32).cumsum(axis=0)
    sections = signal.butter(order, band, "bandpass", fs=RATE_HZ, output="sos")
    expected = signal.sosfilt(sections, series - series[0], axis=0)
    design = design_band_pass(*band, order, RATE_HZ)
    band_pass = BandPass(design)
    ours = np.stack([band_pass.push(row, 1 / RATE_HZ) for row in series])
    np.testing.assert_allclose(ours, expected, atol=2e-4 * np.abs(expected).max())
    both_ways = zero_phase(series, np.full(299, 1 / RATE_HZ), design)
    padding = int(np.ceil(RATE_HZ / band[0] - 1e-9))
    expected = signal.sosfiltfilt(sections, series, axis=0, padlen=padding)
    np.testing.assert_allclose(both_ways, expected, atol=0.02 * np.abs(expected).max())


def test_uneven_times_give_the_same_movement() -> None:
    rng = np.random.default_rng(4)
    times = np.sort(np.concatenate([[0.0, 4.0], rng.uniform(0, 4, 480)]))
    times = times[np.concatenate([[True], np.diff(times) > 1e-4])]
    displacement = (0.02 * np.sin(2 * np.pi * 2.5 * times)).astype(np.float32)
    seen = measured_px(magnify(moving_grating(displacement), times, MagnificationParameters(alpha=10)))
    middle = (times > 1) & (times < 3)
    expected = 0.02 * 11 * np.sin(2 * np.pi * 2.5 * times)
    difference = (seen - seen[middle].mean())[middle] - (expected - expected[middle].mean())[middle]
    assert np.abs(difference).max() < 0.15 * 0.22
    # Taking the frames for evenly spaced is far off, so the times matter.
    even = measured_px(magnify(moving_grating(displacement), len(times) / 4.0, MagnificationParameters(alpha=10)))
    wrong = (even - even[middle].mean())[middle] - (expected - expected[middle].mean())[middle]
    assert np.abs(wrong).max() > 2 * np.abs(difference).max()


def test_zero_phase_keeps_the_apex_in_its_place() -> None:
    times = np.arange(120) / RATE_HZ
    displacement = (0.05 * np.exp(-(((times - 1.0) / 0.1) ** 2))).astype(np.float32)
    seen = measured_px(magnify(moving_grating(displacement), times, MagnificationParameters(alpha=10)))
    assert abs(int(np.argmax(seen)) - 60) <= 1


def test_streaming_is_the_causal_window() -> None:
    frames = np.random.default_rng(2).integers(0, 256, (20, 40, 56, 3), dtype=np.uint8)
    parameters = MagnificationParameters(alpha=4, zero_phase=False)
    streaming = StreamingMagnifier(RATE_HZ, parameters)
    one_by_one = np.stack([streaming.push(frame) for frame in frames])
    np.testing.assert_array_equal(one_by_one, magnify(frames, RATE_HZ, parameters))


@pytest.mark.parametrize("forwards_only", [True, False])
def test_a_still_picture_stays_as_it_is(forwards_only: bool) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (33, 47, 3), dtype=np.uint8)
    frames = np.repeat(picture[None], 12, axis=0)
    parameters = MagnificationParameters(zero_phase=not forwards_only)
    np.testing.assert_array_equal(magnify(frames, 30.0, parameters), frames)


def test_light_that_changes_everywhere_is_not_amplified() -> None:
    times = np.arange(120) / RATE_HZ
    light = 5 * np.sin(2 * np.pi * 2.5 * times).astype(np.float32)
    frames = moving_grating(np.zeros(120, np.float32)) + light[:, None, None]
    np.testing.assert_allclose(magnify(frames, times), frames, atol=0.05)


def test_colour_differences_are_attenuated() -> None:
    times = np.arange(120) / RATE_HZ
    gray = moving_grating((0.05 * np.sin(2 * np.pi * 2.5 * times)).astype(np.float32))
    red = np.stack([gray, np.full_like(gray, 128), np.full_like(gray, 128)], axis=-1)

    def change(share: float) -> Float32[np.ndarray, "T H W 3"]:
        return np.asarray(magnify(red, times, MagnificationParameters(chroma_attenuation=share)) - red)

    full, none, tenth = change(1.0), change(0.0), change(0.1)
    assert np.abs(full[..., 1:]).max() < 1e-3
    np.testing.assert_allclose(none[..., 0], 0.299 * full[..., 0], atol=0.02)
    np.testing.assert_allclose(none[..., 0], none[..., 2], atol=1e-3)
    np.testing.assert_allclose(tenth, 0.9 * none + 0.1 * full, atol=0.02)


def test_fine_wavelengths_are_bounded_as_by_wu() -> None:
    parameters = MagnificationParameters(alpha=20, cutoff_wavelength_px=16)
    alphas = parameters.alphas()
    largest_px = 16 / (8 * 21)
    for level, alpha in enumerate(alphas):
        wavelength = 2 * np.sqrt(2) * 2**level
        assert (1 + alpha) * largest_px <= wavelength / 8 + 1e-9
    assert alphas[0] < alphas[1] < alphas[2] < 20
    assert MagnificationParameters().alphas() == (20, 20, 20)


def test_memory_of_streaming_is_constant() -> None:
    streaming = StreamingMagnifier(RATE_HZ)
    frames = np.random.default_rng(2).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    for index in range(10):
        streaming.push(frames[index % 4])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for index in range(100):
        streaming.push(frames[index % 4])
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < frames[0].nbytes


def test_a_low_frame_rate_lowers_the_band_or_is_refused() -> None:
    assert StreamingMagnifier(30).band_hz == (1, 5)
    assert StreamingMagnifier(8).band_hz[1] == pytest.approx(3.6)
    with pytest.raises(BadInput, match=r"2 frames/s are too few for movements of 1 Hz; give at least 2\.4"):
        StreamingMagnifier(2)


def test_bad_windows_are_named() -> None:
    frames = np.zeros((5, 32, 32), np.uint8)
    with pytest.raises(BadInput, match="4 times for 5 frames"):
        magnify(frames, np.arange(4) / 30)
    with pytest.raises(BadInput, match="must rise"):
        magnify(frames, np.array([0, 1, 1, 2, 3]) / 30)
    with pytest.raises(BadInput, match="float64"):
        magnify(frames.astype(np.float64), 30.0)
    with pytest.raises(BadInput, match="too few for 3 pyramid levels"):
        magnify(frames[:, :6], 30.0)
    magnifier = StreamingMagnifier(30)
    magnifier.push(frames[0])
    with pytest.raises(BadInput, match="keep one size"):
        magnifier.push(np.zeros((40, 32), np.uint8))


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_loop_for_the_report_is_gentle_and_takes_short_clips(count: int) -> None:
    rng = np.random.default_rng(5)
    clip = np.clip(128 + rng.normal(0, 2, (count, 48, 40, 3)), 0, 255).astype(np.uint8)
    loop = magnified_loop(clip, 60.0)
    assert loop.shape == clip.shape
    assert loop.dtype == np.uint8
    if count == 40:
        strong = magnify(clip, 60.0)
        assert loop.astype(float).std() < 0.7 * strong.astype(float).std()


def test_loop_of_a_large_movement_is_magnified_less() -> None:
    assert loop_parameters(None) == loop_parameters(0.3) == LOOP_PARAMETERS
    assert loop_parameters(1.0).alpha == pytest.approx(3)
    assert loop_parameters(6.0).alpha == 1
    times = np.arange(90) / RATE_HZ
    gray = moving_grating(np.sin(2 * np.pi * 2.5 * times).astype(np.float32), 24.0).astype(np.uint8)
    clip = np.repeat(gray[..., None], 3, axis=-1)
    known = magnified_loop(clip, times, movement_px=1.0).astype(float) - clip
    unknown = magnified_loop(clip, times).astype(float) - clip
    assert np.abs(known).mean() < 0.6 * np.abs(unknown).mean()
