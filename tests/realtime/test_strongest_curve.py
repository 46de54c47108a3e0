"""The curve of a session: the strongest face of each moment, thinned without losing a peak."""

import math
from pathlib import Path

import numpy as np
import pytest

from engines.errors import BadInput
from realtime.session_folder import SessionWriter
from realtime.strongest_curve import read_curve
from tests.realtime.session_fixtures import REGIONS, HandClock, a_sample


def write_strengths(folder: Path, faces: list[list[float]]) -> Path:
    """One list a frame, one strength a face; an empty one is a frame without a face."""
    with SessionWriter(folder, source="a.mp4", regions=REGIONS, clock=HandClock()) as writer:
        for index, strengths in enumerate(faces):
            if not strengths:
                writer.add_empty_frame(index, index * 10_000_000)
            for strength in strengths:
                writer.add_sample(a_sample(index), strength=strength, threshold=0.1 * strength)
    return folder


def test_the_strongest_face_of_each_moment(tmp_path: Path) -> None:
    curve = read_curve(write_strengths(tmp_path / "s", [[1.0, 3.0], [], [5.0, 2.0, math.nan], [4.0]]))
    np.testing.assert_allclose(curve.time_s, [0.0, 0.02, 0.03])
    np.testing.assert_allclose(curve.strength, [3.0, 5.0, 4.0])
    np.testing.assert_allclose(curve.threshold, [0.3, 0.5, 0.4], rtol=1e-6)


def test_thinning_keeps_every_peak(tmp_path: Path) -> None:
    strengths = np.random.default_rng(1).uniform(0.2, 0.4, 3000)
    strengths[[17, 1500, 2999]] = 2.0
    curve = read_curve(write_strengths(tmp_path / "s", [[float(one)] for one in strengths]))
    thin = curve.thinned(200)
    assert len(thin.time_s) <= 200
    assert (thin.strength == 2.0).sum() == 3
    assert np.all(np.diff(thin.time_s) > 0)
    assert curve.thinned(5000) is curve


def test_no_face_no_curve_and_no_signals_no_reading(tmp_path: Path) -> None:
    assert len(read_curve(write_strengths(tmp_path / "s", [[], []])).time_s) == 0
    (tmp_path / "s" / "signals.parquet").write_bytes(b"not parquet")
    with pytest.raises(BadInput, match="signals cannot be read"):
        read_curve(tmp_path / "s")
