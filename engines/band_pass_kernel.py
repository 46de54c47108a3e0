"""One step of a Butterworth band-pass over an image, in the modes of the analogue filter."""

import numpy as np

from engines.compilation import compiled


@compiled(fastmath=True)
def advance(
    current: np.ndarray,
    previous: np.ndarray,
    state: np.ndarray,
    decay: np.ndarray,
    drive: np.ndarray,
    weight: np.ndarray,
    passed: np.ndarray,
) -> None:
    """Take one image in: update the modes, give the band, remember the image.

    Args:
        current: float32 (N,) deviation of the new image.
        previous: float32 (N,) deviation of the image before; overwritten by `current`.
        state: float32 (M, 2, N) real and imaginary part of each mode; updated.
        decay: float32 (M, 2) what a mode keeps over this step.
        drive: float32 (M, 2) what it takes from the sum of the two images.
        weight: float32 (M, 2) its share in the output.
        passed: float32 (N,) the band, written.
    """
    for mode in range(state.shape[0]):
        decay_re, decay_im = decay[mode, 0], decay[mode, 1]
        drive_re, drive_im = drive[mode, 0], drive[mode, 1]
        weight_re, weight_im = weight[mode, 0], weight[mode, 1]
        real, imaginary = state[mode, 0], state[mode, 1]
        for i in range(current.size):
            both = current[i] + previous[i]
            re = decay_re * real[i] - decay_im * imaginary[i] + drive_re * both
            im = decay_re * imaginary[i] + decay_im * real[i] + drive_im * both
            real[i] = re
            imaginary[i] = im
            share = weight_re * re - weight_im * im
            if mode == 0:
                passed[i] = share
            else:
                passed[i] += share
    for i in range(current.size):
        previous[i] = current[i]
