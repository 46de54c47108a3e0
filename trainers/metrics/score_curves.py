"""Intervals from the score curve of a spotting network, picked as the published networks pick them.

Networks such as SOFTNet, MEAN and SL-Swin give every frame of a video a score; the expressions are where its smoothed
curve peaks. `intervals_from_scores` is that last step, with the conventions that reproduce SL-Swin's published counts
for macro-expressions of CAS(ME)² (TP 70, FP 258, FN 228, F1 0.2236) from its published curves:

- Smoothing averages 2k frames, k before a frame and k − 1 after it, and only where all of them exist: k frames at the
  beginning and k − 1 at the end have no smoothed score and hold no peak. Padding the curve instead, or averaging
  2k + 1 frames, gives other counts.
- Mean and maximum of the threshold are those of the smoothed curve.
- A peak is higher than its neighbours (the middle of a plateau), at least as high as the threshold, and at least k
  frames from any higher peak.
- A curve without a peak counts as one interval of no length at frame 0: a false alarm. Leaving it out takes one of
  the 258 away (F1 0.2240).
- An interval of frames [a, b] is b − a long; counting b − a + 1 makes one overlap more reach 0.5 (TP 71).

Both ways of pairing in `trainers.metrics.interval_matching` give the published counts.

Reference:
    Moilanen, Zhao and Pietikäinen, Spotting rapid facial movements from videos using appearance-based feature
    difference analysis, ICPR 2014, for the threshold.
    Liong, See and Wong, Shallow optical flow three-stream CNN for macro- and micro-expression spotting from long
    videos, ICIP 2021 (SOFTNet), for smoothing and intervals.
    He et al., SL-Swin: a transformer-based deep learning approach for macro- and micro-expression spotting on
    small-size expression datasets, Electronics 12, 2023, for the curves.
"""

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from scipy.signal import find_peaks

from engines.errors import BadInput
from realtime.events import Kind
from trainers.metrics.interval_matching import Interval

SCORE, TRUTH = "__score", "__gt"
"""How the names of a curve and of its true intervals end, after "SET__VIDEO"."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreCurve:
    """Scores and true expressions of one video."""

    video: str
    scores: Float[np.ndarray, "F"]
    """One a frame; higher where an expression is likelier."""
    truths: Int[np.ndarray, "T 2"]
    """First and last frame of each true expression, counted from 0."""


def intervals_from_scores(
    scores: Float[np.ndarray, "F"],
    half_length: int,
    *,
    threshold_share: float = 0.6,
    empty_interval: bool = True,
) -> Int[np.ndarray, "P 3"]:
    r"""Pick the expressions out of a score curve.

    .. math:: T = \bar s + p\,(\max s - \bar s)

    with :math:`s` the scores smoothed over 2k frames; each peak of at least T becomes the interval from k frames
    before it to k frames after it. The module says what exactly is smoothed and what is a peak.

    Args:
        scores: one a frame.
        half_length: k, half the length of a typical expression, frames; see `typical_half_length`.
        threshold_share: p, 0 to 1; published networks take 0.55 to 0.6.
        empty_interval: give one interval of no length at frame 0 where there is no peak, as published code does.

    Returns:
        Onset, apex and offset of each interval in rising order, frames counted from 0.

    Raises:
        BadInput: if the curve is shorter than 2k frames or holds values that are not finite, or k or p make no sense.
    """
    if half_length < 1 or not 0.0 <= threshold_share <= 1.0:
        raise BadInput(f"half length {half_length} and share {threshold_share}: give k ≥ 1 frames and 0 ≤ p ≤ 1")
    if len(scores) < 2 * half_length:
        raise BadInput(f"{len(scores)} scores are too few to be smoothed over {2 * half_length}; give a smaller k")
    if not np.isfinite(scores).all():
        raise BadInput("the scores hold values that are not finite (NaN or infinity); mend the curve")
    smooth = np.lib.stride_tricks.sliding_window_view(scores, 2 * half_length).mean(axis=-1)
    threshold = smooth.mean() + threshold_share * (smooth.max() - smooth.mean())
    apexes = find_peaks(smooth, height=threshold, distance=half_length)[0] + half_length
    if not len(apexes) and empty_interval:
        return np.zeros((1, 3), np.int64)
    picked: Int[np.ndarray, "P 3"] = apexes[:, None] + np.array([-half_length, 0, half_length])
    return picked


def typical_half_length(truths: Sequence[Int[np.ndarray, "_ 2"]]) -> int:
    """Half the mean length of the true expressions plus one, rounded down: SOFTNet's k.

    Args:
        truths: first and last frames of the expressions of each video.

    Returns:
        k, frames; at least 1.

    Raises:
        BadInput: if there is no expression.
    """
    lengths = np.concatenate([own[:, 1] - own[:, 0] for own in truths]) if truths else np.zeros(0)
    if not lengths.size:
        raise BadInput("no true expression tells how long one is; give the half length k yourself")
    return max(int((lengths.mean() + 1.0) / 2.0), 1)


def load_score_curves(path: str | Path, kind: Kind) -> list[ScoreCurve]:
    """Read the curves of one kind of expression; nothing in the file is unpickled.

    Args:
        path: an .npz file with `SET__VIDEO__score`, one score a frame, and `SET__VIDEO__gt` of shape (T, 2), first and
            last frames of the true expressions, counted from 0.
        kind: takes sets whose name ends in that kind, such as "casme_sq_macro", and those that end in neither.

    Returns:
        The curves, in the order of their names.

    Raises:
        BadInput: in one line, naming the file and what is wrong with it.
    """
    file = Path(path)
    arrays = _arrays(file)
    other = "micro" if kind == "macro" else "macro"
    names = sorted(name.removesuffix(SCORE) for name in arrays if name.endswith(SCORE))
    kept = [name for name in names if not name.split("__")[0].endswith(other)]
    if not kept:
        raise BadInput(f"score curves {file}: no {kind} curve in it; arrays must be named SET_{kind}__VIDEO{SCORE}")
    return [_curve(file, arrays, name) for name in kept]


def curve_intervals(
    curve: ScoreCurve,
    kind: Kind,
    half_length: int,
    *,
    threshold_share: float,
    frame_rate_hz: float,
    empty_interval: bool = True,
) -> tuple[list[Interval], list[Interval]]:
    """True and picked expressions of one curve, in seconds.

    Args:
        curve: of one video.
        kind: what its expressions are.
        half_length: k, frames.
        threshold_share: p.
        frame_rate_hz: of the video.
        empty_interval: count a curve without a peak as one false alarm.

    Returns:
        Truths and picked intervals.

    Raises:
        BadInput: naming the video, if its curve cannot be used.
    """
    try:
        picked = intervals_from_scores(
            curve.scores, half_length, threshold_share=threshold_share, empty_interval=empty_interval
        )
    except BadInput as fault:
        raise BadInput(f"score curve {curve.video}: {fault}") from None

    def interval(onset: int, offset: int, apex: int | None = None) -> Interval:
        return Interval(
            video=curve.video,
            onset_s=onset / frame_rate_hz,
            apex_s=None if apex is None else apex / frame_rate_hz,
            offset_s=offset / frame_rate_hz,
            kind=kind,
        )

    truths = [interval(int(onset), int(offset)) for onset, offset in curve.truths]
    return truths, [interval(int(onset), int(offset), int(apex)) for onset, apex, offset in picked]


def _arrays(file: Path) -> dict[str, np.ndarray]:
    if not file.is_file():
        raise BadInput(f"score curves {file}: no such file; give an .npz file")
    try:
        with np.load(file, allow_pickle=False) as opened:
            return {name: opened[name] for name in opened.files}
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error):
        raise BadInput(f"score curves {file}: cannot be read as .npz without pickled objects; make it again") from None


def _curve(file: Path, arrays: dict[str, np.ndarray], name: str) -> ScoreCurve:
    scores, truths = arrays[name + SCORE], arrays.get(name + TRUTH)
    if truths is None:
        raise BadInput(f"score curves {file}: {name} has scores and no true intervals; add {name}{TRUTH}, empty or not")
    if scores.ndim != 1 or scores.dtype.kind != "f":
        raise BadInput(f"score curves {file}: {name}{SCORE} is {scores.dtype} {scores.shape}; give one float a frame")
    truths = truths.reshape(0, 2) if not truths.size else truths
    if truths.ndim != 2 or truths.shape[1] != 2 or (truths.size and truths.dtype.kind not in "iu"):
        raise BadInput(f"score curves {file}: {name}{TRUTH} is {truths.dtype} {truths.shape}; give frames, (T, 2)")
    if (truths[:, 1] < truths[:, 0]).any():
        raise BadInput(f"score curves {file}: {name}{TRUTH} holds an interval that ends before it begins; mend it")
    return ScoreCurve(video=name, scores=scores, truths=truths.astype(np.int64))
