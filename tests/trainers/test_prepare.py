"""Preparation: the live path over clips, what the file says, what is left out and said, going on after a stop."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines.errors import BadInput
from engines.inputs import RECIPES
from tests.trainers.datasets.database_trees import write_casme2, write_smic
from tests.trainers.drawn_clips import (
    CASME2,
    SMIC,
    casme2_tree,
    draw_face,
    draw_wall,
    drawn_clip,
    samm_tree,
    save_picture,
    smic_tree,
)
from tests.trainers.test_clip_maps import prepared
from trainers.annotations import numbered_frames
from trainers.feature_file import load_features
from trainers.preparation import Preparation, PreparationSettings, prepare, settings_of_model
from trainers.preparation.clip_maps import ClipJob, prepare_clip
from trainers.preparation.parts import Parts
from trainers.preparation.preparing import report_path, usual_scheme
from trainers.workers import Job, LocalWorkers, Result

ONE = LocalWorkers(1)


@pytest.fixture(scope="module")
def casme2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CASME II in little; nobody may change it."""
    return casme2_tree(tmp_path_factory.mktemp("casme2"))


@pytest.fixture(scope="module")
def undisturbed(casme2: Path, tmp_path_factory: pytest.TempPathFactory) -> Preparation:
    """Its feature file, made in one go by one worker."""
    return prepare([casme2], tmp_path_factory.mktemp("undisturbed") / "maps.npz", ["casme2"], workers=ONE)


class CountingWorkers:
    """One worker that counts its jobs, and stops like Ctrl-C before the one after the last that it may do."""

    def __init__(self, most: int = 1000) -> None:
        self.count, self.done, self._most = 1, 0, most

    def run(self, function: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Do the jobs in turn."""
        for place, job in enumerate(jobs):
            if self.done == self._most:
                raise KeyboardInterrupt
            self.done += 1
            yield place, function(job)


# One feature file


def test_a_file_says_everything_of_its_clips(undisturbed: Preparation) -> None:
    features = load_features(undisturbed.path)
    assert features.x.shape == (3, 28, 28, 3)
    assert features.x.dtype == np.uint8
    assert features.label_names == ("negative", "positive", "surprise")
    assert [features.label_names[label] for label in features.y] == ["positive", "surprise", "negative"]
    assert list(features.subject) == ["sub01", "sub01", "sub02"]
    assert list(features.dataset) == ["casme2"] * 3
    assert list(features.clip) == ["EP02_01f", "EP03_02", "EP04_02f"]
    assert list(features.variant) == [""] * 3
    assert features.recipe == "flow-strain"
    with np.load(undisturbed.path) as arrays:
        assert list(arrays["onset"]) == [46, 46, 6]
        assert [int(arrays["apex"][place]) for place in (0, 2)] == [52, 11]
        assert abs(int(arrays["apex"][1]) - 52) <= 2
        assert list(arrays["offset"]) == [58, 58, 18]
        assert list(arrays["apex_method"]) == ["annotated", "spotter", "annotated"]
        assert list(arrays["action_units"]) == ["12", "1+2", "4"]
        assert json.loads(str(arrays["preparation"]))["label_scheme"] == "composite-2019"
    assert {entry.name for entry in undisturbed.path.parent.iterdir()} == {"maps.npz", "maps.report.txt"}


def test_the_report_lists_what_was_repaired_and_what_has_no_label(undisturbed: Preparation) -> None:
    text = undisturbed.report.read_text()
    assert undisturbed.report == report_path(undisturbed.path)
    assert text.splitlines()[0] == undisturbed.summary
    for line in (
        "  4 rows in the coding table, 4 clips read",
        "  used: 3 clips of 2 subjects (negative 1, positive 1, surprise 1)",
        "  not the clips of the label scheme's study, which counts negative 88, positive 32, surprise 25",
        "  apex: annotated 2, spotter 1",
        "  repaired: CASME2-coding-20140508.xlsx row 3 (sub01 EP03_02): apex '/' is no frame number: it is to be found",
        "  no label: sub02 EP06_01f: emotion 'others' has no label in label scheme composite-2019",
    ):
        assert line in text.splitlines()
    record = json.loads(json.dumps(undisturbed.as_record()))
    assert (record["clips"], record["subjects"], record["repaired"], record["rejected"]) == (3, 2, 1, 0)
    assert record["datasets"]["casme2"]["labels"] == {"negative": 1, "positive": 1, "surprise": 1}
    assert len(record["datasets"]["casme2"]["dropped"]) == 1


def test_a_composite_of_colour_gray_and_unannotated_clips(casme2: Path, tmp_path: Path) -> None:
    roots = [casme2, samm_tree(tmp_path / "samm"), smic_tree(tmp_path / "smic")]
    out = tmp_path / "all.npz"
    made = prepare(roots, out, settings=PreparationSettings(missing_apex="middle"), workers=ONE)
    features = load_features(out)
    assert made.scheme == "composite-2019"
    assert list(features.dataset) == ["casme2"] * 3 + ["samm"] * 2 + ["smic-hs"] * 2
    assert [dataset.apexes for dataset in made.datasets] == [
        {"annotated": 2, "middle": 1},
        {"annotated": 2},
        {"middle": 2},
    ]
    assert (made.clips, made.subjects) == (7, 6)
    assert len({features.x[place].tobytes() for place in range(7)}) == 7


def test_people_whom_several_cameras_filmed_count_once(casme2: Path, tmp_path: Path) -> None:
    smic = smic_tree(tmp_path / "smic")
    write_smic(smic, SMIC, draw=draw_face, part="VIS")
    out = tmp_path / "all.npz"
    made = prepare([smic, casme2], out, ["smic-hs", "smic-vis", "casme2"], workers=ONE)
    assert [dataset.root for dataset in made.datasets] == [smic, smic, casme2]
    assert [dataset.subjects for dataset in made.datasets] == [2, 2, 2]
    assert made.subjects == 4
    assert made.scheme == "cross-database"


def test_two_workers_make_the_same_file_as_one(casme2: Path, undisturbed: Preparation, tmp_path: Path) -> None:
    made = prepare([casme2], tmp_path / "maps.npz", ["casme2"], workers=LocalWorkers(2))
    assert made.path.read_bytes() == undisturbed.path.read_bytes()


def test_the_usual_scheme_is_the_first_that_speaks_of_all() -> None:
    assert usual_scheme(["casme2", "samm"]) == "composite-2019"
    assert usual_scheme(["casme2", "smic-vis"]) == "cross-database"
    assert usual_scheme(["casme2", "mmew"]) == "three-classes"
    assert usual_scheme(["mmew"]) == "emotions"


def test_other_labels_and_other_kinds(casme2: Path, tmp_path: Path) -> None:
    made = prepare([casme2], tmp_path / "all.npz", labels="emotions", kinds="both", workers=ONE)
    assert made.labels == {"disgust": 1, "happiness": 1, "others": 1, "surprise": 1}
    with pytest.raises(BadInput, match="no macro-expression"):
        prepare([casme2], tmp_path / "macro.npz", kinds="macro", workers=ONE)


@pytest.mark.parametrize("model", ["edssnet", "madtn", "se-resnext-50", "dual-attention-crossvit"])
def test_a_models_recipe_and_size(model: str) -> None:
    settings = settings_of_model(model)
    assert settings.recipe in RECIPES
    assert settings.map_size == RECIPES[settings.recipe].size


# Going on after a stop


def test_a_stopped_run_goes_on_where_it_was(casme2: Path, undisturbed: Preparation, tmp_path: Path) -> None:
    out, told = tmp_path / "maps.npz", list[tuple[int, int]]()
    stopped = CountingWorkers(most=2)
    with pytest.raises(KeyboardInterrupt):
        prepare([casme2], out, ["casme2"], workers=stopped)
    assert not out.exists()
    assert len(list((tmp_path / ".maps-parts").glob("*.npz"))) == 2
    rest = CountingWorkers()
    prepare([casme2], out, ["casme2"], workers=rest, progress=lambda done, total: told.append((done, total)))
    assert rest.done == 1
    assert told == [(2, 3), (3, 3)]
    assert out.read_bytes() == undisturbed.path.read_bytes()
    assert not (tmp_path / ".maps-parts").exists()


def test_parts_of_other_settings_or_images_or_damaged_ones_are_not_used(filmed: Path, tmp_path: Path) -> None:
    parts, clip = Parts(tmp_path / "maps.npz"), drawn_clip(filmed, 40)
    job = ClipJob(clip=clip, settings=PreparationSettings(views="neighbours"))
    made = prepare_clip(job)
    parts.save(job, made)
    again = parts.load(job)
    assert again is not None
    assert np.array_equal(again.maps, made.maps)
    assert (again.variants, again.apexes, again.apex_method) == (made.variants, made.apexes, made.apex_method)
    for other in (
        replace(job, settings=replace(job.settings, size=(20, 20))),
        replace(job, clip=replace(clip, apex=49)),
        replace(job, clip=replace(clip, offset=57)),
    ):
        assert parts.load(other) is None
    frame = numbered_frames(filmed)[50]
    os.utime(frame, (1, 1))
    assert parts.load(job) is None
    parts.save(job, made)
    for part in parts.folder.iterdir():
        part.write_bytes(part.read_bytes()[:200])
    assert parts.load(job) is None
    parts.remove()
    assert not parts.folder.exists()


_RUN = """
import sys
from pathlib import Path
from trainers.preparation import prepare
from trainers.workers import LocalWorkers
prepare([Path(sys.argv[1])], Path(sys.argv[2]), ["casme2"], workers=LocalWorkers(1))
"""


def test_a_killed_run_goes_on_and_gives_the_same_file(casme2: Path, undisturbed: Preparation, tmp_path: Path) -> None:
    out, parts = tmp_path / "maps.npz", tmp_path / ".maps-parts"
    run = subprocess.Popen([sys.executable, "-c", _RUN, str(casme2), str(out)], stderr=subprocess.DEVNULL)
    try:
        while run.poll() is None and not list(parts.glob("[!.]*.npz")):
            time.sleep(0.002)
    finally:
        run.kill()
    assert run.wait() == -signal.SIGKILL
    assert not out.exists()
    kept = len(list(parts.glob("[!.]*.npz")))
    rest = CountingWorkers()
    prepare([casme2], out, ["casme2"], workers=rest)
    assert 1 <= kept < 3
    assert rest.done == 3 - kept
    assert out.read_bytes() == undisturbed.path.read_bytes()


# What cannot be used


def test_clips_without_a_face_and_damaged_images_are_named_and_left_out(tmp_path: Path) -> None:
    root = casme2_tree(tmp_path / "casme2", CASME2[:3])
    clips = root / "CASME2_RAW_selected"
    for file in (clips / "sub01" / "EP02_01f").iterdir():
        save_picture(file, np.full((240, 320, 3), 128, np.uint8))
    damaged = clips / "sub01" / "EP03_02" / "img50.jpg"
    damaged.write_bytes(damaged.read_bytes()[:10])
    made = prepare([root], tmp_path / "maps.npz", workers=ONE)
    assert list(load_features(made.path).clip) == ["EP04_02f"]
    blank, unreadable = (str(finding) for finding in made.datasets[0].found("rejected"))
    assert "sub01 EP02_01f" in blank
    assert "no face is found in any of its frames" in blank
    assert str(damaged) in unreadable
    assert "not a readable image" in unreadable
    assert made.report.read_text().count("rejected:") == 2


def test_a_face_that_is_missing_at_the_onset_is_stood_for_by_the_next(filmed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for number, file in numbered_frames(filmed).items():
        (folder / file.name).write_bytes(file.read_bytes())
        if number < 46:  # at 100 Hz the tracker looks at every other frame
            save_picture(folder / file.name, np.full((240, 320, 3), 128, np.uint8))
    clip = prepared(folder)
    assert clip.onset == 46
    (finding,) = clip.findings
    assert str(finding) == f"repaired: {folder} (s1 clip): no face at the onset, frame 43: 46 is taken"
    for number in range(40, 52):
        save_picture(folder / f"img{number}.png", np.full((240, 320, 3), 128, np.uint8))
    late = prepared(folder)
    assert late.maps.shape[0] == 0
    assert "no face is found at the onset, frame 43, nor near it" in str(late.findings[0])


def test_a_face_that_is_hardly_seen_is_left_out(filmed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for number, file in numbered_frames(filmed).items():
        (folder / file.name).write_bytes(file.read_bytes())
        if 45 <= number <= 53:
            save_picture(folder / file.name, np.full((240, 320, 3), 128, np.uint8))
    clip = prepared(folder)
    assert clip.variants == ()
    assert "is seen in 6 of 14 frames from onset to offset" in str(clip.findings[0])


def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(casme2: Path, tmp_path: Path) -> None:
    empty, walls, torn = tmp_path / "empty", tmp_path / "walls", tmp_path / "torn"
    empty.mkdir()
    write_casme2(walls, CASME2[:1], draw=draw_wall, layout="CASME2_RAW_selected")
    write_casme2(torn, CASME2[:1], draw=draw_wall)
    (torn / "CASME2-coding-20140508.xlsx").write_bytes(b"PK\x03\x04 torn")
    there = tmp_path / "there.npz"
    there.touch()
    out = tmp_path / "out" / "maps.npz"
    faults: list[tuple[str, Callable[[], object]]] = [
        ("folder .*nowhere is not there", lambda: prepare([tmp_path / "nowhere"], out, ["casme2"])),
        ("holds none of the databases", lambda: prepare([empty], out)),
        ("'casme9' is unknown", lambda: prepare([casme2], out, ["casme9"])),
        ("cannot be read", lambda: prepare([torn], out, ["casme2"])),
        ("each may be named once", lambda: prepare([casme2], out, ["casme2", "casme2"])),
        ("1 data sets and 2 folders: name a data set for each", lambda: prepare([casme2, casme2], out, ["casme2"])),
        ("samm is held by none of", lambda: prepare([casme2, empty], out, ["casme2", "samm", "mmew"])),
        ("no folder is given", lambda: prepare([], out, ["casme2"])),
        ("'joy' is unknown", lambda: prepare([casme2], out, ["casme2"], labels="joy")),
        ("must end in .npz", lambda: prepare([casme2], out.with_suffix(".npy"), ["casme2"])),
        ("is there already", lambda: prepare([casme2], there, ["casme2"])),
        ("none of 1 clips .* no face is found", lambda: prepare([walls], out, ["casme2"], workers=ONE)),
        ("recipe 'soup' is unknown", lambda: PreparationSettings(recipe="soup")),
        ("0×3 pixels", lambda: PreparationSettings(size=(0, 3))),
        ("neither can be negative", lambda: PreparationSettings(lead_in_s=-1.0)),
        ("'gpt' is unknown", lambda: settings_of_model("gpt")),
    ]
    for message, act in faults:
        with pytest.raises(BadInput, match=message) as fault:
            act()
        assert "\n" not in str(fault.value)
    assert not out.parent.exists()
    assert there.stat().st_size == 0
