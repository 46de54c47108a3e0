"""All five systems train to their protocols on synthesised clips, end to end; what cannot be trained is one line."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from demo.cli import main
from demo.training import training_table
from engines.checkpoint import load_checkpoint
from engines.classification import classify
from engines.sessions import open_session
from tests.trainers.datasets.database_trees import write_smic
from tests.trainers.drawn_clips import SMIC, draw_face
from trainers.feature_file import load_features
from trainers.fold_record import load_fold
from trainers.models.registry import model_entry

SMALL = ("--synthetic", "--synthetic-clips.clips-per-subject", "3", "--seeds", "1", "--workers", "1", "--json")
SYSTEMS = {
    "edssnet": ("--synthetic-clips.subjects", "4", "--folds", "4", "--epochs", "2", "--batch", "6"),
    "dual-branch": ("--synthetic-clips.subjects", "2", "--size", "28", "28", "--epochs", "1", "--batch", "4"),
    "dual-attention-crossvit": ("--synthetic-clips.subjects", "3", "--epochs", "4", "--ensemble", "--seeds", "2"),
    "madtn": (
        *("--synthetic-clips.subjects", "2", "--synthetic-clips.datasets", "casme2", "smic-hs"),
        *("--tasks", "casme2:smic-hs", "smic-hs:casme2", "--epochs", "2", "--batch", "6"),
    ),
    "se-resnext-50": ("--synthetic-clips.subjects", "2", "--size", "48", "48", "--epochs", "1"),
}  # fmt: skip
PROTOCOLS = {"edssnet": "k-fold", "madtn": "cross-database"}
FOLDS = {"edssnet": 4, "dual-branch": 2, "dual-attention-crossvit": 3, "madtn": 2, "se-resnext-50": 2}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small networks on one thread: a second one waits more than it works."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_trains_to_its_protocol(system: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main(["train", system, *SMALL, *SYSTEMS[system], "--out", str(out)]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics == json.loads((out / "metrics.json").read_text())
    assert (metrics["model"], metrics["protocol"]) == (system, PROTOCOLS.get(system, "leave-one-subject-out"))
    assert metrics["folds"] == FOLDS[system]
    assert 0 <= metrics["uf1"] <= 1
    assert json.loads((out / "run.json").read_text())["state"] == "complete"
    assert "synthesised clips" in (out / "report.html").read_text()
    features, entry = load_features(out / "features.npz"), model_entry(system)
    assert features.recipe == entry.recipe
    checkpoint = load_checkpoint(out / "checkpoint")
    assert "nothing real" in checkpoint.card.training_data
    with open_session(checkpoint, backend="onnxruntime") as session:
        given = classify(session, features.x[:3])
    np.testing.assert_allclose(given.sum(axis=1), 1.0, atol=1e-5)
    fold = load_fold(out / "folds" / "seed0-000.npz")
    views = {str(name).rstrip("0123456789") for name in features.variant[fold.train]}
    assert views == {"edssnet": {"", "apex-", "apex+"}, "madtn": {"", "middle-"}}.get(system, {""})
    assert bool(len(fold.validation)) == (system == "edssnet")


def test_the_same_command_goes_on_and_a_table_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "ststnet", "--synthetic", "--synthetic-clips.subjects", "3", "--epochs", "2", "--workers", "1"]
    words += ["--synthetic-clips.clips-per-subject", "3", "--seeds", "2", "--out", str(tmp_path / "run")]
    assert main([*words, "--tensorboard"]) == 0
    first = capsys.readouterr().out
    assert "best epoch picked on the tested subject: not a result" in " ".join(first.split())
    assert list((tmp_path / "run" / "tensorboard").rglob("events.*"))
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "folds").iterdir()}
    assert main(words) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "folds").iterdir()} == stamps


def test_the_table_fits_into_a_terminal_and_explains_tasks() -> None:
    scores = {
        "mean": dict.fromkeys(("uf1", "uar", "accuracy"), 0.5),
        "sd": dict.fromkeys(("uf1", "uar", "accuracy"), 0.1),
    }
    tasks = {f"smic-{one} → smic-{other}": {"clips": 6, **scores} for one, other in (("vis", "nir"), ("nir", "vis"))}
    leaky = {**scores, "datasets": {}}
    metrics = {
        **scores,
        "model": "dual-attention-crossvit",
        "protocol": "cross-database",
        "folds": 2,
        "seconds": 7.0,
        "clips_scored": 12,
        "seeds": [{}, {}],
        "datasets": {},
        "tasks": tasks,
        "leaky_best_epoch": leaky,
        "ensemble_of_seeds": scores["mean"],
    }
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(training_table(metrics))
    lines = console.export_text().splitlines()
    (whole,) = [line for line in lines if line.startswith("mean of tasks")]
    assert whole.split() == ["mean", "of", "tasks", "12", *(("0.500", "±", "0.100") * 3), "0.500"]
    assert sum(line.startswith("smic-") and line.count("0.500 ± 0.100") == 3 for line in lines) == 2
    assert any("2 tasks × 2 seeds" in line for line in lines)


@pytest.mark.parametrize("name", ["features.npz", "thesis.txt"])
@pytest.mark.parametrize("flags", [(), ("--overwrite",)])
def test_what_others_keep_in_the_folder_is_never_replaced(
    name: str, flags: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(b"three years")
    assert main(["train", "ststnet", *SMALL, "--out", str(tmp_path), *flags]) == 2
    assert "another --out" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {name: b"three years"}


def test_data_that_cannot_be_read_leaves_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pictures").mkdir()
    assert main(["train", "ststnet", "--data", str(tmp_path / "pictures"), "--out", str(tmp_path / "run")]) == 2
    assert "holds none of the databases" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


def test_real_flow_strain_maps_serve_the_dual_branch_network(tmp_path: Path) -> None:
    """Maps as published, with three channels and no word on what made them."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (6, 28, 28, 3), np.uint8)
    np.savez(tmp_path / "maps.npz", x=x, y=np.arange(6) % 3, subject=np.array(list("aaabbb")), dataset=np.full(6, "d"))
    words = ["train", "dual-branch", "--features", str(tmp_path / "maps.npz"), "--epochs", "1", "--seeds", "1"]
    assert main([*words, "--batch", "3", "--workers", "1", "--json", "--out", str(tmp_path / "run")]) == 0
    card = load_checkpoint(tmp_path / "run" / "checkpoint").card
    assert (card.recipe, card.input_shape) == ("dual-branch", (6, 28, 28))
    assert "feature file maps.npz" in card.training_data
    assert str(tmp_path) not in card.training_data + (tmp_path / "run" / "report.html").read_text()


def test_data_sets_that_lie_together_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "SMIC"
    for part in ("HS", "VIS"):
        write_smic(home, SMIC, draw=draw_face, part=part)
    words = ["train", "ststnet", "--data", str(home), "--protocol", "cross-database", "--epochs", "1", "--seeds", "1"]
    words += ["--workers", "1", "--json", "--out", str(tmp_path / "run")]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "holds several data sets (smic-hs, smic-vis): name those that are meant" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()
    words += ["--datasets", "smic-vis", "smic-hs"]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert set(json.loads(captured.out)["tasks"]) == {"smic-hs → smic-vis", "smic-vis → smic-hs"}
    assert f"report: {tmp_path / 'run' / 'features.report.txt'}" in captured.err
    features = load_features(tmp_path / "run" / "features.npz")
    assert list(features.dataset) == ["smic-vis"] * 2 + ["smic-hs"] * 2
    assert main(words) == 0
    assert "prepared from smic-vis, smic-hs in" in (tmp_path / "run" / "run.json").read_text()
    assert main([*words, "--labels", "emotions"]) == 2
    assert "was made of other clips" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["resnet-152", "--synthetic"], "model 'resnet-152' is unknown: use one of"),
        (["madtn", "--synthetic", "--settings-of", "ours"], "we have tried none with madtn, only with compact-cnn"),
        (["ststnet"], "give one of --features FILE.npz, --data FOLDER"),
        (["ststnet", "--synthetic", "--data", "."], "not two of them"),
        (["ststnet", "--synthetic", "--datasets", "casme2"], "--datasets and --labels say how --data is read"),
        (["ststnet", "--features", "nowhere.npz"], "nowhere.npz is not there"),
        (
            ["edssnet", "--features", "PEOPLE", "--folds", "4"],
            "has 3 channels; edssnet takes 6: prepare it with --model edssnet",
        ),
        (["ststnet", "--features", "MAPS"], "needs 2 or more subjects; the data has 1 (d/a): add subjects"),
        (["ststnet", "--features", "MAPS", "--protocol", "cross-database"], "needs two or more data sets; it holds d"),
        (["ststnet", "--features", "MAPS", "--epochs", "0"], "epochs is 0: give 1 or more"),
        (["ststnet", "--features", "MAPS", "--seeds", "0"], "seeds is 0"),
        (["ststnet", "--features", "PEOPLE", "--workers", "0"], "--workers 0: give 1 or more"),
        (["ststnet", "--features", "MAPS", "--config", "nowhere.toml"], "the configuration cannot be read"),
        (["ststnet", "--data", "EMPTY"], "EMPTY"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "EMPTY").mkdir()
    x = np.zeros((4, 28, 28, 3), np.uint8)
    np.savez(tmp_path / "maps.npz", x=x, y=np.arange(4) % 3, subject=np.full(4, "a"), dataset=np.full(4, "d"))
    people = np.array(list("abcd"))
    np.savez(tmp_path / "people.npz", x=x, y=np.arange(4) % 3, subject=people, dataset=np.full(4, "d"))
    places = {"MAPS": "maps.npz", "PEOPLE": "people.npz", "EMPTY": "EMPTY"}
    given = [str(tmp_path / places[word]) if word in places else word for word in words]
    assert main(["train", *given, "--out", str(tmp_path / "run")]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_configuration_file_sets_and_flags_win(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.toml"
    file.write_text("[training]\nepochs = 7\nbatch = 5\n[protocol_parameters]\ntest_share = 0.5\ninner_share = 0.0\n")
    words = ["train", "ststnet", "--synthetic", "--synthetic-clips.subjects", "2", "--protocol", "hold-out"]
    words += ["--synthetic-clips.clips-per-subject", "3", "--seeds", "1", "--workers", "1", "--json"]
    assert main([*words, "--out", str(tmp_path / "run"), "--config", str(file), "--epochs", "2"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["epochs"] == 2
    assert metrics["settings"]["training"]["batch"] == 5
    assert metrics["clips_scored"] == 3


def test_features_made_of_other_clips_are_not_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "ststnet", "--synthetic", "--synthetic-clips.clips-per-subject", "3", "--epochs", "1"]
    words += ["--seeds", "1", "--workers", "1", "--json", "--out", str(tmp_path / "run")]
    assert main([*words, "--synthetic-clips.subjects", "2"]) == 0
    capsys.readouterr()
    assert main([*words, "--synthetic-clips.subjects", "3"]) == 2
    assert "was made of other clips" in capsys.readouterr().err
    assert main([*words, "--synthetic-clips.subjects", "3", "--overwrite"]) == 0
    assert json.loads(capsys.readouterr().out)["clips"] == 9


def test_pre_training_is_done_once_a_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "ststnet", "--synthetic", "--synthetic-clips.clips-per-subject", "3", "--epochs", "1"]
    words += ["--synthetic-clips.subjects", "2", "--seeds", "2", "--workers", "1", "--json"]
    words += ["--pretrain", "synthetic", "--pretraining.drawn-maps", "250", "--pretraining.filmed-maps", "0"]
    assert main([*words, "--out", str(tmp_path / "run")]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["settings"]["training"]["learning_rate"] == pytest.approx(0.25 * 2e-3)
    assert metrics["settings"]["pretraining"]["drawn_maps"] == 250
    assert len(list((tmp_path / "run" / "pretrained").glob("*.safetensors"))) == 2
    assert "Before that, on synthetic" in load_checkpoint(tmp_path / "run" / "checkpoint").card.training_data


def test_our_own_settings_stand_in_for_the_papers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "dual-attention-crossvit", "--synthetic", "--synthetic-clips.clips-per-subject", "3"]
    words += ["--synthetic-clips.subjects", "2", "--seeds", "1", "--workers", "1", "--json", "--epochs", "2"]
    assert main([*words, "--settings-of", "ours", "--out", str(tmp_path / "run")]) == 0
    training = json.loads(capsys.readouterr().out)["settings"]["training"]
    assert (training["optimiser"], training["schedule"], training["epochs"]) == ("adamw", "one-cycle", 2)
