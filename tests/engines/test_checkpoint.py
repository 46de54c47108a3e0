import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines import checkpoint as checkpoint_module
from engines.card import ModelCard
from engines.checkpoint import load_checkpoint, write_checkpoint
from engines.errors import BadCheckpoint, BadInput


def card(**changes: object) -> ModelCard:
    base = ModelCard(
        model="ststnet",
        paper="Liong et al., FG 2019",
        recipe="flow-strain",
        normalisation="centred-flow-log-strain",
        input_shape=(3, 28, 28),
        classes=("negative", "positive", "surprise"),
        training_data="nothing",
        protocol="none",
        limits="a stand-in for tests",
        test_time_mirror=True,
        scores={"shared": {"uf1": 0.75}},
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the fields under test, by name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    weights: dict[str, np.ndarray] = {
        "layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "bias": np.ones(3, np.float64),
    }
    return write_checkpoint(tmp_path / "model", model=b"not an onnx file", weights=weights, card=card()).folder


def edit(folder: Path, **changes: object) -> None:
    path = folder / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_written_checkpoint_reads_back_whole(folder: Path) -> None:
    loaded = load_checkpoint(folder)
    assert loaded.name == "model"
    assert loaded.model_path.read_bytes() == b"not an onnx file"
    written = card()
    assert replace(loaded.card, files={}, created="", onset_version="") == written
    assert loaded.card.created
    assert loaded.card.onset_version
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.json",
        "model.onnx",
        "weights.safetensors",
    ]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["model"]


def test_weights_are_a_safetensors_file(folder: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy", reason="safetensors comes with the [train] extra")
    weights = safetensors.load_file(folder / "weights.safetensors")
    np.testing.assert_array_equal(weights["layer.weight"], np.arange(6, dtype=np.float32).reshape(2, 3))
    assert weights["bias"].dtype == np.float64


@pytest.mark.parametrize("name", ["model.onnx", "weights.safetensors"])
def test_a_changed_byte_is_found(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BadCheckpoint, match=rf"{name} differs from the SHA-256 sum") as fault:
        load_checkpoint(folder)
    assert "\n" not in str(fault.value)
    assert str(folder) in str(fault.value)


@pytest.mark.parametrize("name", ["model.onnx", "weights.safetensors", "card.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BadCheckpoint, match=f"{name} is missing"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "crystal-ball"}, r"unknown recipe 'crystal-ball': this version knows .*flow-strain"),
        ({"normalisation": "whitened"}, "unknown normalisation 'whitened'"),
        ({"format": 2}, "format 2 is newer than this version reads"),
        ({"format": "1"}, "format in card.json must be a whole number"),
        ({"input_shape": [3, 28]}, "three whole numbers"),
        ({"input_shape": [5, 28, 28]}, "recipe flow-strain gives 3 channels, not 5"),
        ({"input_dtype": "float16"}, "float32 only"),
        ({"classes": ["one"]}, "two or more different names"),
        ({"classes": ["one", 2]}, "must be names"),
        ({"test_time_mirror": "yes"}, "test_time_mirror in card.json must be true or false"),
        ({"output": "votes"}, "unknown output"),
        ({"parameters": "many"}, "parameters in card.json must be a count"),
        ({"files": {"model.onnx": "abc"}}, "SHA-256"),
        ({"files": {}}, "no SHA-256 sum of model.onnx"),
        ({"recipe": "madtn"}, "cannot be mirrored"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(folder: Path, changes: dict[str, object], message: str) -> None:
    edit(folder, **changes)
    with pytest.raises(BadCheckpoint, match=message) as fault:
        load_checkpoint(folder)
    assert "\n" not in str(fault.value)


def test_a_card_without_a_field_names_it(folder: Path) -> None:
    record = json.loads((folder / "card.json").read_text())
    del record["limits"]
    (folder / "card.json").write_text(json.dumps(record))
    with pytest.raises(BadCheckpoint, match=r"lacks limits"):
        load_checkpoint(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_a_card_that_is_no_object_is_refused(folder: Path, text: str) -> None:
    (folder / "card.json").write_text(text)
    with pytest.raises(BadCheckpoint, match=r"card\.json"):
        load_checkpoint(folder)


def test_unknown_extra_fields_are_passed_over(folder: Path) -> None:
    edit(folder, remark="from a later version")
    assert load_checkpoint(folder).card.model == "ststnet"


def test_wrong_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="is not there"):
        load_checkpoint(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(BadCheckpoint, match="is a file"):
        load_checkpoint(tmp_path / "file")


def test_default_is_the_shipped_folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_module, "SHIPPED_FOLDER", tmp_path / "shipped")
    with pytest.raises(BadCheckpoint, match="reinstall"):
        load_checkpoint("default")
    shutil.copytree(folder, tmp_path / "shipped" / "default")
    assert load_checkpoint("default").name == "default"


def test_an_existing_checkpoint_is_replaced_only_when_told(folder: Path) -> None:
    with pytest.raises(BadInput, match="exists already"):
        write_checkpoint(folder, model=b"new", weights={}, card=card())
    again = write_checkpoint(folder, model=b"new", weights={}, card=card(), replace_existing=True)
    assert again.model_path.read_bytes() == b"new"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["model"]


def test_a_stop_while_the_old_one_is_removed_leaves_the_new_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(path: Path, **_: object) -> None:
        next(iter(Path(path).iterdir())).unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(folder, model=b"new", weights={}, card=card(), replace_existing=True)
    assert (load_checkpoint(folder).folder / "model.onnx").read_bytes() == b"new"


def test_a_folder_of_other_things_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "draft.txt").write_text("years of work")
    with pytest.raises(BadInput, match="no checkpoint folder"):
        write_checkpoint(tmp_path / "thesis", model=b"", weights={}, card=card(), replace_existing=True)
    assert (tmp_path / "thesis" / "draft.txt").exists()


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_checkpoint(tmp_path / "model", model=tmp_path / "missing.onnx", weights={}, card=card())
    assert list(tmp_path.iterdir()) == []
