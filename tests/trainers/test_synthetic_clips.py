"""Synthesised clips: labels that can be learned, maps as a real clip's, the same whoever makes them."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from engines.errors import BadInput
from engines.inputs import RECIPES, normalise
from trainers.datasets.action_units import COMBINATIONS, LABEL_NAMES
from trainers.datasets.synthetic_clips import (
    SyntheticClipParameters,
    Views,
    synthetic_features,
    views_of,
)
from trainers.datasets.synthetic_sequences import CAMERAS, SequenceParameters, subject_sequences
from trainers.feature_file import FeatureFile, load_features, save_features

FEW = SyntheticClipParameters(subjects=2, clips_per_subject=3)
ALONE = SyntheticClipParameters(subjects=1, clips_per_subject=2)
SMALL = (28, 28)


@pytest.fixture(scope="module")
def learnable() -> FeatureFile:
    parameters = SyntheticClipParameters(subjects=9, clips_per_subject=9)
    return synthetic_features("flow-strain", parameters, size=SMALL, seed=5)


def test_labels_are_read_from_subjects_never_seen(learnable: FeatureFile) -> None:
    x = normalise(learnable.x, "centred-flow-log-strain").reshape(len(learnable), -1)
    seen = learnable.subject <= "sub06"
    assert 0 < (~seen).sum() < seen.sum()
    model = LogisticRegression(C=0.003, max_iter=500).fit(x[seen], learnable.y[seen])
    assert model.score(x[~seen], learnable.y[~seen]) > 0.7, "chance is a third"


def test_classes_are_balanced_within_each_subject(learnable: FeatureFile) -> None:
    for subject in np.unique(learnable.subject):
        np.testing.assert_array_equal(np.bincount(learnable.y[learnable.subject == subject]), [3, 3, 3])


def test_clips_are_named_after_units_of_their_class(learnable: FeatureFile) -> None:
    labels = {"+".join(map(str, made.action_units)): made.label for made in COMBINATIONS}
    named = [labels[str(name).rsplit("_", 1)[1]] for name in learnable.clip]
    assert named == [LABEL_NAMES[label] for label in learnable.y]
    assert len(set(learnable.clip)) == len(learnable)


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_every_recipe_gives_its_maps(recipe: str) -> None:
    features = synthetic_features(recipe, FEW, size=SMALL)
    assert features.x.shape == (6, *SMALL, RECIPES[recipe].channels)
    assert features.x.dtype == np.uint8
    assert features.recipe == recipe
    assert features.label_names == LABEL_NAMES
    assert (features.x.astype(float).std(axis=(1, 2)) > 1).all(), "no channel is flat"
    assert set(features.variant) == {""}
    assert sorted(set(features.subject)) == ["sub01", "sub02"]


def test_published_size_if_none_is_given() -> None:
    one = SyntheticClipParameters(subjects=1, clips_per_subject=1)
    assert synthetic_features("madtn", one).x.shape == (1, 112, 112, 3)


def test_same_maps_whoever_makes_them_and_whoever_else_is_there() -> None:
    wide = replace(ALONE, subjects=2, datasets=("smic-vis", "synthetic"))
    alone, together = (
        synthetic_features("dual-branch", parameters, size=SMALL, seed=3, views="neighbours", processes=processes)
        for parameters, processes in ((ALONE, 1), (wide, 2))
    )
    shared = (together.dataset == "synthetic") & (together.subject == "sub01")
    assert 0 < shared.sum() < len(together)
    for name in ("x", "y", "subject", "clip", "variant"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(together, name)[shared])
    other = synthetic_features("dual-branch", ALONE, size=SMALL, seed=4, views="neighbours")
    assert len(other) != len(alone) or (other.x != alone.x).any()


def test_views_stand_behind_their_clip_and_differ_from_it() -> None:
    features = synthetic_features("edssnet", FEW, size=SMALL, views="neighbours")
    assert (features.variant == "").sum() == 6
    assert {"apex-1", "apex+1"} <= set(features.variant)
    for clip in np.unique(features.clip):
        rows = np.flatnonzero(features.clip == clip)
        assert features.variant[rows[0]] == ""
        assert len(set(features.y[rows])) == 1
        assert all((features.x[row] != features.x[rows[0]]).any() for row in rows[1:])


@pytest.mark.parametrize(
    ("frames", "apex", "views", "expected"),
    [
        (25, 11, "none", []),
        (25, 11, "neighbours", [("apex-1", 10), ("apex+1", 12)]),
        (5, 1, "neighbours", [("apex+1", 2)]),
        (25, 11, "middle", [("middle-1", 10), ("middle-2", 12), ("middle-3", 13), ("middle-4", 14)]),
        (25, 4, "middle", [(f"middle-{number}", 9 + number) for number in range(1, 6)]),
    ],
)
def test_views_never_start_from_the_onset(
    frames: int, apex: int, views: Views, expected: list[tuple[str, int]]
) -> None:
    assert views_of(frames, apex, views) == expected


@pytest.mark.parametrize("dataset", sorted(CAMERAS))
def test_clips_last_as_long_as_micro_expressions_do(dataset: str) -> None:
    for clip in subject_sequences(dataset, 1, 6, seed=2):
        seconds = (clip.frame_count - 1) / clip.camera.frame_rate_hz
        assert 0.2 - 1 / clip.camera.frame_rate_hz < seconds < 0.5
        assert 0 < clip.apex < clip.frame_count - 1


def test_skin_is_furthest_from_the_onset_at_the_apex() -> None:
    still = SequenceParameters(head_shift_px=0.0, head_roll_deg=0.0, light_drift=0.0, shading=0.0, amplitude_px=(3, 3))
    clip = subject_sequences("synthetic", 1, 1, seed=0, parameters=still)[0]
    frames = clip.frames().astype(np.float32)
    moved = np.hypot(*clip.displacement) > 1.0
    changes = np.abs(frames - frames[0])[:, moved].mean(axis=1)
    assert abs(int(changes.argmax()) - clip.apex) <= 1
    assert changes[clip.apex] > 1.5 * changes[-1]
    np.testing.assert_array_equal(clip.frame(3), clip.frame(3))


def test_cameras_and_subjects_differ() -> None:
    sharp, poor = (subject_sequences(dataset, 1, 1, seed=0)[0] for dataset in ("casme2", "smic-nir"))
    assert poor.frame(0).std() < sharp.frame(0).std()
    first, third = (subject_sequences("synthetic", number, 1, seed=0)[0].picture for number in (1, 3))
    assert np.corrcoef(first.ravel(), third.ravel())[0, 1] < 0.98, "one portrait, two people"


def test_features_survive_their_file(tmp_path: Path) -> None:
    features = synthetic_features("flow-strain", FEW, size=SMALL, views="middle")
    read = load_features(save_features(tmp_path / "clips.npz", features.arrays()))
    for name in ("x", "y", "subject", "dataset", "clip", "variant"):
        np.testing.assert_array_equal(getattr(read, name), getattr(features, name))
    assert (read.label_names, read.recipe) == (features.label_names, "flow-strain")


def test_what_gives_no_clips_is_refused() -> None:
    with pytest.raises(BadInput, match="subjects is 0"):
        replace(FEW, subjects=0)
    with pytest.raises(BadInput, match=r"synthetic data sets casme9: choose .*casme2"):
        replace(FEW, datasets=("casme9",))
    with pytest.raises(BadInput, match="input recipe 'hue' is unknown"):
        synthetic_features("hue", FEW)


def test_imports_without_torch() -> None:
    code = "import sys; import trainers.datasets.synthetic_clips; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
