"""Schemes of labels on tables with the real counts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines.errors import BadInput
from tests.trainers.datasets.database_trees import (
    full_casme2,
    full_samm,
    full_smic,
    write_casme2,
    write_samm,
    write_smic,
)
from trainers.annotations import Clip, ClipTable
from trainers.datasets.databases import DATABASES, database
from trainers.labels import LABEL_SCHEMES, label_scheme, labelled

COMPOSITE = ("negative", "positive", "surprise")


@pytest.fixture(scope="module")
def composite(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ClipTable]:
    """CASME II, SAMM and SMIC HS with every row that they have."""
    root = tmp_path_factory.mktemp("composite")
    write_casme2(root / "casme2", full_casme2())
    write_samm(root / "samm", full_samm())
    write_smic(root / "smic-hs", full_smic())
    return {name: database(name).read(root / name) for name in ("casme2", "samm", "smic-hs")}


@pytest.mark.parametrize(
    ("dataset", "counts"), [("casme2", [88, 32, 25]), ("samm", [92, 26, 15]), ("smic-hs", [70, 51, 43])]
)
def test_the_composite_of_2019_has_the_published_counts(
    composite: dict[str, ClipTable], dataset: str, counts: list[int]
) -> None:
    kept = labelled(composite[dataset], "composite-2019")
    assert kept.label_names == COMPOSITE
    assert np.bincount(kept.labels).tolist() == counts
    assert label_scheme("composite-2019").published[dataset] == tuple(counts)
    assert len(kept.clips) + len(kept.findings) == len(composite[dataset].clips)


def test_the_whole_composite_has_442_clips(composite: dict[str, ClipTable]) -> None:
    kept = labelled([clip for table in composite.values() for clip in table.clips], "composite-2019")
    assert (len(kept.clips), np.bincount(kept.labels).tolist()) == (442, [250, 109, 83])


def test_the_two_clips_without_a_usable_apex_are_left_out_and_said(composite: dict[str, ClipTable]) -> None:
    findings = labelled(composite["casme2"], "composite-2019").findings
    left_out = {finding.clip: finding for finding in findings if "leaves this clip out" in finding.fault}
    assert sorted(left_out) == ["sub04 EP12_01f", "sub05 EP09_05f"]
    finding = left_out["sub04 EP12_01f"]
    assert finding.fault == "label scheme composite-2019 leaves this clip out: its apex is not coded"
    assert finding.where.endswith("sub04/EP12_01f")


def test_the_published_maps_leave_the_same_clips_out_and_call_subjects_alike(
    composite: dict[str, ClipTable], shared_data: Path
) -> None:
    maps = np.load(shared_data / "megc2019_flow_casme2_smic.npz")
    own = maps["dataset"] == "casme2"
    published = set(zip(maps["subject"][own].tolist(), maps["clip"][own].tolist(), strict=True))
    assert not published & {("sub04", "EP12_01f"), ("sub05", "EP09_05f")}
    assert {subject for subject, _ in published} <= {clip.subject for clip in composite["casme2"].clips}
    assert set(maps["subject"][~own].tolist()) <= {f"s{number:02d}" for number in range(1, 21)}


def test_emotions_without_a_label_are_dropped_and_said(composite: dict[str, ClipTable]) -> None:
    findings = labelled(composite["samm"], "composite-2019").findings
    assert [finding.fault for finding in findings] == [
        "emotion 'other' has no label in label scheme composite-2019"
    ] * 26  # fmt: skip


def test_the_cross_database_labels_of_casme2(composite: dict[str, ClipTable]) -> None:
    """Published as 73 negative; the table has 63 disgust, 7 sadness and 2 fear."""
    kept = labelled(composite["casme2"], "cross-database")
    assert np.bincount(kept.labels).tolist() == [72, 32, 25]
    assert np.bincount(labelled(composite["smic-hs"], "cross-database").labels).tolist() == [70, 51, 43]


def test_the_five_classes_of_casme2(composite: dict[str, ClipTable]) -> None:
    kept = labelled(composite["casme2"], "casme2-five")
    assert kept.label_names == ("happiness", "surprise", "disgust", "repression", "others")
    assert (len(kept.clips), np.bincount(kept.labels).tolist()) == (246, [32, 25, 63, 27, 99])


def test_the_owners_own_emotions_drop_nothing(composite: dict[str, ClipTable]) -> None:
    table = composite["samm"]
    kept = labelled(table, "emotions")
    assert kept.label_names == tuple(sorted(table.labels))
    assert [kept.label_names[label] for label in kept.labels] == [clip.label for clip in table.clips]
    assert kept.findings == ()


def test_schemes_speak_of_known_databases_and_of_labels_they_name() -> None:
    for scheme in LABEL_SCHEMES.values():
        assert scheme.labels.keys() <= DATABASES.keys()
        used = {label for labels in scheme.labels.values() for label in labels.values()}
        assert used == set(scheme.label_names)


def _clip(**changes: str) -> Clip:
    clip = Clip(
        dataset="casme2", subject="sub01", name="EP01", folder=Path("EP01"), onset=1, apex=2, offset=3,
        frame_rate_hz=200.0, label="others",
    )  # fmt: skip
    return replace(clip, **changes)  # type: ignore[arg-type]  # only fields of text are changed


@pytest.mark.parametrize(
    ("clips", "scheme", "message"),
    [
        ([_clip()], "five", "label scheme 'five' is unknown; choose among composite-2019, cross-database"),
        ([_clip(dataset="mmew")], "casme2-five", "casme2-five has no labels for mmew, only for casme2"),
        ([_clip()], "composite-2019", "composite-2019 has a label for none of 1 clips"),
        ([_clip(label="")], "emotions", "emotions has a label for none of 1 clips"),
    ],
)
def test_what_cannot_be_labelled_is_one_line(clips: list[Clip], scheme: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as fault:
        labelled(clips, scheme)
    assert "\n" not in str(fault.value)
