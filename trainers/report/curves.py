"""Learning curves as SVG paths: a mean over folds with its band, epoch by epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from realtime.report.wording import counted
from trainers.fold_record import FoldRecord
from trainers.report.predictions import Predictions

WIDTH, HEIGHT = 1000, 100
"""Units of a curve's view box; the page stretches them."""
BAND = (10, 90)
"""Percentiles of the folds between which the band lies."""
MOST_POINTS = 400


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve."""

    name: str
    look: str
    path: str
    band: str
    """Filled; empty for a single curve."""
    last: str
    """Its value at the end."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves over the epochs, with their scale."""

    name: str
    words: str
    lines: Sequence[Line]
    marks: Sequence[tuple[float, str]]
    """Values beside the axis: percent from the top, and what to write there."""
    epochs: Sequence[tuple[float, str]]
    """Percent from the left, and the epoch's number."""


def loss_chart(folds: Sequence[FoldRecord]) -> Chart | None:
    """Training and, where there is an inner split, validation loss; None where no fold tells of epochs."""
    training = _stacked([fold.training_losses for fold in folds])
    if training.shape[1] < 2:
        return None
    series = [("training", "training", training)]
    validation = _stacked([fold.validation_losses for fold in folds])
    if validation.shape[1]:
        series.append(("inner validation", "validation", validation))
    top = 1.06 * max(float(np.nanmax(np.nanpercentile(values, BAND[1], axis=0))) for _, _, values in series)
    words = f"Mean over {counted(len(folds), 'training')} (folds × seeds); the band holds 80 % of them."
    if len({len(fold.training_losses) for fold in folds}) > 1:
        words += " Folds end at different epochs: further right, the mean is over those still training."
    return Chart(
        name="Loss",
        words=words,
        lines=[_line(name, look, values, top) for name, look, values in series],
        marks=_marks(top),
        epochs=_epochs(training.shape[1]),
    )


def test_chart(predictions: Predictions) -> Chart | None:
    """Pooled UF1 of the tested clips after each epoch, one curve a seed; None for a single epoch."""
    if predictions.by_epoch.shape[1] < 2:
        return None
    curves = zip(predictions.seeds, predictions.uf1_by_epoch(), strict=True)
    lines = [_line(f"seed {seed}", "test", scores[None], 1.0) for seed, scores in curves]
    return Chart(
        name="UF1 of the tested clips",
        words="Pooled over all folds, one curve a seed. Not used for anything: no epoch, no setting was chosen by it.",
        lines=lines,
        marks=[(0.0, "1"), (50.0, "0.5"), (100.0, "0")],
        epochs=_epochs(predictions.by_epoch.shape[1]),
    )


def _stacked(curves: Sequence[np.ndarray]) -> Float64[np.ndarray, "folds epochs"]:
    """Curves of different lengths, NaN after the end of each."""
    longest = max((len(curve) for curve in curves), default=0)
    stacked = np.full((len(curves), longest), np.nan)
    for row, curve in zip(stacked, curves, strict=True):
        row[: len(curve)] = curve
    return stacked


def _line(name: str, look: str, values: Float64[np.ndarray, "folds epochs"], top: float) -> Line:
    epochs = np.unique(np.linspace(0, values.shape[1] - 1, min(values.shape[1], MOST_POINTS)).round().astype(int))
    x = np.round(epochs / max(values.shape[1] - 1, 1) * WIDTH, 1)
    mean = np.nanmean(values[:, epochs], axis=0)
    band = ""
    if len(values) > 1:
        low, high = np.nanpercentile(values[:, epochs], BAND, axis=0)
        there, back = _points(x, high, top), _points(x[::-1], low[::-1], top)
        band = f"M{there}L{back}Z"
    return Line(name=name, look=look, path=f"M{_points(x, mean, top)}", band=band, last=f"{mean[-1]:.3f}")


def _points(x: np.ndarray, values: np.ndarray, top: float) -> str:
    y = np.round(HEIGHT * (1 - np.clip(values / max(top, 1e-9), 0, 1)), 2)
    return " ".join(f"{across:g} {down:g}" for across, down in zip(x.tolist(), y.tolist(), strict=True))


def _marks(top: float) -> list[tuple[float, str]]:
    """Two or three round values up to the top."""
    step = next((step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if top / step < 4), top / 2)
    return [(round(100 * (1 - number * step / top), 2), f"{number * step:g}") for number in range(int(top / step) + 1)]


def _epochs(count: int) -> list[tuple[float, str]]:
    """First, middle and last epoch."""
    numbers = sorted({1, (count + 1) // 2, count})
    return [(round(100 * (number - 1) / max(count - 1, 1), 2), f"{number}") for number in numbers]
