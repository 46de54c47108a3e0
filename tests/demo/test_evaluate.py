import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from demo.evaluate import evaluate, score_table
from engines.checkpoint import Checkpoint
from engines.errors import BadInput
from tests.engines.stand_in_checkpoint import channel_mean_model, stand_in_checkpoint

LABELS = np.array([0, 1, 2, 1, 0, 2, 2])
ANSWERS = np.array([0, 1, 2, 2, 0, 2, 1])
DATASETS = np.array(["one", "one", "one", "two", "two", "two", "two"])


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    """Its answer is the brightest channel."""
    return stand_in_checkpoint(tmp_path / "model", channel_mean_model(np.eye(3)))


def brightest(answers: np.ndarray) -> np.ndarray:
    maps = np.zeros((len(answers), 28, 28, 3), np.uint8)
    maps[np.arange(len(answers)), :, :, answers] = 200
    return maps


def feature_file(path: Path, **changes: np.ndarray | None) -> Path:
    arrays: dict[str, np.ndarray | None] = {
        "x": brightest(ANSWERS),
        "y": LABELS,
        "subject": np.array(["s"] * 7),
        "dataset": DATASETS,
        "clip": np.arange(7).astype(str),
        "label_names": np.array(["negative", "positive", "surprise"]),
    }
    kept = {name: array for name, array in (arrays | changes).items() if array is not None}
    np.savez_compressed(path, **kept)
    return path


def test_scores_are_pooled_and_by_data_set(tmp_path: Path, checkpoint: Checkpoint) -> None:
    result = evaluate(checkpoint, feature_file(tmp_path / "maps.npz"))
    assert result["confusion"] == [[2, 0, 0], [0, 1, 1], [0, 1, 2]]
    assert result["uf1"] == pytest.approx((1 + 0.5 + 2 / 3) / 3)
    assert result["uar"] == pytest.approx((1 + 0.5 + 2 / 3) / 3)
    assert result["accuracy"] == pytest.approx(5 / 7)
    assert result["n"] == 7
    assert {name: scores["n"] for name, scores in result["datasets"].items()} == {"one": 3, "two": 4}
    assert result["datasets"]["one"]["uf1"] == 1
    assert result["datasets"]["two"]["uf1"] == pytest.approx((1 + 0 + 0.5) / 3)
    assert json.loads(json.dumps(result)) == result


def test_labels_are_matched_by_name_in_any_order(tmp_path: Path, checkpoint: Checkpoint) -> None:
    usual = evaluate(checkpoint, feature_file(tmp_path / "usual.npz"))
    names = np.array(["Surprise", "others", "negative", "positive"])
    moved = np.array([2, 3, 0])[LABELS]
    other = evaluate(checkpoint, feature_file(tmp_path / "other.npz", y=moved, label_names=names))
    unnamed = evaluate(checkpoint, feature_file(tmp_path / "unnamed.npz", label_names=None))
    assert usual["confusion"] == other["confusion"] == unnamed["confusion"]


def test_further_views_of_a_clip_are_not_scored(tmp_path: Path, checkpoint: Checkpoint) -> None:
    variant = np.array(["", "", "", "apex-1", "", "apex+1", ""])
    result = evaluate(checkpoint, feature_file(tmp_path / "maps.npz", variant=variant))
    assert result["n"] == 5
    assert result["confusion"] == [[2, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert {name: scores["n"] for name, scores in result["datasets"].items()} == {"one": 3, "two": 2}


def test_the_table_says_what_the_model_learned_from(tmp_path: Path, checkpoint: Checkpoint) -> None:
    result = evaluate(checkpoint, feature_file(tmp_path / "maps.npz"))
    assert result["trained_on"] == checkpoint.card.training_data
    assert score_table(result).caption == f"trained on: {checkpoint.card.training_data}"


def test_float_maps_are_taken(tmp_path: Path, checkpoint: Checkpoint) -> None:
    path = feature_file(tmp_path / "maps.npz", x=brightest(ANSWERS).astype(np.float32))
    assert evaluate(checkpoint, path)["confusion"] == [[2, 0, 0], [0, 1, 1], [0, 1, 2]]


def test_the_same_classification_as_live_is_used(tmp_path: Path) -> None:
    # Weighted by column, and mirrored: without mirroring, the ramp's sign would decide every answer.
    ramp = np.linspace(0, 255, 28).astype(np.uint8)
    maps = np.zeros((2, 28, 28, 3), np.uint8)
    maps[0, ..., 1], maps[1, ..., 2] = ramp, ramp[::-1]
    model = channel_mean_model(np.eye(3) * 30, column_weight=True)
    path = feature_file(tmp_path / "maps.npz", x=maps, y=np.array([1, 2]), subject=None, dataset=None, clip=None)
    plain = evaluate(stand_in_checkpoint(tmp_path / "plain", model), path)
    mirrored = evaluate(stand_in_checkpoint(tmp_path / "mirrored", model, test_time_mirror=True), path)
    assert plain["accuracy"] == 0.5
    assert mirrored["test_time_mirror"]
    assert mirrored["accuracy"] == 1.0
    assert list(mirrored["datasets"]) == ["unnamed"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": None}, "has no array 'x'"),
        ({"y": None}, "has no array 'y'"),
        ({"y": LABELS.astype(float)}, "whole numbers"),
        ({"y": LABELS[:3]}, "must be 7 whole numbers"),
        ({"y": LABELS - 1}, "count from 0"),
        ({"y": LABELS + 1}, "4 or more different names"),
        ({"y": LABELS + 1, "label_names": None}, "label 3 has no name"),
        ({"label_names": np.array(["negative", "negative", "surprise"])}, "different names"),
        (
            {"label_names": np.array(["negative", "happy", "surprise"])},
            "label 'happy', which stand-in does not know",
        ),
        ({"x": np.zeros((7, 28, 28), np.uint8)}, r"must be \(N, H, W, C\)"),
        (
            {"x": np.zeros((7, 56, 56, 3), np.uint8)},
            r"stand-in takes flow-strain maps of shape \(N, 28, 28, 3\)",
        ),
        ({"x": np.zeros((7, 28, 28, 3), np.float64)}, "uint8 or float32"),
        ({"x": np.full((7, 28, 28, 3), np.nan, np.float32)}, "not finite"),
        ({"dataset": DATASETS[:2]}, "must name each of 7 clips"),
        ({"clip": np.array([object()] * 7)}, "without pickled objects"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(
    tmp_path: Path, checkpoint: Checkpoint, changes: dict[str, np.ndarray | None], message: str
) -> None:
    path = feature_file(tmp_path / "maps.npz", **changes)
    with pytest.raises(BadInput, match=message) as fault:
        evaluate(checkpoint, path)
    assert "\n" not in str(fault.value)
    assert "maps.npz" in str(fault.value)


def test_files_that_are_no_feature_files_are_named(tmp_path: Path, checkpoint: Checkpoint) -> None:
    with pytest.raises(BadInput, match="is not there"):
        evaluate(checkpoint, tmp_path / "nowhere.npz")
    for content in (b"", b"plain text", b"PK\x03\x04 torn"):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(BadInput, match="cannot be read"):
            evaluate(checkpoint, tmp_path / "bad.npz")
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(BadInput, match="single array"):
        evaluate(checkpoint, tmp_path / "single.npy")


def test_the_table_shows_the_whole_and_each_data_set(tmp_path: Path, checkpoint: Checkpoint) -> None:
    console = Console(width=150, record=True, quiet=False, file=(tmp_path / "out.txt").open("w"))
    console.print(score_table(evaluate(checkpoint, feature_file(tmp_path / "maps.npz"))))
    console.file.close()
    text = (tmp_path / "out.txt").read_text()
    for word in ("UF1", "recall surprise", "0.722", "all", "one", "two"):
        assert word in text


def test_the_shared_real_maps_can_be_evaluated(shared_data: Path, checkpoint: Checkpoint) -> None:
    result = evaluate(checkpoint, shared_data / "megc2019_flow_casme2_smic.npz")
    assert result["n"] == 309
    assert {name: scores["n"] for name, scores in result["datasets"].items()} == {"casme2": 145, "smic": 164}
