"""Whole subjects on one side, every clip tested once, further views never scored."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import BadInput
from trainers.feature_file import FeatureFile
from trainers.protocol import PROTOCOLS, TYPE_I, TYPE_II, ProtocolParameters, splits_of, tasks_of
from trainers.splits import Split, clips_of, hold_out, k_fold, leave_one_subject_out


def made_up(subjects: int, *, datasets: tuple[str, ...] = ("casme2",), seed: int = 0, views: int = 0) -> FeatureFile:
    """A feature file of random labels: 1 to 6 clips a subject, `views` further views of each."""
    generator = np.random.default_rng(seed)
    rows = [
        (dataset, f"sub{subject:02d}", f"clip{clip}", label, view)
        for dataset in datasets
        for subject in range(subjects)
        for clip in range(generator.integers(1, 7))
        for label in [int(generator.integers(3))]
        for view in ["", *[f"apex+{number + 1}" for number in range(views)]]
    ]
    dataset, subject, clip, labels, variant = (np.array(column) for column in zip(*rows, strict=True))
    return FeatureFile(
        path=Path("made-up.npz"),
        x=generator.integers(0, 256, (len(rows), 4, 4, 3), np.uint8),
        y=labels.astype(np.int64),
        subject=subject,
        dataset=dataset,
        clip=clip,
        label_names=("negative", "positive", "surprise"),
        variant=variant,
    )


def people_of(features: FeatureFile, rows: np.ndarray) -> set[str]:
    return {f"{features.dataset[row]}/{features.subject[row]}" for row in rows}


def assert_sound(features: FeatureFile, splits: list[Split]) -> None:
    scored = set(np.flatnonzero(features.variant == ""))
    for split in splits:
        sides = [people_of(features, rows) for rows in (split.train, split.validation, split.test)]
        assert not sides[0] & sides[1]
        assert not sides[0] & sides[2]
        assert not sides[1] & sides[2]
        assert set(split.test) <= scored
        assert set(split.validation) <= scored
        assert len(split.train)
        assert len(split.test)


@settings(max_examples=40, deadline=None)
@given(subjects=st.integers(8, 15), seed=st.integers(0, 1000), folds=st.integers(2, 4), views=st.integers(0, 2))
def test_every_clip_is_tested_once_by_strangers(subjects: int, seed: int, folds: int, views: int) -> None:
    features = made_up(subjects, seed=seed, views=views)
    clips = clips_of(features)
    for splits in (leave_one_subject_out(clips), k_fold(clips, folds, inner_share=0.2, seed=seed)):
        assert_sound(features, splits)
        tested = np.concatenate([split.test for split in splits])
        assert sorted(tested) == list(np.flatnonzero(features.variant == ""))
    assert_sound(features, hold_out(clips, seed=seed))


def test_leave_one_subject_out_names_people_across_data_sets() -> None:
    features = made_up(3, datasets=("casme2", "smic"))
    splits = leave_one_subject_out(clips_of(features))
    assert [split.name for split in splits] == [
        f"{dataset}/sub0{n}" for dataset in ("casme2", "smic") for n in range(3)
    ]
    for split in splits:
        assert people_of(features, split.test) == {split.name}
        assert len(split.train) + len(split.test) == len(features)
        assert not len(split.validation)


def test_people_whom_two_data_sets_share_are_on_one_side() -> None:
    for datasets in (("smic-hs", "smic-vis", "smic-nir", "casme2"), ("samm", "samm-long-videos")):
        features = made_up(8, datasets=datasets)
        for splits in (leave_one_subject_out(clips_of(features)), k_fold(clips_of(features), 3)):
            for split in splits:
                sides = [
                    {(str(features.dataset[row])[:4], str(features.subject[row])) for row in rows}
                    for rows in (split.train, split.validation, split.test)
                ]
                assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]
    assert len(leave_one_subject_out(clips_of(made_up(8, datasets=("smic-hs", "smic-vis", "casme2"))))) == 16


def test_folds_are_even_in_size_and_label() -> None:
    features = made_up(60, seed=4)
    splits = k_fold(clips_of(features), 5, inner_share=0.2)
    sizes = [len(split.test) for split in splits]
    assert max(sizes) - min(sizes) <= 4
    shares = np.array([np.bincount(features.y[split.test], minlength=3) / len(split.test) for split in splits])
    assert np.abs(shares - np.bincount(features.y) / len(features)).max() < 0.06
    for split in splits:
        inner = len(split.validation) / (len(split.validation) + len(split.train))
        assert 0.15 < inner < 0.25


def test_everyone_is_trained_on_somewhere() -> None:
    """The largest subject too, whom a fold dealt first would keep for validation every time."""
    features, largest = made_up(24, seed=4), "casme2/sub00"
    together = np.isin(features.subject, ["sub01", "sub02", "sub03"])
    features = replace(features, subject=np.where(together, "sub00", features.subject))
    clips = clips_of(features)
    splits = k_fold(clips, 10, inner_share=0.2)
    assert sum(largest in people_of(features, split.train) for split in splits) >= 5
    assert any(largest in people_of(features, split.validation) for split in splits)
    tested = [largest in people_of(features, hold_out(clips, seed=seed)[0].test) for seed in range(5)]
    assert True in tested
    assert False in tested


def test_views_are_trained_on_with_their_clip_alone() -> None:
    features = made_up(4, views=2)
    for split in leave_one_subject_out(clips_of(features)):
        assert len(split.train) + 3 * len(split.test) == len(features)


def test_hold_out_takes_about_its_share() -> None:
    features = made_up(40, seed=2)
    (split,) = hold_out(clips_of(features), test_share=0.25, inner_share=0.0)
    assert 0.2 < len(split.test) / len(features) < 0.3
    assert not len(split.validation)


def test_the_twelve_cross_database_tasks() -> None:
    features = made_up(3, datasets=("casme2", "smic-hs", "smic-vis", "smic-nir"))
    splits = splits_of("cross-database", features)
    assert [split.name for split in splits] == [f"{source} → {target}" for source, target in (*TYPE_I, *TYPE_II)]
    assert len(splits) == 12
    for split in splits:
        source, target = split.name.split(" → ")
        assert set(features.dataset[split.train]) == {source}
        assert set(features.dataset[split.test]) == {target}
        np.testing.assert_array_equal(split.target, split.test)
    some = splits_of("cross-database", features, ProtocolParameters(tasks=("type-2", "casme2:smic-hs")))
    assert [split.name for split in some] == [f"{source} → {target}" for source, target in TYPE_II]


def test_other_data_sets_cross_in_every_order() -> None:
    features = made_up(2, datasets=("mmew", "samm"))
    assert tasks_of(features, ()) == [("mmew", "samm"), ("samm", "mmew")]


@pytest.mark.parametrize(
    ("protocol", "parameters", "subjects", "said"),
    [
        ("leave-one-subject-out", {}, 1, "needs 2 or more subjects; the data has 1 (casme2/sub00)"),
        ("k-fold", {}, 4, "needs 10 or more subjects; the data has 4"),
        ("k-fold", {"folds": 1}, 4, "1 folds; give 2 or more"),
        ("k-fold", {"folds": 2}, 2, "an inner split needs two or more subjects to train on, not 1"),
        ("hold-out", {"test_share": 0.7}, 4, "a test share of 0.7; give above 0 and at most 0.5"),
        ("leave-one-subject-out", {"inner_share": 0.9}, 4, "a share of 0.9; give above 0 and at most 0.5"),
        ("cross-database", {}, 4, "cross-database needs two or more data sets; it holds casme2"),
        ("k-times", {}, 4, "protocol 'k-times' is unknown: use one of leave-one-subject-out"),
    ],
)
def test_what_cannot_be_divided_is_one_line(
    protocol: str, parameters: dict[str, float], subjects: int, said: str
) -> None:
    with pytest.raises(BadInput) as fault:
        splits_of(protocol, made_up(subjects), ProtocolParameters(**parameters))  # type: ignore[arg-type]
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("task", "said"),
    [("casme2:samm", "no data set 'samm'"), ("casme2", "give type-1, type-2, or SOURCE:TARGET"), ("smic:smic", "both")],
)
def test_a_task_that_cannot_be_is_named(task: str, said: str) -> None:
    features = made_up(2, datasets=("casme2", "smic"))
    with pytest.raises(BadInput, match=said):
        splits_of("cross-database", features, ProtocolParameters(tasks=(task,)))


def test_the_composite_protocol_wants_its_labels() -> None:
    features = made_up(3)
    assert len(splits_of("megc-2019-composite", features)) == 3
    object.__setattr__(features, "label_names", ("happiness", "disgust", "others"))
    with pytest.raises(BadInput, match="prepare it with --labels composite-2019"):
        splits_of("megc-2019-composite", features)


def test_the_shared_composite_has_forty_subjects(shared_data: Path) -> None:
    from trainers.feature_file import load_features

    splits = splits_of("megc-2019-composite", load_features(shared_data / "megc2019_flow_casme2_smic.npz"))
    assert len(splits) == 40
    assert sum(len(split.test) for split in splits) == 309


def test_every_protocol_by_name() -> None:
    assert set(PROTOCOLS) == {
        "leave-one-subject-out", "megc-2019-composite", "k-fold", "cross-database", "hold-out"
    }  # fmt: skip
