"""Generated maps: reproducible, balanced, formed as the real ones are, and showing what their label says."""

import subprocess
import sys

import numpy as np
import pytest

from engines.errors import BadInput
from engines.inputs import normalise
from engines.inputs.recipes import flow_strain_from_field
from trainers.datasets.action_units import COMBINATIONS, LABEL_NAMES
from trainers.datasets.synthetic import (
    CHUNK,
    SyntheticMapParameters,
    SyntheticMaps,
    feature_file,
    generate_maps,
    stretched_maps,
)

DRAWN = SyntheticMapParameters(filmed_share=0.0)
FILMED = SyntheticMapParameters(filmed_share=1.0)


@pytest.fixture(scope="module")
def drawn() -> SyntheticMaps:
    return generate_maps(600, 1, DRAWN)


@pytest.fixture(scope="module")
def filmed() -> SyntheticMaps:
    return generate_maps(45, 2, FILMED)


def test_same_seed_same_maps_whoever_makes_them(drawn: SyntheticMaps) -> None:
    again = generate_maps(600, 1, DRAWN, processes=2)
    np.testing.assert_array_equal(drawn.x, again.x)
    np.testing.assert_array_equal(drawn.y, again.y)
    assert (generate_maps(600, 3, DRAWN).x != drawn.x).any()


def test_classes_are_equally_frequent_and_fit_their_combination(drawn: SyntheticMaps) -> None:
    assert np.ptp(np.bincount(drawn.y)) <= 2 * -(-600 // CHUNK)
    named = [LABEL_NAMES.index(COMBINATIONS[row].label) for row in drawn.combination]
    np.testing.assert_array_equal(drawn.y, named)


@pytest.mark.parametrize("kind", ["drawn", "filmed"])
def test_each_channel_spans_the_whole_range(kind: str, request: pytest.FixtureRequest) -> None:
    maps: SyntheticMaps = request.getfixturevalue(kind)
    assert maps.x.dtype == np.uint8
    assert maps.x.shape[1:] == (28, 28, 3)
    assert (maps.x.min(axis=(1, 2)) == 0).all()
    assert (maps.x.max(axis=(1, 2)) == 255).all()


@pytest.mark.parametrize(("kind", "margin"), [("drawn", 0.6), ("filmed", 0.25)])
def test_brows_rise_in_surprise_and_sink_in_anger(kind: str, margin: float, request: pytest.FixtureRequest) -> None:
    maps: SyntheticMaps = request.getfixturevalue(kind)
    vertical = normalise(maps.x, "centred-flow-log-strain")[:, 1]
    brows = vertical[:, 2:6, 6:22].mean(axis=(1, 2))
    assert brows[maps.y == 2].mean() < -margin, "upwards is negative"
    assert brows[maps.y == 0].mean() > brows[maps.y == 2].mean() + margin


def test_lip_corners_part_in_joy(drawn: SyntheticMaps) -> None:
    horizontal = normalise(drawn.x, "centred-flow-log-strain")[:, 0]
    right, left = horizontal[:, 17:22, 20:25].mean(axis=(1, 2)), horizontal[:, 17:22, 3:8].mean(axis=(1, 2))
    assert (right - left)[drawn.y == 1].mean() > 0.5


def test_maps_of_a_flow_are_those_of_the_live_path() -> None:
    rows, columns = np.mgrid[:152, :128].astype(np.float32)
    bump = np.exp(-((rows - 50) ** 2 + (columns - 40) ** 2) / 400)
    flow = np.stack([bump, -0.5 * bump + 0.01 * rows])
    ours = stretched_maps(flow[None])[0].astype(int)
    live = flow_strain_from_field(flow).astype(int)
    assert np.abs(ours - live).max() <= 2


def test_feature_file_has_what_a_feature_file_has(drawn: SyntheticMaps) -> None:
    arrays = feature_file(drawn)
    assert set(arrays) == {"x", "y", "subject", "dataset", "clip", "label_names"}
    assert len(set(arrays["subject"])) == 600
    assert all(len(arrays[name]) == 600 for name in ("x", "y", "subject", "dataset", "clip"))


@pytest.mark.parametrize(("count", "processes"), [(0, 1), (5, 0)])
def test_nothing_is_not_a_number_of_maps(count: int, processes: int) -> None:
    with pytest.raises(BadInput, match="at least 1"):
        generate_maps(count, 0, processes=processes)


def test_imports_without_torch() -> None:
    code = "import sys; import trainers.datasets.synthetic; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
