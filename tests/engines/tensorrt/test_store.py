"""Engines beside their checkpoint: which one fits, what is said where none does, and nothing half-written."""

import errno
import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from engines.checkpoint import Checkpoint, load_checkpoint
from engines.errors import BackendUnavailable, BadCheckpoint, BadInput
from engines.tensorrt.key import EngineKey
from engines.tensorrt.store import (
    StoredEngine,
    build_command,
    find_engines,
    fitting_engine,
    kept_engine,
    read_engine,
    unreadable_manifests,
    write_engine,
)
from tests.engines.tensorrt.fake_tensorrt import NO_CARD, fake_card, fake_flavour
from tests.engines.tensorrt.test_key import MANIFEST

CONTENT = b"an engine, as far as anybody here can tell"
RTX = fake_flavour("rtx")
CARD = fake_card((8, 9))


def key_of(checkpoint: Checkpoint, **changes: object) -> EngineKey:
    key = replace(MANIFEST.key, model_sha256=checkpoint.card.files["model.onnx"])
    return replace(key, **changes)  # type: ignore[arg-type]  # the fields under test, by name


def store(checkpoint: Checkpoint, **changes: object) -> StoredEngine:
    manifest = replace(
        MANIFEST,
        key=key_of(checkpoint, **changes),
        engine_sha256=hashlib.sha256(CONTENT).hexdigest(),
        engine_bytes=len(CONTENT),
    )
    return write_engine(checkpoint, CONTENT, manifest)


def only(checkpoint: Checkpoint) -> StoredEngine:
    (found,) = find_engines(checkpoint, card=lambda: CARD, flavours=[RTX])
    return found


def test_an_engine_is_found_and_read_again(checkpoint: Checkpoint) -> None:
    written = store(checkpoint)
    assert only(checkpoint) == written
    assert written.fits
    assert read_engine(written) == CONTENT
    assert written.path.parent == checkpoint.folder / "engines"
    assert sorted(path.name for path in written.path.parent.iterdir()) == [
        f"{written.name}.engine",
        f"{written.name}.json",
    ]
    assert kept_engine(checkpoint, written.manifest.key) == written


def test_a_checkpoint_with_engines_is_still_a_checkpoint(checkpoint: Checkpoint) -> None:
    store(checkpoint)
    assert load_checkpoint(checkpoint.folder).card == checkpoint.card


def test_no_engine_is_no_fault(checkpoint: Checkpoint) -> None:
    assert find_engines(checkpoint, card=lambda: CARD, flavours=[RTX]) == []
    assert unreadable_manifests(checkpoint) == []
    assert kept_engine(checkpoint, key_of(checkpoint)) is None


def test_altered_bytes_are_never_given_out(checkpoint: Checkpoint) -> None:
    stored = store(checkpoint)
    altered = bytearray(CONTENT)
    altered[7] ^= 1
    stored.path.write_bytes(altered)
    with pytest.raises(BadCheckpoint, match=r"differs from the SHA-256 sum in its manifest: build it again") as fault:
        read_engine(stored)
    assert str(stored.path) in str(fault.value)
    assert only(checkpoint).obstacle == "differs from the SHA-256 sum in its manifest"
    assert only(checkpoint).remedy == f"onset build {checkpoint.folder} --compute-capability 8.6 8.9"
    assert kept_engine(checkpoint, stored.manifest.key) is None, "the next build replaces it"


def test_a_damaged_engine_does_not_hide_a_whole_one(checkpoint: Checkpoint) -> None:
    store(checkpoint, capabilities=("8.9",)).path.write_bytes(b"damaged")
    whole = store(checkpoint, capabilities=("8.6", "8.9", "12.0"))
    assert fitting_engine(checkpoint, CARD, [RTX]).name == whole.name


def test_a_cut_engine_is_never_given_out(checkpoint: Checkpoint) -> None:
    stored = store(checkpoint)
    stored.path.write_bytes(CONTENT[:10])
    with pytest.raises(BadCheckpoint, match="differs from"):
        read_engine(stored)


def test_a_missing_engine_is_told(checkpoint: Checkpoint) -> None:
    stored = store(checkpoint)
    stored.path.unlink()
    with pytest.raises(BadCheckpoint, match="is missing, only its manifest is there: build it again"):
        read_engine(stored)
    assert not only(checkpoint).fits
    with pytest.raises(BackendUnavailable, match="is missing, only its manifest is there"):
        fitting_engine(checkpoint, CARD, [RTX])


def test_an_engine_without_a_manifest_is_no_engine(checkpoint: Checkpoint) -> None:
    stored = store(checkpoint)
    stored.path.with_suffix(".json").unlink()
    assert find_engines(checkpoint, card=lambda: CARD, flavours=[RTX]) == []
    assert kept_engine(checkpoint, stored.manifest.key) is None


def test_a_manifest_that_cannot_be_read_is_told_apart(checkpoint: Checkpoint) -> None:
    stored = store(checkpoint)
    stored.path.with_suffix(".json").write_text("{")
    assert find_engines(checkpoint, card=lambda: CARD, flavours=[RTX]) == []
    (line,) = unreadable_manifests(checkpoint)
    assert f"{stored.name}.json" in line


@pytest.mark.parametrize(
    ("changes", "obstacle", "remedy"),
    [
        ({"model_sha256": "ab" * 32}, "was built from another model.onnx than the checkpoint's", "onset build FOLDER"),
        ({"version": "1.6.0.1"}, "was built by TensorRT for RTX 1.6.0.1; 1.7.1.116 is installed", "onset build FOLDER"),
        (
            {"capabilities": ("8.6", "12.0"), "precision": "fp16"},
            "was built for compute capability 8.6, 12.0; RTX 4070 has 8.9",
            "onset build FOLDER --precision fp16",
        ),
        (
            {"flavour": "datacenter", "version": "10.13.2.6"},
            "needs datacenter TensorRT, which is not installed",
            "pip install 'onset-live[tensorrt-datacenter]'",
        ),
    ],
    ids=["another model", "another version", "another card", "another flavour"],
)
def test_an_engine_that_does_not_fit_says_why_and_what_to_do(
    checkpoint: Checkpoint, changes: dict[str, object], obstacle: str, remedy: str
) -> None:
    store(checkpoint, **changes)
    found = only(checkpoint)
    assert (found.obstacle, found.remedy) == (obstacle, remedy.replace("FOLDER", str(checkpoint.folder)))
    with pytest.raises(BackendUnavailable) as fault:
        fitting_engine(checkpoint, CARD, [RTX])
    assert str(fault.value) == (
        f"checkpoint model has no TensorRT engine that fits ({found.name} {obstacle}); run: {build_command(checkpoint)}"
    )


def test_without_a_card_the_drivers_reason_stands(checkpoint: Checkpoint) -> None:
    store(checkpoint)
    (found,) = find_engines(checkpoint, card=lambda: NO_CARD, flavours=[RTX])
    assert (found.obstacle, found.remedy) == (NO_CARD.detail, NO_CARD.remedy)


def test_fp32_is_taken_unless_fp16_is_asked_for(checkpoint: Checkpoint) -> None:
    half, full = store(checkpoint, precision="fp16"), store(checkpoint)
    assert fitting_engine(checkpoint, CARD, [RTX]) == full
    assert fitting_engine(checkpoint, CARD, [RTX], "fp16") == half
    full.path.with_suffix(".json").unlink()
    assert fitting_engine(checkpoint, CARD, [RTX]) == half
    with pytest.raises(BackendUnavailable, match="has no fp32 TensorRT engine yet; run: onset build"):
        fitting_engine(checkpoint, CARD, [RTX], "fp32")


def test_the_narrowest_engine_with_the_largest_batch_is_taken(checkpoint: Checkpoint) -> None:
    store(checkpoint, capabilities=("8.6", "8.9"))
    store(checkpoint, capabilities=("8.9",), profile=(1, 2, 16))
    best = store(checkpoint, capabilities=("8.9",), profile=(1, 2, 256))
    assert fitting_engine(checkpoint, CARD, [RTX]) == best


def test_flavours_are_taken_in_their_order(checkpoint: Checkpoint) -> None:
    rtx = store(checkpoint)
    other = store(checkpoint, flavour="datacenter", capabilities=("8.9",))
    datacenter = fake_flavour("datacenter", card=CARD)
    assert fitting_engine(checkpoint, CARD, [RTX, datacenter]) == rtx
    assert fitting_engine(checkpoint, CARD, [datacenter, RTX]) == other


@pytest.mark.parametrize(
    ("precision", "line"),
    [
        (None, "checkpoint model has no TensorRT engine yet; run: onset build FOLDER"),
        ("fp16", "checkpoint model has no fp16 TensorRT engine yet; run: onset build FOLDER --precision fp16"),
    ],
)
def test_no_engine_yet_names_the_command(checkpoint: Checkpoint, precision: None, line: str) -> None:
    with pytest.raises(BackendUnavailable) as fault:
        fitting_engine(checkpoint, CARD, [RTX], precision)
    assert str(fault.value) == line.replace("FOLDER", str(checkpoint.folder))


def test_the_shipped_checkpoint_is_called_by_its_name() -> None:
    assert build_command(load_checkpoint("default")) == "onset build default"


def test_nothing_installed_names_the_extra(checkpoint: Checkpoint) -> None:
    with pytest.raises(BackendUnavailable, match=r"^TensorRT is not installed: pip install 'onset-live\[tensorrt\]'$"):
        fitting_engine(checkpoint, CARD, [])


def test_a_card_that_the_flavour_does_not_serve_is_told(checkpoint: Checkpoint) -> None:
    store(checkpoint)
    with pytest.raises(BackendUnavailable) as fault:
        fitting_engine(checkpoint, fake_card((9, 0), "H200"), [RTX])
    assert str(fault.value) == (
        "TensorRT for RTX 1.7.1.116 cannot build for H200 (compute capability 9.0): "
        "pip install 'onset-live[tensorrt-datacenter]'"
    )


def test_a_folder_in_the_way_is_one_line(checkpoint: Checkpoint) -> None:
    (checkpoint.folder / "engines").write_text("in the way")
    with pytest.raises(BadInput, match=r"engines cannot be written to .*: copy the checkpoint folder to a place"):
        store(checkpoint)


def test_a_read_only_folder_is_one_line(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    with pytest.raises(BadInput, match=r"\(Read-only file system\): copy the checkpoint folder to a place") as fault:
        store(checkpoint)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("failing", [1, 2], ids=["at the engine", "at the manifest"])
def test_a_full_disk_leaves_nothing_that_could_be_taken_for_whole(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    stored = store(checkpoint)
    calls, replacing = [], Path.replace

    def full(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) == failing:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replacing(path, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(BadInput, match=r"cannot be written \(No space left on device\): make room"):
        store(checkpoint)
    assert find_engines(checkpoint, card=lambda: CARD, flavours=[RTX]) == []
    assert [path.name for path in stored.path.parent.iterdir()] == [stored.path.name]


def test_the_manifest_says_what_is_in_the_file(checkpoint: Checkpoint) -> None:
    stored = store(checkpoint)
    record = json.loads(stored.path.with_suffix(".json").read_text())
    assert record["engine_sha256"] == hashlib.sha256(stored.path.read_bytes()).hexdigest()
    assert record["key"]["model_sha256"] == checkpoint.card.files["model.onnx"]
