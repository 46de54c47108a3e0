"""`onset prepare` from the command line: what it prints, what it leaves, its exit codes."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from demo import cli
from demo.commands.prepare import Prepare
from tests.trainers.datasets.database_trees import write_casme2
from tests.trainers.drawn_clips import CASME2, casme2_tree, draw_wall, smic_tree
from trainers.feature_file import load_features
from trainers.preparation import PreparationSettings, clip_maps, prepare
from trainers.preparation.clip_maps import ClipJob, PreparedClip
from trainers.workers import LocalWorkers


@pytest.fixture(scope="module")
def casme2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CASME II in little; nobody may change it."""
    return casme2_tree(tmp_path_factory.mktemp("casme2"))


def test_a_database_becomes_a_feature_file(casme2: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "maps.npz"
    assert cli.main(["prepare", "casme2", "--root", str(casme2), "--out", str(out), "--workers", "1"]) == 0
    said = capfd.readouterr().out.splitlines()
    assert said[0].startswith(f"{out}: 3 clips of 2 subjects (negative 1, positive 1, surprise 1), flow-strain maps")
    assert said[1] == f"report: {tmp_path / 'maps.report.txt'}"
    assert len(load_features(out)) == 3
    assert sorted(file.name for file in tmp_path.iterdir()) == ["maps.npz", "maps.report.txt"]
    words = ["prepare", "casme2", "--root", str(casme2), "--out", str(out), "--workers", "1"]
    assert cli.main(words) == 2
    assert "is there already" in capfd.readouterr().err
    assert cli.main([*words, "--overwrite", "--size", "20", "16", "--json"]) == 0
    printed = capfd.readouterr().out
    record = json.loads(printed)
    assert printed.count("\n") == 1
    assert (record["clips"], record["size"], record["repaired"]) == (3, [20, 16], 1)
    assert load_features(out).x.shape == (3, 20, 16, 3)


def test_several_databases_with_the_recipe_of_a_model(casme2: Path, tmp_path: Path) -> None:
    smic, out = smic_tree(tmp_path / "smic"), tmp_path / "maps.npz"
    words = ["prepare", "casme2", "smic-hs", "--root", str(casme2), str(smic), "--out", str(out), "--workers", "1"]
    assert cli.main([*words, "--model", "madtn", "--apex", "middle"]) == 0
    features = load_features(out)
    assert features.recipe == "madtn"
    assert features.x.shape[1:] == (112, 112, 3)
    assert set(features.dataset) == {"casme2", "smic-hs"}
    assert set(features.variant) == {"", "middle-1", "middle-2"}
    with np.load(out) as arrays:
        assert set(arrays["apex_method"]) == {"middle"}


def test_flags_become_settings() -> None:
    of_model = Prepare(root=(Path(),), out=Path("a.npz"), model="edssnet")
    assert of_model._settings() == PreparationSettings(recipe="edssnet", size=(112, 112), views="neighbours")
    assert replace(of_model, views="none")._settings().views == "none"
    settings = Prepare(root=(Path(),), out=Path("a.npz"))._settings()
    assert settings == PreparationSettings()
    asked = Prepare(
        root=(Path(),), out=Path("a.npz"), recipe="edssnet", size=(56, 48), apex="spotter", views="neighbours"
    )
    assert asked._settings() == PreparationSettings(recipe="edssnet", size=(56, 48), apex="spotter", views="neighbours")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["casme9", "--root", "."], "'casme9' is unknown; choose among casme2"),
        (["casme2", "--root", "nowhere"], "folder nowhere is not there"),
        (["casme2", "--root", "empty"], "empty does not hold .* the coding table"),
        (["--root", "empty"], "holds none of the databases"),
        (["casme2", "--root", "walls", "--workers", "1"], "none of 1 clips can be prepared.*no face is found"),
        (["casme2", "--root", "walls", "--workers", "0"], "0 workers cannot do anything"),
        (["casme2", "--root", "walls", "--labels", "joy"], "label scheme 'joy' is unknown"),
        (["casme2", "--root", "walls", "--model", "madtn", "--recipe", "apex"], "either --model or --recipe"),
        (["casme2", "--root", "walls", "--recipe", "soup"], "recipe 'soup' is unknown"),
        (["casme2"], "--root"),
    ],
)
def test_bad_input_ends_in_one_line_and_leaves_nothing(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    write_casme2(tmp_path / "walls", CASME2[:1], draw=draw_wall, layout="CASME2_RAW_selected")
    assert cli.main(["prepare", *words, "--out", "maps.npz"]) == 2
    (line,) = (line for line in capfd.readouterr().err.splitlines() if line.startswith("onset:"))
    assert re.search(message, line)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["empty", "walls"]


def test_ctrl_c_says_what_is_kept_and_the_same_command_goes_on(
    casme2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    begun: list[str] = []

    def stopped_at_the_second(job: ClipJob) -> PreparedClip:
        begun.append(job.clip.name)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return clip_maps.prepare_clip(job)

    words = ["prepare", "casme2", "--root", str(casme2), "--out", str(tmp_path / "maps.npz"), "--workers", "1"]
    with monkeypatch.context() as patch:
        patch.setattr("trainers.preparation.preparing.prepare_clip", stopped_at_the_second)
        assert cli.main(words) == 130
    assert "1 of 3 clips are kept; the same command goes on from here" in capfd.readouterr().err
    assert not (tmp_path / "maps.npz").exists()
    assert cli.main(words) == 0
    undisturbed = prepare([casme2], tmp_path / "undisturbed.npz", ["casme2"], workers=LocalWorkers(1))
    assert (tmp_path / "maps.npz").read_bytes() == undisturbed.path.read_bytes()
