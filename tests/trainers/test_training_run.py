"""A run goes on after the hardest stop, gives the same whoever works, and keeps off other people's folders."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.errors import BadInput
from trainers.feature_file import FeatureFile, save_features
from trainers.fold_record import load_fold
from trainers.models.registry import model_entry
from trainers.protocol import ProtocolParameters
from trainers.training_parameters import TrainingParameters
from trainers.training_run import RunParameters, TrainingRun
from trainers.workers import LocalWorkers

TRAINING = TrainingParameters(epochs=3, batch=16)
PARAMETERS = RunParameters(protocol="leave-one-subject-out", training=TRAINING, seeds=2)


def clips(subjects: int = 4, each: int = 9, size: int = 28, channels: int = 3) -> FeatureFile:
    """Maps whose label is where the flow goes to: left, right or up."""
    generator = np.random.default_rng(1)
    count = subjects * each
    labels = np.arange(count) % 3
    x = generator.integers(100, 156, (count, size, size, channels), np.uint8)
    for label in range(3):
        x[labels == label, 6 : size - 6, 6 : size - 6, label % channels] += 60
    return FeatureFile(
        path=Path("made-up.npz"),
        x=x,
        y=labels,
        subject=np.array([f"s{row // each}" for row in range(count)]),
        dataset=np.full(count, "made-up"),
        clip=np.array([f"c{row}" for row in range(count)]),
        label_names=("negative", "positive", "surprise"),
        variant=np.full(count, ""),
        recipe="flow-strain",
    )


def scores_of(metrics: Any) -> Any:
    """Metrics without what time and machine decide."""
    if isinstance(metrics, dict):
        kept = {key: value for key, value in metrics.items() if key not in ("seconds", "peak_memory_mib")}
        return {key: scores_of(value) for key, value in kept.items()}
    return [scores_of(value) for value in metrics] if isinstance(metrics, list) else metrics


def new_run(folder: Path, features: FeatureFile | None = None, **changes: Any) -> TrainingRun:
    return TrainingRun(model_entry("ststnet"), features or clips(), replace(PARAMETERS, **changes), folder)


def test_two_workers_give_what_one_gives(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    one = new_run(tmp_path / "one").run(LocalWorkers(1), lambda done, total, _: told.append((done, total)))
    two = new_run(tmp_path / "two").run(LocalWorkers(2))
    assert told == [(done, 8) for done in range(9)]
    assert scores_of(one) == scores_of(two)
    for place in range(4):
        first, second = (load_fold(tmp_path / name / "folds" / f"seed1-{place:03d}.npz") for name in ("one", "two"))
        np.testing.assert_array_equal(first.probabilities, second.probabilities)
        np.testing.assert_array_equal(first.training_losses, second.training_losses)
    written = json.loads((tmp_path / "one" / "metrics.json").read_text())
    assert written["parameters"] == 1683
    assert written["clips"] == written["clips_scored"] == 36
    assert [seed["seed"] for seed in written["seeds"]] == [0, 1]


def test_seeds_differ_and_folds_are_not_one_network() -> None:
    run_seeds = {(seed, place): place for seed in range(2) for place in range(4)}
    from trainers.fold import FoldJob, fold_seed

    assert len({fold_seed(FoldJob(*job)) for job in run_seeds}) == 8


KILLED = """
import sys
from pathlib import Path
from tests.trainers.test_training_run import new_run
from trainers.workers import LocalWorkers

if __name__ == "__main__":
    new_run(Path(sys.argv[1])).run(LocalWorkers(1), lambda done, total, _: print(done, flush=True))
"""


def test_a_killed_run_goes_on_to_the_same_end(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 3:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    kept = sorted((folder / "folds").glob("seed*.npz"))
    assert 3 <= len(kept) < 8
    assert not (folder / "metrics.json").exists()
    stamps = {path: path.stat().st_mtime_ns for path in kept}
    resumed = new_run(folder).run(LocalWorkers(1))
    assert {path: path.stat().st_mtime_ns for path in kept} == stamps
    assert scores_of(resumed) == scores_of(new_run(tmp_path / "undisturbed").run(LocalWorkers(1)))


def test_more_seeds_go_on_from_those_that_are_there(tmp_path: Path) -> None:
    new_run(tmp_path / "run", seeds=1).run(LocalWorkers(1))
    before = time.time_ns()
    metrics = new_run(tmp_path / "run").run(LocalWorkers(1))
    assert len(metrics["seeds"]) == 2
    assert all(path.stat().st_mtime_ns < before for path in (tmp_path / "run" / "folds").glob("seed0*"))


def test_the_record_says_what_the_run_is_now(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", seeds=1)
    run.run(LocalWorkers(1))
    run.finish()
    record = new_run(tmp_path / "run", seeds=2).record()
    assert (record["state"], record["seeds"], record["settings"]["seeds"]) == ("running", [0, 1], 2)


@pytest.mark.parametrize("left", [".run.json-unfinished", ".metrics.json-unfinished", ".report.html.tmp"])
def test_what_a_kill_left_half_written_is_no_strangers(tmp_path: Path, left: str) -> None:
    (tmp_path / left).write_text("{")
    (tmp_path / ".checkpoint-a1b2").mkdir()
    new_run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    "other",
    [
        lambda folder: new_run(folder, training=replace(TRAINING, learning_rate=1e-4)),
        lambda folder: new_run(folder, features=clips(each=10)),
        lambda folder: new_run(folder, protocol="hold-out"),
    ],
)
def test_another_run_is_not_mixed_in(tmp_path: Path, other: Callable[[Path], TrainingRun]) -> None:
    new_run(tmp_path / "run", seeds=1)
    with pytest.raises(BadInput, match="holds another run"):
        other(tmp_path / "run")


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years")
    with pytest.raises(BadInput, match="is not empty and holds no training run"):
        new_run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(BadInput, match=r"thesis\.txt is a file"):
        new_run(tmp_path / "thesis.txt")


def test_overwriting_removes_what_a_run_wrote_and_nothing_else(tmp_path: Path) -> None:
    new_run(tmp_path / "run", seeds=1).run(LocalWorkers(1))
    (tmp_path / "run" / "notes.txt").write_text("mine")
    TrainingRun(
        model_entry("ststnet"), clips(), replace(PARAMETERS, protocol="hold-out"), tmp_path / "run", overwrite=True
    )
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["notes.txt", "run.json"]


def test_a_damaged_fold_is_named(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", seeds=1)
    run.run(LocalWorkers(1))
    (tmp_path / "run" / "folds" / "seed0-002.npz").write_bytes(b"PK broken")
    with pytest.raises(BadInput, match=r"seed0-002\.npz cannot be read: remove it"):
        run.run(LocalWorkers(1))


def test_a_network_that_diverged_is_not_scored(tmp_path: Path) -> None:
    wild = replace(TRAINING, optimiser="sgd", schedule="constant", averaging=0.0, learning_rate=1e30)
    with pytest.raises(BadInput, match="fold made-up/s0, seed 0: the training diverged"):
        new_run(tmp_path / "run", training=wild).run(LocalWorkers(1))
    assert not (tmp_path / "run" / "folds").exists()


def test_patience_wants_an_inner_split(tmp_path: Path) -> None:
    patient = replace(TRAINING, patience=2)
    with pytest.raises(BadInput, match="has no inner split: add --inner-share"):
        new_run(tmp_path / "run", training=patient)
    inner = ProtocolParameters(inner_share=0.3)
    run = new_run(tmp_path / "run", training=replace(patient, epochs=30), protocol_parameters=inner, seeds=1)
    run.run(LocalWorkers(1))
    assert all(len(record.validation) for record in run.records())
    assert run.usual_epochs() == round(np.median([record.kept_epoch for record in run.records()]))


@pytest.mark.parametrize(
    ("model", "features", "said"),
    [
        ("edssnet", clips(), "holds flow-strain maps; edssnet takes edssnet: prepare it with --model edssnet"),
        ("linear-svm", clips(size=20), "has maps of 20×20; linear-svm takes 28×28"),
        ("ststnet", replace(clips(channels=2), recipe=None), "has 2 channels; ststnet takes 3"),
    ],
)
def test_features_that_do_not_fit_are_refused_before_anything_is_written(
    tmp_path: Path, model: str, features: FeatureFile, said: str
) -> None:
    with pytest.raises(BadInput) as fault:
        TrainingRun(model_entry(model), features, PARAMETERS, tmp_path / "run")
    assert said in str(fault.value)
    assert not (tmp_path / "run").exists()


def test_features_come_back_as_they_were_saved(tmp_path: Path) -> None:
    from trainers.feature_file import load_features

    wanted = clips()
    given = load_features(save_features(tmp_path / "clips.npz", wanted.arrays()))
    for name in ("x", "y", "subject", "dataset", "clip", "variant"):
        np.testing.assert_array_equal(getattr(given, name), getattr(wanted, name))
    assert (given.label_names, given.recipe) == (wanted.label_names, "flow-strain")
    with pytest.raises(BadInput, match=r"must end in \.npz"):
        save_features(tmp_path / "clips.zip", wanted.arrays())


def test_nobody_is_set_aside_for_a_validation_that_decides_nothing(tmp_path: Path) -> None:
    two = ProtocolParameters(folds=2)
    idle = new_run(tmp_path / "idle", protocol="k-fold", protocol_parameters=two)
    assert not any(len(split.validation) for split in idle.splits)
    patient = replace(TRAINING, patience=2)
    used = new_run(tmp_path / "used", protocol="k-fold", protocol_parameters=two, training=patient)
    assert all(len(split.validation) for split in used.splits)
    asked = new_run(tmp_path / "asked", protocol="k-fold", protocol_parameters=replace(two, inner_share=0.5))
    assert all(len(split.validation) for split in asked.splits)
